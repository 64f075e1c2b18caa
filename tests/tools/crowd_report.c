// SPDX-License-Identifier: BSD-2-Clause
/* crowd_report.c - what happened, as JSON, and lines for the script that waits for them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crowd.h"

void crowd_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void add_owner(const char *owner, uint64_t frames, void *arg)
{
	json_object_set_new(arg, owner, json_integer((json_int_t)frames));
}

static json_t *errors(const struct crowd *w)
{
	json_t *all = json_object();

	for (int i = 0; i < CROWD_ERRNOS; i++)
		if (w->errors[i])
			json_object_set_new(all, strerrorname_np(i), json_integer(w->errors[i]));
	return all;
}

static void add(json_t *to, const char *name, uint64_t value)
{
	json_object_set_new(to, name, json_integer((json_int_t)value));
}

json_t *crowd_report(const struct crowd *w, bool well)
{
	json_t *r = json_object(), *census = json_object();

	json_object_set_new(r, "well", json_boolean(well));
	add(r, "conns", w->o.conns);
	add(r, "opened", w->opened);
	add(r, "finished", w->finished);
	add(r, "bad", w->bad);
	add(r, "duplicates", w->duplicates);
	add(r, "lost", w->lost);
	add(r, "items_sent", w->items_out);
	add(r, "items_received", w->items_in);
	add(r, "bytes_sent", w->bytes_out);
	add(r, "bytes_received", w->bytes_in);
	json_object_set_new(r, "errors", errors(w));
	json_object_set_new(r, "seconds", json_real((double)(w->ended_ns - w->begun_ns) / 1e9));
	if (!w->o.config.daemon) {
		json_object_set_new(r, "census_ok", json_boolean(!xlane_census(w->x, add_owner, census)));
		json_object_set_new(r, "census", json_incref(census));
	}
	json_decref(census);
	return r;
}
