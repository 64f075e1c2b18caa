/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "assert.h"
#include "map.h"

static u32 slots_log2(u32 entries_max)
{
	u32 bits = 1;

	XL_ASSERT(entries_max >= 1 && entries_max <= XL_MAP_ENTRIES_MAX);
	while ((1ull << bits) * 4 < 5 * (u64)entries_max)
		bits++;
	return bits;
}

/* Two multiplications with a fold between them: the first carries the secret into all higher bits, the fold brings
 * them down, the second spreads them into the top bits that are taken. */
static inline u32 home(const struct xl_map *m, u64 key)
{
	u64 x = (key ^ m->secret) * 0x9e3779b97f4a7c15ull;

	x ^= x >> 32;
	return (u32)((x * (m->secret | 1)) >> m->shift);
}

/* The slot that holds the key, or the empty one where it would go: at most four fifths are full, so there is one. */
static inline u32 find(const struct xl_map *m, u64 key)
{
	u32 i = home(m, key);

	XL_ASSERT(key != 0);
	while (m->slot[i].key && m->slot[i].key != key)
		i = (i + 1) & m->mask;
	return i;
}

size_t xl_map_bytes(u32 entries_max)
{
	return sizeof(struct xl_map_slot) << slots_log2(entries_max);
}

void xl_map_init(struct xl_map *m, void *mem, u32 entries_max, u64 secret)
{
	u32 bits = slots_log2(entries_max);

	*m = (struct xl_map){
		.slot = mem, .mask = (u32)((1ull << bits) - 1), .shift = 64 - bits,
		.max = entries_max, .secret = secret,
	};
	memset(mem, 0, xl_map_bytes(entries_max));
}

u32 xl_map_get(const struct xl_map *m, u64 key)
{
	const struct xl_map_slot *s = &m->slot[find(m, key)];

	return s->key ? s->value : XL_NONE;
}

void xl_map_ahead(const struct xl_map *m, u64 key)
{
	__builtin_prefetch(&m->slot[home(m, key)]);
}

bool xl_map_put(struct xl_map *m, u64 key, u32 value)
{
	u32 i = find(m, key);

	XL_ASSERT(value != XL_NONE);
	if (m->slot[i].key || m->count == m->max)
		return false;
	m->slot[i] = (struct xl_map_slot){ .key = key, .value = value };
	m->count++;
	return true;
}

bool xl_map_del(struct xl_map *m, u64 key)
{
	u32 hole = find(m, key);

	if (!m->slot[hole].key)
		return false;
	/* Close the gap: an entry further on moves into the hole when its home does not lie behind the hole, that is
	 * when its way from home is at least as long as its distance from the hole. */
	for (u32 i = (hole + 1) & m->mask; m->slot[i].key; i = (i + 1) & m->mask) {
		if (((i - home(m, m->slot[i].key)) & m->mask) >= ((i - hole) & m->mask)) {
			m->slot[hole] = m->slot[i];
			hole = i;
		}
	}
	m->slot[hole].key = 0;
	m->count--;
	return true;
}
