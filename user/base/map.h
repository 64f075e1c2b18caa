/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.h - a hash map from u64 (not 0) to u32 of fixed capacity.
 *
 * Open addressing with linear probing and backward-shift deletion: no tombstones, so a map that lives for months is
 * as fast as a new one. At most four fifths full: a hit takes 3 steps on average then, a miss 13 (Knuth, vol. 3, 6.4).
 * `secret` keeps strangers who choose keys from choosing collisions.
 * Memory comes from the caller and outlives the map. One thread per map.
 */
#ifndef XL_MAP_H
#define XL_MAP_H

#include "types.h"

#define XL_MAP_ENTRIES_MAX (1u << 30)

struct xl_map_slot { u64 key; u32 value; } __attribute__((packed, aligned(4))); /* 12 bytes: there are many */
struct xl_map {
	struct xl_map_slot *slot;   /* [mask + 1]; key 0: empty */
	u32 mask, shift;            /* slots - 1, and 64 - log2(slots) */
	u32 count, max;
	u64 secret;
};

/* Bytes of memory for a map of up to `entries_max` entries (1..XL_MAP_ENTRIES_MAX). */
size_t xl_map_bytes(u32 entries_max);
/* An empty map in `mem` (xl_map_bytes(entries_max) bytes, aligned to 8; cleared here). */
void xl_map_init(struct xl_map *m, void *mem, u32 entries_max, u64 secret);
/* The value, or XL_NONE when the key is absent. */
u32 xl_map_get(const struct xl_map *m, u64 key);
/* xl_map_get for this key comes soon: fetch what it will look at first. Any key, 0 as well. */
void xl_map_ahead(const struct xl_map *m, u64 key);
/* False when the map is full or holds the key already (its value stays). `value` must not be XL_NONE. */
bool xl_map_put(struct xl_map *m, u64 key, u32 value);
/* False when absent. */
bool xl_map_del(struct xl_map *m, u64 key);

#endif
