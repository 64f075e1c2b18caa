/* SPDX-License-Identifier: BSD-2-Clause */
/* Export and import in the middle of a large message; bytes that are not what was exported. */
#include "engine_feed.h"

static struct raw r;

/* --- moving ------------------------------------------------------------------------------------------ */
static void moved(struct host *h, u32 *conn, u64 now)
{
	static u8 bytes[4 << 20];
	s64 n = xl_conn_export(h->e, *conn, bytes, sizeof bytes);

	CHECK(n > 0);
	CHECK(!xl_engine_check(h->e));
	CHECK(xl_conn_import(h->e, bytes, (u64)n - 1, now, conn) == -EINVAL);
	CHECK(xl_conn_import(h->e, bytes, (u64)n, now, conn) == 0);
	CHECK(!xl_engine_check(h->e));
	CHECK(xl_conn_import(h->e, bytes, (u64)n, now, conn) == -EINVAL); /* it is there already */
	CHECK(!xl_engine_check(h->e));
}

static void test_export_in_the_middle(void **state)
{
	struct joined j;
	struct pair p;

	(void)state;
	for (u8 kind = XLANE_KIND_MESSAGE; kind <= XLANE_KIND_UNORDERED; kind++) {
		pair_open(&p, NULL);
		j = pair_join(&p, kind);
		fill_data(3 << 20, 11);
		CHECK(xl_conn_large_begin(p.h[0].e, j.a, 3 << 20, p.now) == 0);
		while (!feed(&p, j.a, 3 << 20)) {
			u8 to;

			moved(&p.h[0], &j.a, p.now);
			moved(&p.h[1], &j.b, p.now);
			for (u32 k = 0; k < 3 && host_output(&p.h[0], &r, &to, p.now); k++)
				host_input(&p.h[1], &r, 1, p.now);
			moved(&p.h[0], &j.a, p.now);
			pair_run(&p, 1 * XL_MS);
		}
		pair_run(&p, 20 * XL_MS);
		moved(&p.h[1], &j.b, p.now);
		CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 3 << 20 && !memcmp(in, data, 3 << 20));
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* Whatever the bytes say: refused, or a connection that holds every invariant. Never more than it brought. */
static void test_import_of_broken_bytes(void **state)
{
	static u8 bytes[4 << 20], spoilt[4 << 20];
	u32 refused = 0, taken = 0;
	struct xl_prng rng;
	struct joined j;
	struct pair p;
	s64 n;

	(void)state;
	xl_prng_seed(&rng, 12);
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	fill_data(LARGE, 12);
	CHECK(xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now) == 0);
	pair_run(&p, 1 * XL_MS);
	CHECK(xl_conn_large_more(p.h[0].e, j.a, data, LARGE, p.now) == LARGE);
	CHECK(xl_conn_send(p.h[0].e, j.a, data, 5000, p.now) == 5000);
	for (u32 side = 0; side < 2; side++) {
		struct host *h = &p.h[side];
		u32 conn = side ? j.b : j.a;

		for (u32 k = 0; k < 20; k++) { /* some sent, none acknowledged: the other side has parts of it */
			u8 to;

			if (host_output(&p.h[0], &r, &to, p.now) && k % 3)
				host_input(&p.h[1], &r, 1, p.now);
		}
		n = xl_conn_export(h->e, conn, bytes, sizeof bytes);
		CHECK(n > 0);
		for (u32 i = 0; i < 6000; i++) {
			int e;

			memcpy(spoilt, bytes, (u64)n);
			for (u64 k = 1 + xl_prng_below(&rng, 3); k; k--)
				spoilt[xl_prng_below(&rng, (u64)n)] = (u8)(i % 4 ? xl_prng_u64(&rng) : i % 8 ? 0 : 0xff);
			e = xl_conn_import(h->e, spoilt, (u64)n, p.now, &conn);
			CHECK(!xl_engine_check(h->e));
			if (e) {
				CHECK(e == -EINVAL || e == -ENOSPC);
				refused++;
				continue;
			}
			taken++;
			CHECK(xl_conn_export(h->e, conn, spoilt, sizeof spoilt) == n);
			CHECK(!xl_engine_check(h->e));
		}
		CHECK(xl_conn_import(h->e, bytes, (u64)n, p.now, &conn) == 0);
		*(side ? &j.b : &j.a) = conn;
	}
	CHECK(refused > 100 && taken > 100);
	xl_conn_abort(p.h[0].e, j.a, XLANE_WIRE_CANCELLED, p.now);
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_export_in_the_middle), cmocka_unit_test(test_import_of_broken_bytes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
