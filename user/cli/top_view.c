// SPDX-License-Identifier: BSD-2-Clause
/* top_view.c - the lines of `xlane top`. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top_view.h"
#include "units.h"

#define LINE_BYTES 256
#define HEAD_LINES 4     /* daemon, traffic, blank, titles */
#define FOOT_LINES 1
#define BOLD "\033[1m"
#define REVERSE "\033[7m"
#define PLAIN "\033[0m"
#define CLEAR_LINE "\033[K"
#define HOME "\033[H"
#define CLEAR_BELOW "\033[J"

void xl_top_moment_free(struct xl_top_moment *m)
{
	json_decref(m->status);
	json_decref(m->workers);
	json_decref(m->list);
	*m = (struct xl_top_moment){ 0 };
}

void xl_top_turn(struct xl_top_view *v, enum xl_view_id id)
{
	v->id = id;
	v->sort = xl_view_get(id, true)->sort;
	v->down = xl_view_get(id, true)->sort_down;
	v->from = 0;
}

/* A line, cut at the width, with its end. */
__attribute__((format(printf, 4, 5)))
static void put_line(const struct xl_top_view *v, FILE *to, const char *look, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (v->width && strlen(line) > v->width)
		line[v->width] = 0;
	if (v->terminal)
		fprintf(to, "%s%s%s" CLEAR_LINE "\r\n", look, line, *look ? PLAIN : "");
	else
		fprintf(to, "%s\n", line);
}

/* The sum of a field over the workers. */
static double sum(const json_t *workers, const char *name)
{
	double all = 0;
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(workers, "workers"), i, row)
		all += xl_view_number(row, name);
	return all;
}

static const char *rate_text(const struct xl_top_moment *now, const struct xl_top_moment *before, const char *name,
			     double scale, char *text)
{
	double seconds = xl_view_seconds(now->workers, before->workers), grown = -1;

	if (seconds > 0)
		grown = sum(now->workers, name) - sum(before->workers, name);
	if (grown < 0)
		return "-";
	return xl_unit_count(grown * scale / seconds, text);
}

static void put_head(const struct xl_top_view *v, FILE *to, const struct xl_top_moment *now,
		     const struct xl_top_moment *before)
{
	const json_t *version = json_object_get(now->status, "version");
	char a[XL_UNIT_BYTES], b[XL_UNIT_BYTES], c[XL_UNIT_BYTES], d[XL_UNIT_BYTES], e[XL_UNIT_BYTES], f[XL_UNIT_BYTES];

	put_line(v, to, v->terminal ? BOLD : "",
		 "xlaned %s  up %s  %zu interfaces  %zu workers  %.0f clients  %.0f connections",
		 json_is_string(version) ? json_string_value(version) : "?",
		 xl_unit_uptime(xl_view_number(now->status, "daemon.uptime_ns"), a),
		 json_array_size(json_object_get(now->status, "interfaces")),
		 json_array_size(json_object_get(now->workers, "workers")),
		 xl_view_number(now->status, "daemon.clients"), sum(now->workers, "connections"));
	put_line(v, to, "", "in %s bit/s, %s packets/s  out %s bit/s, %s packets/s  sent again %s/s  lost %s/s",
		 rate_text(now, before, "rx_bytes", 8, a), rate_text(now, before, "rx_packets", 1, b),
		 rate_text(now, before, "tx_bytes", 8, c), rate_text(now, before, "tx_packets", 1, d),
		 rate_text(now, before, "retransmitted", 1, e), rate_text(now, before, "lost", 1, f));
	put_line(v, to, "", "%s", "");
}

static void put_table(struct xl_top_view *v, FILE *to, struct xl_table *t)
{
	struct xl_table_look look = { .width = v->width, .sorted = v->sort, .count = (size_t)-1, .end = "\n",
				      .title_on = "", .title_off = "" };

	if (v->terminal) {
		look.end = CLEAR_LINE "\r\n";
		look.title_on = REVERSE;
		look.title_off = PLAIN;
	}
	if (v->height)
		look.count = v->height > HEAD_LINES + FOOT_LINES ? v->height - HEAD_LINES - FOOT_LINES : 0;
	if (v->from + look.count > t->rows || look.count > t->rows)
		v->from = look.count < t->rows ? t->rows - look.count : 0;
	look.from = v->from;
	xl_table_sort(t, v->sort, v->down);
	xl_table_print(t, &look, to);
	for (size_t i = t->rows - v->from; v->terminal && i < look.count; i++)
		fputs(look.end, to);
}

static void put_foot(const struct xl_top_view *v, FILE *to, size_t rows)
{
	char line[LINE_BYTES];
	int n = snprintf(line, sizeof line, "%zu %s  q quit  w workers  c connections  p peers  < > sort  r reverse  "
			 "arrows scroll", rows, xl_view_get(v->id, true)->title);

	if (v->width && (size_t)n > v->width)
		line[v->width] = 0;
	/* no end of line: it would scroll the screen */
	fprintf(to, "%s" CLEAR_LINE CLEAR_BELOW, line);
}

/* On a screen of less than the head and a row, the head's first lines. */
static void cut(char *text, size_t height)
{
	char *p = text;

	while (height-- && p) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	if (p && p >= text + 2 && p[-2] == '\r')
		p[-2] = 0;
}

char *xl_top_render(struct xl_top_view *v, const struct xl_top_moment *now, const struct xl_top_moment *before)
{
	const struct xl_view *what = xl_view_get(v->id, true);
	struct xl_table t;
	char *text = NULL;
	size_t bytes;
	FILE *to;

	xl_table_init(&t, what->column, what->columns);
	if (!now->list || !xl_view_fill(what, now->list, before->list, &t)) {
		xl_table_free(&t);
		return NULL;
	}
	to = open_memstream(&text, &bytes);
	if (to) {
		if (v->terminal)
			fputs(HOME, to);
		put_head(v, to, now, before);
		put_table(v, to, &t);
		if (v->terminal)
			put_foot(v, to, t.rows);
		if (fclose(to)) {
			free(text);
			text = NULL;
		}
	}
	if (text && v->terminal && v->height && v->height < HEAD_LINES + FOOT_LINES)
		cut(text, v->height);
	xl_table_free(&t);
	return text;
}
