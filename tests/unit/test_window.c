/* SPDX-License-Identifier: BSD-2-Clause */
/* Receive memory on demand, its queue, and the window that follows the reader. */
#include "engine_large.h"
#include "engine_pair.h"

#define IDLE 10000
#define TWO_BLOCKS 140   /* receive memory that backs two connections */

static struct raw r;
static u8 buf[1 << 20];

static void one_byte(struct pair *p, struct peer *x, u64 at) { peer_data(p, x, 0, at, 'x', 1); }
static bool has_byte(struct pair *p, const struct peer *x) { return xl_conn_readable(p->h[1].e, x->conn) == 1; }
static void take_byte(struct pair *p, const struct peer *x)
{
	CHECK(xl_conn_recv(p->h[1].e, x->conn, buf, 8, p->now) == 1);
}

static bool told_credit(struct pair *p, const struct peer *x, u64 *limit)
{
	bool told = false;

	while (peer_hears(p, x, &r))
		if (raw_find(&r, 0x11)) {
			*limit = xl_get64(raw_find(&r, 0x11));
			told = true;
		}
	return told;
}

/* Time passes, and what is sent meanwhile is lost. */
static void silence(struct pair *p, u64 ns)
{
	p->now += ns;
	xl_engine_advance(p->h[1].e, p->now);
}

static void open_many(struct pair *p, struct peer *x, u32 n, u8 kind)
{
	for (u32 i = 0; i < n; i++)
		x[i] = peer_open(p, (u8)(10 + i), 100, kind, 0);
}

/* K-10: the smallest receive memory, and any number of connections; each can receive. */
static void test_idle_connections_hold_nothing(void **state)
{
	struct xl_engine_config like = { .blocks = XLANE_BLOCKS_MIN, .conns_max = IDLE + 10 };
	static struct joined j[IDLE];
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	for (u32 i = 0; i < IDLE; i++)
		j[i] = pair_join(&p, XLANE_KIND_STREAM);
	CHECK(xl_engine_conns(p.h[1].e) == IDLE + 1);
	for (u32 i = 0; i < IDLE; i += 97) {
		CHECK(xl_conn_send(p.h[0].e, j[i].a, "abc", 3, p.now) == 3);
		pair_exchange(&p);
		CHECK(xl_conn_recv(p.h[1].e, j[i].b, buf, 10, p.now) == 3);
	}
	CHECK(count_of(&p.h[1], XL_C_MEMORY_WAIT) == 0);
	bystander_lives(&p);
	pair_close(&p);
}

/* First come, first served: what is free is promised to who waits longest, not to who asks next. */
static void test_memory_in_turn(void **state)
{
	struct xl_engine_config like = { .blocks = TWO_BLOCKS };
	struct peer x[5];
	struct pair p;
	u64 limit = 0;

	(void)state;
	pair_open(&p, &like);
	open_many(&p, x, 5, XLANE_KIND_STREAM);
	for (u32 i = 0; i < 5; i++)
		one_byte(&p, &x[i], 0);
	CHECK(has_byte(&p, &x[0]) && has_byte(&p, &x[1]) && count_of(&p.h[1], XL_C_MEMORY_WAIT) == 3);
	for (u32 i = 2; i < 5; i++) {
		CHECK(!told_credit(&p, &x[i], &limit));
		take_byte(&p, &x[i - 2]);
		CHECK(told_credit(&p, &x[i], &limit) && limit == XLANE_RECV_WINDOW_MIN_BYTES);
		one_byte(&p, &x[0], 1); /* who has had its turn waits */
		CHECK(xl_conn_readable(p.h[1].e, x[0].conn) == -EAGAIN);
		one_byte(&p, &x[i], 0);
		CHECK(has_byte(&p, &x[i]));
		pair_check(&p);
	}
	pair_close(&p);
}

