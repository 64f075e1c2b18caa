// SPDX-License-Identifier: BSD-2-Clause
/* view.c - from the daemon's JSON to cells. */
#include <stdio.h>
#include <string.h>

#include "units.h"
#include "view.h"

#define NAME_BYTES 128

static const json_t *find(const json_t *object, const char *name)
{
	const char *dot = strchr(name, '.');
	char head[NAME_BYTES];

	if (!dot)
		return json_object_get(object, name);
	snprintf(head, sizeof head, "%.*s", (int)(dot - name), name);
	return find(json_object_get(object, head), dot + 1);
}

double xl_view_number(const json_t *object, const char *name)
{
	return json_number_value(find(object, name));
}

double xl_view_seconds(const json_t *now, const json_t *before)
{
	double ns = before ? xl_view_number(now, "time_ns") - xl_view_number(before, "time_ns") : 0;

	return ns > 0 ? ns / 1e9 : 0;
}

/* "eth0/1/0123456789abcdef" */
static void row_key(const struct xl_view *v, const json_t *row, char *key, size_t bytes)
{
	size_t used = 0;

	key[0] = 0;
	for (size_t i = 0; i < 3 && v->key[i] && used < bytes; i++) {
		const json_t *value = find(row, v->key[i]);

		if (json_is_string(value))
			used += (size_t)snprintf(key + used, bytes - used, "/%s", json_string_value(value));
		else
			used += (size_t)snprintf(key + used, bytes - used, "/%" JSON_INTEGER_FORMAT,
						 json_integer_value(value));
	}
}

/* The rows of an answer by their keys, NULL: out of memory. */
static json_t *index_rows(const struct xl_view *v, const json_t *answer)
{
	const json_t *list = answer ? json_object_get(answer, v->list) : NULL;
	json_t *index = json_object(), *row;
	char key[NAME_BYTES];
	size_t i;

	json_array_foreach(list, i, row) {
		row_key(v, row, key, sizeof key);
		json_object_set(index, key, row);
	}
	return index;
}

struct moment { const json_t *now, *before; double seconds; };

/* Growth per second; negative: not known. A counter that went back is of another start. */
static double rate(const struct moment *m, const char *name)
{
	double grown;

	if (!m->before || m->seconds <= 0 || !json_is_number(find(m->now, name)))
		return -1;
	grown = xl_view_number(m->now, name) - xl_view_number(m->before, name);
	return grown < 0 ? -1 : grown / m->seconds;
}

static void set_text(struct xl_table_cell *c, const char *text)
{
	snprintf(c->text, sizeof c->text, "%s", text);
}

static void rate_cell(const struct xl_view_field *f, const struct moment *m, struct xl_table_cell *c)
{
	double r = rate(m, f->name);
	char text[XL_UNIT_BYTES];

	c->key = r;
	if (r < 0)
		set_text(c, "-");
	else if (f->kind == XL_VIEW_SHARE)
		snprintf(c->text, sizeof c->text, "%.1f", r / 1e7);   /* nanoseconds a second, in percent */
	else
		set_text(c, xl_unit_count(f->kind == XL_VIEW_BITS ? r * 8 : r, text));
}

static void number_cell(const struct xl_view_field *f, double n, struct xl_table_cell *c)
{
	char text[XL_UNIT_BYTES];

	c->key = n;
	switch (f->kind) {
	case XL_VIEW_COUNT_OF: set_text(c, xl_unit_count(n, text)); break;
	case XL_VIEW_BYTES_OF: set_text(c, xl_unit_bytes(n, text)); break;
	case XL_VIEW_TIME: set_text(c, xl_unit_duration(n, text)); break;
	case XL_VIEW_UPTIME: set_text(c, xl_unit_uptime(n, text)); break;
	default: snprintf(c->text, sizeof c->text, "%.0f", n); break;
	}
}

static void ratio_cell(const struct xl_view_field *f, const json_t *row, struct xl_table_cell *c)
{
	double all = xl_view_number(row, f->other);

	c->key = all > 0 ? 100 * xl_view_number(row, f->name) / all : -1;
	if (all > 0)
		snprintf(c->text, sizeof c->text, "%.2f", c->key);
	else
		set_text(c, "-");
}

static void make_cell(const struct xl_view_field *f, const struct moment *m, struct xl_table_cell *c)
{
	const json_t *value = find(m->now, f->name);

	switch (f->kind) {
	case XL_VIEW_RATE:
	case XL_VIEW_BITS:
	case XL_VIEW_SHARE:
		rate_cell(f, m, c);
		return;
	case XL_VIEW_RATIO:
		ratio_cell(f, m->now, c);
		return;
	case XL_VIEW_ADDRESS:
		snprintf(c->text, sizeof c->text, "%s/%.0f", json_string_value(value) ? json_string_value(value) : "?",
			 xl_view_number(m->now, f->other));
		return;
	default:
		break;
	}
	c->key = -1;
	if (json_is_string(value))
		set_text(c, json_string_value(value));
	else if (json_is_boolean(value))
		set_text(c, json_is_true(value) ? "yes" : "no");
	else if (json_is_number(value))
		number_cell(f, json_number_value(value), c);
	else
		set_text(c, "-");
}

bool xl_view_fill(const struct xl_view *v, const json_t *now, const json_t *before, struct xl_table *out)
{
	const json_t *list = json_object_get(now, v->list);
	struct moment m = { .seconds = xl_view_seconds(now, before) };
	json_t *index = index_rows(v, before), *row;
	bool ok = json_is_array(list) && index;
	char key[NAME_BYTES];
	size_t i;

	json_array_foreach(list, i, row) {
		struct xl_table_cell *cell = ok ? xl_table_add(out) : NULL;

		if (!cell) {
			ok = false;
			break;
		}
		row_key(v, row, key, sizeof key);
		m.now = row;
		m.before = json_object_get(index, key);
		for (size_t c = 0; c < v->columns; c++)
			make_cell(&v->field[c], &m, &cell[c]);
	}
	json_decref(index);
	return ok;
}
