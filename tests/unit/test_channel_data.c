/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams, messages and datagrams from one daemon's client to the other's and back, with rings smaller and larger
 * than they are. */
#include "channel_rig.h"

#include <errno.h>
#include <sched.h>
#include <xlane/wire.h>

#define PORT 7

struct ends { struct rig r; struct xl_backend *a, *b; u32 ca, cb, listener; };

static void drop_events(struct xl_backend *b)
{
	struct xl_event ev[16];

	while (b->ops->events(b, ev, 16) == 16)
		;
}

/* One step of each: what is there is done; both sleep only when neither has anything, and then a is waited for. */
static void both(struct ends *e)
{
	drop_events(e->a);
	drop_events(e->b);
	if (e->b->ops->run(e->b) + e->a->ops->run(e->a) == 0)
		sched_yield();
}

static void open_ends(struct ends *e, u32 workers, u8 kind, u32 ring_kib)
{
	rig_open(&e->r, workers);
	e->a = rig_attach(&e->r, 0, 8, ring_kib);
	e->b = rig_attach(&e->r, 1, 8, ring_kib);
	assert_int_equal(e->b->ops->listen(e->b, PORT, kind, 8, 1, &e->listener), 0);
	assert_int_equal(e->a->ops->connect(e->a, rig_mac[1], PORT, kind, 2, 0, &e->ca), 0);
	e->a->ops->flush(e->a, 0);
	while (e->b->ops->accept(e->b, e->listener, 3, &e->cb) == -EAGAIN)
		both(e);
}

static void close_ends(struct ends *e)
{
	e->a->ops->close(e->a, e->ca, 0);
	e->b->ops->close(e->b, e->cb, 0);
	e->b->ops->unlisten(e->b, e->listener, 0);
	while (e->a->ops->conns(e->a) || e->b->ops->conns(e->b))
		both(e);
	for (u32 h = 0; h < 2; h++) {
		assert_int_equal(rig_counter(&e->r, h, XL_CHANNEL_BAD_INDEX), 0);
		assert_int_equal(rig_counter(&e->r, h, XL_CHANNEL_BAD_SLOT), 0);
		assert_int_equal(rig_counter(&e->r, h, XL_CHANNEL_BAD_COMMAND), 0);
		assert_int_equal(rig_counter(&e->r, h, XL_CHANNEL_BAD_MESSAGE), 0);
	}
	rig_leave(e->a);
	rig_leave(e->b);
	rig_close(&e->r);
}

static u8 pattern(u64 at, u64 seed)
{
	return (u8)(at * 131 + seed * 17 + (at >> 11));
}

static void fill(u8 *to, u64 bytes, u64 seed)
{
	for (u64 i = 0; i < bytes; i++)
		to[i] = pattern(i, seed);
}

static void stream(u32 workers, u32 ring_kib, u64 bytes)
{
	struct ends e;
	u8 *out = malloc(bytes), *in = malloc(bytes + 1);
	u64 sent = 0, got = 0;
	s64 n = 1;
	u32 turn = 0;

	CHECK(out && in);
	fill(out, bytes, 1);
	open_ends(&e, workers, XLANE_KIND_STREAM, ring_kib);
	while (n) {
		if (sent < bytes) {
			void *room;

			if (turn++ % 3) {
				n = e.a->ops->send(e.a, e.ca, out + sent, xl_min(bytes - sent, 70000), 0);
			} else {
				n = e.a->ops->reserve(e.a, e.ca, xl_min(bytes - sent, 3000), &room);
				if (n > 0) {
					memcpy(room, out + sent, (u64)n);
					n = e.a->ops->commit(e.a, e.ca, (u64)n, 0);
				}
			}
			CHECK(n > 0 || n == -EAGAIN);
			sent += n > 0 ? (u64)n : 0;
			if (sent == bytes)
				CHECK(!e.a->ops->shutdown(e.a, e.ca, 0));
			e.a->ops->flush(e.a, 0);
		}
		n = e.b->ops->recv(e.b, e.cb, in + got, bytes + 1 - got, 0);
		CHECK(n >= 0 || n == -EAGAIN);
		got += n > 0 ? (u64)n : 0;
		both(&e);
	}
	assert_int_equal(got, bytes);
	assert_memory_equal(in, out, bytes);
	close_ends(&e);
	free(out);
	free(in);
}

static void test_stream(void **state)
{
	(void)state;
	stream(1, 256, 3000000);
	stream(2, 4, 300000);
}

struct flow { u64 done; bool begun; };