/* A turn that nobody takes goes on to the next. */
static void test_turns_end(void **state)
{
	struct xl_engine_config like = { .blocks = TWO_BLOCKS };
	struct peer x[4];
	struct pair p;
	u64 limit;

	(void)state;
	pair_open(&p, &like);
	open_many(&p, x, 4, XLANE_KIND_MESSAGE);
	for (u32 i = 0; i < 4; i++)
		one_byte(&p, &x[i], 0); /* a part of a head: not whole, so it keeps its memory */
	CHECK(count_of(&p.h[1], XL_C_MEMORY_WAIT) == 2);
	xl_conn_abort(p.h[1].e, x[0].conn, XLANE_WIRE_CANCELLED, p.now);
	one_byte(&p, &x[3], 0);
	CHECK(count_of(&p.h[1], XL_C_MEMORY_WAIT) == 3);
	CHECK(told_credit(&p, &x[2], &limit));
	silence(&p, 300 * XL_MS);
	one_byte(&p, &x[3], 0);
	CHECK(count_of(&p.h[1], XL_C_MEMORY_WAIT) == 3);
	pair_check(&p);
	pair_close(&p);
}

/* At rest only the blocks with unread data stay with a connection. */
static void test_unread_bytes_cost_their_blocks(void **state)
{
	struct xl_engine_config like = { .blocks = TWO_BLOCKS };
	struct peer x[26];
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	open_many(&p, x, 26, XLANE_KIND_STREAM);
	for (u32 i = 0; i < 26; i++) {
		one_byte(&p, &x[i], 0);
		CHECK(has_byte(&p, &x[i]));
		if (i % 2)
			silence(&p, 300 * XL_MS);
	}
	CHECK(count_of(&p.h[1], XL_C_MEMORY_WAIT) == 0);
	pair_check(&p);
	pair_close(&p);
}

/* K-14: a message of which the rest does not come, whatever else its sender says, while others wait. */
static void test_half_a_message_does_not_stay(void **state)
{
	struct xl_engine_config like = { .blocks = TWO_BLOCKS };
	struct peer x[3];
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	open_many(&p, x, 3, XLANE_KIND_MESSAGE);
	one_byte(&p, &x[0], 0);
	one_byte(&p, &x[1], 0);
	for (u32 i = 0; i < 110; i++) {
		silence(&p, 100 * XL_MS);
		for (u32 k = 0; k < 3; k++) {
			peer_header(&x[k], &r);
			raw_record(&r, 0x13, 0, 0);
			raw_seal(&r);
			peer_send(&p, &x[k], &r);
		}
		if (i == 60)
			CHECK(count_of(&p.h[1], XL_C_MEMORY_STALLED) == 0);
		if (i > 50)
			one_byte(&p, &x[2], 0);
	}
	CHECK(count_of(&p.h[1], XL_C_MEMORY_STALLED) == 1 && !info_of(&p.h[1], x[2].conn).error);
	CHECK((info_of(&p.h[1], x[0].conn).error == -ENOBUFS) != (info_of(&p.h[1], x[1].conn).error == -ENOBUFS));
	pair_check(&p);
	pair_close(&p);
}

/* What can not be read any more does not stay until the program closes. */
static void test_what_a_dead_connection_can_not_read(void **state)
{
	struct xl_engine_config like = { .blocks = XLANE_BLOCKS_MIN };
	struct peer x[4];
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	open_many(&p, x, 2, XLANE_KIND_STREAM);
	x[2] = peer_open(&p, 12, 100, XLANE_KIND_UNORDERED, 0);
	x[3] = peer_open(&p, 13, 100, XLANE_KIND_MESSAGE, 0);
	for (u32 i = 0; i < 4; i++) {
		one_byte(&p, &x[i], 5000);
		if (i == 3)
			break;
		peer_header(&x[i], &r);
		raw_record(&r, 0x15, 0, 4);
		raw32(&r, 9);
		raw_seal(&r);
		peer_send(&p, &x[i], &r);
		CHECK(info_of(&p.h[1], x[i].conn).error);
		pair_check(&p);
	}
	CHECK(count_of(&p.h[1], XL_C_MEMORY_WAIT) == 0);
	pair_close(&p);
}

