/* SPDX-License-Identifier: BSD-2-Clause */
/* Priorities on the unordered kind: the order of the queue, messages that stay whole, none that starves, shared packets. */
#include "engine/flow.h"
#include "engine_queue.h"

static void test_higher_first(void **state)
{
	struct joined j;
	struct pair p;
	u8 got[16];

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_UNORDERED);
	put_prio(&p, j.a, 1, 1000, 0);
	put_prio(&p, j.a, 2, 1000, 9);
	put_prio(&p, j.a, 3, 1000, 5);
	put_prio(&p, j.a, 4, 1000, 9);
	put_prio(&p, j.a, 5, 1000, 0);
	exported(&p, &j.a);
	pair_run(&p, 20 * XL_MS);
	CHECK(names(&p, j.b, got, 16) == 5);
	CHECK(!memcmp(got, (u8[]){ 2, 4, 3, 1, 5 }, 5));
	bystander_lives(&p);
	pair_close(&p);
}

/* On the ordered kind the order is the promise. */
static void test_ordered_stays(void **state)
{
	struct joined j;
	struct pair p;
	u8 got[16];

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	for (u8 i = 1; i <= 6; i++)
		put_prio(&p, j.a, i, 3000, i);
	pair_run(&p, 20 * XL_MS);
	CHECK(names(&p, j.b, got, 16) == 6);
	CHECK(!memcmp(got, (u8[]){ 1, 2, 3, 4, 5, 6 }, 6));
	pair_close(&p);
}

/* A message of several packets that has begun is not cut by one that is more urgent. */
static void test_whole(void **state)
{
	static struct raw r;
	struct joined j;
	struct pair p;
	u8 got[16], to;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_UNORDERED);
	put_prio(&p, j.a, 1, 6000, 0);
	CHECK(host_output(&p.h[0], &r, &to, p.now));
	host_input(&p.h[1], &r, 1, p.now);
	put_prio(&p, j.a, 2, 100, 255);
	put_prio(&p, j.a, 3, 100, 7);
	CHECK(xl_conn_shutdown(p.h[0].e, j.a, p.now) == 0);
	pair_run(&p, 20 * XL_MS);
	pair_check(&p);
	CHECK(names(&p, j.b, got, 16) == 3);
	CHECK(!memcmp(got, (u8[]){ 1, 2, 3 }, 3));
	CHECK(xl_conn_recv(p.h[1].e, j.b, got, 1, p.now) == -ENODATA);
	pair_close(&p);
}

/* Urgent ones all the time: the old one still gets its turn. */
static void test_none_starves(void **state)
{
	static struct raw r;
	struct joined j;
	struct pair p;
	u8 got[64], to;
	u32 n = 0;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_UNORDERED);
	xl_flow_need(p.h[0].e, &p.h[0].e->conns[j.a])->cc.cwnd = 1 << 20;
	put_prio(&p, j.a, 1, 1000, 0);
	for (u32 i = 0; i < 3 * XL_QUEUE_OLDEST_EVERY; i++) {
		put_prio(&p, j.a, 2, 1000, 200);
		if (!host_output(&p.h[0], &r, &to, p.now)) {
			pair_run(&p, 5 * XL_MS);
			continue;
		}
		host_input(&p.h[1], &r, 1, p.now);
		n = names(&p, j.b, got, 64);
		if (n && got[n - 1] == 1)
			break;
		put_prio(&p, j.a, 2, 1000, 200);
	}
	CHECK(n && got[n - 1] == 1);
	pair_check(&p);
	pair_close(&p);
}

/* What is ready together shares packets, also when two priorities alternate. */
static void packets(u8 kind, u32 priorities)
{
	struct counters before;
	struct joined j;
	struct pair p;
	u8 got[128];

	pair_open(&p, NULL);
	j = pair_join(&p, kind);
	pair_run(&p, 5 * XL_MS);
	before = counters_of(&p.h[0]);
	for (u32 i = 0; i < 100; i++)
		put_prio(&p, j.a, (u8)(i + 1), 32, (u8)(i % priorities));
	pair_run(&p, 20 * XL_MS);
	CHECK(names(&p, j.b, got, 128) == 100);
	/* 100 heads and bodies are 4,000 bytes (datagrams: 5,200), and a packet of each priority is not full */
	assert_in_range(count_of(&p.h[0], XL_C_DATA_PACKETS_OUT) - before.n[XL_C_DATA_PACKETS_OUT], 1, 3 + priorities);
	pair_close(&p);
}

static void test_shared(void **state)
{
	(void)state;
	packets(XLANE_KIND_MESSAGE, 1);
	packets(XLANE_KIND_UNORDERED, 1);
	packets(XLANE_KIND_UNORDERED, 2);
	packets(XLANE_KIND_DATAGRAM, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_higher_first), cmocka_unit_test(test_ordered_stays), cmocka_unit_test(test_whole),
		cmocka_unit_test(test_none_starves), cmocka_unit_test(test_shared),
	};

	return RUN_TAP(tests);
}
