/* SPDX-License-Identifier: BSD-2-Clause */
/* plot.c - a picture of a run: gnuplot is given the numbers and a few words about their form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

#define POINTS_MAX 800           /* of all curves together: a picture stays below 60 KiB */
#define CURVES_MAX 8             /* flows that are drawn */

enum column { TIME, CWND, RTT, INFLIGHT, GOODPUT, COLUMNS };

static const struct { const char *title, *unit; } panels[COLUMNS] = {
	[CWND] = { "congestion window", "KiB" }, [RTT] = { "smoothed round trip", "us" },
	[INFLIGHT] = { "in flight", "KiB" }, [GOODPUT] = { "goodput", "Mbit/s" },
};

/* A point for each `stride` samples; what is delivered is told as a rate over the stride. */
static void give_flow(FILE *f, const struct sim_record *r, u32 flow, u32 stride)
{
	fprintf(f, "$flow%u << EOD\n", flow);
	for (u32 i = stride; i < r->count; i += stride) {
		const struct sim_sample *s = sim_record_at(r, i, flow);
		u64 got = s->got_bytes - sim_record_at(r, i - stride, flow)->got_bytes;
		double span_ns = (double)(r->time_ns[i] - r->time_ns[i - stride]);

		fprintf(f, "%.6g %.5g %.5g %.5g %.5g\n", (double)r->time_ns[i] / XL_MS, (double)s->cwnd_bytes / 1024,
			(double)s->srtt_ns / XL_US, (double)s->inflight_bytes / 1024, (double)got * 8000 / span_ns);
	}
	fprintf(f, "EOD\n");
}

static void give(FILE *f, const struct sim_play *p, const char *title, const char *file)
{
	const struct sim_record *r = &p->record;
	u32 flows = xl_min(r->flows, CURVES_MAX);
	u32 stride = xl_max(r->count * flows * (COLUMNS - 1) / POINTS_MAX, 1);

	fprintf(f, "set terminal svg size 760,820 font 'sans-serif,11' background '#ffffff'\nset output '%s'\n"
		"set encoding utf8\nset tics nomirror\nset border 3\nset lmargin 10\nset rmargin 3\nunset key\n", file);
	for (u32 i = 0; i < flows; i++)
		give_flow(f, r, i, stride);
	fprintf(f, "set multiplot layout %u,1 title \"%s\" noenhanced\n", COLUMNS - 1, title);
	for (u32 c = CWND; c < COLUMNS; c++) {
		fprintf(f, "set ylabel '%s, %s'\nset yrange [0:*]\n%s\nplot ", panels[c].title, panels[c].unit,
			c + 1 < COLUMNS ? "unset xlabel" : "set xlabel 'virtual time, ms'");
		for (u32 i = 0; i < flows; i++)
			fprintf(f, "%s$flow%u using 1:%u with lines lw 1.2", i ? ", " : "", i, c + 1);
		fprintf(f, "\n");
	}
	fprintf(f, "unset multiplot\n");
}

int sim_plot(const struct sim_play *p, const char *title, const char *file)
{
	FILE *f;
	int status;

	if (system("command -v gnuplot >/dev/null 2>&1")) {
		fprintf(stderr, "xlane-sim: gnuplot is not installed (Debian: gnuplot-nox): no picture is drawn\n");
		return 2;
	}
	if (strchr(file, '\'') || p->record.count < 2) {
		fprintf(stderr, "xlane-sim: %s: %s\n", file, p->record.count < 2 ? "the scenario has no picture" :
			"a name without ' is needed");
		return 2;
	}
	f = popen("gnuplot", "w");
	if (!f) {
		perror("xlane-sim: gnuplot");
		return 2;
	}
	give(f, p, title, file);
	status = pclose(f);
	if (status)
		fprintf(stderr, "xlane-sim: gnuplot ended with status %d\n", status);
	return status ? 2 : 0;
}
