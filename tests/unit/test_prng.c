/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

/* splitmix64 from 1234567: published first outputs; they are the state, so s[] shows them. */
static void seeds_by_splitmix64(void **state)
{
	struct xl_prng p;

	(void)state;
	xl_prng_seed(&p, 1234567);
	assert_true(p.s[0] == 6457827717110365317ull);
	assert_true(p.s[1] == 3203168211198807973ull);
	assert_true(p.s[2] == 9817491932198370423ull);
	assert_true(p.s[3] == 4593380528125082431ull);
}

/* xoshiro256** from state 1, 2, 3, 4: published first outputs. */
static void follows_xoshiro256starstar(void **state)
{
	static const u64 expected[] = { 11520, 0, 1509978240, 1215971899390074240ull };
	struct xl_prng p = { { 1, 2, 3, 4 } };

	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(expected); i++)
		assert_true(xl_prng_u64(&p) == expected[i]);
}

static void below_is_even_and_in_range(void **state)
{
	struct xl_prng p;
	u32 count[6] = { 0 };
	u64 upper = 0;

	(void)state;
	xl_prng_seed(&p, 7);
	for (int i = 0; i < 600000; i++) {
		u64 v = xl_prng_below(&p, 6);

		CHECK(v < 6);
		count[v]++;
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(count[i], 98500, 101500);
	/* A modulus three quarters of the range: a mere remainder would put 2/3 of all results in the lower third. */
	for (int i = 0; i < 100000; i++) {
		u64 v = xl_prng_below(&p, 3ull << 62);

		CHECK(v < 3ull << 62);
		upper += v >= 1ull << 62;
	}
	assert_in_range(upper, 65500, 67800);
	for (int i = 0; i < 100; i++)
		assert_true(xl_prng_below(&p, 1) == 0);
}

static void chance_has_its_ends(void **state)
{
	struct xl_prng p;
	u32 hits = 0;

	(void)state;
	xl_prng_seed(&p, 8);
	for (int i = 0; i < 100000; i++) {
		CHECK(!xl_prng_chance(&p, 0));
		CHECK(xl_prng_chance(&p, 1000000));
		hits += xl_prng_chance(&p, 50000);
	}
	assert_in_range(hits, 4650, 5350);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeds_by_splitmix64),
		cmocka_unit_test(follows_xoshiro256starstar),
		cmocka_unit_test(below_is_even_and_in_range),
		cmocka_unit_test(chance_has_its_ends),
	};

	return RUN_TAP(tests);
}
