/* SPDX-License-Identifier: BSD-2-Clause */
/* Large messages: head in the sequence, GRANT, LARGE; who is granted when; what is refused. */
#include "engine_feed.h"
#include "engine_large.h"

static struct raw r;

static void send_large(struct pair *p, u32 conn, u64 bytes)
{
	CHECK(xl_conn_large_begin(p->h[0].e, conn, bytes, p->now) == 0);
	for (u32 i = 0; !feed(p, conn, bytes); i++) {
		CHECK(i < 10000);
		pair_run(p, 1 * XL_MS);
	}
}

/* --- between two engines ------------------------------------------------------------------------ */
static void whole_message(u8 kind, u64 bytes)
{
	struct pair p;
	struct joined j;

	pair_open(&p, NULL);
	j = pair_join(&p, kind);
	CHECK(xl_conn_message_max(p.h[0].e, j.a) >= bytes);
	fill_data(bytes, 1);
	send_large(&p, j.a, bytes);
	CHECK(xl_conn_shutdown(p.h[0].e, j.a, p.now) == 0);
	pair_run(&p, 20 * XL_MS);
	pair_check(&p);
	CHECK(xl_conn_readable(p.h[1].e, j.b) == (s64)bytes);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, bytes - 1, p.now) == -EMSGSIZE);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == (s64)bytes);
	CHECK(!memcmp(in, data, bytes));
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == -ENODATA);
	CHECK(info_of(&p.h[0], j.a).messages_sent == 1 && info_of(&p.h[1], j.b).messages_received == 1);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_whole(void **state)
{
	(void)state;
	whole_message(XLANE_KIND_MESSAGE, XLANE_MESSAGE_SMALL_MAX_BYTES + 1);
	whole_message(XLANE_KIND_UNORDERED, XLANE_MESSAGE_SMALL_MAX_BYTES + 1);
	whole_message(XLANE_KIND_MESSAGE, 3 << 20);
	whole_message(XLANE_KIND_UNORDERED, 3 << 20);
}

static void test_the_largest(void **state)
{
	struct xl_engine_config like = { .blocks = XLANE_BLOCKS_DEFAULT };
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	CHECK(xl_conn_message_max(p.h[0].e, j.a) == XLANE_MESSAGE_MAX_BYTES);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, XLANE_MESSAGE_MAX_BYTES + 1, p.now) == -EMSGSIZE);
	fill_data(XLANE_MESSAGE_MAX_BYTES, 2);
	send_large(&p, j.a, XLANE_MESSAGE_MAX_BYTES);
	pair_run(&p, 20 * XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == XLANE_MESSAGE_MAX_BYTES && !memcmp(in, data, sizeof in));
	bystander_lives(&p);
	pair_close(&p);
}

static void test_order_among_small_ones(void **state)
{
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	fill_data(LARGE, 3);
	CHECK(xl_conn_send(p.h[0].e, j.a, "before", 6, p.now) == 6);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now) == 0);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now) == -EAGAIN);
	CHECK(xl_conn_send(p.h[0].e, j.a, "behind", 6, p.now) == 6);
	CHECK(xl_conn_large_more(p.h[0].e, j.a, data, LARGE + 1, p.now) == -EINVAL);
	CHECK(xl_conn_large_more(p.h[0].e, j.a, data, LARGE, p.now) == -EAGAIN);
	pair_run(&p, 1 * XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 6 && !memcmp(in, "before", 6));
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == -EAGAIN);
	while (!feed(&p, j.a, LARGE))
		pair_run(&p, 1 * XL_MS);
	pair_run(&p, 5 * XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == LARGE && !memcmp(in, data, LARGE));
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 6 && !memcmp(in, "behind", 6));
	bystander_lives(&p);
	pair_close(&p);
}

static void test_out_of_order_small_ones_overtake(void **state)
{
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_UNORDERED);
	fill_data(LARGE, 4);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now) == 0);
	CHECK(xl_conn_send(p.h[0].e, j.a, "small", 5, p.now) == 5);
	pair_run(&p, 1 * XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 5 && !memcmp(in, "small", 5));
	while (!feed(&p, j.a, LARGE))
		pair_run(&p, 1 * XL_MS);
	pair_run(&p, 5 * XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == LARGE && !memcmp(in, data, LARGE));
	bystander_lives(&p);
	pair_close(&p);
}

