/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_impair.h - what befalls a frame on its way: loss, bursts of loss, duplication, reordering, corruption.
 *
 * Guarantee: pure functions of the seed and of how many frames came before; the same seed gives the same fates on every
 * machine. Rates are in parts per million. Loss is decided first; the other rates are of the frames that are not lost.
 */
#ifndef RELAY_IMPAIR_H
#define RELAY_IMPAIR_H

#include "../../user/base/prng.h"

#define RELAY_MILLION 1000000u

struct relay_impair_config {
	u32 loss_ppm;            /* each frame by itself */
	u32 burst_enter_ppm;     /* Gilbert-Elliott: good -> bad, asked before each frame */
	u32 burst_leave_ppm;     /* bad -> good; in the bad state every frame is lost */
	u32 duplicate_ppm;
	u32 reorder_ppm;
	u32 reorder_depth_max;   /* a frame held back lets 1..this many pass */
	u32 corrupt_ppm;
	u32 corrupt_bits_max;    /* a corrupted frame has 1..this many bits flipped */
};

struct relay_impair {
	struct relay_impair_config config;
	struct xl_prng prng;
	bool bad;                /* in a burst */
};

struct relay_fate {
	bool lost, burst;        /* at most one of them; then the rest is zero */
	bool duplicate;
	u32 hold;                /* frames to let pass first; 0: goes at once */
	u32 flips;               /* bits to flip; 0: intact */
};

/* -EINVAL: a rate above a million, or a rate without its depth, bits or way out of the burst. */
int relay_impair_init(struct relay_impair *r, const struct relay_impair_config *config, u64 seed);
/* The fate of the next frame. */
struct relay_fate relay_impair_draw(struct relay_impair *r);
/* Flip `flips` different bits of the `len` bytes at `p`. Returns how many were flipped: fewer only when there are fewer. */
u32 relay_impair_flip(struct relay_impair *r, u8 *p, u32 len, u32 flips);

#endif