/* Who waits for a grant, and has sent nothing behind the head, keeps no window from others. */
static void test_heads_of_large_messages_keep_no_window(void **state)
{
	struct xl_engine_config like = { .blocks = 120 };
	struct peer x[4];
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	open_many(&p, x, 4, XLANE_KIND_MESSAGE);
	for (u32 i = 0; i < 2; i++)
		head(&p, &x[i], 0, 80000, 1);
	one_byte(&p, &x[2], 0);
	CHECK(count_of(&p.h[1], XL_C_GRANT_WAITS) == 1 && count_of(&p.h[1], XL_C_MEMORY_WAIT) == 1);
	silence(&p, 300 * XL_MS);
	one_byte(&p, &x[2], 0);
	one_byte(&p, &x[3], 0);
	CHECK(count_of(&p.h[1], XL_C_MEMORY_WAIT) == 1);
	pair_check(&p);
	pair_close(&p);
}

/* A table of numbers leaves what one connection needs to receive. */
static void test_tables_leave_one_window(void **state)
{
	struct xl_engine_config like = { .blocks = XLANE_BLOCKS_MIN };
	struct peer x[2];
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	open_many(&p, x, 2, XLANE_KIND_STREAM);
	x[0].next += 10;
	peer_header(&x[0], &r);
	raw_record(&r, 0x13, 0, 0);
	raw_seal(&r);
	peer_send(&p, &x[0], &r);
	CHECK(count_of(&p.h[1], XL_C_NUMBERS_FORGOTTEN) == 1);
	one_byte(&p, &x[1], 0);
	CHECK(has_byte(&p, &x[1]));
	pair_check(&p);
	pair_close(&p);
}

/* `total` bytes through the connection, read as they come, or `pause` between 64 KiB. */
static void transfer(struct pair *p, struct joined j, u64 total, u64 pause)
{
	for (u64 sent = 0, got = 0; got < total;) {
		s64 n = sent < total ? xl_conn_send(p->h[0].e, j.a, buf, xl_min(total - sent, sizeof buf), p->now) : 0;

		sent += n > 0 ? (u64)n : 0;
		pair_run(p, 10 * XL_US);
		if (pause)
			pair_run(p, pause);
		while ((n = xl_conn_recv(p->h[1].e, j.b, buf, 65536, p->now)) > 0) {
			got += (u64)n;
			if (pause)
				break;
		}
	}
	pair_check(p);
}

static void test_window_follows_the_reader(void **state)
{
	struct xl_engine_config like = { .recv_window_bytes = XLANE_RECV_WINDOW_BYTES };
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	j = pair_join(&p, XLANE_KIND_STREAM);
	transfer(&p, j, 4 << 20, 20 * XL_MS);
	CHECK(count_of(&p.h[1], XL_C_WINDOW_GROWN) == 0);
	transfer(&p, j, 16 << 20, 0);
	CHECK(count_of(&p.h[1], XL_C_WINDOW_GROWN) == 3);
	CHECK(info_of(&p.h[0], j.a).credit_bytes > XLANE_RECV_WINDOW_BYTES / 2);
	pair_run(&p, 300 * XL_MS); /* at rest it is small again */
	transfer(&p, j, 16 << 20, 0);
	CHECK(count_of(&p.h[1], XL_C_WINDOW_GROWN) > 3);
	pair_close(&p);
}

/* What is short stops growth. */
static void test_window_of_a_small_pool(void **state)
{
	struct xl_engine_config like = { .recv_window_bytes = XLANE_RECV_WINDOW_BYTES, .blocks = 250 };
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	j = pair_join(&p, XLANE_KIND_STREAM);
	transfer(&p, j, 16 << 20, 0);
	CHECK(count_of(&p.h[1], XL_C_WINDOW_GROWN) == 0 && count_of(&p.h[1], XL_C_MEMORY_WAIT) == 0);
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_connections_hold_nothing), cmocka_unit_test(test_memory_in_turn),
		cmocka_unit_test(test_turns_end), cmocka_unit_test(test_unread_bytes_cost_their_blocks),
		cmocka_unit_test(test_half_a_message_does_not_stay), cmocka_unit_test(test_window_follows_the_reader),
		cmocka_unit_test(test_window_of_a_small_pool), cmocka_unit_test(test_what_a_dead_connection_can_not_read),
		cmocka_unit_test(test_heads_of_large_messages_keep_no_window), cmocka_unit_test(test_tables_leave_one_window),
	};

	return RUN_TAP(tests);
}
