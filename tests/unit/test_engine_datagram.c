/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams: whole or not at all, at most once, never sent again. */
#include "engine_pair.h"

static struct raw r;
static u8 data[XLANE_DATAGRAM_MAX_BYTES + 1], in[XLANE_DATAGRAM_MAX_BYTES];

static void fragment(struct pair *p, struct peer *x, u64 id, u32 total, u32 offset, u8 byte, u16 bytes)
{
	peer_header(x, &r);
	raw_record(&r, 0x03, 0, (u16)(16 + bytes));
	raw64(&r, id);
	raw32(&r, total);
	raw32(&r, offset);
	raw_fill(&r, byte, bytes);
	raw_seal(&r);
	peer_send(p, x, &r);
	CHECK(!xl_engine_check(p->h[1].e));
}

static s64 get(struct pair *p, const struct peer *x)
{
	s64 n = xl_conn_recv(p->h[1].e, x->conn, in, sizeof in, p->now);

	CHECK(!xl_engine_check(p->h[1].e));
	return n;
}

static struct peer begin_with(struct pair *p)
{
	pair_open(p, NULL);
	return peer_open(p, 3, 100, XLANE_KIND_DATAGRAM, 1 << 20);
}

/* --- between two engines --------------------------------------------------------------------------- */
static void test_sizes(void **state)
{
	static const u32 sizes[] = { 0, 1, 100, 1456, 1457, 3000, 40000, XLANE_DATAGRAM_MAX_BYTES };
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_DATAGRAM);
	CHECK(xl_conn_message_max(p.h[0].e, j.a) == XLANE_DATAGRAM_MAX_BYTES);
	CHECK(xl_conn_send(p.h[0].e, j.a, data, sizeof data, p.now) == -EMSGSIZE);
	for (u32 i = 0; i < XL_ARRAY_SIZE(sizes); i++) {
		for (u32 k = 0; k < sizes[i]; k++)
			data[k] = (u8)(k * 3 + i);
		CHECK(xl_conn_send(p.h[0].e, j.a, data, sizes[i], p.now) == (s64)sizes[i]);
		pair_run(&p, 5 * XL_MS);
		CHECK(xl_conn_readable(p.h[1].e, j.b) == (s64)sizes[i]);
		CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == (s64)sizes[i] && !memcmp(in, data, sizes[i]));
		pair_check(&p);
	}
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == -EAGAIN);
	CHECK(xl_conn_shutdown(p.h[0].e, j.a, p.now) == 0);
	pair_run(&p, 5 * XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == -ENODATA);
	CHECK(state_is(&p.h[0], j.a, "local-done") && state_is(&p.h[1], j.b, "remote-shut"));
	xl_conn_close(p.h[0].e, j.a, p.now);
	xl_conn_close(p.h[1].e, j.b, p.now);
	pair_run(&p, 30 * XL_S);
	CHECK(xl_engine_conns(p.h[0].e) == 1 && count_of(&p.h[0], XL_C_CONNS_CLOSED) == 1);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_small_ones_share_packets(void **state)
{
	struct joined j;
	struct pair p;
	u64 before;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_DATAGRAM);
	before = count_of(&p.h[0], XL_C_DATA_PACKETS_OUT);
	for (u32 i = 0; i < 300; i++) {
		data[0] = (u8)i;
		CHECK(xl_conn_send(p.h[0].e, j.a, data, i % 2, p.now) == i % 2);
	}
	pair_run(&p, 5 * XL_MS);
	CHECK(count_of(&p.h[0], XL_C_DATA_PACKETS_OUT) - before < 12 && count_of(&p.h[1], XL_C_TOO_MANY_RECORDS) == 0);
	for (u32 i = 0; i < 300; i++)
		CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == i % 2 && (i % 2 == 0 || in[0] == (u8)i));
	bystander_lives(&p);
	pair_close(&p);
}

