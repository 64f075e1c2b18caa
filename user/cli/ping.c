// SPDX-License-Identifier: BSD-2-Clause
/* ping.c - `xlane ping`: round trips of messages between two programs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xlane/limits.h>

#include "echo.h"
#include "report.h"
#include "samples.h"
#include "volley.h"

#define PORT_DEFAULT "7"
#define BYTES_DEFAULT 64
#define BYTES_MIN 16           /* number and time */
#define STREAM_MAX 65536       /* of a message on a stream that is sent before its answer is read */
#define WINDOW_DEFAULT 8
#define INTERVAL_MS_DEFAULT 1000
#define CONNECT_TIMEOUT_MS 10000
#define LAST_ANSWER_SECONDS 2.0 /* wait so long for answers after the last message was sent */
#define PIECE_MS 200
#define CLOSE_TIMEOUT_MS 3000
#define LINGER_MS 1000

struct ping {
	struct xl_session s;
	bool listen, json;
	enum xlane_type type;
	bool many;                     /* --mix or --plus: a volley */
	struct xl_volley volley;
	unsigned long long count, bytes;
	int interval_ms;
	uint16_t port;
	struct xlane_address to;
	char to_text[24];
	xlane_conn *c;
	char *out, *in;
	unsigned long long sent, answered, given_up;
	size_t in_bytes;               /* of a stream: what has come of the answer */
	struct xl_samples rtt;
};

/* What a message begins with; the answer comes back to the same program, so the host's order serves. */
struct stamp { uint64_t number, ns; };

static const struct xl_option options[] = {
	{ 'l', "listen", NULL, "be the answering side, on PORT" },
	XL_SESSION_OPTIONS,
	{ 'c', "count", "COUNT", "stop after COUNT messages (default: never)" },
	{ 'I', "interval", "S", "seconds between messages; 0: the next as soon as the answer is there (default 1)" },
	{ 's', "size", "BYTES", "size of a message, 16..16777216 (datagrams and streams: ..65536; default 64)" },
	{ 't', "type", "TYPE", "message, unordered, datagram or stream; the same on both sides (default message)" },
	{ 0, "mix", "SPEC", "COUNT messages of many sizes, verified: WEIGHT:LOW-HIGH,... as in 60:1-1024,40:1025-65536" },
	{ 0, "plus", "NxBYTES", "with --mix: and N messages of this size among them" },
	{ 'w', "window", "N", "with --mix: so many unanswered at once, 1..1024 (default 8)" },
	{ 0, "progress", NULL, "with --mix: a progress line on stderr (default: when stderr is a terminal)" },
	{ 0, "no-progress", NULL, "no progress line" },
	{ 0, "json", NULL, "one JSON object at the end instead of lines" },
	{ 0 },
};

static int take_option(struct ping *p, const char *name)
{
	struct xl_mix *mix = &p->volley.mix;
	unsigned long long window;
	bool ok = true;

	if (!strcmp(name, "listen")) {
		p->listen = true;
	} else if (!strcmp(name, "json")) {
		p->json = true;
	} else if (!strcmp(name, "progress")) {
		p->volley.progress = true;
	} else if (!strcmp(name, "no-progress")) {
		p->volley.progress = false;
	} else if (!strcmp(name, "count")) {
		ok = xl_cli_number(optarg, 1, XL_MIX_COUNT_MAX, &p->count);
	} else if (!strcmp(name, "size")) {
		ok = xl_cli_number(optarg, BYTES_MIN, XLANE_MESSAGE_MAX_BYTES, &p->bytes);
	} else if (!strcmp(name, "interval")) {
		ok = xl_session_seconds(optarg, &p->interval_ms);
	} else if (!strcmp(name, "type")) {
		p->type = xl_type_parse(optarg);
		ok = p->type != 0;
	} else if (!strcmp(name, "mix")) {
		ok = p->many = xl_mix_parse(optarg, XLANE_MESSAGE_MAX_BYTES, mix);
	} else if (!strcmp(name, "plus")) {
		ok = xl_mix_parse_plus(optarg, XLANE_MESSAGE_MAX_BYTES, mix);
	} else if (!strcmp(name, "window")) {
		ok = xl_cli_number(optarg, 1, XL_VOLLEY_WINDOW_MAX, &window);
		p->volley.window = ok ? (uint32_t)window : 0;
	}
	return ok ? 0 : xl_cli_usage(p->s.command, "bad value '%s' of --%s", optarg, name);
}

