/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "unit.h"
#include "cli/counters.h"

static int parse(const char *text, struct xl_counters *out)
{
	return xl_counters_parse(strdup(text), out);
}

static void parses(void **state)
{
	struct xl_counters c;

	(void)state;
	assert_int_equal(parse("drv.rx\t12\tpackets, with\ta tab\nx\t18446744073709551615\t\n", &c), 0);
	assert_int_equal(c.count, 2);
	assert_string_equal(c.counter[0].name, "drv.rx");
	assert_string_equal(c.counter[0].text, "packets, with\ta tab");
	assert_int_equal(c.counter[0].value, 12);
	assert_true(c.counter[1].value == UINT64_MAX);
	assert_string_equal(c.counter[1].text, "");
	xl_counters_free(&c);
	assert_int_equal(parse("", &c), 0);
	assert_int_equal(c.count, 0);
	xl_counters_free(&c);
}

static void refuses(void **state)
{
	static const char *const bad[] = {
		"x", "\n", "x\t1\n", "x\t1\ttext", "\t1\ttext\n", "x\t\ttext\n", "x\t-1\ttext\n", "x\t1z\ttext\n",
		"a\t1\tb\n\n", "x\t18446744073709551616\t\n",
	};
	struct xl_counters c;

	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(bad); i++) {
		if (parse(bad[i], &c) != -EPROTO)
			fail_msg("line %zu is taken", i);
		xl_counters_free(&c);
	}
}

static void grows(void **state)
{
	struct xl_counters a, b;

	(void)state;
	assert_int_equal(parse("p\t1\t\nq\t10\t\nr\t5\t\n", &a), 0);
	assert_int_equal(parse("q\t15\t\np\t1\t\nr\t3\t\ns\t4\t\n", &b), 0);
	assert_int_equal(xl_counters_growth(&b, &a, 0), 5);
	assert_int_equal(xl_counters_growth(&b, &a, 1), 0);
	assert_int_equal(xl_counters_growth(&b, &a, 2), 3);   /* another start */
	assert_int_equal(xl_counters_growth(&b, &a, 3), 4);   /* new */
	xl_counters_free(&a);
	xl_counters_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(parses), cmocka_unit_test(refuses), cmocka_unit_test(grows) };

	return RUN_TAP(tests);
}