/* Lost is lost; the others come, and the end comes though the last packet with data was lost. */
static void test_lost_is_not_sent_again(void **state)
{
	struct joined j;
	struct pair p;
	u32 k = 0, n = 0;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_DATAGRAM);
	for (u32 i = 0; i < 9; i++) {
		memset(data, (int)i + 1, 1000);
		CHECK(xl_conn_send(p.h[0].e, j.a, data, 1000, p.now) == 1000);
	}
	CHECK(xl_conn_shutdown(p.h[0].e, j.a, p.now) == 0);
	for (; host_output(&p.h[0], &r, &to, p.now); k++)
		if (k != 2 && k != 8)
			host_input(&p.h[1], &r, 1, p.now);
	pair_run(&p, 1 * XL_S);
	while (xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 1000)
		n++;
	CHECK(n == 7 && count_of(&p.h[0], XL_C_DATAGRAM_LOST) == 2);
	CHECK(state_is(&p.h[0], j.a, "local-done") && count_of(&p.h[0], XL_C_RETRANSMITTED) == 0);
	CHECK(info_of(&p.h[0], j.a).bytes_acked == info_of(&p.h[0], j.a).bytes_sent);
	bystander_lives(&p);
	pair_close(&p);
}

/* All or nothing: no room for the whole, nothing is taken; there is an event when there is room. */
static void test_no_room_to_send(void **state)
{
	struct xl_event ev[16];
	struct joined j;
	struct pair p;
	u32 n = 0, told = 0;
	u64 sent;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_DATAGRAM);
	while (xl_conn_send(p.h[0].e, j.a, data, 20000, p.now) == 20000)
		n++;
	sent = info_of(&p.h[0], j.a).bytes_sent;
	CHECK(n > 5 && sent == n * 20000);
	CHECK(xl_conn_send(p.h[0].e, j.a, data, 60000, p.now) == -EAGAIN && info_of(&p.h[0], j.a).bytes_sent == sent);
	while (xl_engine_events(p.h[0].e, ev, 16))
		;
	pair_run(&p, 50 * XL_MS);
	for (u32 k = xl_engine_events(p.h[0].e, ev, 16); k--;)
		told += ev[k].index == j.a && ev[k].bits & XL_EVENT_WRITABLE;
	CHECK(told == 1 && xl_conn_send(p.h[0].e, j.a, data, 20000, p.now) == 20000);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- a raw sender ------------------------------------------------------------------------------------ */
