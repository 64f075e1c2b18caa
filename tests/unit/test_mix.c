/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "cli/mix.h"

#define MAX 16777216

static void parses_parts(void **state)
{
	struct xl_mix m = { 0 };

	(void)state;
	assert_true(xl_mix_parse("60:1-1024,35:1025-65536,5:65537-1048576", MAX, &m));
	assert_int_equal(m.parts, 3);
	assert_int_equal(m.part[0].weight, 60);
	assert_int_equal(m.part[1].low, 1025);
	assert_int_equal(m.part[2].high, 1048576);
	assert_true(xl_mix_parse("1:64", MAX, &m));
	assert_int_equal(m.parts, 1);
	assert_int_equal(m.part[0].low, 64);
	assert_int_equal(m.part[0].high, 64);
	assert_true(xl_mix_parse_plus("10x16777216", MAX, &m));
	assert_int_equal(m.plus, 10);
	assert_int_equal(m.plus_bytes, MAX);
}

static void refuses_what_is_none(void **state)
{
	static const char *const bad[] = {
		"", ":", "1", "1:", ":1", "0:1", "1:0", "1:2-1", "1:1-16777217", "1:1-", "1:-1", "1:1,", ",1:1", "1:1-2-3",
		"x:1", "1:1 ", "1000001:1", "-1:1",
		"1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1",
	};
	static const char *const bad_plus[] = { "", "x", "1x", "x1", "0x10", "1x0", "1x16777217", "1x1x1", "1", "-1x1" };
	struct xl_mix m, before;

	(void)state;
	memset(&m, 0x5a, sizeof m);
	before = m;
	for (size_t i = 0; i < XL_ARRAY_SIZE(bad); i++)
		if (xl_mix_parse(bad[i], MAX, &m) || memcmp(&m, &before, sizeof m))
			fail_msg("'%s' is taken", bad[i]);
	for (size_t i = 0; i < XL_ARRAY_SIZE(bad_plus); i++)
		if (xl_mix_parse_plus(bad_plus[i], MAX, &m) || memcmp(&m, &before, sizeof m))
			fail_msg("'%s' is taken", bad_plus[i]);
}

static struct xl_mix demo(uint64_t seed)
{
	struct xl_mix m = { .count = 10000, .seed = seed };

	assert_true(xl_mix_parse("60:1-1024,35:1025-65536,5:65537-1048576", MAX, &m));
	assert_true(xl_mix_parse_plus("10x16777216", MAX, &m));
	return m;
}

static void keeps_the_shares(void **state)
{
	const struct xl_mix m = demo(7);
	uint32_t in[4] = { 0 }, last = 0, gap = 0;

	(void)state;
	assert_int_equal(xl_mix_total(&m), 10010);
	for (uint32_t i = 0; i < xl_mix_total(&m); i++) {
		uint64_t bytes = xl_mix_size(&m, i);

		in[bytes <= 1024 ? 0 : bytes <= 65536 ? 1 : bytes <= 1048576 ? 2 : 3]++;
		CHECK(bytes >= 1 && (bytes <= 1048576 || bytes == MAX));
		if (bytes == MAX) {
			gap = i - last > gap ? i - last : gap;
			last = i;
		}
	}
	assert_int_equal(in[3], 10);
	assert_in_range(gap, 1000, 1002);      /* evenly spread */
	assert_in_range(in[0], 5800, 6200);
	assert_in_range(in[1], 3300, 3700);
	assert_in_range(in[2], 400, 600);
	assert_int_equal(xl_mix_low(&m), 1);
	assert_int_equal(xl_mix_high(&m), MAX);
}

static void follows_from_the_seed(void **state)
{
	const struct xl_mix a = demo(7), b = demo(7), c = demo(8);
	uint32_t other = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(xl_mix_size(&a, i), xl_mix_size(&b, i));
		other += xl_mix_size(&a, i) != xl_mix_size(&c, i);
	}
	assert_in_range(other, 900, 1000);
}

static void checks_every_byte(void **state)
{
	struct xl_mix m = { .count = 4, .seed = 3 };
	static const char *const sizes[] = { "1:1", "1:7", "1:8", "1:9", "1:64", "1:1027" };

	(void)state;
	for (size_t s = 0; s < XL_ARRAY_SIZE(sizes); s++) {
		assert_true(xl_mix_parse(sizes[s], MAX, &m));
		for (uint64_t i = 0; i < m.count; i++) {
			uint64_t bytes = xl_mix_size(&m, i);
			u8 *data = malloc(bytes);

			xl_mix_fill(&m, i, data, bytes);
			CHECK(xl_mix_check(&m, i, data, bytes));
			CHECK(bytes < XL_MIX_NUMBER_BYTES || xl_mix_number(data) == i);
			CHECK(!xl_mix_check(&m, i, data, bytes - 1));
			CHECK(!xl_mix_check(&m, i + 1, data, bytes));
			for (uint64_t at = 0; at < bytes; at++) {
				data[at] ^= 0x10;
				CHECK(!xl_mix_check(&m, i, data, bytes));
				data[at] ^= 0x10;
			}
			free(data);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_parts),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(keeps_the_shares),
		cmocka_unit_test(follows_from_the_seed),
		cmocka_unit_test(checks_every_byte),
	};

	return RUN_TAP(tests);
}
