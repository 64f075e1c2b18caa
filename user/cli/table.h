/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - rows and columns of text that fit a width.
 *
 * Columns are as wide as their widest cell; where they do not fit beside each other, the least important go first.
 * No line is longer than the width. Cells may be sorted by the number or the text behind them.
 */
#ifndef XL_TABLE_H
#define XL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define XL_TABLE_COLUMNS_MAX 24
#define XL_TABLE_CELL_BYTES 48

struct xl_table_column {
	const char *title;
	bool left;               /* aligned left; else right */
	int importance;          /* the lowest goes first when there is no room; 9: stays to the last */
};

struct xl_table_cell { char text[XL_TABLE_CELL_BYTES]; double key; };

struct xl_table {
	const struct xl_table_column *column;   /* [columns] */
	size_t columns;
	struct xl_table_cell *cell;             /* [room * columns] */
	size_t rows, room;
};

void xl_table_init(struct xl_table *t, const struct xl_table_column *column, size_t columns);
/* A new row of empty cells; NULL: out of memory. Valid until the next is added. */
struct xl_table_cell *xl_table_add(struct xl_table *t);
/* By the column's keys, then its texts; `down`: the largest first. Rows that are the same keep their order. */
void xl_table_sort(struct xl_table *t, size_t column, bool down);
/* Title line and rows [from, from + count), each ended with `end`. `width` 0: no bound. `sorted`: column whose title is
 * marked with '*', columns: none. `title_on` and `title_off`: what switches the title line's look, or "". */
struct xl_table_look { size_t width, from, count, sorted; const char *end, *title_on, *title_off; };
void xl_table_print(const struct xl_table *t, const struct xl_table_look *look, FILE *to);
void xl_table_free(struct xl_table *t);

#endif
