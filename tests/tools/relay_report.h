/* SPDX-License-Identifier: BSD-2-Clause */
/* relay_report.h - what the relay did, for people and as JSON. */
#ifndef RELAY_REPORT_H
#define RELAY_REPORT_H

#include <stdio.h>

#include "relay_direction.h"

/* {"seconds": S, "directions": [{"from": IF, "to": IF, COUNTER: N, ...}, {...}]}; counters as of the last update. */
void relay_report_json(FILE *out, const struct relay_direction d[2], double seconds);
/* A table of the counters that are not zero. */
void relay_report_text(FILE *out, const struct relay_direction d[2], double seconds);
/* The JSON report into a file that appears whole or not at all. Negative errno. */
int relay_report_file(const char *path, const struct relay_direction d[2], double seconds);

#endif
