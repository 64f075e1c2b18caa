/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/wire/ether.h"
#include "check.h"
#include "flood.h"
#include "harm.h"

#define PORT_CROSSING 2000
#define PORT_CLOSED 999

void sim_world_trace(const struct sim_world *w, const char *format, ...)
{
	va_list args;

	if (!w->options.trace)
		return;
	fprintf(stderr, "%14.3f us  ", (double)w->now_ns / 1000);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void sim_world_fail(struct sim_world *w, const char *invariant, const char *format, ...)
{
	va_list args;

	if (sim_world_failed(w))
		return;
	snprintf(w->failure.invariant, sizeof w->failure.invariant, "%s", invariant);
	va_start(args, format);
	vsnprintf(w->failure.text, sizeof w->failure.text, format, args);
	va_end(args);
	w->failure.time_ns = w->now_ns;
	sim_world_trace(w, "FAILED: %s: %s", invariant, w->failure.text);
}

void sim_world_hash(struct sim_world *w, u64 value)
{
	w->hash = (w->hash ^ value) * 0x9e3779b97f4a7c15ull;
	w->hash ^= w->hash >> 29;
}

bool sim_world_canary(const struct sim_world *w, enum sim_canary c)
{
	return w->options.canary == c && w->now_ns > w->faults.storm_ns / 16;
}

u64 sim_world_clock(const struct sim_world *w, u32 unit)
{
	s64 drift = (s64)(w->now_ns / 1000000) * w->faults.host[unit].drift_ppm;

	return w->faults.clock_start_ns + w->now_ns + w->host[unit].station->clock_offset_ns + drift;
}

/* --- what happens to hosts and network ------------------------------------------------------ */
static void act_partition(struct sim_world *w, const struct sim_action *a)
{
	struct sim_station *s = w->host[a->host].station;
	u64 until = w->now_ns + a->span_ns;

	s->cut_until_ns = xl_max(s->cut_until_ns, until);
	w->link[s->index].cut_until_ns = xl_max(w->link[s->index].cut_until_ns, until);
}

static void act_black_hole(struct sim_world *w, const struct sim_action *a)
{
	struct sim_link *l = &w->link[w->host[a->host].station->index];

	l->hole_until_ns = xl_max(l->hole_until_ns, w->now_ns + a->span_ns);
}

static void act_pause(struct sim_world *w, const struct sim_action *a)
{
	w->host[a->host].paused_until_ns = xl_max(w->host[a->host].paused_until_ns, w->now_ns + a->span_ns);
	sim_world_mark(w, SIM_MARK_PAUSED);
}

static void act_crash(struct sim_world *w, const struct sim_action *a)
{
	sim_station_crash(w->host[a->host].station, w->now_ns + a->span_ns);
}

static void act_hold(struct sim_world *w, const struct sim_action *a)
{
	w->host[a->host].held_until_ns = xl_max(w->host[a->host].held_until_ns, w->now_ns + a->span_ns);
}

static void act_starve(struct sim_world *w, const struct sim_action *a)
{
	if (w->host[a->host].engine)
		sim_host_starve(&w->host[a->host], w->now_ns + a->span_ns);
}

static void act_move(struct sim_world *w, const struct sim_action *a)
{
	if (w->host[a->host].engine)
		sim_program_move(&w->program[a->host], sim_world_clock(w, a->host));
}

static void act_clock_back(struct sim_world *w, const struct sim_action *a)
{
	if (sim_world_clock(w, a->host) < a->span_ns)
		return;
	w->host[a->host].station->clock_offset_ns -= a->span_ns;
	sim_world_mark(w, SIM_MARK_CLOCK_BACK);
}

static void act_clock_leap(struct sim_world *w, const struct sim_action *a)
{
	w->host[a->host].station->clock_offset_ns += a->span_ns;
	sim_world_mark(w, SIM_MARK_CLOCK_LEAP);
}

static void act_unlisten(struct sim_world *w, const struct sim_action *a)
{
	if (w->host[a->host].engine)
		sim_program_unlisten(&w->program[a->host], sim_world_clock(w, a->host), w->now_ns + a->span_ns);
}

static void act_flood(struct sim_world *w, const struct sim_action *a)
{
	sim_flood(w, a->host);
}

static void act_hostile(struct sim_world *w, const struct sim_action *a)
{
	if (w->host[a->host].engine)
		sim_hostile_call(&w->hostile, a->host);
}

static void act_empty(struct sim_world *w, const struct sim_action *a)
{
	if (w->host[a->host].engine)
		sim_pools_empty(&w->host[a->host], a->random % SIM_POOLS, w->now_ns + a->span_ns);
}

/* Of all workers of the station: back to what it was, to anything that it can be, or to what it can not. */
static void act_mtu(struct sim_world *w, const struct sim_action *a)
{
	const struct sim_station *s = w->host[a->host].station;
	u32 top = w->faults.host[a->host].mtu, low = XLANE_MTU_MIN + w->faults.vlan_tags * XL_VLAN_BYTES, mtu = top;

	if (a->random % 8 == 0)
		mtu = 64 + a->random % (XLANE_MTU_MIN - 64);
	else if (a->random % 3)
		mtu = low + (a->random >> 8) % (top - low + 1);
	for (u32 i = s->first; i < s->first + s->units; i++) {
		if (!w->host[i].engine)
			continue;
		if (sim_host_mtu(&w->host[i], mtu) != (mtu >= low))
			sim_world_fail(w, "api", "host %u: MTU %u, of %u to %u, was %s", i, mtu, low, top,
				       mtu >= low ? "refused" : "taken");
		sim_world_mark(w, mtu < low ? SIM_MARK_MTU_REFUSED : SIM_MARK_MTU_CHANGED);
		sim_host_wake(&w->host[i], w->now_ns);
	}
}

static void act_narrow(struct sim_world *w, const struct sim_action *a)
{
	struct sim_link *l = &w->link[w->host[a->host].station->index];
	u32 top = w->faults.host[a->host].mtu;

	l->narrow_bytes = XL_ETHER_BYTES + XLANE_VLAN_TAGS_MAX * XL_VLAN_BYTES + XLANE_MTU_MIN +
		a->random % (top - XLANE_MTU_MIN + 1);
	l->narrow_until_ns = xl_max(l->narrow_until_ns, w->now_ns + a->span_ns);
}

static void act_move_bucket(struct sim_world *w, const struct sim_action *a) { sim_moving_start(w, a); }

static void act(struct sim_world *w, const struct sim_action *a)
{
	static void (*const table[SIM_ACTION_COUNT])(struct sim_world *, const struct sim_action *) = {
		[SIM_ACTION_PARTITION] = act_partition, [SIM_ACTION_BLACK_HOLE] = act_black_hole,
		[SIM_ACTION_PAUSE] = act_pause, [SIM_ACTION_CRASH] = act_crash, [SIM_ACTION_HOLD] = act_hold,
		[SIM_ACTION_STARVE] = act_starve, [SIM_ACTION_MOVE] = act_move,
			[SIM_ACTION_CLOCK_BACK] = act_clock_back,
		[SIM_ACTION_CLOCK_LEAP] = act_clock_leap, [SIM_ACTION_UNLISTEN] = act_unlisten,
		[SIM_ACTION_FLOOD] = act_flood, [SIM_ACTION_HOSTILE] = act_hostile,
		[SIM_ACTION_EMPTY] = act_empty, [SIM_ACTION_MTU] = act_mtu,
		[SIM_ACTION_NARROW] = act_narrow, [SIM_ACTION_MOVE_BUCKET] = act_move_bucket,
	};

	sim_world_trace(w, "host %u: fault: %s for %llu us", a->host, sim_action_name(a->kind),
			(unsigned long long)(a->span_ns / 1000));
	w->host[a->host].shaken = true;
	table[a->kind](w, a);
	sim_host_wake(&w->host[a->host], w->now_ns);
}

static u32 p_station(const struct sim_world *w, u32 unit) { return w->host[unit].station->index; }

static void call(struct sim_world *w, u32 number)
{
	const struct sim_plan *plan = &w->faults.plan[number];
	const struct sim_station *to = &w->station[plan->to];
	struct sim_program *p = &w->program[plan->host];
	u16 port = SIM_PORT_FIRST + (plan->kind - XLANE_KIND_STREAM + plan->wrong_kind) % SIM_PORTS;
	u16 local = plan->reused_port ? SIM_PORT_REUSED : 0;

	for (u32 i = 0; i < w->units; i++) {
		if (!w->host[i].engine && (i == plan->host || w->host[i].station == to)) {
			u64 again = w->host[i].up_at_ns + XL_MS;   /* nobody to call from or to: once it is up */

			sim_events_put(&w->events, (struct sim_event){ .kind = SIM_EVENT_CALL, .arg = number,
				.time_ns = again });
			return;
		}
	}
	w->calls_left--;
	if (plan->crossing) {
		port = PORT_CROSSING + 2 * number;
		sim_program_call(p, number, plan->to, port, port + 1, sim_world_clock(w, plan->host));
		sim_program_call(&w->program[to->first], number, p_station(w, plan->host), port + 1, port,
				 sim_world_clock(w, to->first));
		sim_host_wake(&w->host[to->first], w->now_ns);
	} else {
		sim_program_call(p, number, plan->to, plan->closed_port ? PORT_CLOSED : port, local,
				 sim_world_clock(w, plan->host));
	}
	sim_host_wake(&w->host[plan->host], w->now_ns);
}

static void heal(struct sim_world *w)
{
	sim_world_trace(w, "the storm is over");
	w->healed = true;
	for (u32 i = 0; i < w->stations; i++) {
		w->station[i].cut_until_ns = 0;
		sim_link_heal(&w->link[i]);
	}
	for (u32 i = 0; i < w->units; i++) {
		struct sim_host *h = &w->host[i];

		if (h->engine)
			sim_pools_restore(h);
		h->paused_until_ns = h->held_until_ns = h->starved_until_ns = 0;
		h->up_at_ns = xl_min(h->up_at_ns, w->now_ns);
		sim_program_heal(&w->program[i]);
		sim_host_wake(h, w->now_ns);
	}
}

/* --- the run -------------------------------------------------------------------------------- */
static void leaves_net(void *arg, u32 station, const u8 *data, u32 bytes)
{
	sim_station_arrive(&((struct sim_world *)arg)->station[station], data, bytes);
}

static void make_net(struct sim_world *w)
{
	const struct sim_faults *f = &w->faults;

	if (f->topology == SIM_TOPOLOGY_PAIR)
		return;
	sim_net_init(&w->net, &w->events, &w->now_ns, leaves_net, w);
	if (f->topology == SIM_TOPOLOGY_STAR)
		sim_net_star(&w->net, f->stations, &f->edge);
	else
		sim_net_dumbbell(&w->net, f->stations / 2, f->stations - f->stations / 2, &f->edge, &f->middle);
}

static void start(struct sim_world *w)
{
	w->stations = w->faults.stations;
	w->units = w->faults.units;
	make_net(w);
	sim_hostile_init(&w->hostile, w);
	for (u32 i = 0; i < w->stations; i++) {
		sim_station_init(&w->station[i], w, i);
		sim_link_init(&w->link[i], w, i);
	}
	for (u32 i = 0; i < w->units; i++) {
		sim_host_init(&w->host[i], w, i);
		sim_program_start(&w->program[i], w, i);
	}
	for (u32 i = 0; i < w->units && !sim_world_failed(w); i++)
		sim_host_boot(&w->host[i]);
	w->calls_left = w->faults.plans;
	for (u32 i = 0; i < w->faults.plans; i++)
		sim_events_put(&w->events, (struct sim_event){
			.kind = SIM_EVENT_CALL, .arg = i, .time_ns = w->faults.plan[i].time_ns });
	for (u32 i = 0; i < w->faults.actions; i++)
		sim_events_put(&w->events, (struct sim_event){
			.kind = SIM_EVENT_ACTION, .arg = i, .time_ns = w->faults.action[i].time_ns });
	sim_events_put(&w->events, (struct sim_event){ .kind = SIM_EVENT_HEAL, .time_ns = w->faults.storm_ns });
}

static void dispatch(struct sim_world *w, struct sim_event *e)
{
	struct sim_host *h = &w->host[e->host];

	switch (e->kind) {
	case SIM_EVENT_ARRIVE:
		sim_station_arrive(&w->station[e->host], e->data, e->bytes);
		free(e->data);
		break;
	case SIM_EVENT_HOSTILE:
		sim_hostile_step(&w->hostile, e->arg);
		break;
	case SIM_EVENT_EDGE:
		sim_net_send(&w->net, e->host, e->data, e->bytes);
		free(e->data);
		break;
	case SIM_EVENT_HOP:
		sim_net_event(&w->net, e);
		break;
	case SIM_EVENT_RUN:
		if (e->time_ns == h->run_at_ns)
			sim_host_run(h);
		break;
	case SIM_EVENT_RELEASE:
		sim_link_release(&w->link[e->host], e->arg);
		break;
	case SIM_EVENT_ACTION:
		act(w, &w->faults.action[e->arg]);
		break;
	case SIM_EVENT_CALL:
		call(w, e->arg);
		break;
	case SIM_EVENT_HEAL:
		heal(w);
		break;
	}
}

static bool done(const struct sim_world *w)
{
	if (!w->healed || w->calls_left || w->events.arrivals)
		return false;
	for (u32 i = 0; i < w->stations; i++)
		if (w->station[i].moving.active)
			return false;
	for (u32 i = 0; i < w->units; i++)
		if (!sim_program_over(&w->program[i]) || !sim_host_quiet(&w->host[i]))
			return false;
	return true;
}

/* After the storm nobody stands still for long, until all is done. */
static void check_progress(struct sim_world *w)
{
	u64 from = xl_max(w->progress_ns, w->faults.storm_ns), bound = w->faults.progress_ns;

	if (!w->healed || w->now_ns < from || w->now_ns - from <= bound)
		return;
	for (u32 i = 0; i < w->units; i++)
		if (!sim_program_over(&w->program[i]))
			sim_world_fail(w, "progress", "nothing has happened to any program for %.3f s, and host %u has not finished",
				       (double)(w->now_ns - from) / XL_S, i);
}

/* Completions that wait for another turn, and nothing else. */
static void finish(struct sim_world *w)
{
	for (u32 i = 0; i < 8 && !sim_world_failed(w); i++) {
		w->now_ns += XL_MS;
		for (u32 k = 0; k < w->units; k++)
			sim_host_run(&w->host[k]);
	}
}

void sim_world_run(struct sim_world *w, const struct sim_world_options *o)
{
	u64 end_ns;
	struct sim_event e;

	memset(w, 0, sizeof *w);
	w->options = *o;
	xl_prng_seed(&w->prng, o->seed);
	sim_faults_draw(&w->faults, o->seed);
	start(w);
	end_ns = w->faults.storm_ns + w->faults.grace_ns;
	while (!sim_world_failed(w) && !done(w) && sim_events_take(&w->events, &e)) {
		if (e.time_ns > end_ns) {
			free(e.data);
			break;
		}
		w->now_ns = e.time_ns;
		sim_world_hash(w, w->now_ns << 8 | e.kind << 4 | e.host);
		if (++w->event_count > SIM_EVENTS_MAX)
			sim_world_fail(w, "livelock", "more than %llu events", SIM_EVENTS_MAX);
		dispatch(w, &e);
		sim_harm(w);
		check_progress(w);
	}
	if (!sim_world_failed(w))
		finish(w);
	if (!sim_world_failed(w))
		sim_check_end(w);
	for (u32 i = 0; i < w->oracle.ends; i++)
		sim_world_hash(w, w->oracle.end[i].got_bytes << 8 ^ (u32)w->oracle.end[i].error);
}

void sim_world_free(struct sim_world *w)
{
	for (u32 i = 0; i < w->units; i++)
		sim_host_free(&w->host[i]);
	for (u32 i = 0; i < w->stations; i++) {
		sim_moving_drop(&w->station[i]);
		sim_link_free(&w->link[i]);
	}
	sim_events_clear(&w->events);
}
