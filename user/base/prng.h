/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prng.h - seeded pseudo-random numbers: xoshiro256** (Blackman, Vigna 2018), its state filled by splitmix64.
 *
 * Guarantee: the same seed gives the same sequence on every machine. Not for secrets that an adversary may see many
 * outputs of: keys come from it, but what is derived from keys goes through siphash.h. One thread per generator.
 */
#ifndef XL_PRNG_H
#define XL_PRNG_H

#include "assert.h"
#include "types.h"

struct xl_prng { u64 s[4]; };

/* Any seed will do, 0 too. */
static inline void xl_prng_seed(struct xl_prng *p, u64 seed)
{
	for (int i = 0; i < 4; i++) {
		u64 z = seed += 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		p->s[i] = z ^ z >> 31;
	}
}

static inline u64 xl_prng_u64(struct xl_prng *p)
{
	u64 m = p->s[1] * 5, shifted = p->s[1] << 17;

	p->s[2] ^= p->s[0];
	p->s[3] ^= p->s[1];
	p->s[1] ^= p->s[2];
	p->s[0] ^= p->s[3];
	p->s[2] ^= shifted;
	p->s[3] = p->s[3] << 45 | p->s[3] >> 19;
	return (m << 7 | m >> 57) * 9;
}

/* 0..n-1, each equally likely (Lemire 2019: multiply, and reject the few that would favour small results). n > 0. */
static inline u64 xl_prng_below(struct xl_prng *p, u64 n)
{
	XL_ASSERT(n > 0);
	u64 uneven = -n % n;

	for (;;) {
		unsigned __int128 m = (unsigned __int128)xl_prng_u64(p) * n;

		if ((u64)m >= uneven)
			return (u64)(m >> 64);
	}
}

/* True per_million times in a million: never for 0, always for 1,000,000 and more. Draws one number in each case. */
static inline bool xl_prng_chance(struct xl_prng *p, u32 per_million)
{
	return xl_prng_below(p, 1000000) < per_million;
}

#endif
