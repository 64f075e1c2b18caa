/* SPDX-License-Identifier: BSD-2-Clause */
/* report.h - what many seeds have shown: failures with the command that replays each, and which marks were reached. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include <stdio.h>

#include "run.h"

/* From so many seeds on a mark that was never reached fails the run. */
#define SIM_MARKS_SEEDS_MIN 2000

struct sim_report {
	u64 seeds, failed, virtual_ns, events, bytes, messages, connections;
	u64 reached[SIM_REACHED_COUNT];   /* seeds in which it was */
};

void sim_report_add(struct sim_report *r, const struct sim_result *one);
/* Seed, invariant, virtual time and the one command that replays it; each line starts with `prefix`. */
void sim_report_failure(FILE *f, const char *prefix, const struct sim_result *one);
/* Name of a mark, and why it need not be reached (NULL: it must). */
const char *sim_report_mark(u32 mark, char *text, size_t size);
const char *sim_report_exempt(u32 mark);
/* Marks that were never reached and must be. Names them on f, each with `prefix`. */
u32 sim_report_missing(FILE *f, const char *prefix, const struct sim_report *r);
/* The marks that fewest seeds reached. */
void sim_report_rarest(FILE *f, const char *prefix, const struct sim_report *r);
/* All marks, in how many seeds each was reached; then the sums. */
void sim_report_print(FILE *f, const char *prefix, const struct sim_report *r);

#endif
