// SPDX-License-Identifier: BSD-2-Clause
/* top.c - `xlane top`: a live view of the daemon. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "query.h"
#include "screen.h"
#include "session.h"
#include "top_view.h"

#define INTERVAL_MS_DEFAULT 1000
#define INTERVAL_MS_MIN 100

struct top {
	struct xl_query q;
	struct xl_top_view view;
	struct xl_top_moment now, before;
	bool batch;
	int interval_ms;
	unsigned long long count;        /* of --batch; 0: for ever */
};

static const struct xl_option options[] = {
	XL_QUERY_OPTIONS,
	{ 'I', "interval", "S", "seconds between two looks (default 1)" },
	{ 'w', "view", "VIEW", "workers, conns or peers at first (default workers)" },
	{ 'b', "batch", NULL, "print one look after the other, without a terminal" },
	{ 'c', "count", "N", "with --batch: stop after N looks" },
	{ 0 },
};

static bool take_view(struct top *t, const char *text)
{
	for (enum xl_view_id id = 0; id < XL_VIEW_COUNT; id++) {
		if (!strcmp(xl_view_get(id, true)->what, text)) {
			xl_top_turn(&t->view, id);
			return true;
		}
	}
	return false;
}

/* -1: go on; else the exit status. */
static int parse(struct top *t, int argc, char **argv)
{
	const struct xl_command *c = t->q.command;
	int got;

	while ((got = xl_cli_option(c, options, argc, argv)) != XL_OPTION_END) {
		if (got < 0)
			return got == XL_OPTION_HELP ? XL_EXIT_OK : XL_EXIT_USAGE;
		if (xl_query_option(&t->q, options, got))
			continue;
		if (got == 'b')
			t->batch = true;
		else if (got == 'I' && (!xl_session_seconds(optarg, &t->interval_ms) || t->interval_ms < INTERVAL_MS_MIN))
			return xl_cli_usage(c, "bad value '%s' of --interval: seconds, 0.1..86400", optarg);
		else if (got == 'w' && !take_view(t, optarg))
			return xl_cli_usage(c, "bad value '%s' of --view: workers, conns or peers", optarg);
		else if (got == 'c' && !xl_cli_number(optarg, 1, UINT64_MAX, &t->count))
			return xl_cli_usage(c, "bad value '%s' of --count", optarg);
	}
	if (optind != argc)
		return xl_cli_usage(c, "it takes no operand, and '%s' is one", argv[optind]);
	t->batch |= t->q.json;
	if (t->count && !t->batch)
		return xl_cli_usage(c, "--count goes with --batch");
	return -1;
}

/* False: reported, and t->now is empty. */
static bool fetch(struct top *t)
{
	const char *what = xl_view_get(t->view.id, true)->what;

	t->now.status = xl_query_ask(&t->q, "status");
	t->now.workers = t->now.status ? xl_query_ask(&t->q, "workers") : NULL;
	if (t->now.workers)
		t->now.list = strcmp(what, "workers") ? xl_query_ask(&t->q, what) : json_incref(t->now.workers);
	if (!t->now.list)
		xl_top_moment_free(&t->now);
	return t->now.list != NULL;
}

/* False: reported. */
static bool next_moment(struct top *t)
{
	xl_top_moment_free(&t->before);
	t->before = t->now;
	t->now = (struct xl_top_moment){ 0 };
	return fetch(t);
}

static bool explain_form(struct top *t)
{
	xl_cli_error(t->q.command, "the daemon's answer has another form; are xlane and xlaned of one version?");
	return false;
}

static bool print_look(struct top *t)
{
	char *text;

	if (t->q.json) {
		json_t *look = json_pack("{s:O, s:O, s:O}", "status", t->now.status, "workers", t->now.workers,
					 xl_view_get(t->view.id, true)->what, t->now.list);

		if (!json_dumpf(look, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER))
			putchar('\n');
		json_decref(look);
	} else {
		text = xl_top_render(&t->view, &t->now, &t->before);
		if (!text)
			return explain_form(t);
		puts(text);
		free(text);
	}
	return !fflush(stdout) && !ferror(stdout);
}

static bool run_batch(struct top *t)
{
	struct timespec due;

	clock_gettime(CLOCK_MONOTONIC, &due);
	for (unsigned long long i = 0; !t->count || i < t->count; i++) {
		if (!next_moment(t) || !print_look(t))
			return false;
		if (t->count && i + 1 == t->count)
			break;
		due.tv_sec += (t->interval_ms + due.tv_nsec / 1000000) / 1000;
		due.tv_nsec = (t->interval_ms + due.tv_nsec / 1000000) % 1000 * 1000000 + due.tv_nsec % 1000000;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
			;
	}
	return true;
}

