// SPDX-License-Identifier: BSD-2-Clause
/* script.c - a script from its first line to its last. */
#include "script.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"
#include "verbs.h"

#define REPEAT_MAX 4096
#define EXACT_NS   2  /* a time without a tolerance is meant so */

void script_fail(struct run *r, const char *format, ...)
{
	int n = snprintf(r->error, sizeof r->error, "%s:%u: ", r->file, r->number);
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->error + n, sizeof r->error - (size_t)n, format, ap);
	va_end(ap);
	longjmp(r->out, 1);
}

void script_time(struct run *r, u64 when, bool stop)
{
	world_run(&r->w, when, stop);
	if (r->w.overflow)
		script_fail(r, "more than %d packets came at once", WORLD_SEEN_MAX);
}

static const struct verb packets[] = { { "<", packet_send, false }, { ">", packet_expect, false }, { ">>", packet_expect_among, false },
					{ 0 } };

static const struct verb *verb_find(const char *name)
{
	const struct verb *const tables[] = { packets, verbs_setup, verbs_call, verbs_assert };

	for (u32 i = 0; i < XL_ARRAY_SIZE(tables); i++)
		for (const struct verb *v = tables[i]; v->name; v++)
			if (!strcmp(v->name, name))
				return v;
	return NULL;
}

/* "+10ms", "+10ms~1ms", "+10ms..12ms"; without it the step comes at once. */
static void take_time(struct run *r)
{
	const char *word = text_look(r);
	char text[128], *near;
	u64 slack = EXACT_NS;
	struct range v;

	r->lo = r->at - EXACT_NS;
	r->hi = r->at;
	if (!word || *word != '+')
		return;
	snprintf(text, sizeof text, "%s", text_take(r) + 1);
	near = strchr(text, '~');
	if (near) {
		*near = 0;
		slack = text_value(r, near + 1);
	}
	v = text_range(r, text);
	r->lo = r->at + v.lo - xl_min(slack, r->at + v.lo);
	r->hi = r->at + v.hi + (v.hi ? slack : 0);
}

static void take_end(struct run *r)
{
	const char *word = text_look(r);

	r->end = &r->ends[0];
	if (!word || *word != '@')
		return;
	text_take(r);
	for (u32 i = 0; i < r->nends; i++)
		if (!strcmp(r->ends[i].name, word + 1)) {
			r->end = &r->ends[i];
			return;
		}
	r->end = end_new(r, word + 1);
}

/* Time and connection, in either order. */
static void take_prefix(struct run *r)
{
	bool connection_first = text_look(r) && *text_look(r) == '@';

	if (connection_first)
		take_end(r);
	take_time(r);
	if (!connection_first)
		take_end(r);
}

/* "x5": five times before the engine is asked for packets; "each5": it is asked after each. */
static u64 take_count(struct run *r, bool *each)
{
	const char *word = text_look(r), *number = NULL;
	u64 n;

	*each = word && !strncmp(word, "each", 4);
	if (word && (*each || *word == 'x'))
		number = word + (*each ? 4 : 1);
	if (!number || *number < '0' || *number > '9')
		return 1;
	text_take(r);
	n = text_value(r, number);
	if (n > REPEAT_MAX)
		script_fail(r, "more than %d times", REPEAT_MAX);
	return n;
}

static void begin(struct run *r)
{
	if (!world_begin(&r->w))
		script_fail(r, "the engine does not take this node");
	memcpy(r->marked.n, xl_engine_counters(r->w.e), sizeof r->marked.n);
}

/* Everything but a wanted packet comes at its time, whatever comes before it. */
static void come_to(struct run *r, const struct verb *v)
{
	if (v->run == packet_expect || v->run == packet_expect_among)
		return;
	script_time(r, r->hi > r->at ? r->hi - EXACT_NS : r->at, false);
	r->at = r->w.now;
	if (v->run == packet_send)
		memcpy(r->before.n, xl_engine_counters(r->w.e), sizeof r->before.n);
}

static void once(struct run *r, u64 i)
{
	const struct verb *v;
	bool each;

	r->words.i = i;
	text_cut(r, r->text);
	if (!r->words.count)
		return;
	take_prefix(r);
	take_count(r, &each);
	v = verb_find(text_need(r, "a verb"));
	if (!v)
		script_fail(r, "\"%s\" is no verb", r->words.word[r->words.at - 1]);
	if (!v->before && !r->w.e)
		begin(r);
	if (r->w.e && i == 0)
		come_to(r, v);
	v->run(r);
	text_end(r);
	if (v->run == packet_send)
		memcpy(r->after.n, xl_engine_counters(r->w.e), sizeof r->after.n);
}

static void line(struct run *r, const char *text)
{
	const char *broken;
	bool each;
	u64 n;

	r->text = text;
	text_cut(r, text);
	take_prefix(r);
	n = take_count(r, &each);
	for (u64 i = 0; i < n; i++) {
		once(r, i);
		if (each)
			script_time(r, r->w.now, false);
	}
	if (!r->w.e)
		return;
	script_time(r, r->w.now, false);
	broken = xl_engine_check(r->w.e);
	if (broken)
		script_fail(r, "an invariant of the engine is broken: %s", broken);
}

static void all_lines(struct run *r, FILE *f)
{
	char text[LINE_MAX_BYTES];

	while (fgets(text, sizeof text, f)) {
		r->number++;
		text[strcspn(text, "\n")] = 0;
		line(r, text);
	}
	r->text = "(the end)";
	text_cut(r, "nothing");
	r->lo = r->hi = r->at;
	if (!r->w.e)
		script_fail(r, "the script does nothing");
	packet_expect(r);
}

/* Where an assertion of the engine stops the whole program. */
static const struct run *volatile running;

static void aborted(int signal)
{
	(void)signal;
	if (running)
		fprintf(stderr, "%s:%u: the engine's assertion failed here: %s\n", running->file, running->number, running->text);
}

bool script_run(struct run *r, const char *file, u64 first, bool verbose)
{
	FILE *f = fopen(file, "r");

	memset(r, 0, sizeof *r);
	*r = (struct run){ .file = file, .first = first, .verbose = verbose, .hash = 0xcbf29ce484222325ull };
	if (!f) {
		snprintf(r->error, sizeof r->error, "%s: %s", file, strerror(errno));
		return false;
	}
	world_init(&r->w, first);
	r->at = r->w.now;
	memset(r->listener, -1, sizeof r->listener);
	end_new(r, "a");
	r->end = &r->ends[0];
	running = r;
	signal(SIGABRT, aborted);
	if (!setjmp(r->out))
		all_lines(r, f);
	running = NULL;
	fclose(f);
	world_end(&r->w);
	return !r->error[0];
}
