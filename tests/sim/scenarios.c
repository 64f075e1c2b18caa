/* SPDX-License-Identifier: BSD-2-Clause */
/* scenarios.c - the scenarios that explain the design, and the bounds that it has to keep; docs/SCENARIOS.md shows
 * them. */
#include <string.h>

#include "matrix.h"
#include "play.h"

#define GBIT SIM_NET_GBIT
#define MTU_BYTES 1500

/* --- one flow ------------------------------------------------------------------------------------ */
static void alone(struct sim_play *p)
{
	const struct sim_net_link link = { .rate_bytes_per_s = 10 * GBIT, .delay_ns = 10 * XL_US };
	struct sim_scene *s = sim_scene_new(&p->options);

	sim_net_pair(&s->net, &link);
	sim_scene_machines(s, &(struct sim_machine_sizes){ .mtu = MTU_BYTES });
	sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = 0, .to = 1, .start_ns = 1 });
	sim_scene_record(s, 20 * XL_US, XL_NONE);
	sim_scene_run(s, 100 * XL_MS);
	sim_play_figure(p, "%", sim_record_goodput(&s->record, 0, 20 * XL_MS, 100 * XL_MS) * 100 /
			(double)link.rate_bytes_per_s, 85, SIM_FREE, "goodput of the link, from 20 ms on");
	sim_play_end(p, s, true);
}

/* --- one flow in trouble -------------------------------------------------------------------------- */
static void troubled(struct sim_play *p, struct sim_trouble *t, u64 period_ns, u64 until_ns)
{
	const struct sim_net_link link = { .rate_bytes_per_s = GBIT, .delay_ns = 20 * XL_US };
	struct sim_scene *s = sim_scene_new(&p->options);

	xl_prng_seed(&t->prng, p->options.seed);
	sim_net_pair(&s->net, &link);
	sim_trouble_on(s, t);
	sim_scene_machines(s, &(struct sim_machine_sizes){ .mtu = MTU_BYTES });
	sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = 0, .to = 1, .start_ns = 1 });
	sim_scene_record(s, period_ns, XL_NONE);
	sim_scene_run(s, until_ns);
	sim_play_figure(p, "Mbit/s", sim_record_goodput(&s->record, 0, 0, until_ns) * 8 / 1e6, SIM_FREE, SIM_FREE,
			"goodput");
	sim_play_figure(p, "", (double)t->suffered, SIM_FREE, SIM_FREE, "frames lost by the network");
	sim_play_end(p, s, true);
}

static void lossy(struct sim_play *p)
{
	troubled(p, &(struct sim_trouble){ .loss_ppm = 10000 }, 200 * XL_US, 400 * XL_MS);
}

static void outage(struct sim_play *p)
{
	troubled(p, &(struct sim_trouble){ .hole_from_ns = 500 * XL_MS, .hole_to_ns = 1500 * XL_MS }, 5 * XL_MS, 3 * XL_S);
}

/* --- flows that share a bottleneck --------------------------------------------------------------- */
#define FAIR_FLOWS_MAX 10
#define FAIR_FROM_NS (5 * XL_S)
#define FAIR_TO_NS (10 * XL_S)

static void dumbbell(struct sim_scene *s, u32 pairs)
{
	const struct sim_net_link edge = { .rate_bytes_per_s = 10 * GBIT, .delay_ns = 5 * XL_US,
					   .queue_bytes = 512 << 10 };
	const struct sim_net_link middle = { .rate_bytes_per_s = GBIT, .delay_ns = 20 * XL_US,
					     .queue_bytes = 192 << 10 };

	sim_net_dumbbell(&s->net, pairs, pairs, &edge, &middle);
	sim_scene_machines(s, &(struct sim_machine_sizes){ .mtu = MTU_BYTES });
}

static u32 bottleneck(const struct sim_scene *s)
{
	return sim_net_port(&s->net, s->net.stations, s->net.stations + 1);
}

