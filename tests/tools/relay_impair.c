// SPDX-License-Identifier: BSD-2-Clause
/* relay_impair.c - drawing the fate of a frame. */
#include <errno.h>

#include "relay_impair.h"

#define FLIPS_MAX 32

int relay_impair_init(struct relay_impair *r, const struct relay_impair_config *c, u64 seed)
{
	const u32 rates[] = { c->loss_ppm, c->burst_enter_ppm, c->burst_leave_ppm, c->duplicate_ppm, c->reorder_ppm,
			      c->corrupt_ppm };

	for (u32 i = 0; i < XL_ARRAY_SIZE(rates); i++)
		if (rates[i] > RELAY_MILLION)
			return -EINVAL;
	if ((c->reorder_ppm && !c->reorder_depth_max) || (c->burst_enter_ppm && !c->burst_leave_ppm))
		return -EINVAL;
	if ((c->corrupt_ppm && !c->corrupt_bits_max) || c->corrupt_bits_max > FLIPS_MAX)
		return -EINVAL;
	*r = (struct relay_impair){ .config = *c };
	xl_prng_seed(&r->prng, seed);
	return 0;
}

struct relay_fate relay_impair_draw(struct relay_impair *r)
{
	const struct relay_impair_config *c = &r->config;
	struct relay_fate fate = { 0 };

	if (xl_prng_chance(&r->prng, r->bad ? c->burst_leave_ppm : c->burst_enter_ppm))
		r->bad = !r->bad;
	fate.burst = r->bad;
	fate.lost = !fate.burst && xl_prng_chance(&r->prng, c->loss_ppm);
	if (fate.burst || fate.lost)
		return fate;
	fate.duplicate = xl_prng_chance(&r->prng, c->duplicate_ppm);
	if (xl_prng_chance(&r->prng, c->reorder_ppm))
		fate.hold = 1 + (u32)xl_prng_below(&r->prng, c->reorder_depth_max);
	if (xl_prng_chance(&r->prng, c->corrupt_ppm))
		fate.flips = 1 + (u32)xl_prng_below(&r->prng, c->corrupt_bits_max);
	return fate;
}

static bool among(const u64 *done, u32 n, u64 bit)
{
	for (u32 i = 0; i < n; i++)
		if (done[i] == bit)
			return true;
	return false;
}

u32 relay_impair_flip(struct relay_impair *r, u8 *p, u32 len, u32 flips)
{
	u64 done[FLIPS_MAX], bits = (u64)len * 8;
	u32 n = (u32)xl_min(xl_min(flips, (u32)FLIPS_MAX), bits);

	for (u32 i = 0; i < n; i++) {
		do {
			done[i] = xl_prng_below(&r->prng, bits);
		} while (among(done, i, done[i]));
		p[done[i] / 8] ^= (u8)(1u << done[i] % 8);
	}
	return n;
}
