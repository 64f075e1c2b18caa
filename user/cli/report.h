/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - the figures of a run as JSON: an object that is written field by field.
 *
 * Names and texts are escaped. The last error of writing comes out of xl_report_close.
 */
#ifndef XL_REPORT_H
#define XL_REPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <xlane/xlane.h>

#include "samples.h"

struct xl_report {
	FILE *file;
	int depth;
	bool first;     /* no field yet in the innermost object */
	bool owned;     /* the file was opened here */
};

/* To a file by name, "-" for standard output. The outermost object is begun. 0 or -errno. */
int xl_report_open(struct xl_report *r, const char *path);
void xl_report_begin(struct xl_report *r, const char *name);
void xl_report_end(struct xl_report *r);
void xl_report_number(struct xl_report *r, const char *name, unsigned long long value);
void xl_report_real(struct xl_report *r, const char *name, double value);
void xl_report_text(struct xl_report *r, const char *name, const char *value);
void xl_report_truth(struct xl_report *r, const char *name, bool value);
/* "driver", "mtu", "counters" {}, "census" {}, "census_ok" of a context. */
void xl_report_context(struct xl_report *r, xlane *x);
/* "rtt" {min_ns, avg_ns, p50_ns, p90_ns, p99_ns, max_ns} of samples. */
void xl_report_rtt(struct xl_report *r, struct xl_samples *s);
/* "rtt" {srtt_ns, rttvar_ns, min_ns} and "retransmitted", "lost", "spurious", "probe_timeouts" of a connection. */
void xl_report_conn(struct xl_report *r, const struct xlane_conn_stats *s);
/* Ends the outermost object. 0 or -errno. */
int xl_report_close(struct xl_report *r);

#endif
