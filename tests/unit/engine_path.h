/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_path.h - two engines with a path between them that takes packets up to a size, or loses some.
 * Sees every packet that goes over it.
 */
#ifndef TESTS_ENGINE_PATH_H
#define TESTS_ENGINE_PATH_H

#include "base/prng.h"
#include "engine/core.h"
#include "engine_pair.h"

struct path_state {
	u32 most[2];            /* from host i: larger packets are swallowed; 0: nothing passes */
	u32 loss_ppm;
	struct xl_prng prng;
	u32 largest[2];         /* from host i, whether it arrived or not */
	u64 swallowed, lost, packets;
	u8 address[2];          /* of host i as the other sees it; 0: its own */
	void (*look)(struct path_state *s, u32 from, const struct raw *r);
};

static inline struct path_state path_open(u32 most)
{
	struct path_state s = { .most = { most, most } };

	xl_prng_seed(&s.prng, 7);
	return s;
}

static inline void path_carry(struct pair *p, struct path_state *s, u32 from, const struct raw *r, u8 to)
{
	if (to != (s->address[!from] ? s->address[!from] : p->h[!from].address))
		return; /* nobody is there any more */
	s->packets++;
	s->largest[from] = (u32)xl_max(s->largest[from], r->n);
	if (s->look)
		s->look(s, from, r);
	if (r->n > s->most[from])
		s->swallowed++;
	else if (s->loss_ppm && xl_prng_chance(&s->prng, s->loss_ppm))
		s->lost++;
	else
		host_input(&p->h[!from], r, s->address[from] ? s->address[from] : p->h[from].address, p->now);
}

static inline bool path_exchange(struct pair *p, struct path_state *s)
{
	static struct raw r;
	bool some = false;
	u8 to;

	for (u32 i = 0; i < 2; i++)
		for (; host_output(&p->h[i], &r, &to, p->now); some = true)
			path_carry(p, s, i, &r, to);
	return some;
}

/* Packets and timers for `ns`; a packet takes 20 us. */
static inline void path_run(struct pair *p, struct path_state *s, u64 ns)
{
	u64 end = p->now + ns;

	while (p->now < end) {
		u64 next;

		for (u32 i = 0; i < 2; i++)
			xl_engine_advance(p->h[i].e, p->now);
		if (path_exchange(p, s)) {
			p->now += 20 * XL_US;
			continue;
		}
		next = xl_min(xl_engine_deadline(p->h[0].e), xl_engine_deadline(p->h[1].e));
		p->now = xl_min(end, xl_max(next, p->now + 1));
	}
}

static inline u8 path_byte(u64 at, u64 salt) { return (u8)(at * 131 + (at >> 8) * 7 + salt); }

/* A stream from one connection to another, byte by byte; true when `bytes` have arrived within `ns`. */
struct path_flow { u32 from, conn, to_conn; u64 sent, got; };

static inline void path_flow_step(struct pair *p, struct path_flow *f, u64 bytes)
{
	static u8 buf[16384];
	s64 n;

	while (f->sent < bytes) {
		u32 want = (u32)xl_min(sizeof buf, bytes - f->sent);

		for (u32 i = 0; i < want; i++)
			buf[i] = path_byte(f->sent + i, f->from);
		n = xl_conn_send(p->h[f->from].e, f->conn, buf, want, p->now);
		if (n == -EAGAIN)
			break;
		CHECK(n > 0);
		f->sent += (u64)n;
	}
	while ((n = xl_conn_recv(p->h[!f->from].e, f->to_conn, buf, sizeof buf, p->now)) > 0) {
		for (s64 i = 0; i < n; i++)
			CHECK(buf[i] == path_byte(f->got + (u64)i, f->from));
		f->got += (u64)n;
	}
	CHECK(n == -EAGAIN);
}

static inline bool path_flow(struct pair *p, struct path_state *s, struct path_flow *f, u64 bytes, u64 ns)
{
	u64 end = p->now + ns;

	while (p->now < end) {
		path_flow_step(p, f, bytes);
		if (f->got == bytes)
			return true;
		path_run(p, s, 200 * XL_US);
		pair_check(p);
	}
	return false;
}

#endif
