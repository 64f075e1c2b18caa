/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.h - lists of the daemon's figures as tables: which fields make which columns, and rates between two answers.
 */
#ifndef XL_VIEW_H
#define XL_VIEW_H

#include <jansson.h>

#include "table.h"

enum xl_view_id { XL_VIEW_WORKERS, XL_VIEW_CONNS, XL_VIEW_PEERS, XL_VIEW_COUNT };

/* How a field becomes a cell. A rate is per second, between two answers. */
enum xl_view_kind {
	XL_VIEW_TEXT, XL_VIEW_NUMBER, XL_VIEW_COUNT_OF, XL_VIEW_BYTES_OF, XL_VIEW_TIME,
	XL_VIEW_UPTIME, XL_VIEW_ADDRESS, XL_VIEW_RATE, XL_VIEW_BITS, XL_VIEW_SHARE, XL_VIEW_RATIO,
};

struct xl_view_field {
	enum xl_view_kind kind;
	const char *name;        /* of the field; "rings.fill_frames" goes into an object */
	const char *other;       /* ADDRESS: field of the port; RATIO: field that is divided by */
};

struct xl_view {
	const char *what;        /* of the query */
	const char *list;        /* field of the answer that is the list */
	const char *title;       /* "workers" */
	const char *key[3];      /* fields that name a row, for finding it in the answer before */
	size_t columns, sort;    /* the column it is sorted by at first */
	bool sort_down;
	const struct xl_table_column *column;
	const struct xl_view_field *field;
};

/* `rates`: those that change with time, for top; else those that are counted in all. */
const struct xl_view *xl_view_get(enum xl_view_id id, bool rates);
/* Rows of `now` into a table that was initialized with the view's columns. `before`: an earlier answer; NULL: none,
 * rates are "-". False: out of memory, or an answer of another form. */
bool xl_view_fill(const struct xl_view *v, const json_t *now, const json_t *before, struct xl_table *out);
/* A number of an object, by a name with dots; 0 when it is not there. */
double xl_view_number(const json_t *object, const char *name);
/* Seconds between two answers; 0 when they are of different starts or not in order. */
double xl_view_seconds(const json_t *now, const json_t *before);

#endif
