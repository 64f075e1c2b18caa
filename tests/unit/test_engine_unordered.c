/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages out of order: whole ones behind a hole are delivered at once, each exactly once. */
#include "engine_pair.h"

#include "engine/early.h"

static struct raw r;
static u8 in[XLANE_MESSAGE_SMALL_MAX_BYTES];

/* --- a sequence of messages, cut at will ---------------------------------------------------------- */
static u8 sequence[200000];
static u32 length;

/* Message `n` of the sequence is `bytes` times the byte n. Where it begins. */
static u32 add(u8 n, u32 bytes)
{
	u32 at = length;

	xl_put32(sequence + length, bytes);
	memset(sequence + length + 4, 0, 4);
	memset(sequence + length + 8, n, bytes);
	length += 8 + bytes;
	return at;
}

static void piece(struct pair *p, struct peer *x, u8 flags, u32 from, u32 to)
{
	peer_header(x, &r);
	raw_record(&r, 0x01, flags, (u16)(8 + to - from));
	raw64(&r, from);
	for (u32 i = from; i < to; i++)
		raw8(&r, sequence[i]);
	raw_seal(&r);
	peer_send(p, x, &r);
	CHECK(!xl_engine_check(p->h[1].e));
}

/* The next message that is read, its byte; 0xff: none. */
static u8 next(struct pair *p, const struct peer *x, s64 *bytes)
{
	*bytes = xl_conn_recv(p->h[1].e, x->conn, in, sizeof in, p->now);
	CHECK(!xl_engine_check(p->h[1].e));
	for (s64 i = 1; i < *bytes; i++)
		CHECK(in[i] == in[0]);
	return *bytes > 0 ? in[0] : 0xff;
}

static struct peer begin_with(struct pair *p)
{
	pair_open(p, NULL);
	length = 0;
	return peer_open(p, 3, 100, XLANE_KIND_UNORDERED, 1 << 20);
}

static void test_behind_a_hole(void **state)
{
	struct pair p;
	struct peer x = begin_with(&p);
	u32 a = add(1, 1000), b = add(2, 500), c = add(3, 700), end = length;
	s64 n;

	(void)state;
	piece(&p, &x, 2, b, b + 508);
	CHECK(next(&p, &x, &n) == 2 && n == 500);
	CHECK(next(&p, &x, &n) == 0xff && n == -EAGAIN);
	piece(&p, &x, 2, b, b + 508);             /* again: not a second time */
	CHECK(next(&p, &x, &n) == 0xff);
	piece(&p, &x, 3, c, end);                 /* with the end */
	CHECK(next(&p, &x, &n) == 3 && n == 700);
	CHECK(info_of(&p.h[1], x.conn).bytes_delivered == 0);  /* none of it counts before the hole is filled */
	piece(&p, &x, 2, a, b);
	CHECK(next(&p, &x, &n) == 1 && n == 1000);
	CHECK(next(&p, &x, &n) == 0xff && n == -ENODATA);
	CHECK(info_of(&p.h[1], x.conn).bytes_delivered == end && info_of(&p.h[1], x.conn).messages_received == 3);
	CHECK(count_of(&p.h[1], XL_C_EARLY_DELIVERED) == 2);
	bystander_lives(&p);
	pair_close(&p);
}

/* Without BEGIN a start is known only from the message before it. */
static void test_starts_are_followed(void **state)
{
	struct pair p;
	struct peer x = begin_with(&p);
	u32 a = add(1, 100), b = add(2, 100), c, d, end;
	s64 n;

	(void)state;
	c = add(3, 100);
	d = add(4, 100);
	end = length;
	piece(&p, &x, 0, c, end);                 /* no start is known */
	CHECK(next(&p, &x, &n) == 0xff);
	piece(&p, &x, 2, b, b + 50);              /* a head, half a body */
	CHECK(next(&p, &x, &n) == 0xff);
	piece(&p, &x, 0, b + 50, c);              /* the rest of it leads to c, and to d behind it */
	CHECK(next(&p, &x, &n) == 2 && next(&p, &x, &n) == 3 && next(&p, &x, &n) == 4 && d);
	CHECK(next(&p, &x, &n) == 0xff && n == -EAGAIN);
	piece(&p, &x, 2, a, b);
	CHECK(next(&p, &x, &n) == 1 && next(&p, &x, &n) == 0xff);
	CHECK(info_of(&p.h[1], x.conn).bytes_delivered == end);
	bystander_lives(&p);
	pair_close(&p);
}

