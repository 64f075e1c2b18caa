// SPDX-License-Identifier: BSD-2-Clause
/* detach.c - `xlane detach`: take the demultiplexer off an interface. */
#include <getopt.h>
#include <stdio.h>

#include "cli.h"
#include "xdp/attach.h"

static const struct xl_option options[] = { { 0 } };

static int run(int argc, char **argv)
{
	struct xl_detach_result result;
	char why[512] = "";

	switch (xl_cli_option(&xl_command_detach, options, argc, argv)) {
	case XL_OPTION_HELP:
		return XL_EXIT_OK;
	case XL_OPTION_BAD:
		return XL_EXIT_USAGE;
	}
	if (argc - optind != 1)
		return xl_cli_usage(&xl_command_detach,
				    argc == optind ? "no interface named" : "more than one interface named");
	if (xl_xdp_detach(argv[optind], &result, why, sizeof why)) {
		xl_cli_error(&xl_command_detach, "%s", why);
		return XL_EXIT_FAILURE;
	}
	if (result.program_id)
		printf("%s: detached, program %u%s\n", argv[optind], result.program_id,
		       result.pin_dirs ? ", pins removed" : "");
	else
		printf("%s: no program was attached, pins removed\n", argv[optind]);
	return XL_EXIT_OK;
}

const struct xl_command xl_command_detach = {
	.name = "detach", .args = "IFACE", .run = run,
	.summary = "Take xlane's XDP program off an interface and remove the pins of its maps.",
};
