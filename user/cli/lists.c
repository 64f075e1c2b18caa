// SPDX-License-Identifier: BSD-2-Clause
/* lists.c - `xlane workers`, `xlane peers` and `xlane conns`: one list of the daemon each. */
#include "query.h"
#include "view.h"

static const struct xl_option options[] = { XL_QUERY_OPTIONS, { 0 } };

static bool print_table(const struct xl_view *v, const json_t *answer)
{
	const struct xl_table_look look = { .count = (size_t)-1, .sorted = v->columns, .end = "\n", .title_on = "",
					    .title_off = "" };
	double unlisted = xl_view_number(answer, "unlisted");
	struct xl_table t;
	bool ok;

	xl_table_init(&t, v->column, v->columns);
	ok = xl_view_fill(v, answer, NULL, &t);
	if (ok)
		xl_table_print(&t, &look, stdout);
	if (ok && unlisted > 0)
		printf("and %.0f more\n", unlisted);
	xl_table_free(&t);
	return ok;
}

static int run(const struct xl_command *c, enum xl_view_id id, int argc, char **argv)
{
	const struct xl_view *v = xl_view_get(id, false);
	struct xl_query q;
	json_t *answer = NULL;
	int status;

	xl_query_init(&q, c);
	status = xl_query_parse(&q, options, argc, argv);
	if (status >= 0)
		return status;
	if (xl_query_open(&q))
		answer = xl_query_ask(&q, v->what);
	status = answer ? XL_EXIT_OK : XL_EXIT_FAILURE;
	if (answer && q.json) {
		xl_query_dump(answer);
	} else if (answer && !print_table(v, answer)) {
		xl_cli_error(c, "the daemon's answer has no %s; are xlane and xlaned of one version?", v->list);
		status = XL_EXIT_FAILURE;
	}
	json_decref(answer);
	xl_query_close(&q);
	return status;
}

static int run_workers(int argc, char **argv) { return run(&xl_command_workers, XL_VIEW_WORKERS, argc, argv); }
static int run_peers(int argc, char **argv) { return run(&xl_command_peers, XL_VIEW_PEERS, argc, argv); }
static int run_conns(int argc, char **argv) { return run(&xl_command_conns, XL_VIEW_CONNS, argc, argv); }

const struct xl_command xl_command_workers = {
	.name = "workers", .args = "[-i IFACE] [--json]", .run = run_workers,
	.summary = "Show the daemon's workers: cores, load, traffic, rings, frames.",
};
const struct xl_command xl_command_peers = {
	.name = "peers", .args = "[-i IFACE] [--json]", .run = run_peers,
	.summary = "Show the other machines that the daemon's workers talk to.",
};
const struct xl_command xl_command_conns = {
	.name = "conns", .args = "[-i IFACE] [--json]", .run = run_conns,
	.summary = "Show the connections of the daemon, whose they are, and how they do.",
};
