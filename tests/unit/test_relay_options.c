// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <getopt.h>

#include "unit.h"
#include "../tools/relay_options.h"

#define PARSE(o, ...) parse(o, (char *[]){ "relay", __VA_ARGS__, NULL })

static int parse(struct relay_options *o, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	optind = 0;
	return relay_options_parse(o, argc, argv);
}

static void defaults(void **state)
{
	struct relay_options o;

	(void)state;
	CHECK(PARSE(&o, "a", "b") == 0);
	CHECK(!strcmp(o.interface[0], "a") && !strcmp(o.interface[1], "b"));
	CHECK(o.seed == 1 && !o.json && !o.ready && !o.quiet);
	CHECK(o.direction[0].ethertype == 0x88b5 && relay_link_idle(&o.direction[0].link));
	CHECK(!o.direction[0].impair.loss_ppm && !o.direction[1].impair.reorder_ppm);
}

static void both_or_each(void **state)
{
	struct relay_options o;

	(void)state;
	CHECK(PARSE(&o, "--loss", "5", "-r", "2.5,0", "--corrupt", ".5", "-b", "0.1", "-B", "20", "a", "b") == 0);
	CHECK(o.direction[0].impair.loss_ppm == 50000 && o.direction[1].impair.loss_ppm == 50000);
	CHECK(o.direction[0].impair.reorder_ppm == 25000 && o.direction[1].impair.reorder_ppm == 0);
	CHECK(o.direction[1].impair.corrupt_ppm == 5000);
	CHECK(o.direction[0].impair.burst_enter_ppm == 1000 && o.direction[0].impair.burst_leave_ppm == 50000);
	CHECK(PARSE(&o, "-L", "10M,1G", "-Q", "64k", "-D", "100", "-J", "0.5", "-H", "3", "a", "b") == 0);
	CHECK(o.direction[0].link.rate_bps == 10000000 && o.direction[1].link.rate_bps == 1000000000);
	CHECK(o.direction[0].link.queue_bytes == 64000 && o.direction[1].link.delay_ns == 100000);
	CHECK(o.direction[0].link.jitter_ns == 500 && o.direction[0].hold_ns == 3000000);
	CHECK(PARSE(&o, "-e", "0x1234", "-s", "99", "-j", "f", "a", "b") == 0);
	CHECK(o.direction[1].ethertype == 0x1234 && o.seed == 99 && !strcmp(o.json, "f"));
	CHECK(PARSE(&o, "--all", "a", "b") == 0 && o.direction[0].ethertype == 0);
}

static void bad_values(void **state)
{
	static char *bad[][2] = {
		{ "--loss", "101" }, { "--loss", "-1" }, { "--loss", "x" }, { "--loss", "5,x" }, { "--loss", "5," }, { "--loss", "" },
		{ "--loss", "1,2,3" }, { "--loss", "nan" }, { "--loss", "5k" }, { "--rate", "1T" }, { "--rate", "1kk" },
		{ "--burst-frames", "0" }, { "--seed", "x" }, { "--seed", "-1" }, { "--only-ethertype", "65536" },
		{ "--nonsense", "1" }, { "--corrupt-bits", "33" },
	};
	struct relay_options o;

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(bad); i++)
		CHECK(PARSE(&o, bad[i][0], bad[i][1], "a", "b") == -EINVAL);
	CHECK(PARSE(&o, "a") == -EINVAL);
	CHECK(PARSE(&o, "a", "b", "c") == -EINVAL);
	CHECK(PARSE(&o, "a", "b", "--loss") == -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(both_or_each), cmocka_unit_test(bad_values),
	};

	return RUN_TAP(tests);
}
