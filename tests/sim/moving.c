/* SPDX-License-Identifier: BSD-2-Clause */
#include "moving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/engine/core.h"
#include "../../user/wire/ether.h"
#include "world.h"

#define PACK_BYTES_MAX (32u << 20)
#define IDS 16

struct sim_waiting {
	struct sim_waiting *next;
	u32 bytes;
	u8 data[];
};

struct moved { u32 from, to; };

static bool half_open(u8 state) { return state == XL_STATE_CALLING || state == XL_STATE_ANSWERING; }

/* --- what is held ------------------------------------------------------------------------------- */
static void hold(struct sim_waiting_list *l, struct sim_waiting *p)
{
	p->next = NULL;
	if (!l->first)
		l->end = &l->first;
	*l->end = p;
	l->end = &p->next;
}

static struct sim_waiting *fresh(u32 bytes)
{
	struct sim_waiting *p = sim_alloc(sizeof *p + bytes);

	p->bytes = bytes;
	return p;
}

/* Each goes to `to`, or nowhere (NULL). */
static void release(struct sim_waiting_list *l, struct sim_host *to)
{
	while (l->first) {
		struct sim_waiting *p = l->first;

		l->first = p->next;
		if (to)
			sim_host_arrive(to, p->data, p->bytes);
		free(p);
	}
}

bool sim_moving_holds(struct sim_station *s, u8 bucket, const u8 *data, u32 bytes)
{
	struct sim_waiting *p;

	if (!s->moving.active || s->moving.bucket != bucket)
		return false;
	p = fresh(bytes);
	memcpy(p->data, data, bytes);
	hold(&s->moving.held, p);
	sim_world_mark(s->world, SIM_MARK_BUCKET_HELD);
	return true;
}

static struct sim_waiting *copy(const struct sim_host *h, const struct xl_packet *p)
{
	struct sim_waiting *held;
	u32 bytes = 0;

	for (u32 i = 0; i < p->nsegs; i++)
		bytes += p->seg[i].len;
	held = fresh(bytes);
	bytes = 0;
	for (u32 i = 0; i < p->nsegs; bytes += p->seg[i++].len)
		memcpy(held->data + bytes, xl_frames_ptr(&h->frames, p->seg[i].frame) + p->seg[i].off, p->seg[i].len);
	return held;
}

u32 sim_moving_divert(struct sim_host *h, struct xl_packet *packets, u32 n, bool drained)
{
	struct sim_moving *m = &h->station->moving;
	u32 at = XL_ETHER_BYTES + h->world->faults.vlan_tags * XL_VLAN_BYTES + 4, kept = 0;

	if (!m->active || m->from != h->index)
		return n;
	for (u32 i = 0; i < n; i++) {
		struct sim_waiting *p = copy(h, &packets[i]);

		if (at + XLANE_OUTER_BYTES - 4 > p->bytes || p->data[at] != m->bucket) {
			free(p);
			packets[kept++] = packets[i];
			continue;
		}
		for (u32 k = 0; k < packets[i].nsegs; k++)
			xl_frames_move(&h->frames, packets[i].seg[k].frame, XL_FRAME_RX, XL_FRAME_FREE);
		hold(&m->ring, p);
		sim_world_mark(h->world, SIM_MARK_BUCKET_FORWARDED);
	}
	m->drained |= drained;
	return kept;
}

/* --- from the beginning to the end -------------------------------------------------------------- */
/* A connection of the unit, one that is half-open if there is any and `half`; XL_NONE: there is none. */
static u32 pick(const struct xl_engine *e, u32 random, bool half)
{
	u32 at = random % e->cfg.conns_max, found = XL_NONE;

	for (u32 i = 0; i < e->cfg.conns_max; i++) {
		u32 c = (at + i) % e->cfg.conns_max;
		u8 state = e->conns[c].state;

		if (state == XL_STATE_FREE || state == XL_STATE_DEAD)
			continue;
		if (!half || half_open(state))
			return c;
		found = c;
	}
	return found;
}

static void begin(struct sim_station *s, u8 bucket, u32 random, u64 span_ns)
{
	struct sim_world *w = s->world;
	struct sim_moving *m = &s->moving;

	m->bucket = bucket;
	m->from = s->first + s->worker_of[bucket];
	m->to = s->first + (s->worker_of[bucket] + 1 + random % (s->units - 1)) % s->units;
	m->active = true;
	m->drained = false;
	m->tries = 0;
	m->not_before_ns = w->now_ns + span_ns;
	xl_engine_serve(w->host[m->from].engine, m->bucket, false);
	xl_engine_freeze(w->host[m->from].engine, m->bucket, true);
	sim_world_trace(w, "host %u: bucket %u is frozen, to go to host %u", m->from, m->bucket, m->to);
	sim_host_wake(&w->host[m->from], w->now_ns);
}