/* Sizes and types that go together, now that all options are known. -1: fine; else the exit status. */
static int check_sizes(struct ping *p)
{
	const struct xl_command *c = p->s.command;
	struct xl_mix *mix = &p->volley.mix;
	unsigned long long most = p->many ? xl_mix_high(mix) : p->bytes;
	const bool ordered = p->type == XLANE_MESSAGE || p->type == XLANE_STREAM;

	if (!p->many && (mix->plus || p->volley.window))
		return xl_cli_usage(c, "%s goes with --mix", mix->plus ? "--plus" : "--window");
	if (p->many && !p->listen && !p->count)
		return xl_cli_usage(c, "--mix needs --count");
	if (p->type == XLANE_DATAGRAM && most > XLANE_DATAGRAM_MAX_BYTES)
		return xl_cli_usage(c, "a datagram has at most %d bytes", XLANE_DATAGRAM_MAX_BYTES);
	if (p->type == XLANE_STREAM && !p->many && most > STREAM_MAX)
		return xl_cli_usage(c, "on a stream, --size is at most %d; use --mix 1:BYTES for more", STREAM_MAX);
	if (p->many && !ordered && xl_mix_low(mix) < XL_MIX_NUMBER_BYTES)
		return xl_cli_usage(c, "messages that may overtake each other carry their number: sizes of %d bytes and more",
				    XL_MIX_NUMBER_BYTES);
	return -1;
}

/* -1: go on; else the exit status. */
static int parse(struct ping *p, int argc, char **argv)
{
	int got, took, operands;

	while ((got = xl_cli_option(p->s.command, options, argc, argv)) != XL_OPTION_END) {
		if (got < 0)
			return got == XL_OPTION_HELP ? XL_EXIT_OK : XL_EXIT_USAGE;
		took = xl_session_option(&p->s, options, got);
		if (took < 0 || (!took && take_option(p, xl_cli_option_name(options, got))))
			return XL_EXIT_USAGE;
	}
	operands = argc - optind;
	argv += optind;
	if (!xl_session_check(&p->s))
		return XL_EXIT_USAGE;
	p->volley.mix.count = p->count;
	p->volley.mix.seed = p->s.config.seed;
	got = check_sizes(p);
	if (got >= 0)
		return got;
	if (p->listen) {
		if (operands > 1)
			return xl_cli_usage(p->s.command, "-l takes one operand, PORT");
		return xl_session_port(&p->s, operands ? argv[0] : PORT_DEFAULT, &p->port) ? -1 : XL_EXIT_USAGE;
	}
	if (operands < 1 || operands > 2)
		return xl_cli_usage(p->s.command, "give MAC, and PORT if it is not " PORT_DEFAULT);
	return xl_session_address(&p->s, argv[0], operands > 1 ? argv[1] : PORT_DEFAULT, &p->to) ? -1 : XL_EXIT_USAGE;
}

static uint64_t now_ns(void)
{
	return (uint64_t)(xl_session_clock() * 1e9);
}

/* 0, or a negative errno. */
static int send_one(struct ping *p)
{
	struct stamp stamp = { p->sent, now_ns() };
	size_t off = 0;

	memcpy(p->out, &stamp, sizeof stamp);
	while (off < p->bytes) {
		int64_t n = xlane_send(p->c, p->out + off, p->bytes - off, PIECE_MS);

		/* a stream that has taken a part must take the rest */
		if (n < 0 && !(off && (n == -EAGAIN || n == -EINTR) && !xl_session_stop))
			return (int)n;
		off += n > 0 ? (size_t)n : 0;
	}
	p->sent++;
	return 0;
}

