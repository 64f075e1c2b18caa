/* SPDX-License-Identifier: BSD-2-Clause */
#include "scene.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 64
#define QUIET_WITHIN_NS (30 * XL_S)     /* last packets repeated, then 10 s of linger (PROTOCOL 9) */
#define QUIET_PERIOD_NS XL_MS           /* how often a scene that is to finish looks whether all is over */

/* `arg` of a SIM_EVENT_CALL: a flow is due; of a SIM_EVENT_ACTION: a deed, or what follows. */
#define ACTION_SAMPLE UINT32_MAX
#define ACTION_LOOK (UINT32_MAX - 1)

struct sim_scene *sim_scene_new(const struct sim_scene_options *o)
{
	struct sim_scene *s = sim_alloc(sizeof *s);

	memset(s, 0, sizeof *s);
	s->options = *o;
	xl_prng_seed(&s->prng, o->seed + 0x7363656e65000000ull);
	return s;
}

void sim_scene_free(struct sim_scene *s)
{
	for (u32 i = 0; i < s->stations; i++)
		sim_machine_free(&s->station[i]);
	for (u32 i = 0; i < s->flows; i++)
		sim_times_free(&s->flow[i].answers);
	sim_times_free(&s->rounds.whole);
	sim_times_free(&s->rounds.block);
	sim_record_free(&s->record);
	sim_events_clear(&s->events);
	free(s->station);
	free(s->flow);
	free(s);
}

void sim_scene_fail(struct sim_scene *s, const char *format, ...)
{
	va_list args;

	if (sim_scene_failed(s))
		return;
	va_start(args, format);
	vsnprintf(s->failure, sizeof s->failure, format, args);
	va_end(args);
	s->failed_ns = s->now_ns;
}

static void arrive(void *arg, u32 station, const u8 *data, u32 bytes)
{
	struct sim_scene *s = arg;

	sim_machine_arrive(&s->station[station], data, bytes);
}

void sim_scene_machines(struct sim_scene *s, const struct sim_machine_sizes *sizes)
{
	s->net.events = &s->events;
	s->net.now_ns = &s->now_ns;
	s->net.arrive = arrive;
	s->net.arg = s;
	s->stations = s->net.stations;
	s->station = sim_alloc(s->stations * sizeof *s->station);
	for (u32 i = 0; i < s->stations; i++)
		sim_machine_init(&s->station[i], s, i, sizes);
	for (u32 i = 0; i < s->stations; i++)
		sim_machine_boot(&s->station[i]);
}

static void action(struct sim_scene *s, u32 number, u64 time_ns)
{
	sim_events_put(&s->events, (struct sim_event){
		.kind = SIM_EVENT_ACTION, .arg = number, .time_ns = time_ns });
}

void sim_scene_at(struct sim_scene *s, u64 time_ns, void (*act)(struct sim_scene *s, void *arg), void *arg)
{
	XL_ASSERT(s->deeds < SIM_DEEDS_MAX);
	s->deed[s->deeds] = (struct sim_scene_deed){ time_ns, act, arg };
	action(s, s->deeds++, time_ns);
}

void sim_scene_record(struct sim_scene *s, u64 period_ns, u32 port)
{
	sim_record_start(&s->record, period_ns, port, s->flows);
	action(s, ACTION_SAMPLE, s->now_ns);
}

static void sample(struct sim_scene *s)
{
	u64 queue = s->record.port == XL_NONE ? 0 : sim_net_queued(&s->net, s->record.port);
	struct sim_sample *to = sim_record_add(&s->record, s->now_ns, queue);

	for (u32 i = 0; i < s->record.flows; i++)
		sim_flow_sample(s, &s->flow[i], &to[i]);
	action(s, ACTION_SAMPLE, s->now_ns + s->record.period_ns);
}

void sim_scene_programs(struct sim_scene *s, u32 station, u64 clock_ns)
{
	struct sim_machine *h = &s->station[station];
	struct xl_event events[EVENTS];
	u32 n;

	do {
		n = xl_engine_events(h->engine, events, EVENTS);
		for (u32 i = 0; i < n && !sim_scene_failed(s); i++) {
			u64 slot = SIM_MACHINE_LISTENERS - events[i].user;

			if (slot < 2)
				sim_flow_accept(s, station, h->listener[slot], clock_ns);
			else
				sim_flow_event(s, station, events[i].user, events[i].bits, clock_ns);
		}
	} while (n == EVENTS && !sim_scene_failed(s));
}

