/* SPDX-License-Identifier: BSD-2-Clause */
/* A frozen bucket is silent; one that is not served gives no ports. */
#include "engine_moved.h"

static void test_frozen(void **state)
{
	struct joined j;
	u8 bucket, to;

	(void)state;
	begin(NULL);
	j = pair_join(&p, XLANE_KIND_STREAM);
	run(10 * XL_MS, 0);
	bucket = (u8)(info_of(&p.h[0], j.a).local_id >> 56);
	CHECK(xl_conn_send(p.h[0].e, j.a, data, 5000, p.now) == 5000);
	xl_engine_freeze(p.h[0].e, bucket, true);
	CHECK(!host_output(&p.h[0], &r, &to, p.now));
	CHECK(xl_conn_send(p.h[0].e, j.a, data, 5000, p.now) == 5000);
	run(10 * XL_MS, 0);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == -EAGAIN);
	pair_check(&p);
	xl_engine_freeze(p.h[0].e, bucket, false);
	run(10 * XL_MS, 0);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 10000);
	end();
}

/* Buckets that are not served give no ports. */
static void test_served(void **state)
{
	struct xl_connect how = { .path = path_of(1, 2), .port = PORT, .kind = XLANE_KIND_STREAM };
	u32 c;

	(void)state;
	begin(NULL);
	for (u32 i = 0; i < XLANE_BUCKETS; i++)
		xl_engine_serve(p.h[0].e, (u8)i, false);
	CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &c) == -EADDRNOTAVAIL);
	how.local_port = 77;
	CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &c) == -EADDRNOTAVAIL);
	how.local_port = 0;
	xl_engine_serve(p.h[0].e, 200, true);
	for (u32 i = 0; i < 5; i++) {
		CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &c) == 0);
		CHECK(info_of(&p.h[0], c).local_id >> 56 == 200);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frozen), cmocka_unit_test(test_served),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
