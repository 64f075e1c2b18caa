// SPDX-License-Identifier: BSD-2-Clause
/* cat.c - `xlane cat`: netcat over xlane. */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "pump.h"
#include "report.h"

#define CONNECT_TIMEOUT_MS 10000
/* How long to wait for the peer's end after both directions are over, and for stragglers after that. */
#define CLOSE_TIMEOUT_MS 30000
#define LINGER_MS 3000
/* A wait is cut into pieces, as a signal that comes just before it would go unnoticed. */
#define PIECE_MS 200

struct cat {
	struct xl_session s;
	bool listen, keep, progress;
	int timeout_ms;
	uint16_t port;
	struct xlane_address to;
	struct xl_report report;
	bool reporting;
	struct xl_pump_figures figures;      /* of all connections */
	struct xlane_conn_stats stats;       /* of the last one */
};

static const struct xl_option options[] = {
	{ 'l', "listen", NULL, "listen on PORT for a connection" },
	{ 'k', "keep", NULL, "with -l: when it has ended, wait for the next" },
	XL_SESSION_OPTIONS,
	{ 0, "timeout", "S", "give up connecting after S seconds (default 10)" },
	{ 0, "progress", NULL, "a progress line on stderr (default: when stderr is a terminal)" },
	{ 0, "no-progress", NULL, "no progress line" },
	{ 0, "json", "FILE", "write the figures of the run to FILE" },
	{ 0 },
};

static int open_report(struct cat *a, const char *path)
{
	int err;

	if (!strcmp(path, "-"))
		return xl_cli_usage(a->s.command, "--json - would mix figures with data; name a file");
	err = xl_report_open(&a->report, path);
	if (err) {
		xl_cli_error(a->s.command, "can not write %s: %s", path, strerror(-err));
		return XL_EXIT_FAILURE;
	}
	a->reporting = true;
	return XL_EXIT_OK;
}

/* -1: go on; else the exit status. */
static int parse(struct cat *a, int argc, char **argv)
{
	const char *json = NULL;
	int got, took;

	while ((got = xl_cli_option(a->s.command, options, argc, argv)) != XL_OPTION_END) {
		const char *name;

		if (got < 0)
			return got == XL_OPTION_HELP ? XL_EXIT_OK : XL_EXIT_USAGE;
		took = xl_session_option(&a->s, options, got);
		if (took < 0)
			return XL_EXIT_USAGE;
		name = xl_cli_option_name(options, got);
		if (!strcmp(name, "listen"))
			a->listen = true;
		else if (!strcmp(name, "keep"))
			a->keep = true;
		else if (!strcmp(name, "progress"))
			a->progress = true;
		else if (!strcmp(name, "no-progress"))
			a->progress = false;
		else if (!strcmp(name, "json"))
			json = optarg;
		else if (!strcmp(name, "timeout") && !xl_session_seconds(optarg, &a->timeout_ms))
			return xl_cli_usage(a->s.command, "bad value '%s' of --timeout", optarg);
	}
	if (!xl_session_check(&a->s))
		return XL_EXIT_USAGE;
	if (argc - optind != (a->listen ? 1 : 2))
		return xl_cli_usage(a->s.command, "%s", a->listen ? "-l takes one operand, PORT" :
				    "give MAC and PORT of the peer");
	if (a->keep && !a->listen)
		return xl_cli_usage(a->s.command, "-k goes with -l");
	if (a->listen ? !xl_session_port(&a->s, argv[optind], &a->port) :
			!xl_session_address(&a->s, argv[optind], argv[optind + 1], &a->to))
		return XL_EXIT_USAGE;
	got = json ? open_report(a, json) : XL_EXIT_OK;
	return got ? got : -1;
}

static void write_report(struct cat *a)
{
	const struct xl_pump_figures *f = &a->figures;
	struct xl_report *r = &a->report;
	unsigned long long most = f->sent > f->received ? f->sent : f->received;
	int err;

	if (!a->reporting)
		return;
	xl_report_number(r, "bytes_sent", f->sent);
	xl_report_number(r, "bytes_received", f->received);
	xl_report_real(r, "seconds", f->seconds);
	xl_report_real(r, "goodput", f->seconds > 0 ? (double)most * 8 / f->seconds : 0);
	xl_report_conn(r, &a->stats);
	if (a->s.x)
		xl_report_context(r, a->s.x);
	err = xl_report_close(r);
	if (err)
		xl_cli_error(a->s.command, "can not write the figures: %s", strerror(-err));
}

