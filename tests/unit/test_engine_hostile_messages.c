/* SPDX-License-Identifier: BSD-2-Clause */
/* What one hostile or unlucky peer must not be able to do with messages and datagrams. */
#include "engine_large.h"

static struct raw r;
static u8 in[1 << 20];

/* One packet with the heads of a large message and of one that can not be: the connection breaks behind the first. Its reader
 * must not come to stand at the large message that never comes. */
static void broken_behind_a_large_head(bool small_before)
{
	struct pair p;
	struct peer x;

	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_UNORDERED, 1 << 20);
	peer_data(&p, &x, 2, 200, 0, 8 + 5);                        /* early: its class and length are 0 */
	peer_header(&x, &r);
	raw_record(&r, 0x01, 2, (u16)(8 + 16 + (small_before ? 8 : 0)));
	raw64(&r, 0);
	if (small_before)
		raw_fill(&r, 0, 8);
	raw32(&r, 70000);
	raw8(&r, 1);
	raw_fill(&r, 0, 3);
	raw_fill(&r, 0xff, 8);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(info_of(&p.h[1], x.conn).error == -EPROTO);
	for (s64 n = 0; n >= 0;) {
		n = xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now);
		CHECK(n <= 0);
		pair_check(&p);
	}
	xl_conn_close(p.h[1].e, x.conn, p.now);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_broken_behind_a_large_head(void **state)
{
	(void)state;
	broken_behind_a_large_head(false);
	broken_behind_a_large_head(true);
}

/* --- grants that are not used ----------------------------------------------------------------------- */
static bool granted(struct pair *p, struct peer *x)
{
	u32 bytes;

	return granted_to(p, x, &bytes) == 0;
}

/* Time passes in which every peer is heard, so that none counts as dead. */
static void live(struct pair *p, struct peer *const *x, u32 n, u32 seconds)
{
	for (u32 s = 0; s < seconds; s++) {
		u64 top[2] = { 0 };
		u8 to;

		p->now += XL_S;
		for (u32 i = 0; i < 2; i++)
			xl_engine_advance(p->h[i].e, p->now);
		while (host_output(&p->h[1], &r, &to, p->now)) {
			if (to == 1)
				host_input(&p->h[0], &r, 2, p->now);
			for (u32 i = 0; i < n; i++)
				if (to == x[i]->address)
					top[i] = xl_get64(r.b + 12);
		}
		pair_exchange(p);
		for (u32 i = 0; i < n; i++) {
			peer_header(x[i], &r);
			if (top[i]) {
				raw_record(&r, 0x10, 0, 20);
				raw64(&r, top[i]);
				raw64(&r, 0);
				raw32(&r, (u32)(top[i] - FIRST));
			}
			raw_record(&r, 0x13, 0, 0);
			raw_seal(&r);
			peer_send(p, x[i], &r);
		}
	}
}

/* A pool that takes one of the two messages at a time; the one that was granted first gets a part every nine seconds. */
static bool dripping_holder_keeps_it(u16 bytes, u32 times, bool second_waits)
{
	struct xl_engine_config like = { .blocks = 700 };
	struct pair p;
	struct peer x, y, *both[] = { &x, &y };
	bool kept;

	pair_open(&p, &like);
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	y = peer_open(&p, 4, 100, XLANE_KIND_MESSAGE, 1 << 20);
	head(&p, &x, 0, 700000, 1);
	CHECK(granted(&p, &x));
	if (second_waits) {
		head(&p, &y, 0, 740000, 1);
		CHECK(!granted(&p, &y));
	}
	for (u32 i = 0, at = 0; i < 4; i++) {
		for (u32 k = 0; k < times; k++, at += bytes)
			part(&p, &x, 0, at, 'x', bytes);
		live(&p, both, 2, 9);
	}
	kept = !info_of(&p.h[1], x.conn).error;
	CHECK(kept == !count_of(&p.h[1], XL_C_GRANT_STALLED));
	CHECK(kept || info_of(&p.h[1], x.conn).error == -ENOBUFS);
	CHECK(!second_waits || kept == !count_of(&p.h[1], XL_C_CONNS_RESET));
	CHECK(!info_of(&p.h[1], y.conn).error);
	bystander_lives(&p);
	pair_close(&p);
	return kept;
}

