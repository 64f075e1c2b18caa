// SPDX-License-Identifier: BSD-2-Clause
/* relay_options.c - parsing the relay's command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay_options.h"

#define PERCENT (RELAY_MILLION / 100.0)

/* Options with a value for each direction: where the value goes, and how it is written. */
static const struct pair_option {
	int letter;
	const char *name, *arg, *suffixes, *help;
	double unit;
	u64 max;
	size_t offset;
	bool wide;
} pairs[] = {
#define FIELD(f) offsetof(struct relay_direction_config, f), sizeof(((struct relay_direction_config *)0)->f) == sizeof(u64)
	{ 'l', "loss", "PERCENT", "", "frames lost, each by itself", PERCENT, RELAY_MILLION, FIELD(impair.loss_ppm) },
	{ 'b', "burst", "PERCENT", "", "frames that begin a burst of loss (Gilbert-Elliott)", PERCENT, RELAY_MILLION,
	  FIELD(impair.burst_enter_ppm) },
	{ 'B', "burst-frames", "N", "", "mean length of a burst (default 10)", 1, RELAY_MILLION, FIELD(impair.burst_leave_ppm) },
	{ 'd', "duplicate", "PERCENT", "", "frames sent twice", PERCENT, RELAY_MILLION, FIELD(impair.duplicate_ppm) },
	{ 'r', "reorder", "PERCENT", "", "frames held back until later ones have passed", PERCENT, RELAY_MILLION,
	  FIELD(impair.reorder_ppm) },
	{ 'R', "reorder-depth", "N", "", "a frame held back lets 1..N pass (default 8)", 1, 100000, FIELD(impair.reorder_depth_max) },
	{ 'H', "hold-ms", "MS", "", "a frame held back goes on after this long (default 10)", XL_MS, 60 * XL_S, FIELD(hold_ns) },
	{ 'c', "corrupt", "PERCENT", "", "frames with bits flipped behind the ethertype", PERCENT, RELAY_MILLION,
	  FIELD(impair.corrupt_ppm) },
	{ 'C', "corrupt-bits", "N", "", "1..N bits are flipped (default 3)", 1, 32, FIELD(impair.corrupt_bits_max) },
	{ 'D', "delay-us", "US", "", "delay", XL_US, 60 * XL_S, FIELD(link.delay_ns) },
	{ 'J', "jitter-us", "US", "", "0..US more, order kept", XL_US, 60 * XL_S, FIELD(link.jitter_ns) },
	{ 'L', "rate", "BITS", "kMG", "rate limit in bits a second", 1, 1000000000000ull, FIELD(link.rate_bps) },
	{ 'Q', "queue", "BYTES", "kMG", "queue before the rate limit (default 256k)", 1, 1ull << 32, FIELD(link.queue_bytes) },
#undef FIELD
};

