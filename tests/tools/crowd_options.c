// SPDX-License-Identifier: BSD-2-Clause
/* crowd_options.c - the command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"

static const char usage[] =
	"usage: crowd serve [options] PORT | crowd call [options] MAC PORT\n"
	"  -i IFACE             the interface\n"
	"  --daemon             through the daemon      --socket PATH   its socket\n"
	"  --type T             stream, message, unordered or datagram (message)\n"
	"  --mode M             block or epoll (epoll)\n"
	"  --work W             echo, oneway or hold (echo)\n"
	"  --conns N            connections (1); a server ends when so many have ended\n"
	"  --count N            messages of each connection (100)\n"
	"  --bytes N            of each stream (1048576)\n"
	"  --sizes W:LOW-HIGH,... sizes of messages with their weights (1:64-1024)\n"
	"  --plus NxBYTES       among the messages, so many of that size\n"
	"  --depth N            echo: messages or 64 KiB of a stream without an answer (1)\n"
	"  --loan --reserve     streams: read by loan; all: write in place\n"
	"  --slow N --slow-bytes B  server: N connections stop reading after B bytes until 'g' comes from the control\n"
	"  --control FIFO       commands: g go on, q end\n"
	"  --slots N            connections that the context has room for\n"
	"  --channel-kib N      memory of one direction of one connection\n"
	"  --seed N --json FILE --quiet S (give up after S seconds without anything; 60)\n";

enum { DAEMON = 256, SOCKET, TYPE, MODE, WORK, CONNS, COUNT, BYTES, SIZES, PLUS, DEPTH, LOAN, RESERVE, SLOW, SLOW_BYTES,
       CONTROL, SLOTS, CHANNEL, SEED, JSON, QUIET };

static const struct option options[] = {
	{ "daemon", 0, NULL, DAEMON }, { "socket", 1, NULL, SOCKET }, { "type", 1, NULL, TYPE },
	{ "mode", 1, NULL, MODE }, { "work", 1, NULL, WORK }, { "conns", 1, NULL, CONNS }, { "count", 1, NULL, COUNT },
	{ "bytes", 1, NULL, BYTES }, { "sizes", 1, NULL, SIZES }, { "plus", 1, NULL, PLUS },
	{ "depth", 1, NULL, DEPTH },
	{ "loan", 0, NULL, LOAN }, { "reserve", 0, NULL, RESERVE }, { "slow", 1, NULL, SLOW },
	{ "slow-bytes", 1, NULL, SLOW_BYTES }, { "control", 1, NULL, CONTROL }, { "slots", 1, NULL, SLOTS },
	{ "channel-kib", 1, NULL, CHANNEL }, { "seed", 1, NULL, SEED }, { "json", 1, NULL, JSON },
	{ "quiet", 1, NULL, QUIET }, { 0 },
};

static bool number(const char *text, uint64_t low, uint64_t high, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *out >= low && *out <= high;
}

static bool choice(const char *text, const char *const *names, int *out)
{
	for (int i = 0; names[i]; i++) {
		if (strcmp(text, names[i]))
			continue;
		*out = i;
		return true;
	}
	return false;
}

static bool sizes(struct crowd_options *o, const char *text)
{
	const size_t head = sizeof(struct crowd_head);
	int used;

	o->nranges = 0;
	do {
		struct crowd_range *r = &o->ranges[o->nranges];
		unsigned long long low, high;

		if (o->nranges++ == CROWD_RANGES_MAX ||
		    sscanf(text, "%u:%llu-%llu%n", &r->weight, &low, &high, &used) != 3)
			return false;
		if (!r->weight || low < head || high < low || high > XLANE_MESSAGE_MAX_BYTES)
			return false;
		r->low = low;
		r->high = high;
		text += used;
	} while (*text++ == ',');
	return !text[-1];
}

static bool take_word(struct crowd_options *o, int option)
{
	static const char *const types[] = { "", "stream", "message", "unordered", "datagram", NULL };
	static const char *const modes[] = { "block", "epoll", NULL };
	static const char *const works[] = { "echo", "oneway", "hold", NULL };
	unsigned long long n, bytes;
	int v = 0, used = 0;
	bool ok;

	switch (option) {
	case TYPE: ok = choice(optarg, types, &v); o->type = (enum xlane_type)v; return ok && v;
	case MODE: ok = choice(optarg, modes, &v); o->epoll = v == 1; return ok;
	case WORK: ok = choice(optarg, works, &v); o->work = (enum crowd_work)v; return ok;
	case SIZES: return sizes(o, optarg);
	case PLUS:
		ok = sscanf(optarg, "%llux%llu%n", &n, &bytes, &used) == 2 && !optarg[used];
		o->plus_count = n;
		o->plus_bytes = bytes;
		return ok && bytes >= sizeof(struct crowd_head) && bytes <= XLANE_MESSAGE_MAX_BYTES;
	default: return false;
	}
}

static bool take_number(struct crowd_options *o, int option)
{
	uint64_t v;

	if (!number(optarg, option == SEED || option == QUIET ? 0 : 1, option == SEED ? UINT64_MAX : 1ull << 40, &v))
		return false;
	switch (option) {
	case CONNS: o->conns = (unsigned)v; return v <= CROWD_CONNS_MAX;
	case COUNT: o->count = v; return true;
	case BYTES: o->bytes = v; return v > sizeof(struct crowd_head);
	case DEPTH: o->depth = v; return true;
	case SLOW: o->slow = (unsigned)v; return v <= CROWD_CONNS_MAX;
	case SLOW_BYTES: o->slow_bytes = v; return true;
	case SLOTS: o->config.conns = (uint32_t)v; return v <= UINT32_MAX;
	case CHANNEL: o->config.channel_kib = (uint32_t)v; return v <= UINT32_MAX;
	case SEED: o->seed = v; return true;
	default: o->quiet_s = (int)v; return v < 100000;
	}
}

static bool take(struct crowd_options *o, int option)
{
	switch (option) {
	case 'i': o->config.interface = optarg; return true;
	case DAEMON: o->config.daemon = 1; return true;
	case SOCKET: o->config.socket = optarg; return true;
	case LOAN: o->loan = true; return true;
	case RESERVE: o->reserve = true; return true;
	case CONTROL: o->control = optarg; return true;
	case JSON: o->json = optarg; return true;
	case TYPE: case MODE: case WORK: case SIZES: case PLUS: return take_word(o, option);
	default: return option != '?' && take_number(o, option);
	}
}

static bool refuse(const char *what)
{
	fprintf(stderr, "crowd: %s\n%s", what, usage);
	return false;
}

bool crowd_options_parse(struct crowd_options *o, int argc, char **argv)
{
	uint64_t port;
	int got;

	*o = (struct crowd_options){ .epoll = true, .type = XLANE_MESSAGE, .conns = 1, .count = 100, .bytes = 1048576,
				     .ranges = { { 1, 64, 1024 } }, .nranges = 1, .depth = 1, .quiet_s = 60 };
	xlane_config_init(&o->config);
	if (argc < 2 || (strcmp(argv[1], "serve") && strcmp(argv[1], "call")))
		return refuse("say serve or call");
	o->serve = !strcmp(argv[1], "serve");
	argc--, argv++;
	while ((got = getopt_long(argc, argv, "i:", options, NULL)) != -1)
		if (!take(o, got))
			return refuse(got == '?' ? "an unknown option" : "a bad value");
	if (argc - optind != (o->serve ? 1 : 2) || !number(argv[argc - 1], 1, 65535, &port))
		return refuse("wrong operands");
	o->port = (uint16_t)port;
	if (!o->serve && xlane_address_parse(argv[optind], &o->to))
		return refuse("a bad address");
	o->to.port = o->port;
	return true;
}