/* The answer into p->in. Its size; -EAGAIN, -EINTR or another error. */
static int64_t receive(struct ping *p, int timeout_ms)
{
	int64_t n = xlane_recv(p->c, p->in + p->in_bytes, p->bytes - p->in_bytes, timeout_ms);

	if (p->type != XLANE_STREAM || n < 0)
		return n == -ENODATA ? -ECONNRESET : n;
	if (!n)
		return -ECONNRESET;
	p->in_bytes += (size_t)n;
	if (p->in_bytes < p->bytes)
		return -EAGAIN;
	p->in_bytes = 0;
	return (int64_t)p->bytes;
}

/* Wait for an answer up to timeout_ms. 1: there was one, 0: none, or a negative errno. */
static int take_one(struct ping *p, int timeout_ms)
{
	const bool ordered = p->type == XLANE_MESSAGE || p->type == XLANE_STREAM;
	int64_t n = receive(p, timeout_ms);
	struct stamp stamp;
	uint64_t ns;

	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	memcpy(&stamp, p->in, sizeof stamp);
	/* the answer must be a message that was sent, where they come in order the one that is due, whole and unchanged */
	memcpy(p->out, &stamp, sizeof stamp);
	if ((uint64_t)n != p->bytes || memcmp(p->in, p->out, p->bytes) ||
	    (ordered ? stamp.number != p->answered : stamp.number >= p->sent) || p->answered == p->sent)
		return -EBADMSG;
	ns = now_ns() - stamp.ns;
	p->answered++;
	if (!p->json)
		printf("%llu bytes from %s: seq=%llu time=%.1f us\n", p->bytes, p->to_text,
		       (unsigned long long)stamp.number, (double)ns / 1e3);
	return xl_samples_add(&p->rtt, ns) < 0 ? -ENOMEM : 1;
}

static int piece(double seconds)
{
	const double ms = seconds * 1e3;

	return ms <= 0 ? 0 : ms > PIECE_MS ? PIECE_MS : (int)ms + 1;
}

/* Until the count, a signal, or an error. */
static int exchange(struct ping *p)
{
	const double interval = p->interval_ms / 1e3;
	double next = xl_session_clock(), last = next;
	int got = 0;

	while (!xl_session_stop && got >= 0) {
		double now = xl_session_clock();
		bool more = !p->count || p->sent < p->count;

		if (!more && (p->answered == p->sent || now - last > LAST_ANSWER_SECONDS))
			break;
		/* a lost datagram is not waited for for ever */
		if (p->type == XLANE_DATAGRAM && now - last > LAST_ANSWER_SECONDS)
			p->given_up = p->sent - p->answered;
		if (more && now >= next && (p->interval_ms || p->answered + p->given_up >= p->sent)) {
			got = send_one(p);
			if (got == -EAGAIN || got == -EINTR)
				got = 0;
			else if (got < 0)
				break;
			last = now;
			/* the rate is kept, but what was missed is not made up for */
			next = (next + interval > now ? next : now) + interval;
			continue;
		}
		got = take_one(p, more && p->interval_ms ? piece(next - now) : PIECE_MS);
		if (!p->json && got == 1 && p->interval_ms)
			fflush(stdout);
	}
	return got < 0 ? got : 0;
}

static double loss_percent(const struct ping *p)
{
	return p->sent ? 100.0 * (double)(p->sent - p->answered) / (double)p->sent : 0.0;
}

static void print_summary(struct ping *p)
{
	double p50 = (double)xl_samples_percentile(&p->rtt, 50), p99 = (double)xl_samples_percentile(&p->rtt, 99);

	printf("--- %s: %llu sent, %llu answered, %.1f%% not answered\n", p->to_text, p->sent, p->answered,
	       loss_percent(p));
	if (p->answered)
		printf("round trip min/avg/p50/p99/max = %.1f/%.1f/%.1f/%.1f/%.1f us\n", (double)p->rtt.low / 1e3,
		       (double)xl_samples_mean(&p->rtt) / 1e3, p50 / 1e3, p99 / 1e3, (double)p->rtt.high / 1e3);
}

