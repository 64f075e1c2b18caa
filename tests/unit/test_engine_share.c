/* SPDX-License-Identifier: BSD-2-Clause */
/* Transmit frames among connections: those that stand still do not take them from those that go on. */
#include "engine_pair.h"

#define STUCK 24

static u8 data[XLANE_MESSAGE_SMALL_MAX_BYTES], in[XLANE_MESSAGE_SMALL_MAX_BYTES];

/* Send until it refuses, with time for what can go in between, until nothing more is taken. */
static u64 fill(struct pair *p, u32 conn, u64 bytes)
{
	u64 all = 0, before;

	do {
		before = all;
		for (s64 n; (n = xl_conn_send(p->h[0].e, conn, data, bytes, p->now)) > 0;)
			all += (u64)n;
		pair_run(p, 20 * XL_MS);
	} while (all != before);
	return all;
}

static u32 frames_held(const struct host *h)
{
	return h->f.census[XL_FRAME_QUEUED] + h->f.census[XL_FRAME_TX] + h->f.census[XL_FRAME_INFLIGHT];
}

static void open_shared(struct pair *p)
{
	struct xl_engine_config like = { .tx_frames_max = 900, .blocks = 8192 };

	pair_open(p, &like);
}

static void test_readers_that_stand_still(void **state)
{
	struct pair p;
	struct joined stuck[STUCK], good;

	(void)state;
	open_shared(&p);
	for (u32 i = 0; i < STUCK; i++) {
		stuck[i] = pair_join(&p, i % 2 ? XLANE_KIND_MESSAGE : XLANE_KIND_STREAM);
		CHECK(fill(&p, stuck[i].a, i % 2 ? 40000 : sizeof data) > XLANE_RECV_WINDOW_MIN_BYTES / 2);
	}
	CHECK(frames_held(&p.h[0]) < 900 * 3 / 4 + 100);
	good = pair_join(&p, XLANE_KIND_MESSAGE);
	for (u32 i = 0; i < 50; i++) {
		CHECK(xl_conn_send(p.h[0].e, good.a, data, sizeof data, p.now) == sizeof data);
		pair_run(&p, 20 * XL_MS);
		CHECK(xl_conn_recv(p.h[1].e, good.b, in, sizeof in, p.now) == sizeof data);
		pair_run(&p, 1 * XL_MS); /* its credit comes back */
	}
	bystander_lives(&p);
	/* a reader that goes on gets everything, and its sender is told that there is room */
	for (u32 i = 0; i < XLANE_BATCH_MAX; i++) {
		s64 n;

		while ((n = xl_conn_recv(p.h[1].e, stuck[0].b, in, sizeof in, p.now)) > 0)
			;
		CHECK(n == -EAGAIN);
		pair_run(&p, 20 * XL_MS);
	}
	CHECK(xl_conn_send(p.h[0].e, stuck[0].a, data, 1000, p.now) == 1000);
	pair_check(&p);
	pair_close(&p);
}

/* Who waits for credit while frames are short is woken by the credit, not only by frames. */
static void test_credit_wakes(void **state)
{
	struct xl_event ev[XLANE_BATCH_MAX];
	struct pair p;
	struct joined j[STUCK];
	bool told = false;
	u32 n;

	(void)state;
	open_shared(&p);
	for (u32 i = 0; i < STUCK; i++) {
		j[i] = pair_join(&p, XLANE_KIND_STREAM);
		fill(&p, j[i].a, sizeof data);
	}
	while (xl_engine_events(p.h[0].e, ev, XLANE_BATCH_MAX))
		;
	CHECK(xl_conn_send(p.h[0].e, j[STUCK - 1].a, data, sizeof data, p.now) == -EAGAIN);
	while (xl_conn_recv(p.h[1].e, j[STUCK - 1].b, in, sizeof in, p.now) > 0)
		;
	pair_run(&p, 20 * XL_MS);
	while ((n = xl_engine_events(p.h[0].e, ev, XLANE_BATCH_MAX)))
		for (u32 i = 0; i < n; i++)
			told |= ev[i].index == j[STUCK - 1].a && ev[i].bits & XL_EVENT_WRITABLE;
	CHECK(told);
	CHECK(xl_conn_send(p.h[0].e, j[STUCK - 1].a, data, sizeof data, p.now) > 0);
	pair_check(&p);
	pair_close(&p);
}

/* A large message in pieces goes on beside connections that stand still. */
static void test_large_beside(void **state)
{
	struct pair p;
	struct joined large;
	u64 left;

	(void)state;
	open_shared(&p);
	for (u32 i = 0; i < STUCK; i++)
		fill(&p, pair_join(&p, i % 2 ? XLANE_KIND_MESSAGE : XLANE_KIND_STREAM).a, 30000);
	large = pair_join(&p, XLANE_KIND_MESSAGE);
	CHECK(xl_conn_large_begin(p.h[0].e, large.a, 2000000, p.now) == 0);
	for (u32 i = 0; (left = xl_conn_large_left(p.h[0].e, large.a)); i++) {
		CHECK(i < 10000);
		xl_conn_large_more(p.h[0].e, large.a, data, xl_min(left, sizeof data), p.now);
		pair_run(&p, 2 * XL_MS);
	}
	pair_run(&p, 20 * XL_MS);
	CHECK(xl_conn_readable(p.h[1].e, large.b) == 2000000);
	pair_check(&p);
	pair_close(&p);
}

/* Datagrams without a byte fill frames all the same. */
static void test_small_datagrams_count(void **state)
{
	struct joined small, good;
	struct pair p;

	(void)state;
	for (u64 bytes = 0; bytes < 2; bytes++) {
		open_shared(&p);
		small = pair_join(&p, XLANE_KIND_DATAGRAM);
		good = pair_join(&p, XLANE_KIND_MESSAGE);
		while (xl_conn_send(p.h[0].e, small.a, data, bytes, p.now) == (s64)bytes)
			;
		pair_check(&p);
		CHECK(frames_held(&p.h[0]) < 900 * 3 / 4 + 100);
		CHECK(xl_conn_send(p.h[0].e, good.a, data, sizeof data, p.now) == sizeof data);
		pair_run(&p, 20 * XL_MS);
		CHECK(xl_conn_recv(p.h[1].e, good.b, in, sizeof in, p.now) == sizeof data);
		pair_check(&p);
		pair_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers_that_stand_still),
		cmocka_unit_test(test_credit_wakes), cmocka_unit_test(test_small_datagrams_count),
		cmocka_unit_test(test_large_beside),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
