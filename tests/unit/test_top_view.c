/* SPDX-License-Identifier: BSD-2-Clause */
/* test_top_view.c - what top shows of the daemon's figures: at many sizes, and its rates. */
#include <stdio.h>

#include "figures_world.h"
#include "cli/top_view.h"

static json_t *ask(const struct world *w, const char *what)
{
	size_t bytes;
	char *text;
	json_t *o;

	assert_int_equal(xl_figures_text(&w->all, what, NULL, &text, &bytes), 0);
	o = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(o);
	return o;
}

static struct xl_top_moment moment(u64 step, enum xl_view_id id)
{
	struct xl_top_moment m;
	struct world w;

	world_open(&w, step);
	m.status = ask(&w, "status");
	m.workers = ask(&w, "workers");
	m.list = ask(&w, xl_view_get(id, true)->what);
	world_close(&w);
	return m;
}

static char *render(struct xl_top_view *v, bool rates)
{
	struct xl_top_moment before = { 0 }, now = moment(3, v->id);
	char *text;

	if (rates)
		before = moment(1, v->id);
	text = xl_top_render(v, &now, &before);
	assert_non_null(text);
	xl_top_moment_free(&now);
	xl_top_moment_free(&before);
	return text;
}

/* Escape sequences take no room on the screen. */
static size_t shown(const char *line)
{
	size_t n = 0;

	for (; *line && *line != '\r'; line++) {
		if (*line == 27) {
			line += strcspn(line, "mKHJ");
			continue;
		}
		n++;
	}
	return n;
}

static void fits_every_size(void **state)
{
	static const size_t widths[] = { 1, 7, 20, 40, 79, 80, 120, 200, 500 }, heights[] = { 1, 2, 4, 5, 6, 9, 24, 100 };

	(void)state;
	for (enum xl_view_id id = 0; id < XL_VIEW_COUNT; id++) {
		for (size_t k = 0; k < XL_ARRAY_SIZE(widths) * XL_ARRAY_SIZE(heights); k++) {
			struct xl_top_view v = { .width = widths[k / XL_ARRAY_SIZE(heights)],
						 .height = heights[k % XL_ARRAY_SIZE(heights)], .terminal = true };
			char *text, *rest, *line;
			size_t lines = 0;

			xl_top_turn(&v, id);
			text = rest = render(&v, true);
			while ((line = strsep(&rest, "\n"))) {
				lines++;
				if (shown(line) > v.width)
					fail_msg("view %d, %zu x %zu: '%s'", id, v.width, v.height, line);
			}
			if (lines != v.height)
				fail_msg("view %d: %zu lines on a screen of %zu", id, lines, v.height);
			free(text);
		}
	}
}

static void shows_workers(void **state)
{
	struct xl_top_view v = { 0 };
	char *text;

	(void)state;
	xl_top_turn(&v, XL_VIEW_WORKERS);
	text = render(&v, true);
	/* 125,000 bytes a second by each of three workers */
	assert_non_null(strstr(text, "in 3.00M bit/s, 300 packets/s"));
	assert_non_null(strstr(text, "sent again 15/s"));
	assert_non_null(strstr(text, "2 interfaces  4 workers  2 clients  6 connections"));
	assert_non_null(strstr(text, "\neth0             0     0   25.0     1.00M   100"));
	assert_null(strchr(text, 27));
	free(text);
	text = render(&v, false);
	assert_non_null(strstr(text, "in - bit/s, - packets/s"));
	free(text);
}

static void shows_connections(void **state)
{
	struct xl_top_view v = { .width = 80 };
	char *text, *row;

	(void)state;
	xl_top_turn(&v, XL_VIEW_CONNS);
	v.sort = 9;                         /* TX-BIT/S: 1, 2, 3 million bytes a second */
	text = render(&v, true);
	row = strstr(text, "TX-BIT/S*");
	assert_non_null(row);
	row = strchr(row, '\n') + 1;
	assert_non_null(strstr(row, "16.0M      24.0M  24.7us"));
	assert_true(strstr(row, ":02/50000") < strstr(row, ":01/50000"));
	assert_true(strstr(row, ":01/50000") < strstr(row, ":00/50000"));
	free(text);
}

static void keeps_the_rows_in_range(void **state)
{
	struct xl_top_view v = { .width = 80, .height = 9, .terminal = true };
	char *text;

	(void)state;
	xl_top_turn(&v, XL_VIEW_CONNS);
	v.from = 1000;
	text = render(&v, true);
	assert_int_equal(v.from, 2);        /* six rows, of which four fit */
	free(text);
	v.height = 50;
	text = render(&v, true);
	assert_int_equal(v.from, 0);
	free(text);
}

static void refuses_other_answers(void **state)
{
	struct xl_top_view v = { .width = 80, .height = 24 };
	struct xl_top_moment none = { 0 }, now = moment(1, XL_VIEW_PEERS), odd = { .list = json_pack("{s:i}", "workers", 3) };

	(void)state;
	xl_top_turn(&v, XL_VIEW_CONNS);
	assert_null(xl_top_render(&v, &none, &none));
	assert_null(xl_top_render(&v, &now, &none));
	xl_top_turn(&v, XL_VIEW_WORKERS);
	assert_null(xl_top_render(&v, &odd, &none));
	xl_top_moment_free(&now);
	xl_top_moment_free(&odd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_every_size), cmocka_unit_test(shows_workers), cmocka_unit_test(shows_connections),
		cmocka_unit_test(keeps_the_rows_in_range), cmocka_unit_test(refuses_other_answers),
	};

	return RUN_TAP(tests);
}
