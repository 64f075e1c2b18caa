// SPDX-License-Identifier: BSD-2-Clause
/* cli.c - option parsing, usage and error lines of the subcommands. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static bool is_end(const struct xl_option *o)
{
	return !o->letter && !o->name;
}

/* getopt's own tables for `options` and -h. */
static void build_tables(const struct xl_option *options, char *shorts, struct option *longs)
{
	*shorts++ = ':';
	for (int i = 0; i < XL_OPTIONS_MAX && !is_end(&options[i]); i++) {
		const struct xl_option *o = &options[i];

		if (o->letter) {
			*shorts++ = o->letter;
			if (o->arg)
				*shorts++ = ':';
		}
		if (o->name)
			*longs++ = (struct option){ .name = o->name,
						    .has_arg = o->arg ? required_argument : no_argument,
						    .val = o->letter ? o->letter : XL_OPTION_LONG + i };
	}
	strcpy(shorts, "h");
	*longs++ = (struct option){ .name = "help", .val = 'h' };
	*longs = (struct option){ 0 };
}

int xl_cli_option(const struct xl_command *c, const struct xl_option *options, int argc, char **argv)
{
	char shorts[2 * XL_OPTIONS_MAX + 3];
	struct option longs[XL_OPTIONS_MAX + 2];
	int got;

	build_tables(options, shorts, longs);
	opterr = 0;
	got = getopt_long(argc, argv, shorts, longs, NULL);
	switch (got) {
	case 'h':
		xl_cli_help(c, options);
		return XL_OPTION_HELP;
	case ':':
		xl_cli_usage(c, "option '%s' needs an argument", argv[optind - 1]);
		return XL_OPTION_BAD;
	case '?':
		if (optopt && optopt < XL_OPTION_LONG)
			xl_cli_usage(c, "unknown option '-%c'", optopt);
		else
			xl_cli_usage(c, "unknown option '%s'", argv[optind - 1]);
		return XL_OPTION_BAD;
	}
	return got;
}

const char *xl_cli_option_name(const struct xl_option *options, int got)
{
	if (got >= XL_OPTION_LONG)
		return options[got - XL_OPTION_LONG].name;
	for (int i = 0; options[i].letter || options[i].name; i++)
		if (options[i].letter == got)
			return options[i].name ? options[i].name : "";
	return "";
}

static void print_option(char letter, const char *name, const char *arg, const char *help)
{
	char left[64], short_form[4] = "  ";

	if (letter)
		snprintf(short_form, sizeof short_form, "-%c", letter);
	snprintf(left, sizeof left, "%s%c %s%s%s%s", short_form, letter && name ? ',' : ' ', name ? "--" : "",
		 name ? name : "", arg ? " " : "", arg ? arg : "");
	printf("  %-28s %s\n", left, help);
}

void xl_cli_help(const struct xl_command *c, const struct xl_option *options)
{
	printf("usage: xlane %s %s\n\n%s\n\noptions:\n", c->name, c->args, c->summary);
	for (int i = 0; i < XL_OPTIONS_MAX && !is_end(&options[i]); i++)
		print_option(options[i].letter, options[i].name, options[i].arg, options[i].help);
	print_option('h', "help", NULL, "print this");
}

static void error_line(const struct xl_command *c, const char *format, va_list args, const char *tail)
{
	char text[512];

	vsnprintf(text, sizeof text, format, args);
	fprintf(stderr, "xlane %s: %s", c->name, text);
	if (tail)
		fprintf(stderr, "; try 'xlane %s %s'", c->name, tail);
	fputc('\n', stderr);
}

void xl_cli_error(const struct xl_command *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_line(c, format, args, NULL);
	va_end(args);
}

int xl_cli_usage(const struct xl_command *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_line(c, format, args, "-h");
	va_end(args);
	return XL_EXIT_USAGE;
}

bool xl_cli_number(const char *text, unsigned long long low, unsigned long long high, unsigned long long *out)
{
	char *end;
	unsigned long long value;
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, hex ? 16 : 10);
	if (errno || end == text || *end || value < low || value > high)
		return false;
	*out = value;
	return true;
}
