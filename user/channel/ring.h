/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.h - bytes in and out of a ring whose size is a power of two; records of messages in it.
 *
 * `at` is a counter: it is masked here. Who calls has checked that so many bytes are there, or are free.
 */
#ifndef XL_RING_H
#define XL_RING_H

#include <string.h>
#include <xlane/channel.h>
#include "../base/types.h"

/* Bytes from `at` on that lie in one piece, at most n. */
static inline u64 xl_ring_piece(u32 ring_bytes, u64 at, u64 n)
{
	return xl_min(n, ring_bytes - (at & (ring_bytes - 1)));
}

static inline void xl_ring_put(u8 *ring, u32 ring_bytes, u64 at, const void *data, u64 n)
{
	u64 first = xl_ring_piece(ring_bytes, at, n);

	memcpy(ring + (at & (ring_bytes - 1)), data, first);
	if (n > first)
		memcpy(ring, (const u8 *)data + first, n - first);
}

static inline void xl_ring_get(const u8 *ring, u32 ring_bytes, u64 at, void *data, u64 n)
{
	u64 first = xl_ring_piece(ring_bytes, at, n);

	memcpy(data, ring + (at & (ring_bytes - 1)), first);
	if (n > first)
		memcpy((u8 *)data + first, ring, n - first);
}

/* Bytes behind a record's, to the next multiple of 8. */
static inline u32 xl_ring_pad(u64 bytes)
{
	return (u32)(-bytes & 7);
}

/* A whole record: head, bytes, pad. */
static inline u64 xl_ring_record(u64 bytes)
{
	return sizeof(struct xlane_ring_head) + bytes + xl_ring_pad(bytes);
}

/* Of `left` bytes of a record, how many to move when `room` are free: the last byte and the pad go together, so
 * that a record whose bytes are all there is there whole. */
static inline u64 xl_ring_part(u64 left, u32 pad, u64 room)
{
	if (left + pad <= room)
		return left;
	return left <= room ? left - 1 : room;
}

#endif
