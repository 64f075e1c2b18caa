/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "unit.h"
#include "cli/table.h"

static const struct xl_table_column columns[] = {
	{ "NAME", true, 9 }, { "A", false, 5 }, { "LONG-TITLE", false, 3 }, { "TEXT", true, 7 },
};

static void add(struct xl_table *t, const char *name, double a, const char *wide, const char *text)
{
	struct xl_table_cell *c = xl_table_add(t);

	assert_non_null(c);
	snprintf(c[0].text, sizeof c[0].text, "%s", name);
	snprintf(c[1].text, sizeof c[1].text, "%.0f", a);
	snprintf(c[2].text, sizeof c[2].text, "%s", wide);
	snprintf(c[3].text, sizeof c[3].text, "%s", text);
	c[1].key = a;
}

static struct xl_table made(void)
{
	struct xl_table t;

	xl_table_init(&t, columns, XL_ARRAY_SIZE(columns));
	add(&t, "one", 5, "x", "alpha");
	add(&t, "two", 30, "yy", "");
	add(&t, "three", 5, "", "gamma");
	return t;
}

static char *printed(const struct xl_table *t, size_t width, size_t from, size_t count, size_t sorted)
{
	const struct xl_table_look look = { width, from, count, sorted, "\n", "", "" };
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	xl_table_print(t, &look, f);
	fclose(f);
	return text;
}

static void expect(const struct xl_table *t, size_t width, const char *text)
{
	char *got = printed(t, width, 0, (size_t)-1, 99);

	assert_string_equal(got, text);
	free(got);
}

static void aligns(void **state)
{
	struct xl_table t = made();

	(void)state;
	expect(&t, 0, "NAME    A  LONG-TITLE  TEXT\n"
		      "one     5           x  alpha\n"
		      "two    30          yy\n"
		      "three   5              gamma\n");
	xl_table_free(&t);
}

static void drops_the_least_important(void **state)
{
	struct xl_table t = made();

	(void)state;
	expect(&t, 28, "NAME    A  LONG-TITLE  TEXT\none     5           x  alpha\ntwo    30          yy\n"
		       "three   5              gamma\n");
	expect(&t, 27, "NAME    A  TEXT\none     5  alpha\ntwo    30\nthree   5  gamma\n");
	expect(&t, 15, "NAME   TEXT\none    alpha\ntwo\nthree  gamma\n");
	expect(&t, 11, "NAME\none\ntwo\nthree\n");
	expect(&t, 3, "NAM\none\ntwo\nthr\n");
	xl_table_free(&t);
}

static void never_passes_the_width(void **state)
{
	struct xl_table t = made();

	(void)state;
	for (size_t width = 1; width < 40; width++) {
		char *text = printed(&t, width, 0, (size_t)-1, 1), *line, *rest = text;

		while ((line = strsep(&rest, "\n")))
			CHECK(strlen(line) <= width && (!*line || line[strlen(line) - 1] != ' '));
		free(text);
	}
	xl_table_free(&t);
}

static void sorts(void **state)
{
	struct xl_table t = made();
	char *text;

	(void)state;
	xl_table_sort(&t, 1, true);
	assert_string_equal(t.cell[0].text, "two");
	assert_string_equal(t.cell[4].text, "one");      /* of two alike the first stays first */
	assert_string_equal(t.cell[8].text, "three");
	xl_table_sort(&t, 0, false);
	assert_string_equal(t.cell[4].text, "three");
	add(&t, "more", 1, "", "");
	text = printed(&t, 0, 1, 2, 1);
	assert_string_equal(text, "NAME   A*  LONG-TITLE  TEXT\nthree   5              gamma\ntwo    30          yy\n");
	free(text);
	xl_table_free(&t);
}

static void grows(void **state)
{
	struct xl_table t;

	(void)state;
	xl_table_init(&t, columns, XL_ARRAY_SIZE(columns));
	xl_table_sort(&t, 0, true);                      /* an empty one */
	for (int i = 0; i < 1000; i++)
		add(&t, "row", 999 - i, "", "");
	xl_table_sort(&t, 1, false);
	for (int i = 0; i < 1000; i++)
		CHECK(t.cell[4 * i + 1].key == i);
	xl_table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligns),
		cmocka_unit_test(drops_the_least_important),
		cmocka_unit_test(never_passes_the_width),
		cmocka_unit_test(sorts),
		cmocka_unit_test(grows),
	};

	return RUN_TAP(tests);
}
