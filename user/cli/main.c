// SPDX-License-Identifier: BSD-2-Clause
/* main.c - `xlane COMMAND ...`: the table of subcommands. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#ifndef XL_VERSION_TEXT
#define XL_VERSION_TEXT "0.1.0"
#endif

static const struct xl_command *const commands[] = {
	&xl_command_attach, &xl_command_detach, &xl_command_status, &xl_command_cat, &xl_command_ping,
	&xl_command_stats, &xl_command_workers, &xl_command_peers, &xl_command_conns, &xl_command_top,
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void print_help(FILE *to)
{
	fputs("usage: xlane COMMAND [options]\n\n"
	      "A reliable transport directly over Ethernet, on AF_XDP and eBPF.\n\ncommands:\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n`xlane COMMAND -h` tells more. Options of xlane itself: -h, --help, --version.\n", to);
}

/* A descriptor 0, 1 or 2 that is closed would be given to the next file or socket opened, and then be read or written
 * as standard input or output. */
static bool keep_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
	return fd > 2;
}

static int run(const struct xl_command *c, int argc, char **argv)
{
	int status = c->run(argc, argv);

	/* output that did not get through is a failure: a full disk, a closed pipe */
	if (fflush(stdout) || ferror(stdout)) {
		xl_cli_error(c, "can not write to standard output");
		return status ? status : XL_EXIT_FAILURE;
	}
	return status;
}

int main(int argc, char **argv)
{
	if (!keep_standard_descriptors())
		return XL_EXIT_FAILURE;
	if (argc < 2) {
		print_help(stderr);
		return XL_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return XL_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("xlane " XL_VERSION_TEXT);
		return XL_EXIT_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return run(commands[i], argc - 1, argv + 1);
	fprintf(stderr, "xlane: unknown %s '%s'; try 'xlane -h'\n", argv[1][0] == '-' ? "option" : "command", argv[1]);
	return XL_EXIT_USAGE;
}
