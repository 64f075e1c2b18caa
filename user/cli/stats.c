// SPDX-License-Identifier: BSD-2-Clause
/* stats.c - `xlane stats`: every counter of the daemon, or how fast they grow. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "counters.h"
#include "query.h"
#include "session.h"
#include "units.h"

#define INTERVAL_MS_MIN 10

struct stats {
	struct xl_query q;
	bool all;
	int interval_ms;                 /* 0: once, in all */
	unsigned long long count;        /* intervals; 0: for ever */
};

static const struct xl_option options[] = {
	XL_QUERY_OPTIONS,
	{ 'a', "all", NULL, "counters that are zero, too" },
	{ 'I', "interval", "S", "every S seconds, what they have grown by in a second" },
	{ 'c', "count", "N", "with --interval: stop after N of them" },
	{ 0 },
};

/* -1: go on; else the exit status. */
static int parse(struct stats *s, int argc, char **argv)
{
	const struct xl_command *c = s->q.command;
	int got;

	while ((got = xl_cli_option(c, options, argc, argv)) != XL_OPTION_END) {
		if (got < 0)
			return got == XL_OPTION_HELP ? XL_EXIT_OK : XL_EXIT_USAGE;
		if (xl_query_option(&s->q, options, got))
			continue;
		if (got == 'a')
			s->all = true;
		else if (got == 'I' && (!xl_session_seconds(optarg, &s->interval_ms) || s->interval_ms < INTERVAL_MS_MIN))
			return xl_cli_usage(c, "bad value '%s' of --interval: seconds, 0.01..86400", optarg);
		else if (got == 'c' && !xl_cli_number(optarg, 1, UINT64_MAX, &s->count))
			return xl_cli_usage(c, "bad value '%s' of --count", optarg);
	}
	if (optind != argc)
		return xl_cli_usage(c, "it takes no operand, and '%s' is one", argv[optind]);
	if (s->count && !s->interval_ms)
		return xl_cli_usage(c, "--count goes with --interval");
	return -1;
}

/* False: reported. */
static bool fetch(struct stats *s, struct xl_counters *out)
{
	char *text = xl_query_text(&s->q, "counters");
	int err = text ? xl_counters_parse(text, out) : 0;

	if (text && err) {
		xl_counters_free(out);
		xl_cli_error(s->q.command, err == -ENOMEM ? "out of memory" :
			     "the daemon's answer is no list of counters; are xlane and xlaned of one version?");
	}
	return text && !err;
}

static void print_totals(const struct stats *s, const struct xl_counters *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (s->all || c->counter[i].value)
			printf("%-28s %16" PRIu64 "  %s\n", c->counter[i].name, c->counter[i].value, c->counter[i].text);
}

static void print_rates(const struct stats *s, const struct xl_counters *now, const struct xl_counters *before,
			double seconds)
{
	json_t *rates = s->q.json ? json_object() : NULL, *out;

	for (size_t i = 0; i < now->count; i++) {
		uint64_t grown = xl_counters_growth(now, before, i);
		double rate = (double)grown / seconds;
		char text[XL_UNIT_BYTES];

		if (!grown && !s->all)
			continue;
		if (rates)
			json_object_set_new(rates, now->counter[i].name, json_real(rate));
		else
			printf("%-28s %10s/s  %s\n", now->counter[i].name, xl_unit_count(rate, text), now->counter[i].text);
	}
	if (rates) {
		/* one object a line: it can be read as it comes */
		out = json_pack("{s:f, s:o}", "seconds", seconds, "rates", rates);
		if (!json_dumpf(out, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)))
			putchar('\n');
		json_decref(out);
	} else {
		putchar('\n');
	}
	fflush(stdout);
}

/* The next look is due: what was missed is not made up for. */
static void sleep_until(double due)
{
	struct timespec t = { .tv_sec = (time_t)due };

	t.tv_nsec = (long)((due - (double)t.tv_sec) * 1e9);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static bool watch(struct stats *s)
{
	struct xl_counters before = { 0 }, now;
	double last = xl_session_clock(), due = last, at;
	bool ok = fetch(s, &before);

	for (unsigned long long i = 0; ok && (!s->count || i < s->count); i++) {
		due = due + s->interval_ms / 1e3 > last ? due + s->interval_ms / 1e3 : last + s->interval_ms / 1e3;
		sleep_until(due);
		ok = fetch(s, &now);
		if (!ok)
			break;
		at = xl_session_clock();
		print_rates(s, &now, &before, at - last);
		last = at;
		xl_counters_free(&before);
		before = now;
		ok = !ferror(stdout);
	}
	xl_counters_free(&before);
	return ok;
}

static bool show(struct stats *s)
{
	struct xl_counters counters;
	json_t *answer;

	if (s->q.json) {
		answer = xl_query_ask(&s->q, "stats");
		if (!answer)
			return false;
		xl_query_dump(answer);
		json_decref(answer);
		return true;
	}
	if (!fetch(s, &counters))
		return false;
	print_totals(s, &counters);
	xl_counters_free(&counters);
	return true;
}

static int run(int argc, char **argv)
{
	struct stats s = { 0 };
	int status;

	xl_query_init(&s.q, &xl_command_stats);
	status = parse(&s, argc, argv);
	if (status >= 0)
		return status;
	status = XL_EXIT_FAILURE;
	if (xl_query_open(&s.q) && (s.interval_ms ? watch(&s) : show(&s)))
		status = XL_EXIT_OK;
	xl_query_close(&s.q);
	return status;
}

const struct xl_command xl_command_stats = {
	.name = "stats", .args = "[-i IFACE] [--interval S] [--json]", .run = run,
	.summary = "Show the daemon's counters (drivers, links, engines, channels, XDP program), or how fast they grow.",
};
