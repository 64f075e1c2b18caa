/* SPDX-License-Identifier: BSD-2-Clause */
/* What scenarios are judged by: rates between samples, ranks of times, Jain's index; and the content they compare. */
#include "unit.h"

#include "../sim/content.h"
#include "../sim/record.h"

static void jain_is_one_for_equals_and_a_share_for_one_who_has_all(void **state)
{
	const double equal[4] = { 3, 3, 3, 3 }, one[4] = { 0, 5, 0, 0 }, none[2] = { 0, 0 }, two[2] = { 1, 3 };

	(void)state;
	assert_true(sim_jain(equal, 4) == 1);
	assert_true(sim_jain(one, 4) == 0.25);
	assert_true(sim_jain(none, 2) == 0);
	assert_true(sim_jain(two, 2) == 0.8);
}

static void ranks_are_of_the_nearest_kind(void **state)
{
	struct sim_times t = { 0 };

	(void)state;
	assert_int_equal(sim_times_rank(&t, 990), 0);
	for (u32 i = 200; i; i--)
		sim_times_add(&t, i);
	assert_int_equal(sim_times_rank(&t, 500), 100);
	assert_int_equal(sim_times_rank(&t, 990), 198);
	assert_int_equal(sim_times_rank(&t, 1000), 200);
	assert_int_equal(sim_times_rank(&t, 0), 1);
	sim_times_free(&t);
}

static void goodput_is_what_came_between_two_samples(void **state)
{
	struct sim_record r = { 0 };

	(void)state;
	sim_record_start(&r, XL_MS, XL_NONE, 2);
	assert_true(sim_record_goodput(&r, 0, 0, XL_S) == 0);
	for (u32 i = 0; i <= 3000; i++) {
		struct sim_sample *s = sim_record_add(&r, i * XL_MS, i == 1500 ? 77 : 5);

		s[0].got_bytes = i * 1000ull;
		s[1].got_bytes = i < 2000 ? 0 : (i - 2000) * 500ull;
	}
	assert_true(sim_record_goodput(&r, 0, XL_S, 2 * XL_S) == 1e6);
	assert_true(sim_record_goodput(&r, 1, XL_S, 2 * XL_S) == 0);
	assert_true(sim_record_goodput(&r, 1, 2 * XL_S, 9 * XL_S) == 5e5);
	assert_int_equal(sim_record_queue_max(&r, XL_S, 2 * XL_S), 77);
	assert_int_equal(sim_record_queue_max(&r, 0, XL_S), 5);
	sim_record_free(&r);
}

static void content_depends_on_key_and_offset_alone(void **state)
{
	u8 whole[10000], part[10000];
	struct xl_prng prng;

	(void)state;
	xl_prng_seed(&prng, 1);
	sim_content_fill(42, 1000, whole, sizeof whole);
	for (u32 i = 0; i < 2000; i++) {
		u64 at = xl_prng_below(&prng, sizeof whole), n = xl_prng_below(&prng, sizeof whole - at + 1);

		sim_content_fill(42, 1000 + at, part, n);
		CHECK(!memcmp(part, whole + at, n));
		CHECK(sim_content_same(42, 1000 + at, whole + at, n));
		if (n > 8)
			CHECK(!sim_content_same(43, 1000 + at, whole + at, n));
	}
	whole[9999] ^= 1;
	assert_false(sim_content_same(42, 1000, whole, sizeof whole));
	assert_true(sim_content_key(1, 2, 3) != sim_content_key(1, 3, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jain_is_one_for_equals_and_a_share_for_one_who_has_all),
		cmocka_unit_test(ranks_are_of_the_nearest_kind),
		cmocka_unit_test(goodput_is_what_came_between_two_samples),
		cmocka_unit_test(content_depends_on_key_and_offset_alone),
	};

	return RUN_TAP(tests);
}