static const struct option others[] = {
	{ "only-ethertype", required_argument, NULL, 'e' }, { "all", no_argument, NULL, 'a' },
	{ "seed", required_argument, NULL, 's' }, { "json", required_argument, NULL, 'j' },
	{ "ready", required_argument, NULL, 'y' }, { "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
};
#define SHORTS_OTHER "e:as:j:y:qh"

static void help(void)
{
	printf("usage: relay [options] INTERFACE INTERFACE\n\n"
	       "Forward every frame between two interfaces, impairing those of one ethertype. A value is for both\n"
	       "directions, or one for each: first to second, second to first. At SIGTERM and SIGINT it stops and reports\n"
	       "what it did; at SIGUSR1 it reports and goes on.\n\n");
	for (size_t i = 0; i < XL_ARRAY_SIZE(pairs); i++)
		printf("  -%c, --%s %s[,%s]%*s%s\n", pairs[i].letter, pairs[i].name, pairs[i].arg, pairs[i].arg,
		       (int)(24 - strlen(pairs[i].name) - 2 * strlen(pairs[i].arg)), "", pairs[i].help);
	printf("  -e, --only-ethertype TYPE    impair frames of this ethertype (default 0x88b5)\n"
	       "  -a, --all                    impair all frames\n"
	       "  -s, --seed N                 the same seed gives the same fates (default 1)\n"
	       "  -j, --json FILE              write the report there too\n"
	       "  -y, --ready FILE             write a line there (a FIFO) once frames are forwarded\n"
	       "  -q, --quiet                  no report on standard output\n"
	       "  -h, --help                   print this\n");
}

static bool one_value(const char **text, const char *suffixes, double unit, u64 max, u64 *out)
{
	const char *suffix;
	char *end;
	double value;

	if ((**text < '0' || **text > '9') && **text != '.')
		return false;
	value = strtod(*text, &end) * unit;
	if (*end && *end != ',' && (suffix = strchr(suffixes, *end))) {
		for (; suffix >= suffixes; suffix--)
			value *= 1000;
		end++;
	}
	if (!(value >= 0 && value <= (double)max))
		return false;
	*out = (u64)(value + 0.5);
	*text = end;
	return true;
}

bool relay_options_pair(const char *text, const char *suffixes, double unit, u64 max, u64 out[2])
{
	u64 value[2];

	if (!one_value(&text, suffixes, unit, max, &value[0]))
		return false;
	value[1] = value[0];
	if (*text == ',') {
		text++;
		if (!one_value(&text, suffixes, unit, max, &value[1]))
			return false;
	}
	if (*text)
		return false;
	memcpy(out, value, sizeof value);
	return true;
}

static int bad(const char *option, const char *value)
{
	fprintf(stderr, "relay: --%s does not take '%s'; try 'relay -h'\n", option, value);
	return -EINVAL;
}

static int set_pair(struct relay_options *o, const struct pair_option *p, const char *text)
{
	u64 value[2];

	if (!relay_options_pair(text, p->suffixes, p->unit, p->max, value))
		return bad(p->name, text);
	for (int i = 0; i < 2; i++) {
		char *field = (char *)&o->direction[i] + p->offset;

		if (p->wide)
			memcpy(field, &value[i], sizeof(u64));
		else
			memcpy(field, &(u32){ (u32)value[i] }, sizeof(u32));
	}
	return 0;
}

static int set_number(const char *name, const char *text, u64 max, u64 *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	return errno || end == text || *end || *text == '-' || *out > max ? bad(name, text) : 0;
}

static int set_other(struct relay_options *o, int letter, const char *text)
{
	u64 number;
	int err = 0;

	switch (letter) {
	case 'e':
		err = set_number("only-ethertype", text, 0xffff, &number);
		if (!err)
			o->direction[0].ethertype = o->direction[1].ethertype = (u32)number;
		return err;
	case 'a':
		o->direction[0].ethertype = o->direction[1].ethertype = 0;
		return 0;
	case 's':
		return set_number("seed", text, UINT64_MAX, &o->seed);
	case 'j':
		o->json = text;
		return 0;
	case 'y':
		o->ready = text;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	}
	fprintf(stderr, "relay: unknown option or missing value; try 'relay -h'\n");
	return -EINVAL;
}

static void build_tables(char *shorts, struct option *longs)
{
	strcpy(shorts, SHORTS_OTHER);
	shorts += strlen(shorts);
	for (size_t i = 0; i < XL_ARRAY_SIZE(pairs); i++) {
		*shorts++ = (char)pairs[i].letter;
		*shorts++ = ':';
		*longs++ = (struct option){ pairs[i].name, required_argument, NULL, pairs[i].letter };
	}
	*shorts = '\0';
	memcpy(longs, others, sizeof others);
	longs[XL_ARRAY_SIZE(others)] = (struct option){ 0 };
}

static int set_option(struct relay_options *o, int letter, const char *text)
{
	for (size_t i = 0; i < XL_ARRAY_SIZE(pairs); i++)
		if (pairs[i].letter == letter)
			return set_pair(o, &pairs[i], text);
	return set_other(o, letter, text);
}

/* The mean length of a burst becomes the chance to leave it. */
static int finish(struct relay_options *o)
{
	for (int i = 0; i < 2; i++) {
		struct relay_impair_config *c = &o->direction[i].impair;

		if (!c->burst_leave_ppm)
			return bad("burst-frames", "0");
		c->burst_leave_ppm = RELAY_MILLION / c->burst_leave_ppm;
	}
	return 0;
}

int relay_options_parse(struct relay_options *o, int argc, char **argv)
{
	struct relay_direction_config defaults = { .ethertype = 0x88b5, .hold_ns = 10 * XL_MS, .link.queue_bytes = 256000,
		.impair = { .burst_leave_ppm = 10, .reorder_depth_max = 8, .corrupt_bits_max = 3 } };
	struct option longs[XL_ARRAY_SIZE(pairs) + XL_ARRAY_SIZE(others) + 1];
	char shorts[2 * XL_ARRAY_SIZE(pairs) + sizeof SHORTS_OTHER];
	int letter, err;

	*o = (struct relay_options){ .direction = { defaults, defaults }, .seed = 1 };
	build_tables(shorts, longs);
	opterr = 0;
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (letter == 'h') {
			help();
			return 1;
		}
		err = set_option(o, letter, optarg);
		if (err)
			return err;
	}
	if (argc - optind != 2) {
		fprintf(stderr, "relay: two interfaces are needed; try 'relay -h'\n");
		return -EINVAL;
	}
	o->interface[0] = argv[optind];
	o->interface[1] = argv[optind + 1];
	return finish(o);
}