void sim_scene_lost(struct sim_scene *s, u32 station)
{
	for (u32 i = 0; i < s->flows; i++)
		sim_flow_lost(s, &s->flow[i], station);
}

static void dispatch(struct sim_scene *s, struct sim_event *e)
{
	switch (e->kind) {
	case SIM_EVENT_HOP:
		sim_net_event(&s->net, e);
		break;
	case SIM_EVENT_RUN:
		if (e->time_ns == s->station[e->arg].run_at_ns)
			sim_machine_run(&s->station[e->arg]);
		break;
	case SIM_EVENT_CALL:
		sim_flow_due(s, e->arg);
		break;
	case SIM_EVENT_ACTION:
		if (e->arg == ACTION_SAMPLE)
			sample(s);
		else if (e->arg < s->deeds)
			s->deed[e->arg].act(s, s->deed[e->arg].arg);
		break;
	}
}

static bool over(const struct sim_scene *s)
{
	if (s->flows_left)
		return false;
	for (u32 i = 0; i < s->stations; i++)
		if (!sim_machine_quiet(&s->station[i]))
			return false;
	return true;
}

/* Up to `until_ns`, or until the next look. False: the time has come, or something failed. */
static bool step(struct sim_scene *s, u64 until_ns)
{
	struct sim_event e;

	while (!sim_scene_failed(s) && sim_events_take(&s->events, &e)) {
		if (e.time_ns > until_ns) {
			sim_events_put(&s->events, e);
			s->now_ns = until_ns;
			return false;
		}
		s->now_ns = e.time_ns;
		s->event_count++;
		if (e.kind == SIM_EVENT_ACTION && e.arg == ACTION_LOOK)
			return true;
		dispatch(s, &e);
	}
	return false;
}

bool sim_scene_run(struct sim_scene *s, u64 until_ns)
{
	step(s, until_ns);
	return !sim_scene_failed(s);
}

static void complain(struct sim_scene *s)
{
	for (u32 i = 0; i < s->flows; i++) {
		const struct sim_flow *f = &s->flow[i];

		if (f->state != SIM_FLOW_OVER) {
			sim_scene_fail(s, "%u of %u flows are not through in time: flow %u is %s, attempt %u, sent %llu "
				       "and got %llu, then %llu and %llu", s->flows_left, s->flows, i,
				       f->state == SIM_FLOW_OPEN ? "open" : "calling", f->attempt,
				       (unsigned long long)f->end[0].sent, (unsigned long long)f->end[1].got,
				       (unsigned long long)f->end[1].sent, (unsigned long long)f->end[0].got);
			return;
		}
	}
	for (u32 i = 0; i < s->stations; i++) {
		const struct sim_machine *h = &s->station[i];

		if (!sim_machine_quiet(h))
			sim_scene_fail(s, "host %u still holds %u connections, %u of %u frames are home", i,
				       h->engine ? xl_engine_conns(h->engine) : 0,
				       h->frames.census[XL_FRAME_FREE] + h->frames.census[XL_FRAME_FILL],
				       h->frames.count);
	}
}

bool sim_scene_finish(struct sim_scene *s, u64 bound_ns)
{
	u64 home_ns = bound_ns;
	bool done = false;

	while (!done) {
		action(s, ACTION_LOOK, s->now_ns + QUIET_PERIOD_NS);
		if (!step(s, s->flows_left ? bound_ns : home_ns))
			break;
		if (s->flows_left)
			home_ns = s->now_ns + QUIET_WITHIN_NS;
		done = over(s);
		for (u32 i = 0; i < s->stations && !s->flows_left && !done; i++)
			sim_machine_wake(&s->station[i], s->now_ns);    /* completions that nobody else waits for */
	}
	if (!done)
		complain(s);
	for (u32 i = 0; i < s->stations && !sim_scene_failed(s); i++) {
		const char *broken = xl_engine_check(s->station[i].engine);

		if (broken)
			sim_scene_fail(s, "host %u: the engine's invariant '%s'", i, broken);
	}
	return !sim_scene_failed(s);
}
