// SPDX-License-Identifier: BSD-2-Clause
/* crowd_pattern.c - sizes and bytes that follow from a key. */
#include <string.h>

#include "crowd.h"

/* splitmix64 of both. */
uint64_t crowd_mix(uint64_t a, uint64_t b)
{
	uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint64_t key_of(const struct crowd_head *h)
{
	return crowd_mix(crowd_mix(h->key, h->number), h->bytes ^ h->count << 40);
}

/* The eight bytes at place 8 * word. */
static uint64_t word_at(uint64_t key, uint64_t word)
{
	uint64_t z = (key ^ word) * 0xd6e8feb86659fd93ull;

	return z ^ (z >> 32);
}

void crowd_pattern_fill(const struct crowd_head *h, uint64_t from, void *to, size_t bytes)
{
	const uint64_t key = key_of(h);
	uint8_t *p = to;

	while (bytes) {
		const uint64_t word = word_at(key, from / 8);
		const size_t skip = from % 8, n = 8 - skip < bytes ? 8 - skip : bytes;

		memcpy(p, (const uint8_t *)&word + skip, n);
		p += n;
		from += n;
		bytes -= n;
	}
}

bool crowd_pattern_check(const struct crowd_head *h, uint64_t from, const void *data, size_t bytes)
{
	const uint64_t key = key_of(h);
	const uint8_t *p = data;

	while (bytes) {
		const uint64_t word = word_at(key, from / 8);
		const size_t skip = from % 8, n = 8 - skip < bytes ? 8 - skip : bytes;

		if (memcmp(p, (const uint8_t *)&word + skip, n))
			return false;
		p += n;
		from += n;
		bytes -= n;
	}
	return true;
}

uint64_t crowd_item_bytes(const struct crowd_options *o, uint64_t key, uint64_t number)
{
	const uint64_t every = o->plus_count ? o->count / o->plus_count : 0, dice = crowd_mix(key, number);
	uint64_t all = 0, at;

	if (every && number % every == every / 2 && number / every < o->plus_count)
		return o->plus_bytes;
	for (unsigned i = 0; i < o->nranges; i++)
		all += o->ranges[i].weight;
	at = dice % all;
	for (unsigned i = 0; i < o->nranges; i++) {
		const struct crowd_range *r = &o->ranges[i];

		if (at < r->weight)
			return r->low + crowd_mix(dice, 1) % (r->high - r->low + 1);
		at -= r->weight;
	}
	return o->ranges[0].low;
}
