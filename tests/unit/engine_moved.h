/* SPDX-License-Identifier: BSD-2-Clause */
/* engine_moved.h - host 0 of a pair has two engines that share no memory; the connection under test moves between them. */
#ifndef TESTS_ENGINE_MOVED_H
#define TESTS_ENGINE_MOVED_H

#include "engine_feed.h"

#include "base/crc32c.h"
#include "engine/core.h"
#include "engine/export.h"
#include "engine/grant.h"
#include "engine/rbuf.h"
#include "engine/txbuf.h"

#define AHEAD_NS (37 * XL_S)     /* the clocks of the two engines of host 0 have been put back by different times */

static struct raw r;
static u8 bytes[8 << 20], spoilt[8 << 20];

/* Host 0 has two engines: p.h[0], and the other one. A connection is in one of them. */
static struct pair p;
static struct host other;
static struct host *home; /* where the one under test is */
static u32 conn;

static inline struct host *at(void) { return home; }
static inline struct host *away(void) { return home == &p.h[0] ? &other : &p.h[0]; }

static inline void whole(void)
{
	const char *broken = xl_engine_check(other.e);

	pair_check(&p);
	if (broken)
		fail_msg("the other engine: %s", broken);
}

static inline void begin(const struct xl_engine_config *like)
{
	pair_open(&p, like);
	host_open(&other, 1, like);
	/* It stood still once: its time is behind_ns more than the caller's. */
	xl_engine_advance(other.e, p.now + AHEAD_NS);
	xl_engine_advance(other.e, p.now);
	CHECK(other.e->now_ns == p.now + AHEAD_NS);
	for (u8 kind = XLANE_KIND_STREAM; kind <= XLANE_KIND_DATAGRAM; kind++)
		CHECK(xl_engine_listen(other.e, PORT_OF(kind), kind, 8, kind) >= 0);
	home = &p.h[0];
}

static inline void end(void)
{
	host_close(&other);
	pair_close(&p);
}

static inline s64 packed(void)
{
	u64 need = xl_conn_pack_bytes(at()->e, conn);
	s64 n;

	CHECK(need < sizeof bytes);
	CHECK(xl_conn_pack(at()->e, conn, bytes, need - 1) == -ENOSPC);
	n = xl_conn_pack(at()->e, conn, bytes, sizeof bytes);
	CHECK(n == (s64)need && !xl_engine_check(at()->e));
	return n;
}

static inline void move(void)
{
	s64 n = packed();
	u32 there;

	memcpy(spoilt, bytes, (u64)n);
	CHECK(xl_conn_unpack(away()->e, spoilt, (u64)n, p.now, &there) == 0);
	CHECK(!xl_engine_check(away()->e));
	memcpy(spoilt, bytes, (u64)n);
	CHECK(xl_conn_unpack(away()->e, spoilt, (u64)n, p.now, &there) == -EEXIST);
	CHECK(!xl_engine_check(away()->e));
	xl_conn_forget(at()->e, conn);
	CHECK(!xl_engine_check(at()->e));
	conn = there;
	home = away();
}

/* Packets of the connection's engine and of host 1, for `ns`; every `lose`th packet is lost. */
static inline void run(u64 ns, u32 lose)
{
	static u32 count;
	u64 stop = p.now + ns, next;
	u8 to;

	do {
		for (bool more = true; more;) {
			more = false;
			for (struct host *h = &p.h[0]; h; h = h == &p.h[0] ? &other : NULL)
				while (host_output(h, &r, &to, p.now)) {
					more = true;
					if (!lose || ++count % lose)
						host_input(&p.h[1], &r, 1, p.now);
				}
			while (host_output(&p.h[1], &r, &to, p.now)) {
				more = true;
				if (!lose || ++count % lose)
					host_input(r.n > 4 && xl_map_get(&other.e->by_local, xl_get64(r.b + 4)) != XL_NONE ?
						   &other : &p.h[0], &r, 2, p.now);
			}
		}
		next = xl_min(xl_engine_deadline(p.h[0].e), xl_min(xl_engine_deadline(p.h[1].e), xl_engine_deadline(other.e)));
		p.now = xl_min(xl_max(next, p.now + 1), stop);
		xl_engine_advance(p.h[0].e, p.now);
		xl_engine_advance(p.h[1].e, p.now);
		xl_engine_advance(other.e, p.now);
	} while (p.now < stop);
}

/* Sent, unsent and received data of one connection, and it stays in its engine. */
static inline struct joined laden(void)
{
	struct joined j;
	u8 to;

	begin(&(struct xl_engine_config){ .blocks = 256 });
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	conn = j.a;
	fill_data(20000, 4);
	CHECK(xl_conn_send(p.h[1].e, j.b, data, 20000, p.now) == 20000);
	run(5 * XL_MS, 0);
	CHECK(xl_conn_send(at()->e, conn, data, 20000, p.now) == 20000);
	for (u32 i = 0; i < 6; i++)
		CHECK(host_output(at(), &r, &to, p.now));
	return j;
}

#define REFUSED(error, n) \
	do { \
		u32 c = 77; \
		memcpy(spoilt, bytes, n); \
		CHECK(xl_conn_unpack(other.e, spoilt, n, p.now, &c) == (error) && c == 77); \
		CHECK(!xl_engine_check(other.e) && xl_engine_conns(other.e) == 0); \
	} while (0)

#endif
