/* SPDX-License-Identifier: BSD-2-Clause */
/* engine_queue.h - messages whose first byte names them, queued at host 0 while nothing is sent. */
#ifndef TESTS_ENGINE_QUEUE_H
#define TESTS_ENGINE_QUEUE_H

#include "engine/core.h"
#include "engine_pair.h"

static inline void put(struct pair *p, u32 conn, u8 name, u32 bytes)
{
	static u8 data[XLANE_MESSAGE_SMALL_MAX_BYTES];

	memset(data, name, bytes);
	CHECK(xl_conn_send(p->h[0].e, conn, data, bytes, p->now) == bytes);
	pair_check(p);
}

static inline void put_prio(struct pair *p, u32 conn, u8 name, u32 bytes, u8 priority)
{
	CHECK(xl_conn_set(p->h[0].e, conn, XL_CONN_PRIORITY, priority) == 0);
	put(p, conn, name, bytes);
}

/* Names of the messages that host 1 has received, in their order; each is whole. */
static inline u32 names(struct pair *p, u32 conn, u8 *out, u32 max)
{
	static u8 in[XLANE_MESSAGE_SMALL_MAX_BYTES];
	u32 n = 0;
	s64 r;

	while ((r = xl_conn_recv(p->h[1].e, conn, in, sizeof in, p->now)) > 0) {
		for (s64 i = 1; i < r; i++)
			CHECK(in[i] == in[0]);
		CHECK(n < max);
		out[n++] = in[0];
	}
	return n;
}

static inline void exported(struct pair *p, u32 *conn)
{
	static u8 bytes[1 << 20];
	s64 n = xl_conn_export(p->h[0].e, *conn, bytes, sizeof bytes);

	CHECK(n > 0);
	CHECK(xl_conn_import(p->h[0].e, bytes, (u64)n, p->now, conn) == 0);
	pair_check(p);
}

#endif
