// SPDX-License-Identifier: BSD-2-Clause
/* session.c - options, opening and stopping of the subcommands that open a context. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session.h"

#define SECONDS_MAX 86400.0
#define LEVEL_INFO 6

volatile sig_atomic_t xl_session_stop;

static void on_signal(int number)
{
	xl_session_stop = number;
}

static void log_line(int level, const char *line, void *arg)
{
	const struct xl_session *s = arg;

	if (level < LEVEL_INFO || s->verbose)
		fprintf(stderr, "xlane %s: %s\n", s->command->name, line);
}

void xl_session_init(struct xl_session *s, const struct xl_command *c)
{
	memset(s, 0, sizeof *s);
	s->command = c;
	xlane_config_init(&s->config);
	s->config.log = log_line;
	s->config.log_arg = s;
}

/* The index of `text` in a list of names that ends with NULL, or -1. */
static int choice(const char *text, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(text, names[i]))
			return i;
	return -1;
}

/* "5", "q5", "ad100": 0x1000 marks 802.1ad. Two tags without a kind are 802.1ad outside, 802.1Q inside. */
static bool parse_tag(char *text, bool outer_of_two, uint16_t *out)
{
	unsigned long long id;
	bool ad = outer_of_two;

	if (!strncmp(text, "ad", 2)) {
		ad = true;
		text += 2;
	} else if (*text == 'q') {
		ad = false;
		text++;
	}
	if (!xl_cli_number(text, 1, 4094, &id))
		return false;
	*out = (uint16_t)(id | (ad ? 0x1000 : 0));
	return true;
}

static bool parse_vlan(const char *text, uint16_t vlan[2])
{
	char copy[32];
	char *comma;

	if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy)
		return false;
	comma = strchr(copy, ',');
	if (comma)
		*comma++ = 0;
	return parse_tag(copy, comma != NULL, &vlan[0]) && (!comma || parse_tag(comma, false, &vlan[1]));
}

static bool take_number(const char *name, struct xlane_config *c)
{
	static const struct { const char *name; unsigned long long low, high; } numbers[] = {
		{ "mtu", 256, 9216 }, { "queues", 1, 64 }, { "frames", 256, 65536 }, { "seed", 1, UINT64_MAX },
	};
	unsigned long long v;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		if (strcmp(name, numbers[i].name))
			continue;
		if (!xl_cli_number(optarg, numbers[i].low, numbers[i].high, &v))
			return false;
		switch (name[0]) {
		case 'm': c->mtu = (uint32_t)v; break;
		case 'q': c->queues = (uint32_t)v; break;
		case 'f': c->frames = (uint32_t)v; break;
		default: c->seed = v; break;
		}
		return true;
	}
	return false;
}

static bool take_choice(const char *name, struct xlane_config *c)
{
	static const char *const drivers[] = { "auto", "af_xdp", "af_packet", NULL };
	static const char *const waits[] = { "adaptive", "spin", "sleep", NULL };
	const bool driver = !strcmp(name, "driver");
	int i = choice(optarg, driver ? drivers : waits);

	if (i < 0)
		return false;
	if (driver)
		c->driver = (enum xlane_driver)i;
	else
		c->wait = (enum xlane_wait)i;
	return true;
}