static void test_fragments_in_any_order(void **state)
{
	struct pair p;
	struct peer x = begin_with(&p);

	(void)state;
	fragment(&p, &x, 0, 3000, 2000, 'c', 1000);
	fragment(&p, &x, 0, 3000, 0, 'a', 1000);
	CHECK(get(&p, &x) == -EAGAIN);
	fragment(&p, &x, 0, 3000, 0, 'z', 1000);        /* exactly again: dropped */
	CHECK(count_of(&p.h[1], XL_C_DATAGRAM_DUPLICATE) == 1);
	fragment(&p, &x, 1, 5, 0, 'w', 5);              /* another one overtakes */
	CHECK(get(&p, &x) == 5);
	fragment(&p, &x, 0, 3000, 1000, 'b', 1000);
	CHECK(get(&p, &x) == 3000 && in[0] == 'a' && in[1000] == 'b' && in[2999] == 'c');
	fragment(&p, &x, 0, 3000, 1000, 'b', 1000);     /* it is over */
	fragment(&p, &x, 1, 5, 0, 'w', 5);
	CHECK(get(&p, &x) == -EAGAIN && count_of(&p.h[1], XL_C_DATAGRAM_REPEATED) == 2);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_discarded(void **state)
{
	static const struct { u32 total, offset; u16 bytes; enum xl_engine_counter why; } second[] = {
		{ 3000, 500, 1000, XL_C_DATAGRAM_OVERLAP },
		{ 3000, 0, 999, XL_C_DATAGRAM_OVERLAP },
		{ 3000, 999, 1, XL_C_DATAGRAM_OVERLAP },
		{ 3000, 0, 1200, XL_C_DATAGRAM_OVERLAP },
		{ 2000, 1000, 1000, XL_C_DATAGRAM_TWO_TOTALS },
		{ 1000, 0, 1000, XL_C_DATAGRAM_TWO_TOTALS },
		{ 0, 0, 0, XL_C_DATAGRAM_TWO_TOTALS },
	};

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(second); i++) {
		struct pair p;
		struct peer x = begin_with(&p);

		fragment(&p, &x, 7, 3000, 0, 'a', 1000);
		fragment(&p, &x, 7, second[i].total, second[i].offset, 'b', second[i].bytes);
		CHECK(count_of(&p.h[1], second[i].why) == 1);
		fragment(&p, &x, 7, 3000, 1000, 'c', 1000);
		fragment(&p, &x, 7, 3000, 2000, 'c', 1000);
		fragment(&p, &x, 7, 3000, 0, 'c', 1000);
		CHECK(get(&p, &x) == -EAGAIN && count_of(&p.h[1], XL_C_DATAGRAM_REPEATED) == 3);
		fragment(&p, &x, 8, 3, 0, 'd', 3);
		CHECK(get(&p, &x) == 3);
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* Malformed as such: the packet is dropped. */
static void test_malformed(void **state)
{
	static const struct { u32 total, offset; u16 bytes; } bad[] = {
		{ 100, 0, 0 }, { 100, 100, 0 }, { 100, 50, 51 }, { 100, 101, 1 }, { 100, UINT32_MAX, 2 },
		{ XLANE_DATAGRAM_MAX_BYTES + 1, 0, 10 }, { 0, 1, 0 }, { 0, 0, 1 },
	};

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(bad); i++) {
		struct counters before;
		struct pair p;
		struct peer x = begin_with(&p);

		before = counters_of(&p.h[1]);
		fragment(&p, &x, 0, bad[i].total, bad[i].offset, 'x', bad[i].bytes);
		only_counted(&p.h[1], &before, XL_C_BAD_RECORD, NO_COUNTER, "fragment");
		fragment(&p, &x, 0, 3, 0, 'd', 3);
		CHECK(get(&p, &x) == 3);
		pair_close(&p);
	}
}

static void test_too_many_in_reassembly(void **state)
{
	struct pair p;
	struct peer x = begin_with(&p);

	(void)state;
	for (u64 id = 0; id <= XLANE_DATAGRAMS_PARTIAL_MAX; id++) {
		fragment(&p, &x, id, 2000, 0, 'a', 1000);
		p.now += 1 * XL_US;
	}
	CHECK(count_of(&p.h[1], XL_C_DATAGRAM_EVICTED) == 1);
	fragment(&p, &x, 0, 2000, 1000, 'b', 1000);     /* the oldest is gone */
	CHECK(get(&p, &x) == -EAGAIN);
	for (u64 id = 1; id <= XLANE_DATAGRAMS_PARTIAL_MAX; id++) {
		fragment(&p, &x, id, 2000, 1000, 'b', 1000);
		CHECK(get(&p, &x) == 2000);
	}
	bystander_lives(&p);
	pair_close(&p);
}

static void test_too_old(void **state)
{
	struct pair p;
	struct peer x = begin_with(&p);

	(void)state;
	fragment(&p, &x, 0, 2000, 0, 'a', 1000);
	p.now += 900 * XL_MS;
	xl_engine_advance(p.h[1].e, p.now);
	CHECK(count_of(&p.h[1], XL_C_DATAGRAM_TOO_OLD) == 0);
	p.now += 101 * XL_MS;
	xl_engine_advance(p.h[1].e, p.now);
	CHECK(count_of(&p.h[1], XL_C_DATAGRAM_TOO_OLD) == 1);
	fragment(&p, &x, 0, 2000, 1000, 'a', 1000);
	CHECK(get(&p, &x) == -EAGAIN);
	bystander_lives(&p);
	pair_close(&p);
}

/* Nobody reads: the queue takes a window, the rest is dropped; what is in reassembly makes way first. */
static void test_full_queue(void **state)
{
	u32 n = 0, sent = XLANE_RECV_WINDOW_MIN_BYTES / 1008 + 20;
	struct pair p;
	struct peer x = begin_with(&p);

	(void)state;
	fragment(&p, &x, 5000, XLANE_DATAGRAM_MAX_BYTES, 0, 'a', 1000);
	for (u64 id = 0; id < sent; id++)
		fragment(&p, &x, id, 1000, 0, (u8)id, 1000);
	CHECK(count_of(&p.h[1], XL_C_DATAGRAM_EVICTED) == 1 && count_of(&p.h[1], XL_C_DATAGRAM_NO_ROOM) > 0);
	while (get(&p, &x) == 1000)
		CHECK(in[0] == (u8)n++);
	CHECK(n + count_of(&p.h[1], XL_C_DATAGRAM_NO_ROOM) == sent);
	fragment(&p, &x, 6000, XLANE_DATAGRAM_MAX_BYTES, 0, 'a', 1000);
	for (u32 at = 1000; at < XLANE_DATAGRAM_MAX_BYTES; at += 1000)
		fragment(&p, &x, 6000, XLANE_DATAGRAM_MAX_BYTES, at, 'b', (u16)xl_min(1000, XLANE_DATAGRAM_MAX_BYTES - at));
	CHECK(get(&p, &x) == XLANE_DATAGRAM_MAX_BYTES);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_tiny_fragments(void **state)
{
	struct pair p;
	struct peer x = begin_with(&p);

	(void)state;
	for (u32 at = 0; at < 2000; at += 2)
		fragment(&p, &x, 0, 2000, at, 'a', 1);
	CHECK(count_of(&p.h[1], XL_C_DATAGRAM_FRAGMENTS) == 1 && get(&p, &x) == -EAGAIN);
	bystander_lives(&p);
	pair_close(&p);
}

/* Ids far apart, backwards, at the ends of the range: each at most once. */
static void test_ids(void **state)
{
	static const u64 ids[] = { 100000, 99999, 69281, 69280, 0, 200000, 200001, 200009, 200008, 230720, 200000,
				   UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 30720, 5, UINT64_MAX };
	static const bool fresh[] = { 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0 };
	struct pair p;
	struct peer x = begin_with(&p);

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(ids); i++) {
		fragment(&p, &x, ids[i], 4, 0, 'i', 4);
		if (get(&p, &x) != (fresh[i] ? 4 : -EAGAIN))
			fail_msg("id %llu, number %u", (unsigned long long)ids[i], i);
	}
	bystander_lives(&p);
	pair_close(&p);
}

static void test_end_and_sequence(void **state)
{
	static const struct { u8 flags; u64 offset; u16 bytes; } bad[] = { { 0, 0, 1 }, { 1, 0, 1 }, { 1, 1, 0 }, { 2, 5, 9 } };
	struct pair p;
	struct peer x;

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(bad); i++) {
		x = begin_with(&p);
		peer_data(&p, &x, bad[i].flags, bad[i].offset, 'x', bad[i].bytes);
		CHECK(info_of(&p.h[1], x.conn).error == -EPROTO && count_of(&p.h[1], XL_C_DATAGRAM_BAD_DATA) == 1);
		bystander_lives(&p);
		pair_close(&p);
	}
	x = begin_with(&p);
	fragment(&p, &x, 0, 2000, 0, 'a', 1000);
	fragment(&p, &x, 1, 9, 0, 'a', 9);
	peer_data(&p, &x, 1, 0, 'x', 0);
	fragment(&p, &x, 2, 9, 0, 'a', 9);
	CHECK(count_of(&p.h[1], XL_C_DATAGRAM_LATE) == 1);
	CHECK(get(&p, &x) == 9 && get(&p, &x) == -ENODATA);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_export_in_the_middle(void **state)
{
	static u8 bytes[1 << 20];
	struct pair p;
	struct peer x = begin_with(&p);
	s64 n;

	(void)state;
	fragment(&p, &x, 1, 9, 0, 'a', 9);
	fragment(&p, &x, 0, 2000, 0, 'a', 1000);
	while (peer_hears(&p, &x, &r))
		;
	n = xl_conn_export(p.h[1].e, x.conn, bytes, sizeof bytes);
	CHECK(n > 0 && !xl_engine_check(p.h[1].e));
	CHECK(xl_conn_import(p.h[1].e, bytes, (u64)n, p.now, &x.conn) == 0 && !xl_engine_check(p.h[1].e));
	CHECK(get(&p, &x) == 9);
	fragment(&p, &x, 1, 9, 0, 'a', 9);
	CHECK(get(&p, &x) == -EAGAIN);
	fragment(&p, &x, 0, 2000, 1000, 'b', 1000);
	CHECK(get(&p, &x) == 2000 && in[999] == 'a' && in[1000] == 'b');
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes), cmocka_unit_test(test_small_ones_share_packets),
		cmocka_unit_test(test_lost_is_not_sent_again), cmocka_unit_test(test_no_room_to_send),
		cmocka_unit_test(test_fragments_in_any_order), cmocka_unit_test(test_discarded),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_too_many_in_reassembly),
		cmocka_unit_test(test_too_old), cmocka_unit_test(test_full_queue), cmocka_unit_test(test_tiny_fragments),
		cmocka_unit_test(test_ids), cmocka_unit_test(test_end_and_sequence),
		cmocka_unit_test(test_export_in_the_middle),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
