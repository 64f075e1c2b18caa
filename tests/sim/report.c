/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <string.h>

#define ENGINE(name) XL_C_##name
#define DRV(name) (XL_ENGINE_COUNTER_COUNT + XL_DRV_##name)
#define LINK(name) (SIM_REACHED_LINK + XL_LINK_##name)

/* What two hosts on the in-memory driver can not reach. */
static const struct { u32 mark; const char *why; } exempt[] = {
	{ DRV(TX_KICKS), "the in-memory driver makes no system call" },
	{ DRV(TX_AGAIN), "the in-memory driver is never busy" },
	{ DRV(TX_BUSY), "the in-memory driver is never busy" },
	{ DRV(TX_DOWN), "the in-memory driver has no interface that goes down" },
	{ DRV(RX_BAD_DESC), "only a kernel gives bad descriptors" },
	{ DRV(RX_TOO_MANY_SEGS), "a receiver has frames for its largest MTU, and drops what is larger before it counts them" },
	{ DRV(TX_BAD_DESC), "the engine makes no bad packet" },
	{ DRV(COMP_BAD_DESC), "only a kernel gives bad completions" },
	{ DRV(FAULT_DROPPED), "the network here is link.h, not the fault wrapper" },
	{ DRV(FAULT_DUPLICATED), "the network here is link.h, not the fault wrapper" },
	{ DRV(FAULT_CORRUPTED), "the network here is link.h, not the fault wrapper" },
	{ DRV(FAULT_DELAYED), "the network here is link.h, not the fault wrapper" },
	{ DRV(RX_RING_FULL), "the fill ring of the same size runs dry first" },
	{ SIM_REACHED_MARKS + SIM_MARK_STALLED, "the in-memory driver has room whenever it is asked, and an empty pool has a deadline of its own" },
	{ LINK(TX_BAD_PATH), "the engine keeps the headroom and makes no path of its own" },
	{ ENGINE(MEMORY_STALLED), "a sender's engine goes on with a message that it has begun, or its peer dies first" },
	{ DRV(HOME_SENT), "a host has one worker" },
	{ DRV(HOME_CAME), "a host has one worker" },
	{ DRV(HOME_LOST), "a host has one worker" },
	{ DRV(HOME_WAKES), "a host has one worker" },
	{ DRV(QUEUE_HELPED), "a host has one worker" },
	{ DRV(QUEUE_TAKEN), "a host has one worker" },
	{ ENGINE(FLOW_FORGOTTEN), "a host has more frames, and so flows, than connections" },
	{ LINK(TX_REFUSED), "the in-memory driver takes what it has room for" },
};

static const char *const mark_texts[] = {
#define TEXT(name, text) text,
	SIM_MARKS(TEXT)
};

const char *sim_report_mark(u32 mark, char *text, size_t size)
{
	if (mark < XL_ENGINE_COUNTER_COUNT)
		snprintf(text, size, "engine.%-24s %s", xl_engine_counter_name(mark), xl_engine_counter_text(mark));
	else if (mark < SIM_REACHED_LINK)
		snprintf(text, size, "driver.%-24s", xl_drv_counter_name(mark - XL_ENGINE_COUNTER_COUNT));
	else if (mark < SIM_REACHED_MARKS)
		snprintf(text, size, "link.%-26s %s", xl_link_counter_name(mark - SIM_REACHED_LINK),
			 xl_link_counter_text(mark - SIM_REACHED_LINK));
	else
		snprintf(text, size, "world.%-25s %s", sim_mark_name(mark - SIM_REACHED_MARKS),
			 mark_texts[mark - SIM_REACHED_MARKS]);
	return text;
}

const char *sim_report_exempt(u32 mark)
{
	for (u32 i = 0; i < XL_ARRAY_SIZE(exempt); i++)
		if (exempt[i].mark == mark)
			return exempt[i].why;
	return NULL;
}

void sim_report_add(struct sim_report *r, const struct sim_result *one)
{
	r->seeds++;
	r->failed += sim_result_failed(one);
	r->virtual_ns += one->virtual_ns;
	r->events += one->events;
	r->bytes += one->bytes;
	r->messages += one->messages;
	r->connections += one->connections;
	for (u32 i = 0; i < SIM_REACHED_COUNT; i++)
		r->reached[i] += one->reached[i / 64] >> i % 64 & 1;
}

void sim_report_failure(FILE *f, const char *prefix, const struct sim_result *one)
{
	fprintf(f, "%sseed %llu FAILED: %s at %.6f s: %s\n%s  replay: build/xlane-sim --seed %llu --trace --pcap seed-%llu.pcap\n", prefix,
		(unsigned long long)one->seed, one->failure.invariant, (double)one->failure.time_ns / XL_S,
		one->failure.text, prefix, (unsigned long long)one->seed, (unsigned long long)one->seed);
}

u32 sim_report_missing(FILE *f, const char *prefix, const struct sim_report *r)
{
	u32 missing = 0;
	char text[256];

	for (u32 i = 0; i < SIM_REACHED_COUNT; i++) {
		if (r->reached[i] || sim_report_exempt(i))
			continue;
		fprintf(f, "%snever reached: %s\n", prefix, sim_report_mark(i, text, sizeof text));
		missing++;
	}
	return missing;
}

void sim_report_print(FILE *f, const char *prefix, const struct sim_report *r)
{
	char text[256];

	fprintf(f, "%s   seeds  mark\n", prefix);
	for (u32 i = 0; i < SIM_REACHED_COUNT; i++) {
		const char *why = sim_report_exempt(i);

		fprintf(f, "%s%8llu  %s", prefix, (unsigned long long)r->reached[i], sim_report_mark(i, text,
			sizeof text));
		if (why && !r->reached[i])
			fprintf(f, " [exempt: %s]", why);
		fputc('\n', f);
	}
	fprintf(f, "%s%llu seeds, %llu failed; %.1f h of virtual time, %llu events, %llu connection ends, "
		"%.1f MiB and %llu messages delivered and checked\n", prefix, (unsigned long long)r->seeds,
		(unsigned long long)r->failed, (double)r->virtual_ns / XL_S / 3600, (unsigned long long)r->events,
		(unsigned long long)r->connections, (double)r->bytes / 1048576, (unsigned long long)r->messages);
}

#define RAREST 12

void sim_report_rarest(FILE *f, const char *prefix, const struct sim_report *r)
{
	bool told[SIM_REACHED_COUNT] = { false };
	char text[256];

	fprintf(f, "%sthe rarest marks:\n", prefix);
	for (u32 n = 0; n < RAREST; n++) {
		u32 rarest = XL_NONE;

		for (u32 i = 0; i < SIM_REACHED_COUNT; i++)
			if (!told[i] && !sim_report_exempt(i) && (rarest == XL_NONE || r->reached[i] < r->reached[rarest]))
				rarest = i;
		told[rarest] = true;
		fprintf(f, "%s%8llu  %s\n", prefix, (unsigned long long)r->reached[rarest],
			sim_report_mark(rarest, text, sizeof text));
	}
}