static void fair(struct sim_play *p, u32 flows)
{
	struct sim_scene *s = sim_scene_new(&p->options);
	double goodput[FAIR_FLOWS_MAX], sum = 0;

	dumbbell(s, flows);
	for (u32 i = 0; i < flows; i++)
		sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = i, .to = flows + i,
			.start_ns = 1 + i * 100 * XL_MS });
	sim_scene_record(s, 10 * XL_MS, bottleneck(s));
	sim_scene_run(s, FAIR_TO_NS);
	for (u32 i = 0; i < flows; i++) {
		goodput[i] = sim_record_goodput(&s->record, i, FAIR_FROM_NS, FAIR_TO_NS);
		sum += goodput[i];
		sim_play_figure(p, "Mbit/s", goodput[i] * 8 / 1e6, SIM_FREE, SIM_FREE,
				"goodput of flow %u, second 5 to 10", i);
	}
	sim_play_figure(p, "", sim_jain(goodput, flows), 0.95, SIM_FREE, "Jain's index, second 5 to 10");
	sim_play_figure(p, "%", sum * 100 / (double)GBIT, 85, SIM_FREE, "goodput of the bottleneck");
	sim_play_figure(p, "KiB", (double)sim_record_queue_max(&s->record, FAIR_FROM_NS, FAIR_TO_NS) / 1024, SIM_FREE,
			SIM_FREE, "queue at the bottleneck, second 5 to 10");
	sim_play_end(p, s, true);
}

static void fair_2(struct sim_play *p) { fair(p, 2); }
static void fair_10(struct sim_play *p) { fair(p, 10); }

/* The second flow comes at 50 ms and ends at 150 ms. */
static void join(struct sim_play *p)
{
	struct sim_scene *s = sim_scene_new(&p->options);
	double both[2];

	dumbbell(s, 2);
	sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = 0, .to = 2, .start_ns = 1 });
	sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = 1, .to = 3, .start_ns = 50 * XL_MS,
		.stop_ns = 150 * XL_MS });
	sim_scene_record(s, 100 * XL_US, bottleneck(s));
	sim_scene_run(s, 200 * XL_MS);
	for (u32 i = 0; i < 2; i++) {
		both[i] = sim_record_goodput(&s->record, i, 100 * XL_MS, 150 * XL_MS);
		sim_play_figure(p, "Mbit/s", both[i] * 8 / 1e6, SIM_FREE, SIM_FREE, "goodput of flow %u, 100 to 150 ms", i);
	}
	sim_play_figure(p, "", sim_jain(both, 2), SIM_FREE, SIM_FREE, "Jain's index, 100 to 150 ms");
	sim_play_figure(p, "Mbit/s", sim_record_goodput(&s->record, 0, 160 * XL_MS, 200 * XL_MS) * 8 / 1e6, SIM_FREE,
			SIM_FREE, "goodput of flow 0, once it is alone again");
	sim_play_end(p, s, true);
}

/* --- incast -------------------------------------------------------------------------------------- */
#define SENDERS 32
#define ROUNDS 100

/* Bytes on the wire of a block that comes in full packets: outer header, record and tag, link header and gap. */
static double wire_share(void)
{
	return (double)(MTU_BYTES + 14 + 24) / (MTU_BYTES - 36);
}

static void incast(struct sim_play *p)
{
	const u64 block = 128 << 10;
	const struct sim_net_link link = { .rate_bytes_per_s = 10 * GBIT, .delay_ns = 1 * XL_US, .queue_bytes = 256 << 10 };
	struct sim_scene *s = sim_scene_new(&p->options);
	double ideal_ns, total_ns = 0;

	sim_net_star(&s->net, SENDERS + 1, &link);
	sim_scene_machines(s, &(struct sim_machine_sizes){ .mtu = MTU_BYTES });
	for (u32 i = 0; i < SENDERS; i++)
		sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BLOCKS, .from = i + 1, .to = 0, .start_ns = 1,
			.bytes = block, .total = block * ROUNDS });
	sim_scene_record(s, 50 * XL_US, sim_net_port(&s->net, SENDERS + 1, 0));
	sim_scene_run(s, 5 * XL_MS);
	sim_rounds_start(s, ROUNDS, 10 * XL_US);
	sim_scene_run(s, 5 * XL_MS + 10 * XL_S);
	ideal_ns = (double)(block * SENDERS) * wire_share() / (double)link.rate_bytes_per_s * XL_S;
	for (u32 i = 0; i < s->rounds.whole.count; i++)
		total_ns += (double)s->rounds.whole.ns[i];
	sim_play_figure(p, "", s->rounds.done, ROUNDS, SIM_FREE, "rounds done");
	sim_play_figure(p, "%", (double)(block * SENDERS * s->rounds.done) / total_ns * XL_S * 100 /
			(double)link.rate_bytes_per_s, 85, SIM_FREE, "goodput of the link while blocks are on their way");
	sim_play_figure(p, "us", ideal_ns / XL_US, SIM_FREE, SIM_FREE, "ideal time of a round");
	sim_play_figure(p, "us", (double)sim_times_rank(&s->rounds.whole, 500) / XL_US, SIM_FREE, SIM_FREE, "a round, P50");
	sim_play_figure(p, "us", (double)sim_times_rank(&s->rounds.whole, 990) / XL_US, SIM_FREE, 2 * ideal_ns / XL_US,
			"a round, P99");
	sim_play_figure(p, "us", (double)sim_times_rank(&s->rounds.whole, 1000) / XL_US, SIM_FREE, SIM_FREE,
			"a round, longest");
	sim_play_figure(p, "us", (double)sim_times_rank(&s->rounds.block, 990) / XL_US, SIM_FREE, SIM_FREE, "a block, P99");
	sim_play_end(p, s, true);
}