void sim_moving_start(struct sim_world *w, const struct sim_action *a)
{
	struct sim_station *s = w->host[a->host].station;
	const struct xl_engine *e = w->host[a->host].engine;
	static const enum sim_moving_armed kinds[] = { SIM_MOVING_UNARMED, SIM_MOVING_ARRIVES, SIM_MOVING_LEAVES,
						       SIM_MOVING_LEAVES };
	u32 conn;

	if (s->units < 2 || s->moving.active || !e)
		return;
	s->moving.armed = kinds[a->random >> 1 & 3];
	s->moving.next_random = a->random >> 4;
	s->moving.next_span_ns = a->span_ns;
	if (s->moving.armed)
		return;
	conn = pick(e, a->random >> 8, a->random & 1);
	begin(s, conn == XL_NONE ? (u8)(a->random >> 16) : (u8)(e->conns[conn].local_id >> 56), a->random >> 4, a->span_ns);
}

void sim_moving_packet(struct sim_station *s, u8 bucket, enum sim_moving_armed what)
{
	struct sim_moving *m = &s->moving;

	if (m->armed != what || m->active || s->world->healed || !s->world->host[s->first].engine)
		return;
	m->armed = SIM_MOVING_UNARMED;
	begin(s, bucket, m->next_random, m->next_span_ns);
}

/* The table says `unit` from now on. */
static void thaw(struct sim_station *s, u32 unit)
{
	struct sim_moving *m = &s->moving;
	struct sim_host *h = &s->world->host[unit];

	m->active = false;
	s->worker_of[m->bucket] = (u8)(unit - s->first);
	xl_engine_serve(h->engine, m->bucket, true);
	xl_engine_freeze(s->world->host[m->from].engine, m->bucket, false);
	release(&m->ring, h);
	release(&m->held, h);
	sim_host_wake(h, s->world->now_ns);
	sim_host_wake(&s->world->host[m->from], s->world->now_ns);
}

void sim_moving_drop(struct sim_station *s)
{
	s->moving.active = false;
	s->moving.armed = SIM_MOVING_UNARMED;
	release(&s->moving.ring, NULL);
	release(&s->moving.held, NULL);
}

/* --- the connections ------------------------------------------------------------------------------ */
static bool goes(const struct sim_moving *m, const struct xl_conn *c)
{
	return c->state != XL_STATE_FREE && c->state != XL_STATE_DEAD && c->local_id >> 56 == m->bucket;
}

static bool is_busy(const struct sim_moving *m, struct xl_engine *e)
{
	for (u32 i = 0; i < e->cfg.conns_max; i++)
		if (goes(m, &e->conns[i]) && xl_conn_pack(e, i, NULL, 0) == -EBUSY)
			return true;
	return false;
}

static void same(struct sim_world *w, const struct xl_conn_info *a, const struct xl_conn_info *b)
{
	if (a->state != b->state || a->local_id != b->local_id || a->remote_id != b->remote_id || a->error != b->error ||
	    a->bytes_sent != b->bytes_sent || a->bytes_acked != b->bytes_acked || a->bytes_received != b->bytes_received ||
	    a->bytes_delivered != b->bytes_delivered || a->inflight_bytes != b->inflight_bytes ||
	    a->credit_bytes != b->credit_bytes || a->srtt_ns != b->srtt_ns)
		sim_world_fail(w, "api", "connection %016llx is another where it has moved to", (unsigned long long)a->local_id);
}

static int copy_one(struct sim_world *w, const struct sim_moving *m, struct moved *one)
{
	static u8 bytes[PACK_BYTES_MAX];
	struct xl_engine *from = w->host[m->from].engine, *to = w->host[m->to].engine;
	struct xl_conn_info before, after;
	s64 n = xl_conn_pack(from, one->from, bytes, sizeof bytes);
	int r;

	if (n <= 0) {
		sim_world_fail(w, "api", "host %u: pack returned %lld", m->from, (long long)n);
		return -EINVAL;
	}
	r = xl_conn_unpack(to, bytes, (u64)n, sim_world_clock(w, m->to), &one->to);
	if (r && r != -ENOSPC && r != -EEXIST) /* a hostile peer gives two connections one id */
		sim_world_fail(w, "api", "host %u: unpack returned %d", m->to, r);
	if (r)
		return r;
	xl_conn_info(from, one->from, &before);
	xl_conn_info(to, one->to, &after);
	same(w, &before, &after);
	if (half_open(after.state))
		sim_world_mark(w, SIM_MARK_HALF_OPEN_MOVED);
	return 0;
}

