/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages and datagrams taken back before they were sent; what shares their packets arrives. */
#include "engine_queue.h"

static int cancel(struct pair *p, u32 conn, u64 id)
{
	int r = xl_conn_cancel(p->h[0].e, conn, id, p->now);

	pair_check(p);
	return r;
}

/* Each one of several of different sizes, so that the cut is at the front, in the middle, at the end of a packet, and over
 * several packets. */
static void one_of(u8 kind, u32 packet, u64 gone)
{
	static const u32 sizes[] = { 10, 3000, 100, 700, 5000, 1, 1400, 20 };
	struct xl_engine_config like = { .max_packet = packet, .segs_max = 3 };
	struct joined j;
	struct pair p;
	u8 got[16], n = 0;

	pair_open(&p, &like);
	j = pair_join(&p, kind);
	CHECK(xl_conn_message_id(p.h[0].e, j.a) == 0);
	for (u8 i = 0; i < XL_ARRAY_SIZE(sizes); i++) {
		put(&p, j.a, (u8)(i + 1), sizes[i]);
		CHECK(xl_conn_message_id(p.h[0].e, j.a) == i + 1u);
	}
	CHECK(cancel(&p, j.a, gone) == 0);
	CHECK(cancel(&p, j.a, gone) == -EALREADY);
	CHECK(cancel(&p, j.a, 0) == -ENOENT && cancel(&p, j.a, 9) == -ENOENT);
	exported(&p, &j.a);
	put(&p, j.a, 9, 50);
	CHECK(xl_conn_shutdown(p.h[0].e, j.a, p.now) == 0);
	pair_run(&p, 50 * XL_MS);
	CHECK(names(&p, j.b, got, 16) == 8);
	for (u8 i = 1; i <= 9; i++)
		if (i != gone)
			CHECK(got[n++] == i);
	CHECK(cancel(&p, j.a, gone == 1 ? 2 : 1) == -EALREADY);
	CHECK(count_of(&p.h[0], XL_C_CANCELLED) == 1);
	CHECK(xl_conn_recv(p.h[1].e, j.b, got, 1, p.now) == -ENODATA);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_each(void **state)
{
	(void)state;
	for (u8 kind = XLANE_KIND_MESSAGE; kind <= XLANE_KIND_DATAGRAM; kind++)
		for (u64 gone = 1; gone <= 8; gone++) {
			one_of(kind, 1500, gone);
			one_of(kind, 9000, gone);
		}
}

/* All of them, with the end behind. */
static void test_all(void **state)
{
	struct joined j;
	struct pair p;
	u8 got[16];

	(void)state;
	for (u8 kind = XLANE_KIND_MESSAGE; kind <= XLANE_KIND_DATAGRAM; kind++) {
		pair_open(&p, NULL);
		j = pair_join(&p, kind);
		for (u8 i = 1; i <= 8; i++)
			put_prio(&p, j.a, i, 900u * i, i % 3);
		for (u64 i = 8; i; i--)
			CHECK(cancel(&p, j.a, i) == 0);
		CHECK(p.h[0].e->conns[j.a].buffered == 0);
		CHECK(xl_conn_shutdown(p.h[0].e, j.a, p.now) == 0);
		pair_run(&p, 20 * XL_MS);
		CHECK(names(&p, j.b, got, 16) == 0);
		CHECK(xl_conn_recv(p.h[1].e, j.b, got, 1, p.now) == -ENODATA);
		pair_close(&p);
	}
}

/* Of a message that has begun nothing is taken back. */
static void test_begun(void **state)
{
	static struct raw r;
	struct joined j;
	struct pair p;
	u8 got[16], to;

	(void)state;
	for (u8 kind = XLANE_KIND_MESSAGE; kind <= XLANE_KIND_DATAGRAM; kind++) {
		pair_open(&p, NULL);
		j = pair_join(&p, kind);
		put(&p, j.a, 1, 5000);
		CHECK(host_output(&p.h[0], &r, &to, p.now));
		host_input(&p.h[1], &r, 1, p.now);
		CHECK(cancel(&p, j.a, 1) == -EALREADY);
		pair_run(&p, 20 * XL_MS);
		CHECK(names(&p, j.b, got, 16) == 1);
		pair_close(&p);
	}
}

static void test_large(void **state)
{
	struct joined j;
	struct pair p;
	u8 got[16];

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	put(&p, j.a, 1, 10);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, 100000, p.now) == 0);
	put(&p, j.a, 3, 10);
	CHECK(cancel(&p, j.a, 1) == 0);
	CHECK(cancel(&p, j.a, 2) == 0);
	CHECK(xl_conn_large_left(p.h[0].e, j.a) == 0);
	CHECK(xl_conn_large_more(p.h[0].e, j.a, got, 1, p.now) == -EINVAL);
	pair_run(&p, 20 * XL_MS);
	CHECK(names(&p, j.b, got, 16) == 1 && got[0] == 3);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, 100000, p.now) == 0);
	pair_run(&p, 20 * XL_MS);
	CHECK(cancel(&p, j.a, 4) == -EALREADY);
	CHECK(xl_conn_large_left(p.h[0].e, j.a) == 100000);
	pair_check(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each), cmocka_unit_test(test_all), cmocka_unit_test(test_begun),
		cmocka_unit_test(test_large),
	};

	return RUN_TAP(tests);
}
