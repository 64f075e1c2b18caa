/* SPDX-License-Identifier: BSD-2-Clause */
#include "flow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlane/wire.h>

#include "content.h"
#include "scene.h"

#define PIECE_BYTES XLANE_MESSAGE_SMALL_MAX_BYTES
#define PORT_FIRST 4096              /* of callers: flow and attempt */
#define FLOWS_MAX 2048
#define ATTEMPTS 16
#define AGAIN_NS (10 * XL_MS)        /* from being told that the connection is lost to the next call */
#define DUE_ROUND UINT32_MAX         /* in place of a flow: the next round begins */

static bool is_stream(const struct sim_flow *f)
{
	return f->plan.kind == SIM_FLOW_BULK || f->plan.kind == SIM_FLOW_BLOCKS;
}

static u32 station_of(const struct sim_flow *f, enum sim_side side)
{
	return side == SIM_CALLER ? f->plan.from : f->plan.to;
}

static struct xl_engine *engine_of(const struct sim_scene *s, const struct sim_flow *f, enum sim_side side)
{
	return s->station[station_of(f, side)].engine;
}

static void due_at(struct sim_scene *s, u32 flow, u64 time_ns)
{
	sim_events_put(&s->events, (struct sim_event){
		.kind = SIM_EVENT_CALL, .arg = flow, .time_ns = xl_max(time_ns, s->now_ns) });
}

u32 sim_flow_add(struct sim_scene *s, const struct sim_flow_plan *p)
{
	struct sim_flow *f;

	XL_ASSERT(s->flows < FLOWS_MAX);
	if (s->flows == s->flows_room) {
		s->flows_room = s->flows_room ? 2 * s->flows_room : 16;
		s->flow = realloc(s->flow, s->flows_room * sizeof *s->flow);
		if (!s->flow)
			abort();
	}
	f = &s->flow[s->flows];
	*f = (struct sim_flow){ .plan = *p, .index = s->flows++ };
	f->end[0].conn = f->end[1].conn = XL_NONE;
	s->flows_left++;
	s->rounds.flows += p->kind == SIM_FLOW_BLOCKS;
	due_at(s, f->index, p->start_ns);
	if (p->stop_ns)
		due_at(s, f->index, p->stop_ns);
	return f->index;
}

/* --- beginning and ending ----------------------------------------------------------------------- */
static u64 user_of(const struct sim_flow *f, enum sim_side side)
{
	return (u64)f->attempt << 32 | f->index << 1 | side;
}

static u16 local_port(const struct sim_flow *f)
{
	return PORT_FIRST + f->attempt % ATTEMPTS * FLOWS_MAX + f->index;
}

static void call(struct sim_scene *s, struct sim_flow *f)
{
	struct sim_machine *h = &s->station[f->plan.from];
	struct xl_connect how = {
		.port = SIM_MACHINE_PORT + !is_stream(f), .local_port = local_port(f),
		.kind = is_stream(f) ? XLANE_KIND_STREAM : XLANE_KIND_MESSAGE, .user = user_of(f, SIM_CALLER),
	};
	struct sim_flow_end *e = &f->end[SIM_CALLER];
	int r;

	*e = (struct sim_flow_end){ .conn = XL_NONE, .user = how.user };
	if (!f->started_ns)
		f->started_ns = s->now_ns;
	f->asked_ns = f->next_ns = 0;
	xl_link_path(&h->worker->link, s->station[f->plan.to].wire_mac, &how.path);
	r = xl_engine_connect(h->engine, &how, sim_machine_clock(h), &e->conn);
	if (r) {
		e->conn = XL_NONE;
		sim_scene_fail(s, "flow %u: connect returned %d", f->index, r);
		return;
	}
	f->state = SIM_FLOW_CALLING;
	sim_machine_wake(h, s->now_ns);
}

static void let_go(struct sim_scene *s, struct sim_flow *f, enum sim_side side)
{
	struct sim_flow_end *e = &f->end[side];

	xl_conn_close(engine_of(s, f, side), e->conn, sim_machine_clock(&s->station[station_of(f, side)]));
	e->conn = XL_NONE;
}