int xl_session_option(struct xl_session *s, const struct xl_option *options, int got)
{
	/* what a worker is set to when it is made */
	static const char *const embedded[] = {
		"driver", "vlan", "mtu", "queues", "frames", "pcap", "fault", "no-crc",
	};
	const char *name = xl_cli_option_name(options, got);
	struct xlane_config *c = &s->config;
	bool ok = true;

	for (size_t i = 0; i < sizeof embedded / sizeof *embedded; i++)
		if (!strcmp(name, embedded[i]))
			s->own = embedded[i];
	if (!strcmp(name, "interface"))
		c->interface = optarg;
	else if (!strcmp(name, "daemon"))
		c->daemon = 1;
	else if (!strcmp(name, "socket"))
		c->daemon = 1, c->socket = optarg;
	else if (!strcmp(name, "pcap"))
		c->pcap = optarg;
	else if (!strcmp(name, "fault"))
		c->fault = optarg;
	else if (!strcmp(name, "no-crc"))
		c->no_crc = 1;
	else if (!strcmp(name, "verbose"))
		s->verbose = true;
	else if (!strcmp(name, "vlan"))
		ok = parse_vlan(optarg, c->vlan);
	else if (!strcmp(name, "driver") || !strcmp(name, "wait"))
		ok = take_choice(name, c);
	else if (!strcmp(name, "mtu") || !strcmp(name, "queues") || !strcmp(name, "frames") || !strcmp(name, "seed"))
		ok = take_number(name, c);
	else
		return 0;
	if (!ok)
		xl_cli_usage(s->command, "bad value '%s' of --%s", optarg, name);
	return ok ? 1 : -1;
}

bool xl_session_check(const struct xl_session *s)
{
	if (!s->config.interface && !s->config.daemon) {
		xl_cli_usage(s->command, "no interface given: use -i IFACE, or -d to go through xlaned");
		return false;
	}
	if (s->config.daemon && s->own) {
		xl_cli_usage(s->command, "with -d, --%s is set in xlaned's configuration; leave it out", s->own);
		return false;
	}
	return true;
}

bool xl_session_open(struct xl_session *s)
{
	struct sigaction stop = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

	if (!xl_session_check(s))
		return false;
	if (xlane_open(&s->config, &s->x) < 0) {
		xl_cli_error(s->command, "%s", xlane_last_error());
		return false;
	}
	/* without SA_RESTART: a signal ends a wait */
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	if (s->verbose)
		fprintf(stderr, "xlane %s: %s: %s, MTU %u\n", s->command->name,
			s->config.interface ? s->config.interface : "xlaned's first interface",
			xlane_driver_text(s->x), xlane_mtu(s->x));
	return true;
}

void xl_session_close(struct xl_session *s, int linger_ms)
{
	xlane_close(s->x, linger_ms);
	s->x = NULL;
}

bool xl_session_port(const struct xl_session *s, const char *text, uint16_t *out)
{
	unsigned long long v;

	if (!xl_cli_number(text, 1, 65535, &v)) {
		xl_cli_usage(s->command, "bad port '%s': a number in 1..65535", text);
		return false;
	}
	*out = (uint16_t)v;
	return true;
}

bool xl_session_address(const struct xl_session *s, const char *host, const char *port, struct xlane_address *out)
{
	memset(out, 0, sizeof *out);
	if (xlane_address_parse(host, out)) {
		xl_cli_usage(s->command, "bad address '%s': a MAC such as 02:00:00:00:00:01, or a name of /etc/ethers",
			     host);
		return false;
	}
	return xl_session_port(s, port, &out->port);
}

const char *xl_session_connect_error(int err, const char *no_answer)
{
	switch (err) {
	case -ETIMEDOUT:
	case -EHOSTDOWN:
		return no_answer;
	case -ECONNREFUSED:
		return "nobody listens on that port there";
	case -EINVAL:
		return "that is this interface itself; name the MAC of the other end";
	default:
		return xlane_strerror(err);
	}
}

const char *xl_session_listen_error(int err, uint16_t port)
{
	static char text[160];
	const char *what = xlane_strerror(err);

	switch (err) {
	case -EADDRINUSE:
		what = "another program listens there already; choose another port";
		break;
	case -EACCES:
		what = "it is one of the ports that the daemon keeps for root; choose a higher one";
		break;
	case -EDQUOT:
		what = "the daemon gives this user no more ports; close a listener, or raise the limit in its configuration";
		break;
	}
	snprintf(text, sizeof text, "can not listen on port %u: %s", port, what);
	return text;
}

bool xl_session_seconds(const char *text, int *out_ms)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !isfinite(v) || v < 0 || v > SECONDS_MAX)
		return false;
	*out_ms = (int)(v * 1000 + 0.5);
	return true;
}

double xl_session_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
