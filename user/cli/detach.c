// SPDX-License-Identifier: BSD-2-Clause
/* detach.c - `xlane detach`: take the demultiplexer off an interface. */
#include <getopt.h>
#include <stdio.h>

#include <jansson.h>

#include "cli.h"
#include "xdp/attach.h"

static const struct xl_option options[] = {
	{ 'j', "json", NULL, "print a JSON object" },
	{ 0 },
};

static void print_result(const char *ifname, const struct xl_detach_result *r, bool json)
{
	json_t *out;

	if (json) {
		out = json_pack("{s:s, s:o, s:i}", "interface", ifname, "program",
				r->program_id ? json_integer(r->program_id) : json_null(), "pin_dirs", (int)r->pin_dirs);
		if (!json_dumpf(out, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER))
			putchar('\n');
		json_decref(out);
	} else if (r->program_id) {
		printf("%s: detached, program %u%s\n", ifname, r->program_id, r->pin_dirs ? ", pins removed" : "");
	} else {
		printf("%s: no program was attached, pins removed\n", ifname);
	}
}

static int run(int argc, char **argv)
{
	struct xl_detach_result result;
	char why[512] = "";
	bool json = false;
	int option;

	while ((option = xl_cli_option(&xl_command_detach, options, argc, argv)) != XL_OPTION_END) {
		if (option != 'j')
			return option == XL_OPTION_HELP ? XL_EXIT_OK : XL_EXIT_USAGE;
		json = true;
	}
	if (argc - optind != 1)
		return xl_cli_usage(&xl_command_detach,
				    argc == optind ? "no interface named" : "more than one interface named");
	if (xl_xdp_detach(argv[optind], &result, why, sizeof why)) {
		xl_cli_error(&xl_command_detach, "%s", why);
		return XL_EXIT_FAILURE;
	}
	print_result(argv[optind], &result, json);
	return XL_EXIT_OK;
}

const struct xl_command xl_command_detach = {
	.name = "detach", .args = "[--json] IFACE", .run = run,
	.summary = "Take xlane's XDP program off an interface and remove the pins of its maps.",
};