/* G-12 */
static void test_unused_grant_is_taken_back(void **state)
{
	(void)state;
	CHECK(!dripping_holder_keeps_it(1, 0, true));     /* nothing */
	CHECK(!dripping_holder_keeps_it(1, 1, true));     /* drop by drop */
	CHECK(dripping_holder_keeps_it(1000, 66, true));  /* slow */
	CHECK(dripping_holder_keeps_it(1, 0, false));     /* nobody else wants it */
}

/* The same bytes again and again are no progress. */
static void test_repeated_parts_are_no_progress(void **state)
{
	struct xl_engine_config like = { .blocks = 660 };
	struct pair p;
	struct peer x, y, *both[] = { &x, &y };

	(void)state;
	pair_open(&p, &like);
	x = peer_open(&p, 3, 100, XLANE_KIND_UNORDERED, 1 << 20);
	y = peer_open(&p, 4, 100, XLANE_KIND_UNORDERED, 1 << 20);
	head(&p, &x, 0, 700000, 1);
	CHECK(granted(&p, &x));
	head(&p, &y, 0, 700000, 1);
	for (u32 i = 0; i < 11; i++) {
		for (u32 k = 0; k < 100; k++)
			part(&p, &x, 0, 0, 'x', 1000);
		live(&p, both, 2, 1);
	}
	CHECK(info_of(&p.h[1], x.conn).error == -ENOBUFS && !info_of(&p.h[1], y.conn).error);
	for (u32 at = 0; at < 700000; at += 1000)
		part(&p, &y, 0, at, 'y', 1000);
	CHECK(xl_conn_recv(p.h[1].e, y.conn, in, sizeof in, p.now) == 700000);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- datagrams ---------------------------------------------------------------------------------------- */
static void raw_datagram(struct raw *q, u64 id, u8 byte, u16 bytes)
{
	raw_record(q, 0x03, 0, (u16)(16 + bytes));
	raw64(q, id);
	raw32(q, bytes);
	raw32(q, 0);
	raw_fill(q, byte, bytes);
}

/* Ids in leaps of any length, and each of them again: every datagram once, whatever was forgotten on the way (T-6). */
static void test_ids_that_leap(void **state)
{
	static const u32 leaps[] = { 1, 2, 7, 8, 9, 63, 64, 65, 1000, 4095, 30711, 30712, 30713, 30718, 30719, 30720, 30721, 100000 };
	static u64 ids[XL_ARRAY_SIZE(leaps) * 20];
	struct xl_prng rng;
	struct pair p;
	struct peer x;
	u64 id = 3;
	u32 n = 0;

	(void)state;
	xl_prng_seed(&rng, 3);
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_DATAGRAM, 1 << 20);
	for (u32 i = 0; i < XL_ARRAY_SIZE(ids); i++) {
		peer_header(&x, &r);
		id += leaps[xl_prng_below(&rng, XL_ARRAY_SIZE(leaps))];
		ids[n++] = id;
		raw_datagram(&r, id, (u8)i, 4);
		peer_send(&p, &x, (raw_seal(&r), &r));
		CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == 4 && in[0] == (u8)i);
		/* one that was not sent before, and lies in what is remembered, is new */
		peer_header(&x, &r);
		raw_datagram(&r, id - 1, 'n', 4);
		peer_send(&p, &x, (raw_seal(&r), &r));
		if (n < 2 || ids[n - 2] < id - 1) {
			CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == 4 && in[0] == 'n');
		}
		for (u32 k = n > 40 ? n - 40 : 0; k < n; k++) {
			peer_header(&x, &r);
			raw_datagram(&r, ids[k], 'z', 4);
			peer_send(&p, &x, (raw_seal(&r), &r));
			CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == -EAGAIN);
		}
	}
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_behind_a_large_head),
		cmocka_unit_test(test_unused_grant_is_taken_back),
		cmocka_unit_test(test_repeated_parts_are_no_progress),
		cmocka_unit_test(test_ids_that_leap),
	};

	return RUN_TAP(tests);
}
