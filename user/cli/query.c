// SPDX-License-Identifier: BSD-2-Clause
/* query.c - asking the daemon for figures. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel/control.h"
#include "query.h"

void xl_query_init(struct xl_query *q, const struct xl_command *c)
{
	*q = (struct xl_query){ .command = c, .interface = "", .fd = -1 };
}

bool xl_query_option(struct xl_query *q, const struct xl_option *options, int got)
{
	const char *name = xl_cli_option_name(options, got);

	if (!strcmp(name, "interface"))
		q->interface = optarg;
	else if (!strcmp(name, "socket"))
		q->socket = optarg;
	else if (!strcmp(name, "json"))
		q->json = true;
	else
		return false;
	return true;
}

int xl_query_parse(struct xl_query *q, const struct xl_option *options, int argc, char **argv)
{
	int got;

	while ((got = xl_cli_option(q->command, options, argc, argv)) != XL_OPTION_END) {
		if (got < 0)
			return got == XL_OPTION_HELP ? XL_EXIT_OK : XL_EXIT_USAGE;
		xl_query_option(q, options, got);
	}
	if (optind != argc)
		return xl_cli_usage(q->command, "it takes no operand, and '%s' is one", argv[optind]);
	return -1;
}

bool xl_query_open(struct xl_query *q)
{
	char why[XL_CONTROL_WHY_BYTES] = "";

	if (!xl_control_connect(q->socket, &q->fd, why, sizeof why))
		return true;
	q->fd = -1;
	xl_cli_error(q->command, "%s", why);
	return false;
}

char *xl_query_text(struct xl_query *q, const char *what)
{
	char why[XL_CONTROL_WHY_BYTES] = "";
	char *text = NULL;

	if (!xl_control_query(q->fd, what, q->interface, &text, why, sizeof why))
		return text;
	if (q->before_error)
		q->before_error();
	xl_cli_error(q->command, "%s", why);
	return NULL;
}

json_t *xl_query_ask(struct xl_query *q, const char *what)
{
	char *text = xl_query_text(q, what);
	json_error_t error;
	json_t *value;

	if (!text)
		return NULL;
	value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	free(text);
	if (!value || !json_is_object(value)) {
		if (q->before_error)
			q->before_error();
		xl_cli_error(q->command, "the daemon's answer is no JSON object: %s; are xlane and xlaned of one version?",
			     value ? "another value" : error.text);
		json_decref(value);
		return NULL;
	}
	return value;
}

void xl_query_dump(const json_t *value)
{
	if (!json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER))
		putchar('\n');
}

void xl_query_close(struct xl_query *q)
{
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
}
