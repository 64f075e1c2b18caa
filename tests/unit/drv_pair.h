/* SPDX-License-Identifier: BSD-2-Clause */
/* drv_pair.h - two memory drivers back to back with a pool each, and packets with known bytes: for the driver tests. */
#ifndef TESTS_DRV_PAIR_H
#define TESTS_DRV_PAIR_H

#include "drv/memory.h"
#include "unit.h"

#define PAIR_FRAMES 64

struct pair_end {
	struct xl_frames frames;
	struct xl_drv *drv;
	void *mem, *tables;
};
struct pair { struct pair_end a, b; };

static inline void pool_make(struct pair_end *e, u32 count)
{
	e->mem = calloc(count, XLANE_FRAME_BYTES);
	e->tables = malloc(xl_frames_table_bytes(count));
	CHECK(e->mem && e->tables);
	xl_frames_init(&e->frames, e->mem, XLANE_FRAME_BYTES, count, e->tables);
}

/* All frames are home; the pool goes. */
static inline void pool_end(struct pair_end *e)
{
	CHECK(xl_frames_census_ok(&e->frames));
	CHECK(e->frames.nfree == e->frames.count);
	free(e->mem);
	free(e->tables);
}

static inline struct xl_drv_memory_config pair_config(struct pair_end *e)
{
	return (struct xl_drv_memory_config){ .frames = &e->frames, .ring_size = 16, .mtu = 9000, .segs_max = 4,
		.queues = 2 };
}

static inline void pair_open(struct pair *p)
{
	struct pair_end *ends[] = { &p->a, &p->b };

	for (int i = 0; i < 2; i++) {
		pool_make(ends[i], PAIR_FRAMES);
		struct xl_drv_memory_config c = pair_config(ends[i]);

		CHECK(!xl_drv_memory_open(&c, &ends[i]->drv));
	}
	xl_drv_memory_join(p->a.drv, p->b.drv);
}

static inline void pair_close(struct pair *p)
{
	p->a.drv->ops->close(p->a.drv);
	p->b.drv->ops->close(p->b.drv);
	pool_end(&p->a);
	pool_end(&p->b);
}

/* A packet of nsegs frames with `len` bytes each, which count on from `first`; its frames are TX. */
static inline struct xl_packet pair_packet(struct pair_end *e, u32 nsegs, u16 len, u8 first)
{
	struct xl_packet p = { .nsegs = nsegs };

	for (u32 i = 0; i < nsegs; i++) {
		p.seg[i] = (struct xl_seg){ xl_frames_take(&e->frames, XL_FRAME_TX), 100, len };
		CHECK(p.seg[i].frame != XL_NONE);
		for (u32 j = 0; j < len; j++)
			xl_frames_ptr(&e->frames, p.seg[i].frame)[100 + j] = first++;
	}
	return p;
}

static inline u32 pair_tx(struct pair_end *e, struct xl_packet p, u64 now_ns)
{
	u32 n = e->drv->ops->tx(e->drv, &p, 1, now_ns);

	e->drv->ops->flush(e->drv, now_ns);
	return n;
}

/* Bytes of a packet count on from `first`? */
static inline bool pair_good(struct pair_end *e, const struct xl_packet *p, u8 first)
{
	for (u32 i = 0; i < p->nsegs; i++) {
		for (u32 j = 0; j < p->seg[i].len; j++) {
			if (xl_frames_ptr(&e->frames, p->seg[i].frame)[p->seg[i].off + j] != first++)
				return false;
		}
	}
	return true;
}

static inline void pair_move(struct pair_end *e, const struct xl_packet *p, enum xl_frame_owner from)
{
	for (u32 i = 0; i < p->nsegs; i++)
		xl_frames_move(&e->frames, p->seg[i].frame, from, XL_FRAME_FREE);
}

/* Everything completed goes home; returns how many frames. */
static inline u32 pair_complete(struct pair_end *e)
{
	u32 frames[PAIR_FRAMES], n = e->drv->ops->complete(e->drv, frames, PAIR_FRAMES);

	for (u32 i = 0; i < n; i++)
		xl_frames_move(&e->frames, frames[i], XL_FRAME_TX, XL_FRAME_FREE);
	return n;
}

#endif