/* Another view: the list of the one before does not serve for rates. */
static bool turn(struct top *t, enum xl_view_id id)
{
	if (id == t->view.id)
		return false;
	xl_top_turn(&t->view, id);
	json_decref(t->now.list);
	t->now.list = NULL;
	return true;
}

static void move_sort(struct top *t, int by)
{
	size_t n = xl_view_get(t->view.id, true)->columns;

	t->view.sort = (t->view.sort + n + (size_t)by) % n;
}

static void scroll(struct top *t, long by)
{
	if (by < 0 && t->view.from < (size_t)-by)
		t->view.from = 0;
	else
		t->view.from += (size_t)by;
}

static size_t rows(const struct top *t)
{
	return json_array_size(json_object_get(t->now.list, xl_view_get(t->view.id, true)->list));
}

enum act { ACT_DRAW, ACT_FETCH, ACT_QUIT };

static enum act act(struct top *t, int key)
{
	const long page = t->view.height > 8 ? (long)t->view.height - 6 : 1;

	switch (key) {
	case 'q': case 'Q': case 27: case XL_KEY_STOP: return ACT_QUIT;
	case 'w': return turn(t, XL_VIEW_WORKERS) ? ACT_FETCH : ACT_DRAW;
	case 'c': return turn(t, XL_VIEW_CONNS) ? ACT_FETCH : ACT_DRAW;
	case 'p': return turn(t, XL_VIEW_PEERS) ? ACT_FETCH : ACT_DRAW;
	case '<': case ',': case XL_KEY_LEFT: move_sort(t, -1); break;
	case '>': case '.': case XL_KEY_RIGHT: move_sort(t, 1); break;
	case 'r': t->view.down = !t->view.down; break;
	case ' ': return ACT_FETCH;
	case XL_KEY_UP: scroll(t, -1); break;
	case XL_KEY_DOWN: scroll(t, 1); break;
	case XL_KEY_PAGE_UP: scroll(t, -page); break;
	case XL_KEY_PAGE_DOWN: scroll(t, page); break;
	case XL_KEY_HOME: t->view.from = 0; break;
	case XL_KEY_END: t->view.from = rows(t); break;
	}
	return ACT_DRAW;
}

static bool draw(struct top *t)
{
	char *text;
	bool ok;

	xl_screen_size(&t->view.width, &t->view.height);
	text = xl_top_render(&t->view, &t->now, &t->before);
	if (!text) {
		xl_screen_close();
		return explain_form(t);
	}
	ok = xl_screen_put(text, strlen(text));
	free(text);
	return ok;
}

static bool run_screen(struct top *t)
{
	double due = 0;
	enum act what = ACT_FETCH;

	while (what != ACT_QUIT) {
		double left = due - xl_session_clock();

		if (what == ACT_FETCH || left <= 0) {
			if (!next_moment(t))
				return false;
			due = xl_session_clock() + t->interval_ms / 1e3;
			left = t->interval_ms / 1e3;
		}
		if (!draw(t))
			return false;
		what = act(t, xl_screen_key((int)(left * 1e3) + 1));
	}
	return true;
}

static int run(int argc, char **argv)
{
	struct top t = { .interval_ms = INTERVAL_MS_DEFAULT };
	bool ok = false;
	int status;

	xl_query_init(&t.q, &xl_command_top);
	xl_top_turn(&t.view, XL_VIEW_WORKERS);
	status = parse(&t, argc, argv);
	if (status >= 0)
		return status;
	if (!t.batch && !xl_screen_possible())
		return xl_cli_usage(t.q.command, "this is no terminal that can show it; --batch prints one look after the other");
	if (xl_query_open(&t.q)) {
		t.view.terminal = !t.batch;
		t.q.before_error = xl_screen_close;   /* an error is told on the ordinary screen */
		if (t.batch)
			ok = run_batch(&t);
		else if (xl_screen_open())
			ok = run_screen(&t);
		else
			xl_cli_error(t.q.command, "the terminal does not let itself be set: %s", strerror(errno));
	}
	xl_screen_close();
	xl_query_close(&t.q);
	xl_top_moment_free(&t.now);
	xl_top_moment_free(&t.before);
	return ok ? XL_EXIT_OK : XL_EXIT_FAILURE;
}

const struct xl_command xl_command_top = {
	.name = "top", .args = "[-i IFACE] [options]", .run = run,
	.summary = "Show live what the daemon does: rates, round trips, retransmissions, rings; by worker, connection, peer.",
};
