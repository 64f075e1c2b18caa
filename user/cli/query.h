/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * query.h - what the subcommands that ask the daemon share: options, asking, a clear error.
 */
#ifndef XL_QUERY_H
#define XL_QUERY_H

#include <jansson.h>

#include "cli.h"

/* Rows of an option table. */
#define XL_QUERY_OPTIONS \
	{ 'i', "interface", "IFACE", "of this interface only (default all of the daemon)" }, \
	{ 0, "socket", "PATH", "the daemon's socket (default $XLANE_SOCKET, else /run/xlane/xlaned.sock)" }, \
	{ 'j', "json", NULL, "print JSON, as xlane-json(5) tells" }

struct xl_query {
	const struct xl_command *command;
	const char *interface, *socket;
	bool json;
	int fd;              /* -1: not open */
	void (*before_error)(void);   /* called before an error is reported; NULL: nothing */
};

void xl_query_init(struct xl_query *q, const struct xl_command *c);
/* Take option `got` of the table if it is one of XL_QUERY_OPTIONS. */
bool xl_query_option(struct xl_query *q, const struct xl_option *options, int got);
/* Parse an argument vector that has no other options and no operands. -1: go on; else the exit status. */
int xl_query_parse(struct xl_query *q, const struct xl_option *options, int argc, char **argv);
/* False: reported. */
bool xl_query_open(struct xl_query *q);
/* The text as it comes, malloced; NULL: reported. */
char *xl_query_text(struct xl_query *q, const char *what);
/* Parsed; it is an object. NULL: reported. */
json_t *xl_query_ask(struct xl_query *q, const char *what);
/* Print a JSON value with a newline. */
void xl_query_dump(const json_t *value);
void xl_query_close(struct xl_query *q);

#endif
