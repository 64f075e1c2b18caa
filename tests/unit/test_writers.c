/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that wait for frames: told in the order in which they came, a bounded number at once, and every one. */
#include "engine/core.h"
#include "engine_pair.h"

#define WAITING 300

static u8 data[1 << 20];

static u32 writable(struct host *h, u32 *conn, u32 max)
{
	struct xl_event ev[512];
	u32 n = xl_engine_events(h->e, ev, 512), told = 0;

	for (u32 i = 0; i < n; i++) {
		if (!(ev[i].bits & XL_EVENT_WRITABLE))
			continue;
		CHECK(told < max);
		conn[told++] = ev[i].index;
	}
	return told;
}

/* One connection has all frames; the others are refused, in this order. */
static void refuse_all(struct pair *p, struct joined *hog, struct joined *j)
{
	struct xl_engine_config like = { .tx_frames_max = 128, .conns_max = WAITING + 8, .blocks = 16384 };
	u32 conn[512];

	pair_open(p, &like);
	*hog = pair_join(p, XLANE_KIND_STREAM);
	for (u32 i = 0; i < WAITING; i++)
		j[i] = pair_join(p, XLANE_KIND_STREAM);
	pair_run(p, 5 * XL_MS);
	CHECK(xl_conn_send(p->h[0].e, hog->a, data, sizeof data, p->now) > 0);
	for (u32 i = 0; i < WAITING; i++)
		CHECK(xl_conn_send(p->h[0].e, j[i].a, data, 1, p->now) == -EAGAIN);
	xl_engine_advance(p->h[0].e, p->now);
	writable(&p->h[0], conn, 512);
	pair_check(p);
}

/* Those who are told want nothing any more: the next are told all the same, soon, in order. */
static void test_all_are_told(void **state)
{
	struct joined hog, *j = malloc(sizeof *j * WAITING);
	u32 conn[512], next = 0, calls = 0;
	struct pair p;

	(void)state;
	refuse_all(&p, &hog, j);
	while (next < WAITING) {
		u32 n;

		for (u32 i = 0; i < 2; i++)
			xl_engine_advance(p.h[i].e, p.now);
		n = writable(&p.h[0], conn, 512);
		CHECK(n <= XL_WRITERS_AT_ONCE + 1); /* and the one that has room of its own again */
		for (u32 i = 0; i < n; i++)
			if (conn[i] != hog.a)
				CHECK(conn[i] == j[next++].a);
		pair_exchange(&p);
		CHECK(++calls < 1000);
		p.now = xl_max(p.now + 1, xl_min(xl_engine_deadline(p.h[0].e), xl_engine_deadline(p.h[1].e)));
		pair_check(&p);
	}
	CHECK(calls >= WAITING / XL_WRITERS_AT_ONCE);
	CHECK(p.h[0].e->writers.count <= 1);
	free(j);
	pair_close(&p);
}

/* Frames come back while nobody can use them: a call looks at a few of those who wait, and when all were looked at no
 * timer is left. */
static void test_cost_is_bounded(void **state)
{
	struct joined hog, *j = malloc(sizeof *j * WAITING);
	struct xl_engine *e;
	struct pair p;
	u32 conn[512], left, frames;

	(void)state;
	refuse_all(&p, &hog, j);
	e = p.h[0].e;
	CHECK(e->writers.count == WAITING + 1); /* the one that has them all could take more */
	frames = e->tx_frames_data;
	e->tx_frames_data = 0; /* as if only large messages could go on */
	e->tx_frames--;
	e->frames_freed = true;
	for (left = WAITING + 1; ; left = e->writers_left) {
		xl_engine_advance(e, p.now);
		CHECK(writable(&p.h[0], conn, 512) == 0);
		CHECK(left - e->writers_left <= XL_WRITERS_AT_ONCE);
		if (e->writers_ns == XL_NEVER)
			break;
		CHECK(left > e->writers_left);
		p.now = e->writers_ns;
	}
	CHECK(e->writers_left == 0);
	e->tx_frames++;
	e->tx_frames_data = frames;
	CHECK(e->writers.count == WAITING + 1);
	pair_check(&p);
	free(j);
	pair_close(&p);
}

/* One waits because `hog` has all frames; by the call that gives them back it is told at once, without a packet or timer. */
static void waits(struct pair *p, struct joined *hog, struct joined *waiter, u8 kind)
{
	struct xl_engine_config like = { .tx_frames_max = 128, .max_packet = 9000, .segs_max = 3 };
	u32 conn[64];

	pair_open(p, &like);
	*hog = pair_join(p, kind);
	*waiter = pair_join(p, XLANE_KIND_STREAM);
	pair_run(p, 5 * XL_MS);
	while (xl_conn_send(p->h[0].e, hog->a, data, kind == XLANE_KIND_STREAM ? sizeof data : 1000, p->now) > 0)
		;
	xl_engine_advance(p->h[0].e, p->now);
	writable(&p->h[0], conn, 64);
	CHECK(xl_conn_send(p->h[0].e, waiter->a, data, 1, p->now) == -EAGAIN);
	CHECK(writable(&p->h[0], conn, 64) == 0);
}

static void told_at_once(struct pair *p, const struct joined *waiter)
{
	u32 conn[64], n;

	pair_check(p);
	CHECK(xl_engine_deadline(p->h[0].e) <= p->now);
	xl_engine_advance(p->h[0].e, p->now);
	n = writable(&p->h[0], conn, 64);
	while (n && conn[n - 1] != waiter->a)
		n--;
	CHECK(n);
	CHECK(xl_conn_send(p->h[0].e, waiter->a, data, 1, p->now) == 1);
}

static void test_calls_that_give_frames_back(void **state)
{
	static u8 moved[1 << 20];
	struct joined hog, waiter;
	struct pair p;
	s64 n;

	(void)state;
	waits(&p, &hog, &waiter, XLANE_KIND_STREAM);
	xl_conn_abort(p.h[0].e, hog.a, XLANE_WIRE_CANCELLED, p.now);
	told_at_once(&p, &waiter);
	pair_close(&p);

	waits(&p, &hog, &waiter, XLANE_KIND_STREAM);
	n = xl_conn_export(p.h[0].e, hog.a, moved, sizeof moved);
	CHECK(n > 0);
	told_at_once(&p, &waiter);
	CHECK(xl_conn_import(p.h[0].e, moved, (u64)n, p.now, &hog.a) == 0);
	pair_run(&p, 20 * XL_MS);
	pair_close(&p);

	waits(&p, &hog, &waiter, XLANE_KIND_MESSAGE);
	for (u64 id = 2; id <= 8; id++) /* the packet is not empty, but has fewer frames */
		CHECK(xl_conn_cancel(p.h[0].e, hog.a, id, p.now) == 0);
	told_at_once(&p, &waiter);
	pair_run(&p, 20 * XL_MS);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_told), cmocka_unit_test(test_cost_is_bounded),
		cmocka_unit_test(test_calls_that_give_frames_back),
	};

	return RUN_TAP(tests);
}