static int explain(struct cat *a, enum xl_pump_end end, int err)
{
	const struct xl_command *c = a->s.command;

	switch (end) {
	case XL_PUMP_DONE:
		return XL_EXIT_OK;
	case XL_PUMP_STOPPED:
		xl_cli_error(c, "interrupted: the connection was reset");
		break;
	case XL_PUMP_INPUT:
		xl_cli_error(c, "can not read standard input: %s", strerror(-err));
		break;
	case XL_PUMP_OUTPUT:
		xl_cli_error(c, "can not write standard output: %s", strerror(-err));
		break;
	case XL_PUMP_PEER:
		xl_cli_error(c, "the connection failed: %s", xlane_strerror(err));
		break;
	case XL_PUMP_SYSTEM:
		xl_cli_error(c, "can not wait: %s", strerror(-err));
		break;
	}
	return XL_EXIT_FAILURE;
}

/* One connection from its opening to its end. */
static int serve(struct cat *a, xlane_conn *c)
{
	struct xl_pump_figures figures;
	int err, status;
	enum xl_pump_end end = xl_pump_run(&a->s, c, a->keep, a->progress, &figures, &err);

	status = explain(a, end, err);
	a->figures.sent += figures.sent;
	a->figures.received += figures.received;
	a->figures.seconds += figures.seconds;
	a->stats.size = sizeof a->stats;
	xlane_conn_stats(c, &a->stats);
	if (status) {
		xlane_conn_abort(c);
	} else {
		err = xlane_conn_close(c, CLOSE_TIMEOUT_MS);
		if (err) {
			xl_cli_error(a->s.command, "the end of the connection failed, the peer may not have "
				     "everything: %s", xlane_strerror(err));
			status = XL_EXIT_FAILURE;
		}
	}
	return status;
}

static int run_client(struct cat *a)
{
	xlane_conn *c;
	char text[24];
	int err = xlane_connect(a->s.x, &a->to, XLANE_STREAM, a->timeout_ms ? a->timeout_ms : 1, &c);

	if (err) {
		xl_cli_error(a->s.command, "can not connect to %s: %s", xlane_address_text(&a->to, text),
			     xl_session_connect_error(err, "no answer; is that its MAC, and does a program there "
						      "listen?"));
		return XL_EXIT_FAILURE;
	}
	return serve(a, c);
}

static int run_server(struct cat *a)
{
	xlane_listener *l;
	xlane_conn *c;
	int status = XL_EXIT_OK, err = xlane_listen(a->s.x, a->port, XLANE_STREAM, 1, &l);

	if (err) {
		xl_cli_error(a->s.command, "%s", xl_session_listen_error(err, a->port));
		return XL_EXIT_FAILURE;
	}
	if (a->s.verbose)
		fprintf(stderr, "xlane %s: listening on port %u\n", a->s.command->name, a->port);
	do {
		do {
			err = xlane_accept(l, PIECE_MS, &c);
		} while ((err == -EAGAIN || err == -EINTR) && !xl_session_stop);
		if (xl_session_stop && err) {
			/* with -k that is how it ends */
			if (!a->keep)
				xl_cli_error(a->s.command, "interrupted: nobody has connected");
			status = a->keep ? status : XL_EXIT_FAILURE;
			break;
		}
		if (err) {
			xl_cli_error(a->s.command, "can not accept: %s", xlane_strerror(err));
			status = XL_EXIT_FAILURE;
			break;
		}
		if (!a->keep) {
			/* whoever else calls is refused at once instead of waiting for nothing */
			xlane_listener_close(l);
			l = NULL;
		}
		status = serve(a, c);
	} while (a->keep && !xl_session_stop);
	xlane_listener_close(l);
	return status;
}

static int run_cat(int argc, char **argv)
{
	struct cat a = { .timeout_ms = CONNECT_TIMEOUT_MS, .progress = isatty(STDERR_FILENO) };
	int status;

	xl_session_init(&a.s, &xl_command_cat);
	status = parse(&a, argc, argv);
	if (status >= 0)
		return status;
	status = XL_EXIT_FAILURE;
	if (xl_session_open(&a.s))
		status = a.listen ? run_server(&a) : run_client(&a);
	write_report(&a);
	xl_session_close(&a.s, LINGER_MS);
	return status;
}

const struct xl_command xl_command_cat = {
	.name = "cat",
	.args = "-l -i IFACE|-d [options] PORT | -i IFACE|-d [options] MAC PORT",
	.summary = "Copy standard input to a connection and the connection to standard output, both ways at once.",
	.run = run_cat,
};
