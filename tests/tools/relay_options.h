/* SPDX-License-Identifier: BSD-2-Clause */
/* relay_options.h - the relay's command line. */
#ifndef RELAY_OPTIONS_H
#define RELAY_OPTIONS_H

#include "relay_direction.h"

struct relay_options {
	const char *interface[2];
	struct relay_direction_config direction[2];   /* 0: first interface to second */
	u64 seed;
	const char *json;      /* NULL: none */
	const char *ready;     /* NULL: none */
	bool quiet;
};

/* 0: run. 1: -h was given, and answered. -EINVAL: one line about it is on stderr. */
int relay_options_parse(struct relay_options *o, int argc, char **argv);
/* "X" or "X,Y" (one value for both directions, or one each): a decimal number with an optional suffix of `suffixes`, a
 * string of letters that stand for factors of 1000, times `unit`, rounded. False: it is none, negative, or more than max. */
bool relay_options_pair(const char *text, const char *suffixes, double unit, u64 max, u64 out[2]);

#endif
