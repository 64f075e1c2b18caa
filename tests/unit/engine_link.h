/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_link.h - a link between the two hosts of engine_pair.h, in virtual time: a rate, a delay, and packets that are
 * lost. A world is driven from one event to the next; nothing here reads a clock.
 */
#ifndef TESTS_ENGINE_LINK_H
#define TESTS_ENGINE_LINK_H

#include "base/prng.h"
#include "engine_pair.h"

#define LINK_PACKETS 4096

struct flying { u64 due; u32 n; u8 b[1600]; };

struct link {
	struct pair p;
	struct joined j;            /* the stream that is watched */
	u64 byte_ps, delay_ns;      /* time of a byte on the wire, picoseconds; one way */
	u32 loss_per_million;
	u64 lost;
	u64 extra_ns;               /* now and then a packet takes that much longer, and is overtaken: */
	u32 late_per_million;
	struct xl_prng prng;
	struct {
		struct flying *ring;
		u64 free_ps;        /* the wire is busy until then */
		u32 head, count;
		u64 blind_until;    /* everything is lost before that */
		u64 packets;
	} way[2];                   /* from host i */
	u8 *bytes;                  /* as much as is sent at once */
	u64 sent, received;
};

static inline void link_open(struct link *l, u64 seed, u64 byte_ps, u64 delay_ns)
{
	memset(l, 0, sizeof *l);
	pair_open(&l->p, NULL);
	l->j = pair_join(&l->p, XLANE_KIND_STREAM);
	l->byte_ps = byte_ps;
	l->delay_ns = delay_ns;
	xl_prng_seed(&l->prng, seed);
	for (u32 i = 0; i < 2; i++)
		l->way[i].ring = malloc(LINK_PACKETS * sizeof(struct flying));
	l->bytes = calloc(1, 1 << 16);
}

static inline void link_close(struct link *l)
{
	pair_check(&l->p);
	pair_close(&l->p);
	for (u32 i = 0; i < 2; i++)
		free(l->way[i].ring);
	free(l->bytes);
}

static inline void link_put(struct link *l, u32 i, const struct raw *r)
{
	u64 start = xl_max(l->way[i].free_ps, l->p.now * 1000), due;
	u32 at = l->way[i].head + l->way[i].count;

	l->way[i].packets++;
	l->way[i].free_ps = start + (r->n + 24) * l->byte_ps;
	if (l->p.now < l->way[i].blind_until || xl_prng_chance(&l->prng, l->loss_per_million)) {
		l->lost++;
		return;
	}
	CHECK(l->way[i].count < LINK_PACKETS && r->n <= sizeof l->way[i].ring[0].b);
	due = (l->way[i].free_ps + 999) / 1000 + l->delay_ns;
	if (xl_prng_chance(&l->prng, l->late_per_million))
		due += l->extra_ns;
	for (; at > l->way[i].head && l->way[i].ring[(at - 1) % LINK_PACKETS].due > due; at--)
		l->way[i].ring[at % LINK_PACKETS] = l->way[i].ring[(at - 1) % LINK_PACKETS];
	l->way[i].ring[at % LINK_PACKETS].due = due;
	l->way[i].ring[at % LINK_PACKETS].n = r->n;
	memcpy(l->way[i].ring[at % LINK_PACKETS].b, r->b, r->n);
	l->way[i].count++;
}

/* What has arrived at host !i by now. */
static inline void link_deliver(struct link *l, u32 i)
{
	static struct raw r;

	while (l->way[i].count && l->way[i].ring[l->way[i].head % LINK_PACKETS].due <= l->p.now) {
		const struct flying *f = &l->way[i].ring[l->way[i].head++ % LINK_PACKETS];

		l->way[i].count--;
		r.n = f->n;
		memcpy(r.b, f->b, f->n);
		host_input(&l->p.h[!i], &r, l->p.h[i].address, l->p.now);
	}
}

/* Everything that happens now: arrivals, timers, the programs (host 0 sends up to `goal` bytes, host 1 reads), packets. */
static inline void link_step(struct link *l, u64 goal)
{
	static struct raw r;
	s64 n;
	u8 to;

	for (u32 i = 0; i < 2; i++)
		link_deliver(l, i);
	for (u32 i = 0; i < 2; i++)
		xl_engine_advance(l->p.h[i].e, l->p.now);
	while ((n = xl_conn_recv(l->p.h[1].e, l->j.b, l->bytes, 1 << 16, l->p.now)) > 0)
		l->received += (u64)n;
	while (l->sent < goal &&
	       (n = xl_conn_send(l->p.h[0].e, l->j.a, l->bytes, xl_min(goal - l->sent, 1 << 16), l->p.now)) > 0)
		l->sent += (u64)n;
	for (u32 i = 0; i < 2; i++)
		while (host_output(&l->p.h[i], &r, &to, l->p.now))
			link_put(l, i, &r);
}

static inline u64 link_next(const struct link *l)
{
	u64 next = xl_min(xl_engine_deadline(l->p.h[0].e), xl_engine_deadline(l->p.h[1].e));

	for (u32 i = 0; i < 2; i++)
		if (l->way[i].count)
			next = xl_min(next, l->way[i].ring[l->way[i].head % LINK_PACKETS].due);
	return next;
}

/* Until `goal` bytes in all were received, or `ns` have passed. */
static inline void link_run(struct link *l, u64 goal, u64 ns)
{
	u64 end = l->p.now + ns;

	for (;;) {
		link_step(l, goal);
		if (goal && l->received >= goal)
			return;
		if (link_next(l) > end)
			break;
		l->p.now = xl_max(link_next(l), l->p.now + 1);
	}
	l->p.now = end;
}

#endif