/* All of them are in both engines then; -ENOSPC: none is where they were to go. */
static int copy_all(struct sim_world *w, const struct sim_moving *m, struct moved *all, u32 *n)
{
	struct xl_engine *from = w->host[m->from].engine;
	int r = 0;

	for (u32 i = 0; i < from->cfg.conns_max && !r; i++) {
		if (!goes(m, &from->conns[i]))
			continue;
		all[*n].from = i;
		r = copy_one(w, m, &all[*n]);
		*n += !r;
	}
	while (r && *n)
		xl_conn_forget(w->host[m->to].engine, all[--*n].to);
	return r;
}

static void tell_ended(struct sim_world *w, const struct sim_moving *m)
{
	u64 ids[IDS];

	for (u32 at = 0; at != XL_NONE;) {
		u32 n = xl_engine_ended(w->host[m->from].engine, m->bucket, &at, ids, IDS);

		xl_engine_ended_also(w->host[m->to].engine, ids, n);
	}
}

static void leave(struct sim_world *w, const struct sim_moving *m, const struct moved *all, u32 n)
{
	tell_ended(w, m);
	for (u32 i = 0; i < n; i++) {
		sim_program_follow(&w->program[m->from], all[i].from, &w->program[m->to], all[i].to);
		if (i || !sim_world_canary(w, SIM_CANARY_TWIN))
			xl_conn_forget(w->host[m->from].engine, all[i].from);
	}
	sim_world_mark(w, n ? SIM_MARK_BUCKET_MOVED : SIM_MARK_BUCKET_MOVED_EMPTY);
}

void sim_moving_step(struct sim_host *h)
{
	struct sim_world *w = h->world;
	struct sim_moving *m = &h->station->moving;
	struct moved *all;
	u32 n = 0;
	int r;

	if (!m->active || m->from != h->index || sim_world_failed(w))
		return;
	if (w->now_ns < m->not_before_ns) {
		sim_host_wake(h, m->not_before_ns);
		return;
	}
	if (!m->drained || is_busy(m, h->engine)) {
		sim_world_mark(w, SIM_MARK_BUCKET_BUSY);
		if (++m->tries >= SIM_MOVING_TRIES) {
			sim_world_mark(w, SIM_MARK_BUCKET_GIVEN_UP);
			thaw(h->station, m->from);
		}
		sim_host_wake(h, w->now_ns + SIM_MOVING_RETRY_NS);
		return;
	}
	all = sim_alloc(h->config.conns_max * sizeof *all);
	r = copy_all(w, m, all, &n);
	if (!r)
		leave(w, m, all, n);
	free(all);
	sim_world_trace(w, "host %u: bucket %u goes to host %u: %d, %u connections", m->from, m->bucket, m->to, r, n);
	if (r)
		sim_world_mark(w, SIM_MARK_BUCKET_NO_ROOM);
	h->shaken = w->host[m->to].shaken = true;
	thaw(h->station, r ? m->from : m->to);
}

/* --- invariant ------------------------------------------------------------------------------------ */
void sim_moving_check(struct sim_host *h)
{
	const struct sim_station *s = h->station;
	struct sim_world *w = h->world;

	for (u32 i = 0; i < h->engine->cfg.conns_max && s->units > 1; i++) {
		const struct xl_conn *c = &h->engine->conns[i];

		if (c->state == XL_STATE_FREE)
			continue;
		if (c->state != XL_STATE_DEAD && s->first + s->worker_of[c->local_id >> 56] != h->index)
			sim_world_fail(w, "one-engine", "host %u has connection %016llx, whose packets go to another", h->index,
				       (unsigned long long)c->local_id);
		for (u32 k = s->first; k < s->first + s->units; k++)
			if (k != h->index && w->host[k].engine && xl_map_get(&w->host[k].engine->by_local, c->local_id) != XL_NONE)
				sim_world_fail(w, "one-engine", "hosts %u and %u have connection %016llx", h->index, k,
					       (unsigned long long)c->local_id);
	}
}