/* Small messages behind the head fill send buffer and window, and nobody can read them: the large one must get through. */
static void test_small_ones_do_not_lock_it_out(void **state)
{
	struct joined j;
	struct pair p;
	u64 small = 0;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	fill_data(LARGE, 5);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now) == 0);
	for (u32 i = 0; i < 200; i++) {
		while (xl_conn_send(p.h[0].e, j.a, data, 3000, p.now) == 3000)
			small++;
		pair_run(&p, 1 * XL_MS);
	}
	CHECK(small > 40);
	for (u32 i = 0; !feed(&p, j.a, LARGE); i++) {
		CHECK(i < 1000);
		pair_run(&p, 1 * XL_MS);
	}
	pair_run(&p, 20 * XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == LARGE && !memcmp(in, data, LARGE));
	for (; small; small--) {
		pair_run(&p, 1 * XL_MS);
		CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 3000);
	}
	bystander_lives(&p);
	pair_close(&p);
}

static void test_read_by_loan(void **state)
{
	u64 left = 0, got = 0;
	struct joined j;
	struct pair p;
	const u8 *q;
	s64 n;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	fill_data(LARGE, 6);
	send_large(&p, j.a, LARGE);
	pair_run(&p, 20 * XL_MS);
	while ((n = xl_conn_peek(p.h[1].e, j.b, &q, &left)) > 0) {
		CHECK(left == LARGE - got && !memcmp(q, data + got, (u64)n));
		xl_conn_consume(p.h[1].e, j.b, xl_min((u64)n, 3001), p.now);
		got += xl_min((u64)n, 3001);
		pair_check(&p);
	}
	CHECK(n == -EAGAIN && got == LARGE);
	bystander_lives(&p);
	pair_close(&p);
}

/* The end waits for the rest of the message; closing before it is given whole resets. */
static void test_ends(void **state)
{
	struct joined j, k;
	struct pair p;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	fill_data(LARGE, 7);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now) == 0);
	CHECK(xl_conn_shutdown(p.h[0].e, j.a, p.now) == 0);
	CHECK(xl_conn_send(p.h[0].e, j.a, "no", 2, p.now) == -EPIPE);
	pair_run(&p, 50 * XL_MS);
	CHECK(state_is(&p.h[0], j.a, "local-shut") && state_is(&p.h[1], j.b, "open"));
	CHECK(feed(&p, j.a, LARGE));
	pair_run(&p, 50 * XL_MS);
	CHECK(state_is(&p.h[0], j.a, "local-done") && state_is(&p.h[1], j.b, "remote-shut"));
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == LARGE && !memcmp(in, data, LARGE));
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == -ENODATA);
	k = pair_join(&p, XLANE_KIND_MESSAGE);
	CHECK(xl_conn_large_begin(p.h[0].e, k.a, LARGE, p.now) == 0);
	xl_conn_close(p.h[0].e, k.a, p.now);
	pair_run(&p, 5 * XL_MS);
	CHECK(info_of(&p.h[1], k.b).error == -ECONNRESET);
	bystander_lives(&p);
	pair_close(&p);
}

/* The reader has gone: the sender is not left waiting. */
static void closed_reader(u8 kind, bool half)
{
	struct joined j;
	struct pair p;

	pair_open(&p, NULL);
	j = pair_join(&p, kind);
	fill_data(LARGE, 8);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now) == 0);
	if (half) {
		pair_run(&p, 1 * XL_MS);
		CHECK(xl_conn_large_more(p.h[0].e, j.a, data, LARGE / 2, p.now) > 0);
		pair_run(&p, 5 * XL_MS);
	}
	xl_conn_close(p.h[1].e, j.b, p.now);
	pair_run(&p, 5 * XL_MS);
	while (!feed(&p, j.a, LARGE))
		pair_run(&p, 1 * XL_MS);
	CHECK(xl_conn_send(p.h[0].e, j.a, "more", 4, p.now) == 4);
	send_large(&p, j.a, LARGE);
	xl_conn_close(p.h[0].e, j.a, p.now);
	pair_run(&p, 30 * XL_S);
	CHECK(xl_engine_conns(p.h[0].e) == 1 && xl_engine_conns(p.h[1].e) == 1);
	CHECK(count_of(&p.h[0], XL_C_CONNS_RESET) == 0 && count_of(&p.h[1], XL_C_LARGE_DISCARDED) >= LARGE);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_closed_reader(void **state)
{
	(void)state;
	closed_reader(XLANE_KIND_MESSAGE, false);
	closed_reader(XLANE_KIND_MESSAGE, true);
	closed_reader(XLANE_KIND_UNORDERED, false);
	closed_reader(XLANE_KIND_UNORDERED, true);
}