/* The connection is lost: whoever is persistent calls again, anyone else has failed. */
static void lost(struct sim_scene *s, struct sim_flow *f, enum sim_side side, int error)
{
	if (!f->plan.persistent) {
		sim_scene_fail(s, "flow %u, attempt %u: the program that %s was told %s", f->index, f->attempt,
			       side == SIM_CALLER ? "called" : "answers", strerror(-error));
		return;
	}
	let_go(s, f, side);
	if (side == SIM_CALLED)
		return;
	if (f->end[SIM_CALLED].conn != XL_NONE)
		let_go(s, f, SIM_CALLED);
	f->told++;
	f->attempt++;
	f->state = SIM_FLOW_IDLE;
	due_at(s, f->index, s->now_ns + AGAIN_NS);
}

static void through(struct sim_scene *s, struct sim_flow *f, enum sim_side side)
{
	struct sim_flow_end *e = &f->end[side];

	e->ended = true;
	if (side == SIM_CALLED && f->plan.total && e->got != f->plan.total)
		sim_scene_fail(s, "flow %u: the stream ends at %llu of %llu", f->index, (unsigned long long)e->got,
			       (unsigned long long)f->plan.total);
	let_go(s, f, side);
	if (f->end[!side].ended && f->end[!side].conn == XL_NONE) {
		f->state = SIM_FLOW_OVER;
		f->over_ns = s->now_ns;
		s->flows_left--;
	}
}

void sim_flow_lost(struct sim_scene *s, struct sim_flow *f, u32 station)
{
	if (f->state == SIM_FLOW_OVER)
		return;
	if (f->plan.to == station)
		f->end[SIM_CALLED].conn = XL_NONE;
	if (f->plan.from == station && f->state != SIM_FLOW_IDLE) {
		f->attempt++;
		f->state = SIM_FLOW_IDLE;
		due_at(s, f->index, s->now_ns + AGAIN_NS);
	}
}

/* --- sending ------------------------------------------------------------------------------------ */
/* Of what `end` sends or, `sender` being the other, gets: of its own attempt, since an end may live to see the next. */
static u64 key_of(const struct sim_flow *f, enum sim_side end, enum sim_side sender, u64 message)
{
	return sim_content_key((u64)f->index << 32 | f->end[end].user >> 32, sender, message);
}

/* Size of a message: of any magnitude, the same at both ends. */
static u64 message_bytes(const struct sim_flow *f, enum sim_side side, u64 number)
{
	u64 draw = sim_content_key(f->index, 77, number);

	if (f->plan.kind == SIM_FLOW_ASK)
		return side == SIM_CALLER ? f->plan.bytes : f->plan.answer_bytes;
	return (draw >> 8) % ((f->plan.bytes >> draw % 8) + 1);
}

/* How much of its total the caller may have sent by now. */
static u64 allowed(const struct sim_scene *s, const struct sim_flow *f)
{
	u64 most = f->plan.total ? f->plan.total : UINT64_MAX;

	switch (f->plan.kind) {
	case SIM_FLOW_BLOCKS:
		return xl_min(most, (u64)(s->rounds.done + (s->rounds.began_ns > 0)) * f->plan.bytes);
	case SIM_FLOW_ASK:
		return f->asked_ns || s->now_ns < f->next_ns ? f->end[SIM_CALLER].sent : f->end[SIM_CALLER].sent + 1;
	}
	return most;
}

static bool all_sent(const struct sim_scene *s, const struct sim_flow *f)
{
	const struct sim_flow_end *e = &f->end[SIM_CALLER];

	if (f->plan.kind == SIM_FLOW_ASK && f->asked_ns)
		return false;
	return (f->plan.total && e->sent == f->plan.total) || (f->plan.stop_ns && s->now_ns >= f->plan.stop_ns);
}

/* Sends a piece or a message. False: there is no room now. */
static bool send_one(struct sim_scene *s, struct sim_flow *f, enum sim_side side, u64 most, u64 clock_ns)
{
	static u8 buffer[PIECE_BYTES];
	struct sim_flow_end *e = &f->end[side];
	u64 n = is_stream(f) ? xl_min(PIECE_BYTES, most - e->sent) : message_bytes(f, side, e->sent);
	u64 room = is_stream(f) ? xl_conn_writable(engine_of(s, f, side), e->conn) : n;
	s64 r;

	/* What there is no room for need not be made; but it is offered, so that the room is told of. */
	if (is_stream(f))
		sim_content_fill(key_of(f, side, side, 0), e->sent, buffer, xl_min(n, room));
	else
		sim_content_fill(key_of(f, side, side, e->sent), 0, buffer, n);
	r = xl_conn_send(engine_of(s, f, side), e->conn, buffer, n, clock_ns);
	if (r < 0 && r != -EAGAIN)
		lost(s, f, side, (int)r);
	if (r < 0)
		return false;
	e->sent += is_stream(f) ? (u64)r : 1;
	return !is_stream(f) || (u64)r == n;
}

