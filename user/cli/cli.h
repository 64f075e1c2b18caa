/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli.h - what the subcommands of `xlane` share: the table entry, usage and error lines, option parsing.
 *
 * A subcommand is one file that exports one `const struct xl_command`; main.c lists them. Its run function gets
 * argv[0] = its own name and returns an exit status. Results go to stdout; an error is one line on stderr:
 * `xlane NAME: what is wrong; what to do`.
 */
#ifndef XL_CLI_H
#define XL_CLI_H

#include <stdbool.h>
#include <stddef.h>

enum { XL_EXIT_OK = 0, XL_EXIT_FAILURE = 1, XL_EXIT_USAGE = 2 };

/* An option as getopt_long takes it and as -h prints it. */
struct xl_option {
	char letter;         /* 'm'; 0: it has only a long name, and xl_cli_option returns XL_OPTION_LONG + its index */
	const char *name;    /* "mode"; NULL: it has only a letter */
	const char *arg;     /* "MODE": it takes an argument, named so in -h; NULL: none */
	const char *help;    /* one line */
};

#define XL_OPTIONS_MAX 32    /* options of one subcommand, -h not counted */
#define XL_OPTION_LONG 256
#define XL_OPTION_HELP (-2)  /* -h was given and the usage printed: return XL_EXIT_OK */
#define XL_OPTION_END (-1)
#define XL_OPTION_BAD (-3)   /* unknown option or missing argument, reported: return XL_EXIT_USAGE */

struct xl_command {
	const char *name;    /* "attach" */
	const char *args;    /* "[options] IFACE" */
	const char *summary; /* one line */
	int (*run)(int argc, char **argv);
};

/* Step through the options of argv as getopt_long does (optarg, optind). `options` ends with an entry that has neither
 * letter nor name; -h and --help are added. Returns an option's letter, XL_OPTION_LONG + its index in `options` when it
 * has no letter, or one of the values above. Options may stand behind operands. One argument vector at a time. */
int xl_cli_option(const struct xl_command *c, const struct xl_option *options, int argc, char **argv);
/* The long name of an option that xl_cli_option returned; "" when it has none. */
const char *xl_cli_option_name(const struct xl_option *options, int got);
/* "usage: xlane NAME ARGS", the summary and the option table, on stdout. */
void xl_cli_help(const struct xl_command *c, const struct xl_option *options);
/* `xlane NAME: ` and the formatted line on stderr. */
__attribute__((format(printf, 2, 3))) void xl_cli_error(const struct xl_command *c, const char *format, ...);
/* As xl_cli_error, with `; try 'xlane NAME -h'` behind it. Returns XL_EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int xl_cli_usage(const struct xl_command *c, const char *format, ...);
/* A whole number in [low, high], decimal or 0x hexadecimal, nothing behind it. False: `out` is untouched. */
bool xl_cli_number(const char *text, unsigned long long low, unsigned long long high, unsigned long long *out);

extern const struct xl_command xl_command_attach;
extern const struct xl_command xl_command_detach;
extern const struct xl_command xl_command_status;
extern const struct xl_command xl_command_cat;
extern const struct xl_command xl_command_ping;
extern const struct xl_command xl_command_stats;
extern const struct xl_command xl_command_workers;
extern const struct xl_command xl_command_peers;
extern const struct xl_command xl_command_conns;
extern const struct xl_command xl_command_top;

#endif
