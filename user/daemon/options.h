/* SPDX-License-Identifier: BSD-2-Clause */
/* options.h - the command line of xlaned: what to do, and the options that are keys of the configuration, kept for
 * config.h. */
#ifndef XL_DAEMON_OPTIONS_H
#define XL_DAEMON_OPTIONS_H

#include "../base/types.h"

#define XL_OPTIONS_MAX 512

enum xl_options_action { XL_OPTIONS_RUN, XL_OPTIONS_CHECK, XL_OPTIONS_HELP, XL_OPTIONS_VERSION };

struct xl_options {
	enum xl_options_action action;
	const char *file;                /* NULL: none */
	int argc;                        /* what is left: keys; argv[0] stays */
	char *argv[XL_OPTIONS_MAX + 1];
};

/* -EINVAL with `why`. Without --config the standard file is taken when it is there. */
int xl_options_take(int argc, char **argv, struct xl_options *out, char *why, size_t why_bytes);
/* The help text, to standard output. */
void xl_options_help(void);

#endif
