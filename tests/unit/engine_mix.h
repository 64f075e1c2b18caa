/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_mix.h - a network between the two hosts of engine_pair.h that loses, delays, repeats and overtakes, and drivers that
 * keep frames for a while: for worlds that are random from a seed.
 */
#ifndef TESTS_ENGINE_MIX_H
#define TESTS_ENGINE_MIX_H

#include "engine/core.h"
#include "engine_pair.h"

#define MIX_FLYING 1024
#define MIX_RING   2048

struct mix_packet { u64 due; struct raw r; };

struct mix_net {
	struct xl_prng prng;
	u32 lose, repeat;           /* of a million */
	u64 delay_ns, jitter_ns;
	u32 path;                   /* larger packets are swallowed */
	struct { struct mix_packet flying[MIX_FLYING]; u32 count; } way[2]; /* from host i */
	struct { u32 frame[MIX_RING], count; } ring[2];
};

static inline void mix_put(struct mix_net *n, u32 i, const struct raw *r, u64 now)
{
	struct mix_packet *p;

	if (r->n > n->path || xl_prng_chance(&n->prng, n->lose) || n->way[i].count == MIX_FLYING)
		return;
	p = &n->way[i].flying[n->way[i].count++];
	p->due = now + n->delay_ns + xl_prng_below(&n->prng, n->jitter_ns + 1);
	p->r.n = r->n;
	memcpy(p->r.b, r->b, r->n);
	if (xl_prng_chance(&n->prng, n->repeat))
		mix_put(n, i, r, now);
}

/* Everything for host !i that is due. */
static inline void mix_deliver(struct mix_net *n, struct pair *p, u32 i)
{
	static struct raw r;

	for (u32 k = 0; k < n->way[i].count;) {
		struct mix_packet *f = &n->way[i].flying[k];

		if (f->due > p->now || p->h[!i].f.nfree <= f->r.n / XLANE_FRAME_BYTES) {
			k++;
			continue;
		}
		r.n = f->r.n;
		memcpy(r.b, f->r.b, r.n);
		*f = n->way[i].flying[--n->way[i].count];
		host_input(&p->h[!i], &r, p->h[i].address, p->now);
	}
}

/* Up to `max` packets of host i go out; their frames stay with the driver. */
static inline void mix_output(struct mix_net *n, struct pair *p, u32 i, u32 max)
{
	static struct raw r;
	struct xl_packet out;

	while (max-- && n->ring[i].count + XLANE_PACKET_SEGS_MAX <= MIX_RING && xl_engine_output(p->h[i].e, &out, 1, p->now)) {
		raw_copy(&r, &p->h[i], &out);
		CHECK(r.n <= p->h[i].e->cfg.max_packet || r.b[0] != 0x10);
		for (u32 k = 0; k < out.nsegs; k++)
			n->ring[i].frame[n->ring[i].count++] = out.seg[k].frame;
		if (out.path.remote[5] == p->h[!i].address)
			mix_put(n, i, &r, p->now);
	}
}

/* The driver of host i gives `count` frames back, in any order. */
static inline void mix_complete(struct mix_net *n, struct pair *p, u32 i, u32 count)
{
	for (; count && n->ring[i].count; count--) {
		u32 k = (u32)xl_prng_below(&n->prng, n->ring[i].count), f = n->ring[i].frame[k];

		n->ring[i].frame[k] = n->ring[i].frame[--n->ring[i].count];
		xl_engine_completed(p->h[i].e, &f, 1);
	}
}

/* When something happens next. */
static inline u64 mix_next(const struct mix_net *n, const struct pair *p)
{
	u64 next = xl_min(xl_engine_deadline(p->h[0].e), xl_engine_deadline(p->h[1].e));

	for (u32 i = 0; i < 2; i++) {
		if (n->ring[i].count)
			next = xl_min(next, p->now + 5 * XL_US);
		for (u32 k = 0; k < n->way[i].count; k++)
			next = xl_min(next, n->way[i].flying[k].due);
	}
	return next;
}

#endif
