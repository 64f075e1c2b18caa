/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams that wait for longer than their deadline are dropped unsent: by the timer, and when their turn comes. */
#include "engine_queue.h"

static void deadline(struct pair *p, u32 conn, u64 us)
{
	CHECK(xl_conn_set(p->h[0].e, conn, XL_CONN_DEADLINE_US, us) == 0);
	CHECK(xl_conn_get(p->h[0].e, conn, XL_CONN_DEADLINE_US) == us);
}

static void test_dropped_in_turn(void **state)
{
	struct joined j;
	struct pair p;
	u8 got[16];

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_DATAGRAM);
	put(&p, j.a, 1, 100);
	deadline(&p, j.a, 500);
	put(&p, j.a, 2, 100);
	put(&p, j.a, 3, 5000); /* several fragments: all go, or none */
	p.now += 400 * XL_US;
	put(&p, j.a, 4, 100);
	p.now += 100 * XL_US; /* 2 and 3 are too old now */
	exported(&p, &j.a);
	pair_exchange(&p);
	CHECK(names(&p, j.b, got, 16) == 2 && got[0] == 1 && got[1] == 4);
	CHECK(count_of(&p.h[0], XL_C_DATAGRAM_EXPIRED) == 5);
	CHECK(p.h[0].e->conns[j.a].expire_ns > p.now);
	bystander_lives(&p);
	pair_close(&p);
}

/* Nothing can be sent: the frames come back all the same. */
static void test_timer(void **state)
{
	struct joined j;
	struct pair p;
	u32 held;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_DATAGRAM);
	pair_run(&p, 5 * XL_MS);
	held = p.h[0].e->tx_frames;
	deadline(&p, j.a, 2000);
	for (u8 i = 1; i <= 50; i++)
		put(&p, j.a, i, 1000);
	CHECK(p.h[0].e->tx_frames > held);
	CHECK(p.h[0].e->conns[j.a].expire_ns == p.now + 2 * XL_MS);
	p.now += 2 * XL_MS;
	xl_conn_set(p.h[0].e, j.a, XL_CONN_DEADLINE_US, 0);
	CHECK(xl_conn_send(p.h[0].e, j.a, "x", 1, p.now) == 1);
	xl_engine_advance(p.h[0].e, p.now);
	CHECK(xl_engine_deadline(p.h[0].e) <= p.now);
	pair_exchange(&p);
	CHECK(p.h[0].e->tx_frames <= held + 1);
	CHECK(count_of(&p.h[0], XL_C_DATAGRAM_EXPIRED) == 50);
	CHECK(p.h[0].e->conns[j.a].expire_ns == XL_NEVER);
	pair_check(&p);
	pair_close(&p);
}

/* Those that share a packet are not dropped much earlier than they said. */
static void test_shared(void **state)
{
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_DATAGRAM);
	deadline(&p, j.a, 400);
	put(&p, j.a, 1, 10);
	p.now += 50 * XL_US;
	put(&p, j.a, 2, 10);
	CHECK(p.h[0].e->conns[j.a].queue.count == 1);
	p.now += 1 * XL_US;
	put(&p, j.a, 3, 10);
	CHECK(p.h[0].e->conns[j.a].queue.count == 2);
	deadline(&p, j.a, 0);
	put(&p, j.a, 4, 10);
	CHECK(p.h[0].e->conns[j.a].queue.count == 3);
	CHECK(xl_conn_set(p.h[0].e, j.a, XL_CONN_DEADLINE_US, 3600000001ull) == -EINVAL);
	CHECK(xl_conn_set(p.h[0].e, p.a, XL_CONN_DEADLINE_US, 1) == -EINVAL);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dropped_in_turn), cmocka_unit_test(test_timer), cmocka_unit_test(test_shared),
	};

	return RUN_TAP(tests);
}