static void print_json(struct ping *p)
{
	struct xlane_conn_stats stats = { .size = sizeof stats };
	struct xl_report r;

	xlane_conn_stats(p->c, &stats);
	xl_report_open(&r, "-");
	xl_report_text(&r, "peer", p->to_text);
	xl_report_number(&r, "bytes", p->bytes);
	xl_report_number(&r, "sent", p->sent);
	xl_report_number(&r, "answered", p->answered);
	xl_report_real(&r, "loss_percent", loss_percent(p));
	xl_report_rtt(&r, &p->rtt);
	xl_report_number(&r, "retransmitted", stats.packets_retransmitted);
	xl_report_context(&r, p->s.x);
	xl_report_close(&r);
}

/* Tell what went wrong, and let go of the connection. */
static void finish(struct ping *p, int err, bool ok)
{
	if (err)
		xl_cli_error(p->s.command, "%s",
			     err == -EBADMSG ? "an answer is not what was sent" : xlane_strerror(err));
	if (ok)
		xlane_conn_close(p->c, CLOSE_TIMEOUT_MS);
	else
		xlane_conn_abort(p->c);
}

/* One message after the other. */
static int run_single(struct ping *p)
{
	int err;
	bool ok;

	p->out = malloc(p->bytes);
	p->in = malloc(p->bytes);
	if (p->out && p->in) {
		for (size_t i = 0; i < p->bytes; i++)
			p->out[i] = (char)i;
		err = exchange(p);
	} else {
		err = -ENOMEM;
	}
	if (p->json)
		print_json(p);
	else
		print_summary(p);
	ok = !err && p->answered && (p->answered == p->sent || p->type == XLANE_DATAGRAM);
	finish(p, err, ok);
	return ok ? XL_EXIT_OK : XL_EXIT_FAILURE;
}

static int run_many(struct ping *p)
{
	const struct xl_mix *mix = &p->volley.mix;
	struct xl_volley_figures f;
	int err;
	bool ok;

	if (!p->volley.window)
		p->volley.window = WINDOW_DEFAULT;
	err = xl_volley_run(&p->s, p->c, &p->volley, &f);
	if (p->json)
		xl_volley_json(&p->s, p->c, p->to_text, &f);
	else
		xl_volley_print(p->to_text, &f);
	ok = !err && !f.corrupted && f.answered && f.answered + f.lost == xl_mix_total(mix);
	if (!err && f.corrupted)
		err = -EBADMSG;
	finish(p, err, ok);
	xl_samples_free(&f.rtt);
	return ok ? XL_EXIT_OK : XL_EXIT_FAILURE;
}

static int run_client(struct ping *p)
{
	int err = xlane_connect(p->s.x, &p->to, p->type, CONNECT_TIMEOUT_MS, &p->c);

	xlane_address_text(&p->to, p->to_text);
	if (err) {
		xl_cli_error(p->s.command, "can not connect to %s: %s", p->to_text,
			     err == -EPROTOTYPE ? "the port there is of another type; give the same --type on both sides" :
			     xl_session_connect_error(err, "no answer; does `xlane ping -l` run there?"));
		return XL_EXIT_FAILURE;
	}
	return p->many ? run_many(p) : run_single(p);
}

static int run_ping(int argc, char **argv)
{
	struct ping p = { .bytes = BYTES_DEFAULT, .interval_ms = INTERVAL_MS_DEFAULT, .type = XLANE_MESSAGE,
			  .volley.progress = isatty(STDERR_FILENO) };
	int status;

	xl_session_init(&p.s, &xl_command_ping);
	status = parse(&p, argc, argv);
	if (status >= 0)
		return status;
	status = XL_EXIT_FAILURE;
	if (xl_session_open(&p.s)) {
		status = p.listen ? xl_echo_run(&p.s, p.port, p.type) : run_client(&p);
		xl_session_close(&p.s, LINGER_MS);
	}
	free(p.out);
	free(p.in);
	xl_samples_free(&p.rtt);
	return status;
}

const struct xl_command xl_command_ping = {
	.name = "ping",
	.args = "-l -i IFACE|-d [options] [PORT] | -i IFACE|-d [options] MAC [PORT]",
	.summary = "Send messages to a program that answers (xlane ping -l), and show the round trips.",
	.run = run_ping,
};