/* --- small requests beside bulk ------------------------------------------------------------------ */
#define MIXED_NS (300 * XL_MS)

static struct sim_scene *requests(struct sim_play *p, const struct sim_net_link *link, bool bulk)
{
	struct sim_scene *s = sim_scene_new(&p->options);

	sim_net_pair(&s->net, link);
	sim_scene_machines(s, &(struct sim_machine_sizes){ .mtu = MTU_BYTES });
	sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_ASK, .from = 0, .to = 1, .start_ns = 10 * XL_MS,
		.bytes = 64, .answer_bytes = 64, .think_ns = 50 * XL_US });
	if (bulk)
		sim_flow_add(s, &(struct sim_flow_plan){ .kind = SIM_FLOW_BULK, .from = 0, .to = 1, .start_ns = 1 });
	sim_scene_record(s, 100 * XL_US, XL_NONE);
	sim_scene_run(s, MIXED_NS);
	return s;
}

static void mixed(struct sim_play *p)
{
	const struct sim_net_link link = { .rate_bytes_per_s = 10 * GBIT, .delay_ns = 2 * XL_US };
	const double frame_us = (double)(MTU_BYTES + 14 + 24) / (double)link.rate_bytes_per_s * 1e6;
	struct sim_scene *s = requests(p, &link, false);
	u64 unloaded = sim_times_rank(&s->flow[0].answers, 500), p99 = sim_times_rank(&s->flow[0].answers, 990);

	sim_play_end(p, s, false);
	sim_play_figure(p, "us", (double)unloaded / XL_US, SIM_FREE, SIM_FREE, "request without bulk, P50");
	sim_play_figure(p, "us", (double)p99 / XL_US, SIM_FREE, SIM_FREE, "request without bulk, P99");
	s = requests(p, &link, true);
	sim_play_figure(p, "us", (double)sim_times_rank(&s->flow[0].answers, 500) / XL_US, SIM_FREE, SIM_FREE,
			"request beside bulk, P50");
	sim_play_figure(p, "us", (double)sim_times_rank(&s->flow[0].answers, 990) / XL_US, SIM_FREE,
			3 * (double)unloaded / XL_US + frame_us, "request beside bulk, P99");
	sim_play_figure(p, "", s->flow[0].answers.count, 100, SIM_FREE, "requests beside bulk");
	sim_play_figure(p, "%", sim_record_goodput(&s->record, 1, 20 * XL_MS, MIXED_NS) * 100 /
			(double)link.rate_bytes_per_s, 70, SIM_FREE, "goodput of bulk, of the link");
	sim_play_end(p, s, true);
}

/* --- the list ------------------------------------------------------------------------------------ */
static const struct sim_scenario list[] = {
	{ "alone", "one bulk flow on a cable of 10 Gbit/s: start, and steady state", false, true, alone },
	{ "fair-2", "two bulk flows through one bottleneck of 1 Gbit/s", true, true, fair_2 },
	{ "fair-10", "ten bulk flows through one bottleneck of 1 Gbit/s", true, true, fair_10 },
	{ "join", "a second flow comes and goes at a bottleneck of 1 Gbit/s", false, false, join },
	{ "incast", "32 hosts send a block of 128 KiB each to one at once, over and over; queue of 256 KiB", false, true,
	  incast },
	{ "lossy", "one bulk flow on a cable of 1 Gbit/s that loses a frame in a hundred", false, false, lossy },
	{ "outage", "nothing passes from 500 ms to 1500 ms", false, false, outage },
	{ "mixed", "requests of 64 bytes beside a bulk flow between the same two hosts, 10 Gbit/s", false, true, mixed },
};

const struct sim_scenario *const sim_scenarios[] = {
	&list[0], &list[1], &list[2], &list[3], &list[4], &list[5], &list[6], &list[7], NULL
};
