/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "cli/units.h"

static void counts(void **state)
{
	static const struct { double value; const char *text; } cases[] = {
		{ 0, "0" }, { 0.5, "0.50" }, { 7, "7" }, { 999, "999" }, { 999.4, "999" }, { 999.6, "1.00k" },
		{ 1000, "1.00k" }, { 12345, "12.3k" }, { 999499, "999k" }, { 999500, "1.00M" }, { 4.56e9, "4.56G" },
		{ 1e15, "1.00P" }, { 1e19, "10000P" },
	};
	char text[XL_UNIT_BYTES];

	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(cases); i++)
		assert_string_equal(xl_unit_count(cases[i].value, text), cases[i].text);
}

static void bytes(void **state)
{
	char text[XL_UNIT_BYTES];

	(void)state;
	assert_string_equal(xl_unit_bytes(1023, text), "1023");
	assert_string_equal(xl_unit_bytes(1024, text), "1.00Ki");
	assert_string_equal(xl_unit_bytes(16777216, text), "16.0Mi");
	assert_string_equal(xl_unit_bytes(1023.0 * 1024, text), "1023Ki");
}

static void times(void **state)
{
	char text[XL_UNIT_BYTES];

	(void)state;
	assert_string_equal(xl_unit_duration(850, text), "850ns");
	assert_string_equal(xl_unit_duration(12345, text), "12.3us");
	assert_string_equal(xl_unit_duration(4.56e6, text), "4.56ms");
	assert_string_equal(xl_unit_duration(7.8e9, text), "7.80s");
	assert_string_equal(xl_unit_duration(7.8e12, text), "7800s");
	assert_string_equal(xl_unit_uptime(12e9, text), "12s");
	assert_string_equal(xl_unit_uptime(184e9, text), "3:04");
	assert_string_equal(xl_unit_uptime(3723e9, text), "1:02:03");
	assert_string_equal(xl_unit_uptime(435723e9, text), "5d 1:02:03");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(counts), cmocka_unit_test(bytes), cmocka_unit_test(times) };

	return RUN_TAP(tests);
}
