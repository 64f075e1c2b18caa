/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection changes its client: what was received and not read, and sent and not yet taken, goes along. */
#include "channel_rig.h"

#include <errno.h>
#include <sched.h>
#include <xlane/wire.h>

#define PORT 30
#define BYTES 3000000

static void spin(struct xl_backend *b)
{
	struct xl_event ev[16];

	while (b->ops->events(b, ev, 16) == 16)
		;
	if (!b->ops->run(b))
		sched_yield();
}

struct three { struct rig r; struct xl_backend *a, *b, *c; u32 ca, cb, listener; };

static void open_three(struct three *t, u8 kind, u32 ring_kib, u32 other_kib)
{
	rig_open(&t->r, 2);
	t->a = rig_attach(&t->r, 0, 2, ring_kib);
	t->b = rig_attach(&t->r, 1, 2, ring_kib);
	t->c = rig_attach(&t->r, 1, 2, other_kib);
	assert_int_equal(t->b->ops->listen(t->b, PORT, kind, 8, 1, &t->listener), 0);
	assert_int_equal(t->a->ops->connect(t->a, rig_mac[1], PORT, kind, 2, 0, &t->ca), 0);
	t->a->ops->flush(t->a, 0);
	while (t->b->ops->accept(t->b, t->listener, 3, &t->cb) == -EAGAIN)
		spin(t->b);
}

static bool quiet(void *arg)
{
	struct rig *r = arg;

	return !rig_channels(r, 0) && !rig_channels(r, 1) && !rig_conns(r, 0) && !rig_conns(r, 1);
}

static void close_three(struct three *t)
{
	for (u32 h = 0; h < 2; h++) {
		assert_int_equal(rig_counter(&t->r, h, XL_CHANNEL_BAD_INDEX), 0);
		assert_int_equal(rig_counter(&t->r, h, XL_CHANNEL_BAD_MESSAGE), 0);
	}
	rig_leave(t->a);
	rig_leave(t->b);
	rig_leave(t->c);
	rig_until(quiet, &t->r);
	rig_close(&t->r);
}

static u8 pattern(u64 at)
{
	return (u8)(at * 131 + (at >> 11));
}

/* The reader's end goes to and fro between two clients, all the time, while a stream flows both ways. */
static void test_stream(void **state)
{
	struct xl_backend *with, *other;
	struct three t;
	u64 sent = 0, got = 0, back = 0, home = 0;
	u32 turns = 0, conn;
	u8 buf[10000], kind, token[32];
	s64 n;

	(void)state;
	open_three(&t, XLANE_KIND_STREAM, 16, 16);
	with = t.b;
	other = t.c;
	conn = t.cb;
	while (got < BYTES || home < got / 2) {
		for (u32 i = 0; i < sizeof buf; i++)
			buf[i] = pattern(sent + i);
		n = sent < BYTES ? t.a->ops->send(t.a, t.ca, buf, xl_min(sizeof buf, BYTES - sent), 0) : 0;
		CHECK(n >= 0 || n == -EAGAIN);
		sent += n > 0 ? (u64)n : 0;
		t.a->ops->flush(t.a, 0);
		n = with->ops->recv(with, conn, buf, 777 + turns % 1000, 0);
		CHECK(n > 0 || n == -EAGAIN);
		for (s64 i = 0; i < n; i++)
			CHECK(buf[i] == pattern(got + (u64)i));
		got += n > 0 ? (u64)n : 0;
		if (back < got / 2) {
			u64 m = xl_min(got / 2 - back, 5001);

			for (u32 i = 0; i < m; i++)
				buf[i] = pattern(back + i);
			n = with->ops->send(with, conn, buf, m, 0);
			CHECK(n > 0 || n == -EAGAIN);
			back += n > 0 ? (u64)n : 0;
			with->ops->flush(with, 0);
		}
		n = t.a->ops->recv(t.a, t.ca, buf, sizeof buf, 0);
		CHECK(n > 0 || n == -EAGAIN);
		for (s64 i = 0; i < n; i++)
			CHECK(buf[i] == pattern(home + (u64)i));
		home += n > 0 ? (u64)n : 0;
		if (turns++ % 5 == 0) {
			struct xl_backend *from = with;

			assert_int_equal(with->ops->give(with, conn, token), 0);
			assert_int_equal(other->ops->take(other, token, 9, &kind, &conn), 0);
			assert_int_equal(kind, XLANE_KIND_STREAM);
			/* once only */
			assert_int_equal(from->ops->take(from, token, 9, &kind, &(u32){ 0 }), -ENOENT);
			with = other;
			other = from;
		}
		spin(t.a);
		spin(t.b);
		spin(t.c);
	}
	assert_true(turns > 100);
	close_three(&t);
}

