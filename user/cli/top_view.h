/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top_view.h - what `xlane top` shows, as text: from the daemon's answers to the lines of a screen.
 *
 * Guarantee: no line is longer than the width, and there are no more lines than the height.
 */
#ifndef XL_TOP_VIEW_H
#define XL_TOP_VIEW_H

#include "view.h"

/* The daemon's answers of one moment; each an object, or NULL. */
struct xl_top_moment { json_t *status, *workers, *list; };

struct xl_top_view {
	enum xl_view_id id;
	size_t sort, from;        /* column, first row shown */
	bool down;
	size_t width, height;     /* 0: no bound */
	bool terminal;            /* with escape sequences, a line for each of the height, and the keys */
};

void xl_top_moment_free(struct xl_top_moment *m);
/* As a view is when it is turned to. */
void xl_top_turn(struct xl_top_view *v, enum xl_view_id id);
/* Into a text, malloced; NULL: out of memory, or answers of another form. `before` may hold NULLs. v->from is brought
 * into range. */
char *xl_top_render(struct xl_top_view *v, const struct xl_top_moment *now, const struct xl_top_moment *before);

#endif