/* A message by whatever way its size asks for. True: all of it is on its way. */
static bool send_message(struct xl_backend *b, u32 conn, const u8 *data, u64 bytes, struct flow *f)
{
	s64 n;

	if (bytes <= b->send_whole_bytes) {
		n = b->ops->send(b, conn, data, bytes, 0);
		CHECK(n == (s64)bytes || n == -EAGAIN);
		b->ops->flush(b, 0);
		return n >= 0;
	}
	if (!f->begun) {
		n = b->ops->large_begin(b, conn, bytes, 0);
		CHECK(!n || n == -EAGAIN);
		f->begun = !n;
	}
	while (f->begun && f->done < bytes) {
		n = b->ops->large_more(b, conn, data + f->done, bytes - f->done, 0);
		CHECK(n > 0 || n == -EAGAIN);
		if (n < 0)
			break;
		f->done += (u64)n;
	}
	b->ops->flush(b, 0);
	if (!f->begun || f->done < bytes)
		return false;
	*f = (struct flow){ 0 };
	return true;
}

static void messages(u8 kind, u32 ring_kib, const u64 *sizes, u32 count, bool lend)
{
	struct flow f = { 0 };
	struct ends e;
	u8 *out = malloc(XLANE_MESSAGE_MAX_BYTES), *in = malloc(XLANE_MESSAGE_MAX_BYTES);
	u32 sent = 0, got = 0;

	CHECK(out && in);
	open_ends(&e, 1, kind, ring_kib);
	while (got < count) {
		s64 n;

		if (sent < count) {
			if (!f.begun)
				fill(out, sizes[sent], sent);
			sent += send_message(e.a, e.ca, out, sizes[sent], &f);
		}
		if (lend && e.b->ops->readable(e.b, e.cb) >= 0) {
			const u8 *p;
			u64 left = 1, at = 0;

			do {
				n = e.b->ops->peek(e.b, e.cb, &p, &left);
				CHECK(n >= 0 && (u64)n <= left && at + left == sizes[got]);
				n = n > 1 ? n / 2 + 1 : n;
				if (n)
					memcpy(in + at, p, (u64)n);
				at += (u64)n;
				left -= (u64)n;
				e.b->ops->consume(e.b, e.cb, (u64)n, 0);
			} while (left);
			n = (s64)at;
		} else {
			n = e.b->ops->recv(e.b, e.cb, in, XLANE_MESSAGE_MAX_BYTES, 0);
		}
		CHECK(n >= 0 || n == -EAGAIN);
		if (n >= 0) {
			assert_int_equal(n, sizes[got]);
			for (u64 i = 0; i < (u64)n; i++)
				CHECK(in[i] == pattern(i, got));
			got++;
		}
		both(&e);
	}
	close_ends(&e);
	free(out);
	free(in);
}

static const u64 small[] = { 0, 1, 7, 8, 9, 4079, 4080, 4081, 4087, 4088, 4089, 4095, 4096, 4097, 0, 3, 8191, 8192,
	8193, 16384, 65535, 65536, 1, 65528, 65529, 2000, 33000, 65536, 65536, 5 };
static const u64 large[] = { 65537, 100, 262136, 262144, 262145, 0, 131072, 131073, 131064, 1000001, 65536,
	2500003, 8 };

static void test_messages(void **state)
{
	(void)state;
	messages(XLANE_KIND_MESSAGE, 256, small, XL_ARRAY_SIZE(small), false);
	messages(XLANE_KIND_MESSAGE, 4, small, XL_ARRAY_SIZE(small), false);
	messages(XLANE_KIND_MESSAGE, 64, small, XL_ARRAY_SIZE(small), true);
	messages(XLANE_KIND_MESSAGE, 8, small, XL_ARRAY_SIZE(small), true);
}

static void test_large(void **state)
{
	(void)state;
	messages(XLANE_KIND_MESSAGE, 256, large, XL_ARRAY_SIZE(large), false);
	messages(XLANE_KIND_MESSAGE, 4, large, XL_ARRAY_SIZE(large), true);
	messages(XLANE_KIND_MESSAGE, 1024, large, XL_ARRAY_SIZE(large), true);
}

/* Each arrives once and whole; here nothing is lost on the way, and nothing overtakes. */
static void test_other_kinds(void **state)
{
	(void)state;
	messages(XLANE_KIND_UNORDERED, 64, small, XL_ARRAY_SIZE(small), false);
	messages(XLANE_KIND_DATAGRAM, 256, small, XL_ARRAY_SIZE(small), false);
	messages(XLANE_KIND_DATAGRAM, 4, small, 12, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_other_kinds),
	};

	return RUN_TAP(tests);
}