/* In the middle of a message lent in pieces, with others behind it, and replies not yet sent. */
static void test_messages(void **state)
{
	struct three t;
	u8 buf[6000], kind, token[32];
	const u8 *p;
	u64 left, at = 0;
	u32 conn;
	s64 n;

	(void)state;
	open_three(&t, XLANE_KIND_MESSAGE, 16, 64);
	for (u32 i = 0; i < sizeof buf; i++)
		buf[i] = pattern(i);
	for (u32 m = 1; m <= 3; m++) {
		while (t.a->ops->send(t.a, t.ca, buf, m * 1501, 0) == -EAGAIN)
			spin(t.a);
		t.a->ops->flush(t.a, 0);
	}
	while ((n = t.b->ops->peek(t.b, t.cb, &p, &left)) == -EAGAIN)
		spin(t.b);
	assert_int_equal(left, 1501);
	t.b->ops->consume(t.b, t.cb, 500, 0);
	while (t.b->ops->send(t.b, t.cb, buf, 3333, 0) == -EAGAIN)
		spin(t.b);
	assert_int_equal(t.b->ops->give(t.b, t.cb, token), 0);
	assert_int_equal(t.c->ops->take(t.c, token, 9, &kind, &conn), 0);
	assert_int_equal(kind, XLANE_KIND_MESSAGE);
	for (at = 500; at < 1501; at += (u64)n) {
		n = t.c->ops->peek(t.c, conn, &p, &left);
		CHECK(n > 0 && left == 1501 - at && !memcmp(p, buf + at, (u64)n));
		t.c->ops->consume(t.c, conn, (u64)n, 0);
	}
	for (u32 m = 2; m <= 3; m++) {
		while ((n = t.c->ops->recv(t.c, conn, buf, sizeof buf, 0)) == -EAGAIN)
			spin(t.c);
		assert_int_equal(n, m * 1501);
		for (u32 i = 0; i < n; i++)
			CHECK(buf[i] == pattern(i));
	}
	while ((n = t.a->ops->recv(t.a, t.ca, buf, sizeof buf, 0)) == -EAGAIN)
		spin(t.a);
	assert_int_equal(n, 3333);
	close_three(&t);
}

static bool given_flows(void *arg)
{
	struct three *t = arg;

	spin(t->b);
	return t->b->ops->readable(t->b, t->cb) >= 16384;
}

/* What waits is more than the taker's rings hold: refused, and another may still take it. */
static void test_does_not_fit(void **state)
{
	static u8 buf[65536];
	struct three t;
	u8 kind, token[32], wrong[32];
	u32 conn;

	(void)state;
	open_three(&t, XLANE_KIND_STREAM, 16, 4);
	while (t.a->ops->send(t.a, t.ca, buf, sizeof buf, 0) == -EAGAIN)
		spin(t.a);
	t.a->ops->flush(t.a, 0);
	rig_until(given_flows, &t);
	assert_int_equal(t.b->ops->give(t.b, t.cb, token), 0);
	memcpy(wrong, token, sizeof wrong);
	wrong[31] ^= 1;
	assert_int_equal(t.c->ops->take(t.c, wrong, 9, &kind, &conn), -ENOENT);
	wrong[0] = 200;
	assert_int_equal(t.c->ops->take(t.c, wrong, 9, &kind, &conn), -ENOENT);
	assert_int_equal(t.c->ops->take(t.c, token, 9, &kind, &conn), -EINVAL);
	assert_int_equal(t.b->ops->take(t.b, token, 9, &kind, &conn), 0);
	assert_int_equal(t.b->ops->readable(t.b, conn), 16384);
	close_three(&t);
}

/* The giver dies, and nobody takes: reset in the end, and the peer is told. */
static void test_untaken(void **state)
{
	struct three t;
	u8 token[32], byte;
	s64 n;

	(void)state;
	open_three(&t, XLANE_KIND_STREAM, 16, 16);
	assert_int_equal(t.b->ops->give(t.b, t.cb, token), 0);
	rig_leave(t.b);
	t.b = rig_attach(&t.r, 1, 1, 4);
	while ((n = t.a->ops->recv(t.a, t.ca, &byte, 1, 0)) == -EAGAIN) {
		struct xl_event ev;

		t.a->ops->events(t.a, &ev, 1);
		rig_wait(t.a);
	}
	assert_int_equal(n, -ECONNRESET);
	assert_int_equal(rig_counter(&t.r, 1, XL_CHANNEL_UNTAKEN), 1);
	close_three(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_does_not_fit),
		cmocka_unit_test(test_untaken),
	};

	return RUN_TAP(tests);
}
