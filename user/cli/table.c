// SPDX-License-Identifier: BSD-2-Clause
/* table.c - rows and columns of text that fit a width. */
#include <stdlib.h>
#include <string.h>

#include "table.h"

#define GAP 2            /* between two columns */
#define FIRST_ROOM 64

void xl_table_init(struct xl_table *t, const struct xl_table_column *column, size_t columns)
{
	*t = (struct xl_table){ .column = column, .columns = columns };
}

struct xl_table_cell *xl_table_add(struct xl_table *t)
{
	struct xl_table_cell *row;

	if (t->rows == t->room) {
		size_t room = t->room ? 2 * t->room : FIRST_ROOM;
		struct xl_table_cell *more = realloc(t->cell, room * t->columns * sizeof *more);

		if (!more)
			return NULL;
		t->cell = more;
		t->room = room;
	}
	row = t->cell + t->rows++ * t->columns;
	memset(row, 0, t->columns * sizeof *row);
	return row;
}

struct order { const struct xl_table_cell *row; size_t column, at; bool down; };

static int by_cell(const void *left, const void *right)
{
	const struct order *a = left, *b = right;
	const struct xl_table_cell *x = &a->row[a->column], *y = &b->row[b->column];
	int d = (x->key > y->key) - (x->key < y->key);

	if (!d)
		d = strcmp(x->text, y->text);
	if (d)
		return a->down ? -d : d;
	return (a->at > b->at) - (a->at < b->at);
}

void xl_table_sort(struct xl_table *t, size_t column, bool down)
{
	const size_t bytes = t->columns * sizeof *t->cell;
	struct order *order = malloc((t->rows + 1) * sizeof *order);
	struct xl_table_cell *sorted = malloc((t->rows + 1) * bytes);

	/* without memory the order stays as it is */
	if (order && sorted && column < t->columns) {
		for (size_t i = 0; i < t->rows; i++)
			order[i] = (struct order){ t->cell + i * t->columns, column, i, down };
		qsort(order, t->rows, sizeof *order, by_cell);
		for (size_t i = 0; i < t->rows; i++)
			memcpy(sorted + i * t->columns, order[i].row, bytes);
		free(t->cell);
		t->cell = sorted;
		t->room = t->rows + 1;
		sorted = NULL;
	}
	free(sorted);
	free(order);
}

/* Widths of the columns that are shown, 0 for the others. */
static void fit(const struct xl_table *t, const struct xl_table_look *look, size_t *width)
{
	for (size_t c = 0; c < t->columns; c++) {
		width[c] = strlen(t->column[c].title) + (c == look->sorted);
		for (size_t r = 0; r < t->rows; r++) {
			size_t n = strlen(t->cell[r * t->columns + c].text);

			width[c] = n > width[c] ? n : width[c];
		}
	}
	while (look->width) {
		size_t all = 0, least = t->columns;

		for (size_t c = 0; c < t->columns; c++) {
			all += width[c] ? width[c] + (all ? GAP : 0) : 0;
			/* of two alike the one further right */
			if (width[c] && (least == t->columns || t->column[c].importance <= t->column[least].importance))
				least = c;
		}
		if (all <= look->width || t->column[least].importance >= 9)
			break;
		width[least] = 0;
	}
}

/* A line so far, which is cut at a width. */
struct line { FILE *to; size_t room; bool bounded; };

static void put(struct line *l, const char *text, size_t bytes)
{
	if (l->bounded && bytes > l->room)
		bytes = l->room;
	fwrite(text, 1, bytes, l->to);
	l->room -= l->bounded ? bytes : 0;
}

static void pad(struct line *l, size_t n)
{
	while (n--)
		put(l, " ", 1);
}

static void put_row(const struct xl_table *t, const struct xl_table_look *look, const size_t *width,
		    const struct xl_table_cell *row, FILE *to)
{
	struct line l = { to, look->width, look->width != 0 };
	size_t owed = 0;          /* blanks before the next text: none are left at the end of a line */

	for (size_t c = 0; c < t->columns; c++) {
		char title[XL_TABLE_CELL_BYTES];
		const char *text = row ? row[c].text : title;
		size_t n;

		if (!width[c])
			continue;
		if (!row)
			snprintf(title, sizeof title, "%s%s", t->column[c].title, c == look->sorted ? "*" : "");
		n = strlen(text);
		if (!t->column[c].left)
			owed += width[c] - n;
		if (n) {
			pad(&l, owed);
			put(&l, text, n);
			owed = 0;
		}
		owed += GAP + (t->column[c].left ? width[c] - n : 0);
	}
}

void xl_table_print(const struct xl_table *t, const struct xl_table_look *look, FILE *to)
{
	size_t width[XL_TABLE_COLUMNS_MAX];

	fit(t, look, width);
	fputs(look->title_on, to);
	put_row(t, look, width, NULL, to);
	fputs(look->title_off, to);
	fputs(look->end, to);
	for (size_t r = look->from; r < t->rows && r - look->from < look->count; r++) {
		put_row(t, look, width, t->cell + r * t->columns, to);
		fputs(look->end, to);
	}
}

void xl_table_free(struct xl_table *t)
{
	free(t->cell);
	t->cell = NULL;
	t->rows = t->room = 0;
}
