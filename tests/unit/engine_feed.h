/* SPDX-License-Identifier: BSD-2-Clause */
/* engine_feed.h - a large message between two engines: its bytes, and giving them in pieces. */
#ifndef TESTS_ENGINE_FEED_H
#define TESTS_ENGINE_FEED_H

#include "engine_pair.h"

#define LARGE (200u * 1000)

static u8 data[XLANE_MESSAGE_MAX_BYTES], in[XLANE_MESSAGE_MAX_BYTES];

static inline u8 byte_at(u64 at, u32 seed) { return (u8)(at * 7 + (at >> 12) + seed); }

static inline void fill_data(u64 bytes, u32 seed)
{
	for (u64 i = 0; i < bytes; i++)
		data[i] = byte_at(i, seed);
}

/* Feed what is left of the large message of host 0 from `data`; true when it is through. */
static inline bool feed(struct pair *p, u32 conn, u64 total)
{
	for (u64 left; (left = xl_conn_large_left(p->h[0].e, conn));) {
		s64 n = xl_conn_large_more(p->h[0].e, conn, data + (total - left), xl_min(left, 50000), p->now);

		if (n == -EAGAIN)
			return false;
		CHECK(n > 0);
	}
	return true;
}

#endif
