// SPDX-License-Identifier: BSD-2-Clause
/* ping.c - `xlane ping`: round trips of messages between two programs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo.h"
#include "report.h"
#include "samples.h"

#define PORT_DEFAULT "7"
#define BYTES_DEFAULT 64
#define BYTES_MIN 16           /* number and time */
#define BYTES_MAX 65536
#define INTERVAL_MS_DEFAULT 1000
#define CONNECT_TIMEOUT_MS 10000
#define LAST_ANSWER_SECONDS 2.0 /* wait so long for answers after the last message was sent */
#define PIECE_MS 200
#define CLOSE_TIMEOUT_MS 3000
#define LINGER_MS 1000

struct ping {
	struct xl_session s;
	bool listen, json;
	unsigned long long count, bytes;
	int interval_ms;
	uint16_t port;
	struct xlane_address to;
	char to_text[24];
	xlane_conn *c;
	char *out, *in;
	unsigned long long sent, answered;
	struct xl_samples rtt;
};

/* What a message begins with; the answer comes back to the same program, so the host's order serves. */
struct stamp { uint64_t number, ns; };

static const struct xl_option options[] = {
	{ 'l', "listen", NULL, "be the answering side, on PORT" },
	XL_SESSION_OPTIONS,
	{ 'c', "count", "COUNT", "stop after COUNT messages (default: never)" },
	{ 'I', "interval", "S", "seconds between messages; 0: the next as soon as the answer is there (default 1)" },
	{ 's', "size", "BYTES", "size of a message, 16..65536 (default 64)" },
	{ 0, "json", NULL, "one JSON object at the end instead of lines" },
	{ 0 },
};

static int take_option(struct ping *p, const char *name)
{
	bool ok = true;

	if (!strcmp(name, "listen"))
		p->listen = true;
	else if (!strcmp(name, "json"))
		p->json = true;
	else if (!strcmp(name, "count"))
		ok = xl_cli_number(optarg, 1, UINT64_MAX, &p->count);
	else if (!strcmp(name, "size"))
		ok = xl_cli_number(optarg, BYTES_MIN, BYTES_MAX, &p->bytes);
	else if (!strcmp(name, "interval"))
		ok = xl_session_seconds(optarg, &p->interval_ms);
	return ok ? 0 : xl_cli_usage(p->s.command, "bad value '%s' of --%s", optarg, name);
}

/* -1: go on; else the exit status. */
static int parse(struct ping *p, int argc, char **argv)
{
	int got, took, operands;

	while ((got = xl_cli_option(p->s.command, options, argc, argv)) != XL_OPTION_END) {
		if (got < 0)
			return got == XL_OPTION_HELP ? XL_EXIT_OK : XL_EXIT_USAGE;
		took = xl_session_option(&p->s, options, got);
		if (took < 0 || (!took && take_option(p, xl_session_option_name(options, got))))
			return XL_EXIT_USAGE;
	}
	operands = argc - optind;
	argv += optind;
	if (!p->s.config.interface)
		return xl_cli_usage(p->s.command, "no interface given: use -i IFACE");
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
	int64_t n;

	memcpy(p->out, &stamp, sizeof stamp);
	n = xlane_send(p->c, p->out, p->bytes, PIECE_MS);
	if (n >= 0)
		p->sent++;
	return n < 0 ? (int)n : 0;
}

/* Wait for an answer up to timeout_ms. 1: there was one, 0: none, or a negative errno. */
static int take_one(struct ping *p, int timeout_ms)
{
	int64_t n = xlane_recv(p->c, p->in, p->bytes, timeout_ms);
	struct stamp stamp;
	uint64_t ns;

	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	memcpy(&stamp, p->in, sizeof stamp);
	/* the answer must be the message that is due, whole and unchanged */
	memcpy(p->out, &stamp, sizeof stamp);
	if ((uint64_t)n != p->bytes || stamp.number != p->answered || memcmp(p->in, p->out, p->bytes))
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
		if (more && now >= next && (p->interval_ms || p->answered == p->sent)) {
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
	xl_report_begin(&r, "rtt");
	xl_report_number(&r, "min_ns", p->rtt.low);
	xl_report_number(&r, "avg_ns", xl_samples_mean(&p->rtt));
	xl_report_number(&r, "p50_ns", xl_samples_percentile(&p->rtt, 50));
	xl_report_number(&r, "p90_ns", xl_samples_percentile(&p->rtt, 90));
	xl_report_number(&r, "p99_ns", xl_samples_percentile(&p->rtt, 99));
	xl_report_number(&r, "max_ns", p->rtt.high);
	xl_report_end(&r);
	xl_report_number(&r, "retransmitted", stats.packets_retransmitted);
	xl_report_context(&r, p->s.x);
	xl_report_close(&r);
}

static int run_client(struct ping *p)
{
	int err = xlane_connect(p->s.x, &p->to, XLANE_MESSAGE, CONNECT_TIMEOUT_MS, &p->c);

	xlane_address_text(&p->to, p->to_text);
	if (err) {
		xl_cli_error(p->s.command, "can not connect to %s: %s", p->to_text,
			     xl_session_connect_error(err, "no answer; does `xlane ping -l` run there?"));
		return XL_EXIT_FAILURE;
	}
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
	if (err)
		xl_cli_error(p->s.command, "%s",
			     err == -EBADMSG ? "an answer is not what was sent" : xlane_strerror(err));
	if (err || p->answered < p->sent)
		xlane_conn_abort(p->c);
	else
		xlane_conn_close(p->c, CLOSE_TIMEOUT_MS);
	return !err && p->answered && p->answered == p->sent ? XL_EXIT_OK : XL_EXIT_FAILURE;
}

static int run_ping(int argc, char **argv)
{
	struct ping p = { .bytes = BYTES_DEFAULT, .interval_ms = INTERVAL_MS_DEFAULT };
	int status;

	xl_session_init(&p.s, &xl_command_ping);
	status = parse(&p, argc, argv);
	if (status >= 0)
		return status;
	status = XL_EXIT_FAILURE;
	if (xl_session_open(&p.s)) {
		status = p.listen ? xl_echo_run(&p.s, p.port) : run_client(&p);
		xl_session_close(&p.s, LINGER_MS);
	}
	free(p.out);
	free(p.in);
	xl_samples_free(&p.rtt);
	return status;
}

const struct xl_command xl_command_ping = {
	.name = "ping",
	.args = "-l -i IFACE [options] [PORT] | -i IFACE [options] MAC [PORT]",
	.summary = "Send messages to a program that answers (xlane ping -l), and show the round trips.",
	.run = run_ping,
};
