/* SPDX-License-Identifier: BSD-2-Clause */
/* ack.h - the ACK record (PROTOCOL 4.4): packet numbers received, newest range first. */
#ifndef XL_WIRE_ACK_H
#define XL_WIRE_ACK_H

#include <xlane/wire.h>
#include "../base/types.h"

struct xl_ack_range { u64 first, last; };   /* inclusive, first <= last */

struct xl_ack {
	u32 ack_delay_ns;    /* from when the receiver's engine saw the largest to the sending of this record */
	u32 host_delay_ns;   /* longest time that the largest may have waited in the host before that; 0 unknown */
	u32 count;           /* 1..XLANE_ACK_RANGES_SENT */
	struct xl_ack_range range[XLANE_ACK_RANGES_SENT];  /* range[0] holds the largest; descending, disjoint, not adjacent */
};

/* False for: a body of a wrong size, a range that would pass below zero, ranges that touch or overlap (gap 0),
 * more than XLANE_ACK_RANGES_SENT ranges. On the wire: largest, delays, run = last - first of range[0]; each next pair:
 * gap = numbers missing between (>= 1), run = last - first. */
bool xl_ack_parse(const u8 *body, u64 len, struct xl_ack *out);
/* Whole record; a range whose gap or run exceeds 32 bits ends the list. Returns the size. */
u32 xl_ack_emit(u8 *p, const struct xl_ack *a);
static inline u32 xl_ack_bytes(u32 count) { return XLANE_ACK_HEAD_BYTES + (count - 1) * XLANE_ACK_RANGE_BYTES; }

#endif
