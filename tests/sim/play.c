/* SPDX-License-Identifier: BSD-2-Clause */
#include "play.h"

#include <stdarg.h>
#include <string.h>

static const char *const congestions[] = { "default", "delay", "cubic", "newreno" };

const char *sim_congestion_name(u8 congestion)
{
	return congestion < XL_ARRAY_SIZE(congestions) ? congestions[congestion] : "?";
}

u32 sim_congestion_named(const char *name)
{
	for (u32 i = 0; i < XL_ARRAY_SIZE(congestions); i++)
		if (!strcmp(congestions[i], name))
			return i;
	return XL_NONE;
}

const struct sim_scenario *sim_scenario_named(const char *name)
{
	for (u32 i = 0; sim_scenarios[i]; i++)
		if (!strcmp(sim_scenarios[i]->name, name))
			return sim_scenarios[i];
	return NULL;
}

void sim_play_figure(struct sim_play *p, const char *unit, double value, double least, double most,
		     const char *name, ...)
{
	struct sim_figure *f = &p->figure[p->figures];
	va_list args;

	XL_ASSERT(p->figures < SIM_FIGURES_MAX);
	p->figures++;
	*f = (struct sim_figure){ .value = value, .least = least, .most = most };
	snprintf(f->unit, sizeof f->unit, "%s", unit);
	va_start(args, name);
	vsnprintf(f->name, sizeof f->name, name, args);
	va_end(args);
}

void sim_play_end(struct sim_play *p, struct sim_scene *s, bool picture)
{
	u64 sent = 0, lost = 0, spurious = 0, probes = 0, dropped = 0, queue = 0;

	for (u32 i = 0; i < s->stations; i++) {
		const u64 *c = s->station[i].engine ? xl_engine_counters(s->station[i].engine) : NULL;

		if (!c)
			continue;
		sent += s->station[i].drv->counters[XL_DRV_TX_PACKETS];
		lost += c[XL_C_LOST_BY_COUNT] + c[XL_C_LOST_BY_TIME];
		spurious += c[XL_C_SPURIOUS];
		probes += c[XL_C_PTO];
	}
	for (u32 i = 0; i < s->net.ports; i++) {
		dropped += s->net.port[i].dropped;
		if (s->net.port[i].from >= s->stations)
			queue = xl_max(queue, s->net.port[i].queue_bytes_max);
	}
	if (picture) {
		sim_play_figure(p, "", (double)sent, SIM_FREE, SIM_FREE, "packets sent");
		sim_play_figure(p, "", (double)lost, SIM_FREE, SIM_FREE, "packets taken for lost");
		sim_play_figure(p, "", (double)spurious, SIM_FREE, SIM_FREE, "of them not lost after all");
		sim_play_figure(p, "", (double)probes, SIM_FREE, SIM_FREE, "probe timeouts");
		sim_play_figure(p, "", (double)dropped, SIM_FREE, SIM_FREE, "frames dropped by switches");
		if (s->net.switches)
			sim_play_figure(p, "KiB", (double)queue / 1024, SIM_FREE, SIM_FREE, "longest queue");
		sim_record_free(&p->record);
		p->record = s->record;
		s->record = (struct sim_record){ 0 };
	}
	if (sim_scene_failed(s) && !p->failure[0]) {
		memcpy(p->failure, s->failure, sizeof p->failure);
		p->failed_ns = s->failed_ns;
	}
	p->events += s->event_count;
	sim_scene_free(s);
}

void sim_play_free(struct sim_play *p)
{
	sim_record_free(&p->record);
}

static void print_bound(FILE *f, const struct sim_figure *g)
{
	if (!isnan(g->least))
		fprintf(f, "  at least %.6g%s", g->least, sim_figure_kept(g) ? "" : ": MISSED");
	if (!isnan(g->most))
		fprintf(f, "  at most %.6g%s", g->most, sim_figure_kept(g) ? "" : ": MISSED");
}

static void print_json(FILE *f, const struct sim_play *p, const struct sim_scenario *what)
{
	fprintf(f, "{\"scenario\":\"%s\",\"congestion\":\"%s\",\"seed\":%llu,\"failed\":%s,\"figures\":{", what->name,
		sim_congestion_name(p->options.congestion), (unsigned long long)p->options.seed,
		p->failure[0] ? "true" : "false");
	for (u32 i = 0; i < p->figures; i++)
		fprintf(f, "%s\"%s\":{\"value\":%.9g,\"unit\":\"%s\",\"kept\":%s}", i ? "," : "", p->figure[i].name,
			isnan(p->figure[i].value) ? -1 : p->figure[i].value, p->figure[i].unit,
			sim_figure_kept(&p->figure[i]) ? "true" : "false");
	fprintf(f, "}}\n");
}

void sim_play_print(FILE *f, const struct sim_play *p, const struct sim_scenario *what, bool json)
{
	if (json) {
		print_json(f, p, what);
		return;
	}
	fprintf(f, "%s (congestion control: %s, seed %llu): %s\n", what->name,
		sim_congestion_name(p->options.congestion), (unsigned long long)p->options.seed, what->shows);
	for (u32 i = 0; i < p->figures; i++) {
		const struct sim_figure *g = &p->figure[i];

		fprintf(f, "  %-44s %12.6g %-8s", g->name, g->value, g->unit);
		print_bound(f, g);
		fputc('\n', f);
	}
	if (p->failure[0])
		fprintf(f, "  FAILED at %.6f s: %s\n", (double)p->failed_ns / XL_S, p->failure);
}
