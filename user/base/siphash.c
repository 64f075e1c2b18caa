/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "siphash.h"

struct state { u64 v0, v1, v2, v3; };

static inline u64 rotate(u64 x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void rounds(struct state *s, int n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static inline void absorb(struct state *s, u64 word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

u64 xl_siphash(const u64 key[2], const void *data, size_t len)
{
	struct state s = {
		key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
		key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull,
	};
	const u8 *p = data;
	size_t left = len;
	u64 word;

	for (; left >= sizeof word; left -= sizeof word, p += sizeof word) {
		memcpy(&word, p, sizeof word);   /* little-endian, as all of user/ (endian.h) */
		absorb(&s, word);
	}
	word = (u64)len << 56;
	while (left--)
		word |= (u64)p[left] << (8 * left);
	absorb(&s, word);
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