/* The header itself comes in two pieces, the later one first. */
static void test_a_cut_header(void **state)
{
	struct pair p;
	struct peer x = begin_with(&p);
	u32 b, end;
	s64 n;

	(void)state;
	add(1, 100);
	b = add(2, 100);
	end = length;
	piece(&p, &x, 0, b + 3, end);
	piece(&p, &x, 2, b, b + 3);
	CHECK(next(&p, &x, &n) == 2);
	piece(&p, &x, 2, 0, b);
	CHECK(next(&p, &x, &n) == 1);
	add(3, 10);
	piece(&p, &x, 2, end + 0, end + 5);        /* in order: nothing behind a hole */
	piece(&p, &x, 0, end + 5, length);
	CHECK(next(&p, &x, &n) == 3 && next(&p, &x, &n) == 0xff);
	bystander_lives(&p);
	pair_close(&p);
}

/* Read in part when the hole is filled: it is read on, and not a second time. */
static void test_hole_filled_while_reading(void **state)
{
	struct pair p;
	struct peer x = begin_with(&p);
	u32 b = (add(1, 300), add(2, 400));
	const u8 *q;
	s64 n;
	u64 left;

	(void)state;
	piece(&p, &x, 2, b, length);
	CHECK(xl_conn_peek(p.h[1].e, x.conn, &q, &left) > 0 && left == 400 && q[0] == 2);
	xl_conn_consume(p.h[1].e, x.conn, 150, p.now);
	piece(&p, &x, 2, 0, b);
	CHECK(xl_conn_readable(p.h[1].e, x.conn) == 250);
	CHECK(next(&p, &x, &n) == 2 && n == 250);
	CHECK(next(&p, &x, &n) == 1 && n == 300);
	CHECK(next(&p, &x, &n) == 0xff && info_of(&p.h[1], x.conn).bytes_delivered == length);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_empty_messages(void **state)
{
	struct pair p;
	struct peer x = begin_with(&p);
	u32 b = (add(1, 10), add(2, 0));
	s64 n;

	(void)state;
	add(3, 0);
	piece(&p, &x, 2, b, length);
	next(&p, &x, &n);
	CHECK(n == 0);
	next(&p, &x, &n);
	CHECK(n == 0);
	next(&p, &x, &n);
	CHECK(n == -EAGAIN);
	piece(&p, &x, 2, 0, b);
	CHECK(next(&p, &x, &n) == 1 && next(&p, &x, &n) == 0xff && n == -EAGAIN);
	bystander_lives(&p);
	pair_close(&p);
}

/* A start in the middle of a message, a start that is none: the peer broke the protocol. */
static void test_false_starts(void **state)
{
	(void)state;
	for (u32 k = 0; k < 3; k++) {
		struct pair p;
		struct peer x = begin_with(&p);
		u32 a = add(1, 100), b;

		memset(sequence + a + 8 + 20, 0, 8);       /* within its body: the header of an empty message */
		b = add(2, 100);
		if (k == 0) {
			piece(&p, &x, 2, a + 28, a + 40);
			piece(&p, &x, 2, 0, length);
		} else {
			xl_put32(sequence + b, k == 1 ? XLANE_MESSAGE_SMALL_MAX_BYTES + 1 : 5);
			sequence[b + 4] = k == 1 ? 0 : 9;
			piece(&p, &x, 2, b, length);
		}
		CHECK(info_of(&p.h[1], x.conn).error == -EPROTO && count_of(&p.h[1], XL_C_DATA_BAD_MESSAGE) == 1);
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* More starts than the table takes: the others wait for order, none is lost or doubled. */
static void test_full_table(void **state)
{
	u32 n = 0, messages = XL_EARLY_MAX + 40, first, first_end;
	struct pair p;
	struct peer x = begin_with(&p);
	s64 bytes;

	(void)state;
	first = add(0, 20);
	first_end = length;
	for (u32 i = 0; i < messages; i++) {
		u32 at = add((u8)(i % 200 + 1), 20);

		piece(&p, &x, 2, at, length);
	}
	CHECK(count_of(&p.h[1], XL_C_EARLY_FULL) > 0);
	while (next(&p, &x, &bytes) != 0xff)
		n++;
	CHECK(n == XL_EARLY_MAX);
	piece(&p, &x, 2, first, first_end);
	while (next(&p, &x, &bytes) != 0xff || bytes == 20)
		n++;
	CHECK(n == messages + 1 && info_of(&p.h[1], x.conn).bytes_delivered == length);
	bystander_lives(&p);
	pair_close(&p);
}

/* Any cut, any order, with and without BEGIN, reading in between: every message once, byte for byte. */
static void random_world(u64 seed)
{
	static struct { u32 from, to; } cut[4000];
	static u32 sizes[200];
	u32 cuts = 0, seen[200] = { 0 }, messages, got = 0;
	struct xl_prng rng;
	struct pair p;
	struct peer x = begin_with(&p);
	s64 n;

	xl_prng_seed(&rng, seed);
	messages = 1 + (u32)xl_prng_below(&rng, 100);
	for (u32 i = 0; i < messages; i++) {
		u32 at = length, bytes = 1 + (u32)xl_prng_below(&rng, xl_prng_below(&rng, 2) ? 40 : 2500), end;

		add((u8)(i + 1), sizes[i] = bytes);
		for (end = length; at < end; at = cut[cuts++].to) {
			cut[cuts].from = at;
			cut[cuts].to = (u32)xl_min(end, at + 1 + xl_prng_below(&rng, 1200));
		}
	}
	for (u32 i = cuts; i > 1; i--) {
		u32 k = (u32)(xl_prng_below(&rng, 3) ? i - 1 - xl_prng_below(&rng, xl_min(i, 20)) : xl_prng_below(&rng, i)), f, t;

		f = cut[i - 1].from, t = cut[i - 1].to;
		cut[i - 1] = cut[k];
		cut[k].from = f, cut[k].to = t;
	}
	for (u32 i = 0; i < cuts; i++) {
		bool head = false;

		for (u32 at = 0; at <= cut[i].from && !head; at += 8 + xl_get32(sequence + at))
			head = at == cut[i].from;
		piece(&p, &x, head && xl_prng_below(&rng, 8) ? 2 : 0, cut[i].from, cut[i].to);
		for (u8 m; xl_prng_below(&rng, 3) == 0 && (m = next(&p, &x, &n)) != 0xff; got++)
			CHECK(!seen[m - 1]++ && n == sizes[m - 1]);
	}
	for (u8 m; (m = next(&p, &x, &n)) != 0xff; got++)
		CHECK(!seen[m - 1]++ && n == sizes[m - 1]);
	CHECK(got == messages && n == -EAGAIN && info_of(&p.h[1], x.conn).bytes_delivered == length);
	pair_close(&p);
}

static void test_any_order(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 60; seed++)
		random_world(seed);
}

/* Between two engines: records begin with headers, so a lost packet holds up only its own messages. */
static void test_lost_packet_holds_up_its_own(void **state)
{
	static u8 data[1200];
	u32 k = 0, before = 0;
	struct joined j;
	struct pair p;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_UNORDERED);
	for (u32 i = 0; i < 8; i++) {
		memset(data, (int)i + 1, sizeof data);
		CHECK(xl_conn_send(p.h[0].e, j.a, data, sizeof data, p.now) == sizeof data);
	}
	for (; host_output(&p.h[0], &r, &to, p.now); k++)
		if (k)
			host_input(&p.h[1], &r, 1, p.now); /* the first is lost */
	while (xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) > 0)
		before++;
	CHECK(before >= 5);
	pair_run(&p, 50 * XL_MS);
	while (xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) > 0)
		before++;
	CHECK(before == 8);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_export_with_early_messages(void **state)
{
	static u8 bytes[1 << 20];
	struct pair p;
	struct peer x = begin_with(&p);
	u32 b = (add(1, 300), add(2, 400)), c = add(3, 500);
	const u8 *q;
	u64 left;
	s64 n;

	(void)state;
	piece(&p, &x, 2, b, c + 100);
	CHECK(xl_conn_peek(p.h[1].e, x.conn, &q, &left) > 0);
	xl_conn_consume(p.h[1].e, x.conn, 100, p.now);
	while (peer_hears(&p, &x, &r))
		;
	n = xl_conn_export(p.h[1].e, x.conn, bytes, sizeof bytes);
	CHECK(n > 0 && !xl_engine_check(p.h[1].e));
	CHECK(xl_conn_import(p.h[1].e, bytes, (u64)n, p.now, &x.conn) == 0 && !xl_engine_check(p.h[1].e));
	CHECK(next(&p, &x, &n) == 2 && n == 300);
	piece(&p, &x, 0, c + 100, length);
	CHECK(next(&p, &x, &n) == 3);
	piece(&p, &x, 2, 0, b);
	CHECK(next(&p, &x, &n) == 1 && next(&p, &x, &n) == 0xff);
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_behind_a_hole), cmocka_unit_test(test_starts_are_followed),
		cmocka_unit_test(test_a_cut_header), cmocka_unit_test(test_hole_filled_while_reading),
		cmocka_unit_test(test_empty_messages), cmocka_unit_test(test_false_starts),
		cmocka_unit_test(test_full_table), cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_lost_packet_holds_up_its_own), cmocka_unit_test(test_export_with_early_messages),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