static void send_caller(struct sim_scene *s, struct sim_flow *f, u64 clock_ns)
{
	struct sim_flow_end *e = &f->end[SIM_CALLER];

	while (e->conn != XL_NONE && !e->shut && !all_sent(s, f)) {
		u64 most = allowed(s, f);

		if (e->sent >= most || !send_one(s, f, SIM_CALLER, most, clock_ns))
			return;
		if (f->plan.kind == SIM_FLOW_ASK)
			f->asked_ns = s->now_ns;
	}
	if (e->conn != XL_NONE && !e->shut) {
		e->shut = true;
		xl_conn_shutdown(engine_of(s, f, SIM_CALLER), e->conn, clock_ns);
	}
}

static void send_called(struct sim_scene *s, struct sim_flow *f, u64 clock_ns)
{
	struct sim_flow_end *e = &f->end[SIM_CALLED];

	while (f->plan.kind == SIM_FLOW_ASK && e->conn != XL_NONE && e->sent < e->got)
		if (!send_one(s, f, SIM_CALLED, e->got, clock_ns))
			return;
}

/* --- receiving ---------------------------------------------------------------------------------- */
static void round_begins(struct sim_scene *s)
{
	s->rounds.began_ns = s->now_ns;
	s->rounds.arrived = 0;
	for (u32 i = 0; i < s->flows; i++)
		if (s->flow[i].plan.kind == SIM_FLOW_BLOCKS)
			sim_flow_due(s, i);
}

void sim_rounds_start(struct sim_scene *s, u32 count, u64 pause_ns)
{
	s->rounds.left = count;
	s->rounds.pause_ns = pause_ns;
	due_at(s, DUE_ROUND, s->now_ns);
}

static void block_arrived(struct sim_scene *s)
{
	struct sim_rounds *r = &s->rounds;

	sim_times_add(&r->block, s->now_ns - r->began_ns);
	if (++r->arrived < r->flows)
		return;
	sim_times_add(&r->whole, s->now_ns - r->began_ns);
	r->began_ns = 0;
	r->done++;
	if (--r->left)
		due_at(s, DUE_ROUND, s->now_ns + r->pause_ns);
}

static void wrong(struct sim_scene *s, const struct sim_flow *f, u64 at)
{
	sim_scene_fail(s, "flow %u, attempt %u: %s %llu is not what was sent", f->index, f->attempt,
		       is_stream(f) ? "a byte behind" : "message", (unsigned long long)at);
}

/* One piece of a stream. Its length, 0 at the end, or an error. */
static s64 read_piece(struct sim_scene *s, struct sim_flow *f, enum sim_side side, u64 clock_ns)
{
	struct sim_flow_end *e = &f->end[side];
	struct xl_engine *engine = engine_of(s, f, side);
	const u8 *p;
	u64 left;
	s64 r = xl_conn_peek(engine, e->conn, &p, &left);

	if (r <= 0)
		return r == -ENODATA ? 0 : r;
	if (!sim_content_same(key_of(f, side, !side, 0), e->got, p, (u64)r))
		wrong(s, f, e->got);
	xl_conn_consume(engine, e->conn, (u64)r, clock_ns);
	e->got += (u64)r;
	e->bytes += (u64)r;
	if (f->plan.kind == SIM_FLOW_BLOCKS && side == SIM_CALLED &&
	    e->got == (u64)(s->rounds.done + 1) * f->plan.bytes)
		block_arrived(s);
	return r;
}

static void got_answer(struct sim_scene *s, struct sim_flow *f)
{
	sim_times_add(&f->answers, s->now_ns - f->asked_ns);
	f->asked_ns = 0;
	f->next_ns = s->now_ns + f->plan.think_ns;
	if (f->plan.think_ns)
		due_at(s, f->index, f->next_ns);
}

/* One message. More than 0, 0 at the end, or an error. */
static s64 read_message(struct sim_scene *s, struct sim_flow *f, enum sim_side side, u64 clock_ns)
{
	static u8 buffer[PIECE_BYTES];
	struct sim_flow_end *e = &f->end[side];
	s64 r = xl_conn_recv(engine_of(s, f, side), e->conn, buffer, sizeof buffer, clock_ns);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	if ((u64)r != message_bytes(f, !side, e->got) ||
	    !sim_content_same(key_of(f, side, !side, e->got), 0, buffer, (u64)r))
		wrong(s, f, e->got);
	e->got++;
	e->bytes += (u64)r;
	if (f->plan.kind == SIM_FLOW_ASK && side == SIM_CALLER)
		got_answer(s, f);
	return 1;
}

