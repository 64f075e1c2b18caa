// SPDX-License-Identifier: BSD-2-Clause
/* report.c - figures as JSON. */
#include <errno.h>
#include <string.h>

#include "report.h"

static void put_text(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20)
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

/* Comma, newline, indentation and the name. */
static void field(struct xl_report *r, const char *name)
{
	fprintf(r->file, "%s\n%*s", r->first ? "" : ",", 2 * r->depth, "");
	r->first = false;
	put_text(r->file, name);
	fputs(": ", r->file);
}

int xl_report_open(struct xl_report *r, const char *path)
{
	r->owned = strcmp(path, "-") != 0;
	r->file = r->owned ? fopen(path, "we") : stdout;
	if (!r->file)
		return -errno;
	r->depth = 1;
	r->first = true;
	fputc('{', r->file);
	return 0;
}

void xl_report_begin(struct xl_report *r, const char *name)
{
	field(r, name);
	fputc('{', r->file);
	r->depth++;
	r->first = true;
}

void xl_report_end(struct xl_report *r)
{
	r->depth--;
	if (!r->first)
		fprintf(r->file, "\n%*s", 2 * r->depth, "");
	fputc('}', r->file);
	r->first = false;
}

void xl_report_number(struct xl_report *r, const char *name, unsigned long long value)
{
	field(r, name);
	fprintf(r->file, "%llu", value);
}

void xl_report_real(struct xl_report *r, const char *name, double value)
{
	field(r, name);
	fprintf(r->file, "%.6f", value);
}

void xl_report_text(struct xl_report *r, const char *name, const char *value)
{
	field(r, name);
	put_text(r->file, value);
}

void xl_report_truth(struct xl_report *r, const char *name, bool value)
{
	field(r, name);
	fputs(value ? "true" : "false", r->file);
}

static void each_counter(const char *name, const char *text, uint64_t value, void *arg)
{
	(void)text;
	xl_report_number(arg, name, value);
}

static void each_owner(const char *owner, uint64_t frames, void *arg)
{
	xl_report_number(arg, owner, frames);
}

void xl_report_context(struct xl_report *r, xlane *x)
{
	int census;

	xl_report_text(r, "driver", xlane_driver_text(x));
	xl_report_number(r, "mtu", xlane_mtu(x));
	xl_report_begin(r, "counters");
	xlane_counters(x, each_counter, r);
	xl_report_end(r);
	xl_report_begin(r, "census");
	census = xlane_census(x, each_owner, r);
	xl_report_end(r);
	xl_report_truth(r, "census_ok", census == 0);
}

void xl_report_rtt(struct xl_report *r, struct xl_samples *s)
{
	xl_report_begin(r, "rtt");
	xl_report_number(r, "min_ns", s->low);
	xl_report_number(r, "avg_ns", xl_samples_mean(s));
	xl_report_number(r, "p50_ns", xl_samples_percentile(s, 50));
	xl_report_number(r, "p90_ns", xl_samples_percentile(s, 90));
	xl_report_number(r, "p99_ns", xl_samples_percentile(s, 99));
	xl_report_number(r, "max_ns", s->high);
	xl_report_end(r);
}

void xl_report_conn(struct xl_report *r, const struct xlane_conn_stats *s)
{
	xl_report_begin(r, "rtt");
	xl_report_number(r, "srtt_ns", s->srtt_ns);
	xl_report_number(r, "rttvar_ns", s->rttvar_ns);
	xl_report_number(r, "min_ns", s->rtt_min_ns);
	xl_report_end(r);
	xl_report_number(r, "retransmitted", s->packets_retransmitted);
	xl_report_number(r, "lost", s->packets_lost);
	xl_report_number(r, "spurious", s->packets_spurious);
	xl_report_number(r, "probe_timeouts", s->probe_timeouts);
}

int xl_report_close(struct xl_report *r)
{
	int err = 0;

	xl_report_end(r);
	fputc('\n', r->file);
	if (fflush(r->file) || ferror(r->file))
		err = errno ? -errno : -EIO;
	if (r->owned && fclose(r->file) && !err)
		err = -errno;
	return err;
}
