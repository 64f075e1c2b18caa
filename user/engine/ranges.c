/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "../base/assert.h"
#include "ranges.h"

void xl_ranges_init(struct xl_ranges *s, u32 cap)
{
	s->count = 0;
	s->cap = cap;
}

/* The first range that ends at or behind `at`; count when there is none. */
static u32 first_ending_from(const struct xl_ranges *s, u64 at)
{
	u32 low = 0, high = s->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (s->r[middle].end < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first range at index `low` or later that starts behind `at`; count when there is none. */
static u32 first_starting_behind(const struct xl_ranges *s, u32 low, u64 at)
{
	u32 high = s->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (s->r[middle].start <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Ranges [to, from) go (from > to), or room for to - from ranges is made at from. */
static void shift(struct xl_ranges *s, u32 to, u32 from)
{
	memmove(&s->r[to], &s->r[from], (size_t)(s->count - from) * sizeof s->r[0]);
	s->count = s->count + to - from;
}

int xl_ranges_add(struct xl_ranges *s, u64 start, u64 end)
{
	u32 first, behind;

	XL_ASSERT(start < end);
	/* [first, behind) overlap or touch the new one. */
	first = first_ending_from(s, start);
	behind = first_starting_behind(s, first, end);
	if (first == behind) {
		if (s->count == s->cap)
			return -ENOSPC;
		shift(s, first + 1, first);
		s->r[first] = (struct xl_range){ start, end };
		return 0;
	}
	s->r[first].start = xl_min(s->r[first].start, start);
	s->r[first].end = xl_max(s->r[behind - 1].end, end);
	if (behind > first + 1)
		shift(s, first + 1, behind);
	return 0;
}

bool xl_ranges_fits(const struct xl_ranges *s, u64 start, u64 end)
{
	u32 first = first_ending_from(s, start);

	return s->count < s->cap || first != first_starting_behind(s, first, end);
}

bool xl_ranges_gap(const struct xl_ranges *s, u64 from, u64 end, u64 *gap_start, u64 *gap_end)
{
	u32 i = first_ending_from(s, from);

	/* Ranges never touch: at most one holds `from` or ends there, and the byte behind it is missing. */
	if (i < s->count && s->r[i].start <= from)
		from = s->r[i++].end;
	if (from >= end)
		return false;
	*gap_start = from;
	*gap_end = i < s->count ? xl_min(s->r[i].start, end) : end;
	return true;
}

u64 xl_ranges_prefix(struct xl_ranges *s, u64 at)
{
	if (!s->count || s->r[0].start > at)
		return at;
	at = xl_max(at, s->r[0].end);
	shift(s, 0, 1);
	return at;
}

bool xl_ranges_covers(const struct xl_ranges *s, u64 start, u64 end)
{
	u64 gap_start, gap_end;

	return !xl_ranges_gap(s, start, end, &gap_start, &gap_end);
}