/* --- a raw sender ----------------------------------------------------------------------------------- */
static void test_refused_parts(void **state)
{
	struct counters before;
	struct pair p;
	struct peer x;
	u32 bytes = 0;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	part(&p, &x, 0, 0, 'x', 100);                                  /* nothing was announced */
	CHECK(count_of(&p.h[1], XL_C_LARGE_NOT_GRANTED) == 1);
	CHECK(!peer_hears(&p, &x, &r) || raw_acked(&r) != x.next - 1);
	head(&p, &x, 0, 70000, 1);
	CHECK(granted_to(&p, &x, &bytes) == 0 && bytes == 70000);
	part(&p, &x, 8, 0, 'x', 100);                                  /* another message */
	CHECK(count_of(&p.h[1], XL_C_LARGE_NOT_GRANTED) == 2);
	part(&p, &x, 0, 69950, 'x', 51);                               /* one byte past the end */
	CHECK(count_of(&p.h[1], XL_C_LARGE_PAST_END) == 1);
	part(&p, &x, 0, XLANE_MESSAGE_MAX_BYTES - 10, 'x', 11);        /* past any end: malformed */
	CHECK(count_of(&p.h[1], XL_C_BAD_RECORD) == 1);
	part(&p, &x, 0, UINT32_MAX, 'x', 11);
	CHECK(count_of(&p.h[1], XL_C_BAD_RECORD) == 2);
	before = counters_of(&p.h[1]);
	part(&p, &x, 0, 0, 'x', 0);                                    /* empty */
	only_counted(&p.h[1], &before, XL_C_BAD_RECORD, NO_COUNTER, "empty part");
	CHECK(!info_of(&p.h[1], x.conn).error);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_bad_heads(void **state)
{
	static const u32 sizes[] = { 0, 1, XLANE_MESSAGE_SMALL_MAX_BYTES, XLANE_MESSAGE_MAX_BYTES + 1, UINT32_MAX };

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(sizes); i++) {
		struct pair p;
		struct peer x;

		pair_open(&p, NULL);
		x = peer_open(&p, 3, 100, i & 1 ? XLANE_KIND_MESSAGE : XLANE_KIND_UNORDERED, 1 << 20);
		head(&p, &x, 0, sizes[i], 1);
		CHECK(info_of(&p.h[1], x.conn).error == -EPROTO && count_of(&p.h[1], XL_C_DATA_BAD_MESSAGE) == 1);
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* Any order, overlaps: the first copy of each byte is kept. */
static void test_overlaps(void **state)
{
	static u8 map[70000];
	struct xl_prng rng;
	struct pair p;
	struct peer x;

	(void)state;
	xl_prng_seed(&rng, 9);
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	head(&p, &x, 0, sizeof map, 1);
	for (u32 i = 0; i < 400; i++) {
		u32 at = (u32)xl_prng_below(&rng, sizeof map), n = 1 + (u32)xl_prng_below(&rng, 1000);
		u8 byte = (u8)(1 + xl_prng_below(&rng, 255));

		n = (u32)xl_min(n, sizeof map - at);
		part(&p, &x, 0, at, byte, (u16)n);
		for (u32 k = at; k < at + n; k++)
			map[k] = map[k] ? map[k] : byte;
		CHECK(!xl_engine_check(p.h[1].e));
	}
	CHECK(xl_conn_readable(p.h[1].e, x.conn) == -EAGAIN);
	for (u32 at = 0; at < sizeof map; at += 1000)
		part(&p, &x, 0, at, 0, 1000);
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == sizeof map && !memcmp(in, map, sizeof map));
	part(&p, &x, 0, 0, 'z', 1000);                                  /* again, after it was read: acknowledged */
	CHECK(peer_hears(&p, &x, &r) && count_of(&p.h[1], XL_C_LARGE_NOT_GRANTED) == 0);
	bystander_lives(&p);
	pair_close(&p);
}

/* The end is here, a part of the message is not, and the reader goes: nobody waits for it any more. */
static void test_closed_before_the_end_was_whole(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	head(&p, &x, 0, 70000, 1);
	peer_data(&p, &x, 1, 8, 0, 0);
	CHECK(state_is(&p.h[1], x.conn, "open"));
	xl_conn_close(p.h[1].e, x.conn, p.now);
	CHECK(state_is(&p.h[1], x.conn, "both-shut") && !xl_engine_check(p.h[1].e));
	bystander_lives(&p);
	pair_close(&p);
}

/* More holes than the table takes: refused, and what fills holes is still taken. */
static void test_too_many_holes(void **state)
{
	u32 bytes = XLANE_HOLES_MAX * 400 + 800;
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	head(&p, &x, 0, bytes, 1);
	for (u32 at = 200; at < bytes; at += 400)
		part(&p, &x, 0, at, 'a', 200);
	CHECK(count_of(&p.h[1], XL_C_LARGE_HOLES) == 2);
	for (u32 at = 0; at < bytes; at += 400)
		part(&p, &x, 0, at, 'b', 400);
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == bytes);
	bystander_lives(&p);
	pair_close(&p);
}

