// SPDX-License-Identifier: BSD-2-Clause
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../drv/why.h"
#include "config.h"
#include "keys.h"

int xl_options_take(int argc, char **argv, struct xl_options *out, char *why, size_t why_bytes)
{
	memset(out, 0, sizeof *out);
	out->argv[out->argc++] = argv[0];
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (!strcmp(a, "-h") || !strcmp(a, "--help"))
			out->action = XL_OPTIONS_HELP;
		else if (!strcmp(a, "-V") || !strcmp(a, "--version"))
			out->action = XL_OPTIONS_VERSION;
		else if (!strcmp(a, "--check"))
			out->action = XL_OPTIONS_CHECK;
		else if (!strncmp(a, "--config=", 9))
			out->file = a + 9;
		else if ((!strcmp(a, "-c") || !strcmp(a, "--config")) && i + 1 < argc)
			out->file = argv[++i];
		else if (!strcmp(a, "-c") || !strcmp(a, "--config"))
			return xl_why(-EINVAL, why, why_bytes, "%s needs a file", a);
		else if (out->argc == XL_OPTIONS_MAX)
			return xl_why(-EINVAL, why, why_bytes, "more than %d options", XL_OPTIONS_MAX);
		else
			out->argv[out->argc++] = argv[i];
	}
	if (!out->file && !access(XL_CONFIG_FILE, F_OK))
		out->file = XL_CONFIG_FILE;
	return 0;
}

static void print_keys(enum xl_key_section section)
{
	for (u32 i = 0; i < xl_keys_count; i++) {
		const struct xl_key *k = &xl_keys[i];
		char name[32], allowed[160];

		if (k->section != section)
			continue;
		snprintf(name, sizeof name, "--%s", k->name);
		for (char *p = name; *p; p++)
			*p = *p == '_' ? '-' : *p;
		xl_key_allowed(k, allowed, sizeof allowed);
		printf("  %-24s %s%s%s%s\n", name, allowed, *k->standard ? " (" : "", k->standard,
		       *k->standard ? ")" : "");
	}
}

void xl_options_help(void)
{
	puts("usage: xlaned --interface NAME [--workers N ...] [--interface NAME ...]\n"
	     "       xlaned --config FILE\n\n"
	     "Serves programs over xlane: owns interfaces, runs workers on them, lets clients attach. Stays in the\n"
	     "foreground, prints \"xlaned: ready\" when it serves. SIGHUP: read the configuration again.\n\n"
	     "  -i, --interface NAME     an interface to serve; the options of interfaces behind it are about it\n"
	     "  -c, --config FILE        read this file first (" XL_CONFIG_FILE " if it is there)\n"
	     "      --check              only check the configuration\n"
	     "  -h, --help               this text\n"
	     "  -V, --version            the version\n\n"
	     "of the daemon (and what is allowed, and the default):");
	print_keys(XL_KEY_DAEMON);
	puts("\nof an interface:");
	print_keys(XL_KEY_INTERFACE);
	puts("\nexit status: 0 ended as told, 1 could not start, or its worker process failed, 2 bad configuration");
}
