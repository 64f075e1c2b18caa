// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "unit.h"
#include "../tools/relay_impair.h"

#define DRAWS 400000u

/* Five standard deviations of a binomial count: one run in two million is outside, and the seeds are fixed. */
static void within(u64 count, double n, double p)
{
	double off = (double)count - n * p;

	CHECK(off * off <= 25 * n * p * (1 - p) + 1);
}

static struct relay_impair made(const struct relay_impair_config *c, u64 seed)
{
	struct relay_impair r;

	CHECK(relay_impair_init(&r, c, seed) == 0);
	return r;
}

static void rates_are_as_asked(void **state)
{
	static const u32 ppm[] = { 0, 5000, 50000, 200000, 500000, 1000000 };

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(ppm); i++) {
		struct relay_impair_config c = { .loss_ppm = ppm[i] / 2, .duplicate_ppm = ppm[i], .reorder_ppm = ppm[i],
						 .reorder_depth_max = 5, .corrupt_ppm = ppm[i], .corrupt_bits_max = 4 };
		struct relay_impair r = made(&c, 11 + i);
		u64 lost = 0, duplicate = 0, held = 0, corrupt = 0, depth[6] = { 0 }, flips[5] = { 0 };
		double p = ppm[i] / 1e6;

		for (u32 n = 0; n < DRAWS; n++) {
			struct relay_fate f = relay_impair_draw(&r);

			CHECK(!f.burst && f.hold <= 5 && f.flips <= 4);
			CHECK(!f.lost || (!f.duplicate && !f.hold && !f.flips));
			lost += f.lost;
			duplicate += f.duplicate;
			held += f.hold > 0;
			corrupt += f.flips > 0;
			depth[f.hold]++;
			flips[f.flips]++;
		}
		within(lost, DRAWS, p / 2);
		within(duplicate, DRAWS - lost, p);
		within(held, DRAWS - lost, p);
		within(corrupt, DRAWS - lost, p);
		for (u32 k = 1; k <= 5; k++)
			within(depth[k], (double)held, 1 / 5.0);
		for (u32 k = 1; k <= 4; k++)
			within(flips[k], (double)corrupt, 1 / 4.0);
	}
}

static void bursts_have_their_mean_length(void **state)
{
	struct relay_impair_config c = { .burst_enter_ppm = 10000, .burst_leave_ppm = 100000 };
	struct relay_impair r = made(&c, 5);
	u64 bursts = 0, lost = 0;
	bool before = false;

	(void)state;
	for (u32 n = 0; n < DRAWS; n++) {
		struct relay_fate f = relay_impair_draw(&r);

		CHECK(!f.lost);
		bursts += f.burst && !before;
		lost += f.burst;
		before = f.burst;
	}
	/* In the long run bad for 1/11 of the time, in bursts of ten; the sample's spread is about a percent and a half. */
	CHECK(lost > DRAWS / 11 * 0.93 && lost < DRAWS / 11 * 1.07);
	CHECK((double)lost / (double)bursts > 9.3 && (double)lost / (double)bursts < 10.7);
}

static void same_seed_same_fates(void **state)
{
	struct relay_impair_config c = { .loss_ppm = 50000, .burst_enter_ppm = 1000, .burst_leave_ppm = 200000,
					 .duplicate_ppm = 10000, .reorder_ppm = 50000, .reorder_depth_max = 8,
					 .corrupt_ppm = 5000, .corrupt_bits_max = 3 };
	struct relay_impair a = made(&c, 77), b = made(&c, 77), other = made(&c, 78);
	u32 differs = 0;

	(void)state;
	for (u32 n = 0; n < 20000; n++) {
		struct relay_fate fa = relay_impair_draw(&a), fb = relay_impair_draw(&b), fo = relay_impair_draw(&other);

		CHECK(fa.lost == fb.lost && fa.burst == fb.burst && fa.duplicate == fb.duplicate && fa.hold == fb.hold &&
		      fa.flips == fb.flips);
		differs += fa.lost != fo.lost || fa.hold != fo.hold;
	}
	CHECK(differs > 1000);
}

static void flips_are_different_bits(void **state)
{
	struct relay_impair_config c = { .corrupt_ppm = 1, .corrupt_bits_max = 32 };
	struct relay_impair r = made(&c, 3);
	u64 hits[16] = { 0 };

	(void)state;
	for (u32 n = 0; n < 20000; n++) {
		u8 p[16] = { 0 };
		u32 flips = 1 + n % 32, set = 0;

		CHECK(relay_impair_flip(&r, p, sizeof p, flips) == flips);
		for (u32 i = 0; i < sizeof p; i++) {
			set += (u32)__builtin_popcount(p[i]);
			hits[i] += p[i] != 0;
		}
		CHECK(set == flips);
	}
	for (u32 i = 0; i < 16; i++)
		CHECK(hits[i] > 1000);
	u8 one = 0;
	CHECK(relay_impair_flip(&r, &one, 1, 20) == 8 && one == 0xff);
	CHECK(relay_impair_flip(&r, &one, 0, 1) == 0 && one == 0xff);
}

static void nonsense_is_refused(void **state)
{
	static const struct relay_impair_config bad[] = {
		{ .loss_ppm = 1000001 }, { .duplicate_ppm = 1000001 }, { .reorder_ppm = 1 }, { .burst_enter_ppm = 1 },
		{ .corrupt_ppm = 1 }, { .corrupt_bits_max = 33 },
	};
	struct relay_impair r;

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(bad); i++)
		CHECK(relay_impair_init(&r, &bad[i], 1) == -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_as_asked), cmocka_unit_test(bursts_have_their_mean_length),
		cmocka_unit_test(same_seed_same_fates), cmocka_unit_test(flips_are_different_bits),
		cmocka_unit_test(nonsense_is_refused),
	};

	return RUN_TAP(tests);
}