/* The GRANT is lost: its sender notices, and sends it again. */
static void test_lost_grant(void **state)
{
	u32 bytes = 0, n = 0;
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	head(&p, &x, 0, LARGE, 1);
	for (u32 i = 0; i < 200; i++) {
		p.now += 10 * XL_MS;
		xl_engine_advance(p.h[1].e, p.now);
		n += granted_to(&p, &x, &bytes) == 0;
	}
	CHECK(n >= 1 && bytes == LARGE && count_of(&p.h[1], XL_C_GRANT_OUT) >= 1);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- who is granted when ----------------------------------------------------------------------------- */
#define WAITERS 8

/* Let host 1 speak; whoever of x is granted something is added to got. */
static u32 collect(struct pair *p, const struct peer *x, u32 *got, u32 n)
{
	u8 to;

	while (host_output(&p->h[1], &r, &to, p->now))
		for (u32 i = 0; raw_find(&r, 0x12) && i < WAITERS; i++)
			if (to == x[i].address)
				got[n++] = i;
	return n;
}

/* A pool in which two of these never fit at once. Sizes in the order in which they are announced. */
static void test_grant_order(void **state)
{
	static const u32 sizes[WAITERS] = { 745000, 700000, 400000, 600000, 450000, 400000, 720000, 650000 };
	/* The first is there alone; then the smallest by classes of 256 KiB, each fourth time the one that waits longest. */
	static const u32 order[WAITERS] = { 0, 2, 4, 1, 5, 3, 6, 7 };
	struct xl_engine_config like = { .blocks = 700, .conns_max = 40 };
	struct peer x[WAITERS], unread;
	u32 got[2 * WAITERS], n = 0;
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	for (u32 i = 0; i < 5; i++) { /* what these leave is the reserve */
		unread = peer_open(&p, (u8)(50 + i), 100, XLANE_KIND_STREAM, 1 << 20);
		peer_data(&p, &unread, 0, 0, 'x', 1);
	}
	for (u32 i = 0; i < WAITERS; i++)
		x[i] = peer_open(&p, (u8)(10 + i), 100, XLANE_KIND_MESSAGE, 1 << 20);
	for (u32 i = 0; i < WAITERS; i++)
		head(&p, &x[i], 0, sizes[i], 1);
	CHECK(!xl_engine_check(p.h[1].e) && count_of(&p.h[1], XL_C_GRANT_WAITS) == WAITERS - 1);
	for (u32 k = 0; k < WAITERS; k++) {
		n = collect(&p, x, got, n);
		if (n != k + 1 || got[k] != order[k])
			fail_msg("%u grants after %u deaths, the last to %u, should be %u", n, k, n ? got[n - 1] : 99, order[k]);
		part(&p, &x[got[k]], 0, 5000, 'x', 1000); /* it dies with a part of its message here */
		CHECK(count_of(&p.h[1], XL_C_LARGE_NOT_GRANTED) == 0);
		xl_conn_abort(p.h[1].e, x[got[k]].conn, XLANE_WIRE_CANCELLED, p.now);
		CHECK(!xl_engine_check(p.h[1].e));
	}
	bystander_lives(&p);
	pair_close(&p);
}

/* A table's worth of messages in reassembly: the next one waits though there is memory. */
static void test_grants_are_bounded(void **state)
{
	struct xl_engine_config like = { .blocks = 16384, .conns_max = XLANE_GRANTS_MAX + 10, .peers_max = 100 };
	struct peer x[XLANE_GRANTS_MAX + 1];
	u32 bytes = 0;
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	for (u32 i = 0; i <= XLANE_GRANTS_MAX; i++) {
		x[i] = peer_open(&p, (u8)(10 + i), 100, XLANE_KIND_MESSAGE, 1 << 20);
		head(&p, &x[i], 0, 65537, 1);
		CHECK((granted_to(&p, &x[i], &bytes) == 0) == (i < XLANE_GRANTS_MAX));
	}
	CHECK(!xl_engine_check(p.h[1].e));
	for (u32 at = 0; at < 65537; at += 1000)
		part(&p, &x[5], 0, at, 'x', (u16)xl_min(1000, 65537 - at));
	CHECK(granted_to(&p, &x[XLANE_GRANTS_MAX], &bytes) == 0); /* complete is not in reassembly */
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole), cmocka_unit_test(test_the_largest),
		cmocka_unit_test(test_order_among_small_ones), cmocka_unit_test(test_out_of_order_small_ones_overtake),
		cmocka_unit_test(test_small_ones_do_not_lock_it_out), cmocka_unit_test(test_read_by_loan),
		cmocka_unit_test(test_ends), cmocka_unit_test(test_closed_reader), cmocka_unit_test(test_refused_parts),
		cmocka_unit_test(test_bad_heads), cmocka_unit_test(test_overlaps), cmocka_unit_test(test_too_many_holes),
		cmocka_unit_test(test_closed_before_the_end_was_whole),
		cmocka_unit_test(test_lost_grant), cmocka_unit_test(test_grant_order),
		cmocka_unit_test(test_grants_are_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
