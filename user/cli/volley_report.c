// SPDX-License-Identifier: BSD-2-Clause
/* volley_report.c - the figures of a volley. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "units.h"
#include "volley.h"

static const struct { enum xlane_type type; const char *text; } types[] = {
	{ XLANE_STREAM, "stream" }, { XLANE_MESSAGE, "message" },
	{ XLANE_UNORDERED, "unordered" }, { XLANE_DATAGRAM, "datagram" },
};

enum xlane_type xl_type_parse(const char *text)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].text, text))
			return types[i].type;
	return 0;
}

const char *xl_type_text(enum xlane_type type)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].type == type)
			return types[i].text;
	return "?";
}

static double loss_percent(const struct xl_volley_figures *f)
{
	return f->sent ? 100.0 * (double)(f->sent - f->answered) / (double)f->sent : 0.0;
}

static double goodput(const struct xl_volley_figures *f)
{
	return f->seconds > 0 ? (double)f->bytes_verified * 8 / f->seconds : 0;
}

void xl_volley_print(const char *peer, struct xl_volley_figures *f)
{
	char bytes[XL_UNIT_BYTES], rate[XL_UNIT_BYTES];
	double p50 = (double)xl_samples_percentile(&f->rtt, 50), p99 = (double)xl_samples_percentile(&f->rtt, 99);

	printf("--- %s: %" PRIu64 " sent, %" PRIu64 " answered and verified, %sB, %.1f s, %sbit/s each way\n", peer, f->sent,
	       f->answered, xl_unit_bytes((double)f->bytes_verified, bytes), f->seconds, xl_unit_count(goodput(f), rate));
	printf("%" PRIu64 " lost, %" PRIu64 " reordered, %" PRIu64 " corrupted, %" PRIu64 " duplicated\n", f->lost,
	       f->reordered, f->corrupted, f->duplicated);
	if (f->answered)
		printf("round trip min/avg/p50/p99/max = %.1f/%.1f/%.1f/%.1f/%.1f us\n", (double)f->rtt.low / 1e3,
		       (double)xl_samples_mean(&f->rtt) / 1e3, p50 / 1e3, p99 / 1e3, (double)f->rtt.high / 1e3);
}

void xl_volley_json(struct xl_session *s, xlane_conn *c, const char *peer, struct xl_volley_figures *f)
{
	struct xlane_conn_stats stats = { .size = sizeof stats };
	struct xl_report r;

	xlane_conn_stats(c, &stats);
	xl_report_open(&r, "-");
	xl_report_text(&r, "peer", peer);
	xl_report_text(&r, "type", xl_type_text(xlane_conn_type(c)));
	xl_report_number(&r, "sent", f->sent);
	xl_report_number(&r, "answered", f->answered);
	xl_report_real(&r, "loss_percent", loss_percent(f));
	xl_report_number(&r, "lost", f->lost);
	xl_report_number(&r, "reordered", f->reordered);
	xl_report_number(&r, "corrupted", f->corrupted);
	xl_report_number(&r, "duplicated", f->duplicated);
	xl_report_number(&r, "bytes_sent", f->bytes_sent);
	xl_report_number(&r, "bytes_verified", f->bytes_verified);
	xl_report_real(&r, "seconds", f->seconds);
	xl_report_real(&r, "goodput", goodput(f));
	xl_report_rtt(&r, &f->rtt);
	xl_report_number(&r, "retransmitted", stats.packets_retransmitted);
	xl_report_context(&r, s->x);
	xl_report_close(&r);
}
