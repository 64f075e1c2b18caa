/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranges.h - a set of disjoint intervals [start, end) of byte offsets: what was received past the contiguous prefix.
 *
 * Sorted, never touching: neighbours are merged. Lives in memory of the caller, one block for XLANE_HOLES_MAX ranges.
 * O(log n) to find, a memmove of at most one block to insert.
 */
#ifndef XL_RANGES_H
#define XL_RANGES_H

#include <xlane/limits.h>
#include "../base/types.h"

struct xl_range { u64 start, end; };
struct xl_ranges {
	u32 count, cap;
	struct xl_range r[];
};
_Static_assert(sizeof(struct xl_ranges) + XLANE_HOLES_MAX * sizeof(struct xl_range) <= XLANE_BLOCK_BYTES,
	       "the table of holes is one block");

/* Empty. The memory behind `s` holds `cap` ranges. */
void xl_ranges_init(struct xl_ranges *s, u32 cap);
/* Add [start, end), start < end. 0, or -ENOSPC when one more range is needed than fits: the set is unchanged. */
int xl_ranges_add(struct xl_ranges *s, u64 start, u64 end);
/* Would xl_ranges_add take [start, end)? */
bool xl_ranges_fits(const struct xl_ranges *s, u64 start, u64 end);
/* The first part of [from, end) that is not in the set, as long as it gets. False when there is none. */
bool xl_ranges_gap(const struct xl_ranges *s, u64 from, u64 end, u64 *gap_start, u64 *gap_end);
/* A prefix contiguous up to `at` takes in the first range: if that starts at or before `at`, remove it and return the
 * later of `at` and its end; else return `at`. Once is enough when no range of the set ends at or before `at`. */
u64 xl_ranges_prefix(struct xl_ranges *s, u64 at);
/* Every byte of [start, end) is in the set; true for an empty interval. */
bool xl_ranges_covers(const struct xl_ranges *s, u64 start, u64 end);

#endif