static void receive(struct sim_scene *s, struct sim_flow *f, enum sim_side side, u64 clock_ns)
{
	while (f->end[side].conn != XL_NONE && !sim_scene_failed(s)) {
		s64 r = is_stream(f) ? read_piece(s, f, side, clock_ns) : read_message(s, f, side, clock_ns);

		if (r == -EAGAIN)
			return;
		if (r < 0)
			lost(s, f, side, (int)r);
		else if (!r)
			through(s, f, side);
	}
}

/* --- what makes them go ------------------------------------------------------------------------- */
static void run(struct sim_scene *s, struct sim_flow *f, enum sim_side side, u64 clock_ns)
{
	if (f->end[side].conn != XL_NONE)
		receive(s, f, side, clock_ns);
	if (f->end[side].conn == XL_NONE || f->state != SIM_FLOW_OPEN || sim_scene_failed(s))
		return;
	if (side == SIM_CALLER)
		send_caller(s, f, clock_ns);
	else
		send_called(s, f, clock_ns);
}

void sim_flow_due(struct sim_scene *s, u32 flow)
{
	struct sim_flow *f = &s->flow[flow];
	struct sim_machine *h;

	if (flow == DUE_ROUND) {
		round_begins(s);
		return;
	}
	h = &s->station[f->plan.from];
	if (f->state == SIM_FLOW_IDLE && !h->engine)
		due_at(s, flow, h->up_at_ns + AGAIN_NS);
	else if (f->state == SIM_FLOW_IDLE)
		call(s, f);
	else if (f->state == SIM_FLOW_OPEN && f->end[SIM_CALLER].conn != XL_NONE)
		send_caller(s, f, sim_machine_clock(h));
	sim_machine_wake(h, s->now_ns);
}

void sim_flow_event(struct sim_scene *s, u32 station, u64 user, u32 bits, u64 clock_ns)
{
	enum sim_side side = user & 1;
	u32 flow = (u32)user >> 1;
	struct sim_flow *f = &s->flow[flow];

	if (flow >= s->flows || f->end[side].user != user || f->end[side].conn == XL_NONE ||
	    station_of(f, side) != station)
		return;                                /* of an attempt that is over */
	if (bits & XL_EVENT_OPEN && f->state == SIM_FLOW_CALLING) {
		f->state = SIM_FLOW_OPEN;
		f->opened_ns = s->now_ns;
	}
	run(s, f, side, clock_ns);
}

void sim_flow_accept(struct sim_scene *s, u32 station, int listener, u64 clock_ns)
{
	struct xl_engine *engine = s->station[station].engine;
	struct xl_conn_info info;
	struct sim_flow *f;
	u32 conn;

	while (!xl_engine_accept(engine, (u32)listener, UINT32_MAX, &conn)) {
		xl_conn_info(engine, conn, &info);
		f = &s->flow[(info.remote_port - PORT_FIRST) % FLOWS_MAX];
		if (f >= s->flow + s->flows || info.remote_port != local_port(f) || f->plan.to != station) {
			xl_conn_abort(engine, conn, XLANE_WIRE_CANCELLED, clock_ns);      /* given up meanwhile */
			continue;
		}
		if (f->end[SIM_CALLED].conn != XL_NONE)         /* of a caller that was restarted */
			xl_conn_abort(engine, f->end[SIM_CALLED].conn, XLANE_WIRE_CANCELLED, clock_ns);
		f->end[SIM_CALLED] = (struct sim_flow_end){ .conn = conn, .user = user_of(f, SIM_CALLED) };
		xl_conn_set_user(engine, conn, f->end[SIM_CALLED].user);
		run(s, f, SIM_CALLED, clock_ns);
	}
}

void sim_flow_sample(struct sim_scene *s, const struct sim_flow *f, struct sim_sample *out)
{
	const struct sim_flow_end *e = &f->end[SIM_CALLER];
	struct xl_conn_info info;

	out->got_bytes = f->end[SIM_CALLED].bytes;
	if (e->conn == XL_NONE || f->state != SIM_FLOW_OPEN)
		return;
	xl_conn_info(engine_of(s, f, SIM_CALLER), e->conn, &info);
	out->cwnd_bytes = info.cwnd_bytes;
	out->srtt_ns = info.srtt_ns;
	out->inflight_bytes = info.inflight_bytes;
}
