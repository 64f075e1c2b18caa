/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports.c - one word a port: client << 8 | claims, changed by compare and swap. Beside it the uid, for the quota:
 * written after the claim and cleared before the release, and counted after it is written. Of several claims at once
 * that together pass the quota, the last to write its uid sees all of them. A bitmap names the ports that have a uid,
 * so that to count them is quick: workers do it, while others wait for their turn.
 */
#include "ports.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <xlane/limits.h>

#define PORTS 65536
#define CLAIMS_MAX 255u
#define NOBODY UINT64_MAX   /* no uid is that large */

_Static_assert(XLANE_WORKERS_MAX <= CLAIMS_MAX, "each worker of a client may claim");

struct xl_ports {
	u32 privileged, per_uid;
	_Atomic u64 owner[PORTS];
	_Atomic u64 uid[PORTS];
	_Atomic u64 used[PORTS / 64];   /* those whose uid is somebody's */
};

int xl_ports_open(u32 privileged, u32 per_uid, struct xl_ports **out)
{
	struct xl_ports *p = calloc(1, sizeof *p);

	*out = p;
	if (!p)
		return -ENOMEM;
	p->privileged = privileged;
	p->per_uid = per_uid;
	for (u32 i = 0; i < PORTS; i++)
		atomic_init(&p->uid[i], NOBODY);
	return 0;
}

void xl_ports_close(struct xl_ports *p)
{
	free(p);
}

static u32 ports_of(struct xl_ports *p, u32 uid)
{
	u32 n = 0;

	for (u32 w = 0; w < PORTS / 64; w++) {
		u64 bits = atomic_load_explicit(&p->used[w], memory_order_seq_cst);

		for (; bits; bits &= bits - 1)
			n += atomic_load_explicit(&p->uid[64 * w + (u32)__builtin_ctzll(bits)],
						  memory_order_seq_cst) == uid;
	}
	return n;
}

static void set_uid(struct xl_ports *p, u16 port, u64 uid)
{
	const u64 bit = 1ull << port % 64;

	atomic_store_explicit(&p->uid[port], uid, memory_order_seq_cst);
	if (uid == NOBODY)
		atomic_fetch_and_explicit(&p->used[port / 64], ~bit, memory_order_seq_cst);
	else
		atomic_fetch_or_explicit(&p->used[port / 64], bit, memory_order_seq_cst);
}

int xl_ports_claim(struct xl_ports *p, u16 port, u32 client, u32 uid)
{
	u64 was = atomic_load_explicit(&p->owner[port], memory_order_acquire), next;

	if (port < p->privileged && uid)
		return -EACCES;
	do {
		if (was && was >> 8 != client)
			return -EADDRINUSE;
		if ((was & 0xff) == CLAIMS_MAX)
			return -EDQUOT;
		next = was ? was + 1 : (u64)client << 8 | 1;
	} while (!atomic_compare_exchange_weak_explicit(&p->owner[port], &was, next, memory_order_acq_rel,
							memory_order_acquire));
	if (was)
		return 0;
	set_uid(p, port, uid);
	if (ports_of(p, uid) <= p->per_uid)
		return 0;
	xl_ports_release(p, port, client);
	return -EDQUOT;
}

void xl_ports_release(struct xl_ports *p, u16 port, u32 client)
{
	u64 was = atomic_load_explicit(&p->owner[port], memory_order_acquire), uid;
	bool last, done;

	do {
		if (was >> 8 != client)
			return;
		last = (was & 0xff) == 1;
		uid = atomic_load_explicit(&p->uid[port], memory_order_relaxed);
		if (last)
			set_uid(p, port, NOBODY);
		done = atomic_compare_exchange_strong_explicit(&p->owner[port], &was, last ? 0 : was - 1,
							       memory_order_acq_rel, memory_order_acquire);
		/* another worker of the client has claimed it meanwhile: not the last after all */
		if (last && !done)
			set_uid(p, port, uid);
	} while (!done);
}

void xl_ports_drop(struct xl_ports *p, u32 client)
{
	for (u32 i = 0; i < PORTS; i++) {
		u64 was = atomic_load_explicit(&p->owner[i], memory_order_acquire);

		while (was && was >> 8 == client) {
			set_uid(p, (u16)i, NOBODY);
			if (atomic_compare_exchange_weak_explicit(&p->owner[i], &was, 0, memory_order_acq_rel,
								  memory_order_acquire))
				break;
		}
	}
}

u32 xl_ports_owner(const struct xl_ports *p, u16 port)
{
	return (u32)(atomic_load_explicit(&p->owner[port], memory_order_acquire) >> 8);
}
