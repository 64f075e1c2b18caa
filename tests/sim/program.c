/* SPDX-License-Identifier: BSD-2-Clause */
#include "program.h"

#include <errno.h>
#include <string.h>

#include "world.h"

#define LISTENER_USER 0x100000000ull   /* `user` of listeners, over that of connections */
#define EXPORT_BYTES_MAX (4 << 20)
#define EVENTS 32

static struct xl_engine *engine_of(const struct sim_program *p) { return p->world->host[p->host].engine; }
static struct sim_end *end_of(const struct sim_program *p, const struct sim_actor *a)
{
	return &p->world->oracle.end[a->end];
}

static u8 kind_of(u32 slot) { return XLANE_KIND_STREAM + slot; }

void sim_program_start(struct sim_program *p, struct sim_world *w, u32 host)
{
	memset(p, 0, sizeof *p);
	p->world = w;
	p->host = host;
	p->listen_at_ns = XL_NEVER;
	for (u32 i = 0; i < SIM_PORTS; i++)
		p->listener[i] = XL_NONE;
	xl_prng_seed(&p->prng, w->options.seed * 2 + host + 0x70726f6700000000ull);
}

/* The other end is, or may be, at this station. */
static bool with_station(const struct sim_world *w, const struct sim_end *e, u32 station)
{
	if (e->peer != XL_NONE)
		return w->faults.station_of[w->oracle.end[e->peer].host] == station;
	return !e->called || e->to == station;
}

void sim_program_lost(struct sim_program *p)
{
	struct sim_oracle *o = &p->world->oracle;

	for (u32 i = 0; i < o->ends; i++) {
		struct sim_end *e = &o->end[i];
		bool own = e->host == p->host;

		/* One that the program has let go of may have been closing still. */
		if (!own && (e->over || !with_station(p->world, e, p->world->host[p->host].station->index)))
			continue;
		e->why |= 1 << SIM_WHY_CRASHED;
		e->over |= own;
	}
	for (u32 i = 0; i < SIM_PORTS; i++) {
		p->listener[i] = XL_NONE;
		p->accepting[i] = false;
	}
	p->listen_at_ns = XL_NEVER;
}

void sim_program_listen(struct sim_program *p)
{
	p->listen_at_ns = XL_NEVER;
	for (u32 i = 0; i < SIM_PORTS; i++) {
		int r;

		if (p->listener[i] != XL_NONE)
			continue;
		r = xl_engine_listen(engine_of(p), SIM_PORT_FIRST + i, kind_of(i), p->world->faults.backlog,
			LISTENER_USER + i);
		if (r < 0)
			sim_world_fail(p->world, "api", "listen returned %d", r);
		else
			p->listener[i] = r;
	}
}

void sim_program_unlisten(struct sim_program *p, u64 now_ns, u64 again_ns)
{
	for (u32 i = 0; i < SIM_PORTS; i++) {
		if (p->listener[i] == XL_NONE)
			continue;
		xl_engine_unlisten(engine_of(p), p->listener[i], now_ns);
		p->listener[i] = XL_NONE;
		p->accepting[i] = false;
	}
	p->listen_at_ns = again_ns;
	p->worked++;
	sim_world_mark(p->world, SIM_MARK_UNLISTENED);
}

static struct sim_actor *add_actor(struct sim_program *p, u8 kind)
{
	struct sim_world *w = p->world;
	u64 content = w->options.seed * SIM_ENDS_MAX + w->oracle.ends;
	u32 end = sim_oracle_add(&w->oracle, p->host, kind, content, w->faults.message_bytes_max,
				 w->faults.large_bytes_max);
	struct sim_actor *a;

	if (end == XL_NONE) {
		sim_world_fail(w, "api", "more connections than a world can have");
		return NULL;
	}
	a = &p->actor[p->actors++];
	*a = (struct sim_actor){ .end = end, .conn = XL_NONE, .large = XL_NONE64 };
	sim_actor_draw(p, a);
	return a;
}

/* What a program may choose for a connection. */
static void choose(struct sim_program *p, const struct sim_actor *a)
{
	static const struct { enum xl_conn_option option; u32 top; } set[] = {
		{ XL_CONN_CONGESTION, XL_CONGESTION_NEWRENO }, { XL_CONN_PRIORITY, 255 },
	};

	for (u32 i = 0; i < XL_ARRAY_SIZE(set); i++) {
		u64 value = sim_range(&p->prng, 0, set[i].top);
		int r = xl_conn_set(engine_of(p), a->conn, set[i].option, value);

		if (r)
			sim_world_fail(p->world, "api", "end %u: option %u of value %llu returned %d", a->end, set[i].option,
				       (unsigned long long)value, r);
	}
}

static void learn_id(struct sim_program *p, struct sim_actor *a, struct xl_conn_info *info)
{
	xl_conn_info(engine_of(p), a->conn, info);
	end_of(p, a)->local_id = info->local_id;
	choose(p, a);
}

u32 sim_program_call(struct sim_program *p, u32 number, u32 to, u16 port, u16 local_port, u64 now_ns)
{
	struct sim_world *w = p->world;
	const struct sim_plan *plan = &w->faults.plan[number];
	struct xl_connect how = { .port = port, .local_port = local_port, .kind = plan->kind, .user = p->actors };
	struct sim_actor *a = add_actor(p, plan->kind);
	struct xl_conn_info info;
	int r;

	if (!a)
		return XL_NONE;
	if (plan->closed_port || plan->wrong_kind)
		end_of(p, a)->why |= 1 << SIM_WHY_NO_LISTENER;
	if (plan->crossing)
		end_of(p, a)->why |= 1 << SIM_WHY_CROSSING;
	end_of(p, a)->called = true;
	end_of(p, a)->to = to;
	xl_link_path(&w->host[p->host].worker->link, w->station[to].mac, &how.path);
	r = xl_engine_connect(engine_of(p), &how, now_ns, &a->conn);
	sim_world_trace(w, "host %u: end %u calls port %u from %u: %d", p->host, a->end, port, local_port, r);
	if (r) {
		bool legal = (r == -ENOSPC && (w->faults.tight_conns || w->faults.tight_memory || p->actors > 16)) ||
			(r == -EADDRINUSE && local_port);

		end_of(p, a)->over = true;
		if (!legal)
			sim_world_fail(w, "api", "connect returned %d", r);
		return XL_NONE;
	}
	learn_id(p, a, &info);
	a->can_write = xl_prng_chance(&p->prng, 500000);   /* at once, or when it is open */
	return a->end;
}

static void accept_one(struct sim_program *p, u32 slot, u32 conn)
{
	struct sim_world *w = p->world;
	struct sim_actor *a = add_actor(p, kind_of(slot));
	struct xl_conn_info info;
	struct sim_end *e;

	if (!a)
		return;
	a->conn = conn;
	a->can_read = a->can_write = true;
	p->worked++;
	learn_id(p, a, &info);
	e = end_of(p, a);
	sim_world_trace(w, "host %u: end %u accepts %016llx from %016llx", p->host, a->end,
			(unsigned long long)info.local_id, (unsigned long long)info.remote_id);
	if (sim_hostile_is(info.path.remote)) {
		e->why |= 1 << SIM_WHY_TAINTED;
		sim_world_mark(w, SIM_MARK_HOSTILE_ACCEPTED);
		return;
	}
	if (info.kind != e->kind && !w->oracle.forged)
		sim_world_fail(w, "api", "port %u accepted a connection of kind %u", info.local_port, info.kind);
	if (!sim_oracle_join(&w->oracle, a->end, info.remote_id)) {
		if (!w->oracle.forged)
			sim_world_fail(w, "api", "%s", w->oracle.trouble);
	} else if (w->oracle.end[e->peer].peer != a->end && !w->oracle.forged) {
		sim_world_fail(w, "api", "the call of end %u was accepted twice, by ends %u and %u", e->peer,
			       w->oracle.end[e->peer].peer, a->end);
	}
}

static void accept_all(struct sim_program *p)
{
	struct sim_world *w = p->world;

	for (u32 i = 0; i < SIM_PORTS; i++) {
		while (p->accepting[i] && p->listener[i] != XL_NONE && !sim_world_failed(w)) {
			u32 conn;
			int r;

			if (!w->healed && w->now_ns < p->accept_at_ns)
				return;
			if (p->actors == SIM_ENDS_MAX) {
				sim_world_fail(w, "api", "more connections than a world can have");
				return;
			}
			r = xl_engine_accept(engine_of(p), p->listener[i], p->actors, &conn);
			if (r && r != -EAGAIN)
				sim_world_fail(w, "api", "accept returned %d", r);
			p->accepting[i] = !r;
			if (!r)
				accept_one(p, i, conn);
			if (w->faults.slow_accept)
				p->accept_at_ns = w->now_ns + sim_log_range(&p->prng, 1 * XL_US, 20 * XL_MS);
		}
	}
}

static void opened(struct sim_program *p, struct sim_actor *a)
{
	struct sim_end *e = end_of(p, a);
	struct xl_conn_info info;

	a->can_read = a->can_write = true;
	learn_id(p, a, &info);
	/* The other end is known once its program has accepted; of crossing calls both are known now. */
	if (e->called && e->peer == XL_NONE && sim_oracle_join(&p->world->oracle, a->end, info.remote_id) &&
	    p->world->oracle.end[e->peer].called)
		sim_world_mark(p->world, SIM_MARK_CROSSED);
}

static void handle(struct sim_program *p, const struct xl_event *ev)
{
	struct sim_world *w = p->world;
	struct sim_actor *a;

	sim_world_trace(w, "host %u: event %x, index %u, user %llx", p->host, ev->bits, ev->index,
			(unsigned long long)ev->user);
	if (ev->user >= LISTENER_USER) {
		u32 slot = ev->user - LISTENER_USER;

		if (slot >= SIM_PORTS || !(ev->bits & XL_EVENT_ACCEPT) || p->listener[slot] != ev->index)
			sim_world_fail(w, "event", "event %x for listener %u, which does not listen", ev->bits,
				ev->index);
		else
			p->accepting[slot] = true;
		return;
	}
	a = &p->actor[ev->user];
	if (ev->user >= p->actors || a->conn != ev->index || end_of(p, a)->over) {
		sim_world_fail(w, "event", "event %x for connection %u, which the program has let go of", ev->bits,
			ev->index);
		return;
	}
	if (ev->bits & XL_EVENT_OPEN)
		opened(p, a);
	if (ev->bits & XL_EVENT_READABLE)
		a->can_read = true;
	if (ev->bits & XL_EVENT_WRITABLE)
		a->can_write = true;
	if (ev->bits & XL_EVENT_CLOSED)
		sim_actor_closed(p, a);
}

/* Canary: an event for a connection that is over. */
static void haunt(struct sim_program *p)
{
	for (u32 i = 0; i < p->actors; i++)
		if (end_of(p, &p->actor[i])->over)
			handle(p, &(struct xl_event){ .bits = XL_EVENT_READABLE, .index = p->actor[i].conn, .user = i });
}

void sim_program_run(struct sim_program *p, u64 now_ns)
{
	struct sim_world *w = p->world;
	struct xl_event events[EVENTS];
	u32 n;

	if (sim_world_canary(w, SIM_CANARY_IDLE) && w->healed && p->host == 0)
		return;
	if (sim_world_canary(w, SIM_CANARY_GHOST))
		haunt(p);
	if (w->now_ns >= p->listen_at_ns)
		sim_program_listen(p);
	do {
		n = xl_engine_events(engine_of(p), events, EVENTS);
		for (u32 i = 0; i < n && !sim_world_failed(w); i++)
			handle(p, &events[i]);
		accept_all(p);
		for (u32 i = 0; i < p->actors && !sim_world_failed(w); i++) {
			struct sim_actor *a = &p->actor[i];

			if (end_of(p, a)->over)
				continue;
			if (w->healed && sim_oracle_tainted(&w->oracle, a->end))
				sim_actor_abort(p, a, now_ns);
			else
				sim_actor_run(p, a, now_ns);
		}
	} while (n && !sim_world_failed(w));
}

u64 sim_program_deadline(const struct sim_program *p)
{
	u64 at = p->listen_at_ns;

	for (u32 i = 0; i < SIM_PORTS; i++)
		if (p->accepting[i])
			at = xl_min(at, p->accept_at_ns);
	for (u32 i = 0; i < p->actors; i++)
		if (!end_of(p, &p->actor[i])->over)
			at = xl_min(at, sim_actor_deadline(p, &p->actor[i]));
	return at;
}

void sim_program_heal(struct sim_program *p)
{
	if (engine_of(p))
		sim_program_listen(p);
}

bool sim_program_over(const struct sim_program *p)
{
	for (u32 i = 0; i < p->actors; i++)
		if (!end_of(p, &p->actor[i])->over)
			return false;
	return true;
}

bool sim_program_kill(struct sim_program *p, u64 now_ns)
{
	for (u32 i = 0; i < p->actors; i++) {
		struct sim_actor *a = &p->actor[i];
		struct sim_end *e = end_of(p, a);

		if (e->over || e->peer == XL_NONE || a->closed)
			continue;
		xl_conn_abort(engine_of(p), a->conn, XLANE_WIRE_CANCELLED, now_ns);
		e->over = e->deaf = true;
		sim_host_wake(&p->world->host[p->host], p->world->now_ns);
		return true;
	}
	return false;
}

/* --- export and import ---------------------------------------------------------------------- */
static struct sim_actor *any_actor(struct sim_program *p)
{
	u32 alive = 0, pick;

	for (u32 i = 0; i < p->actors; i++)
		alive += !end_of(p, &p->actor[i])->over;
	if (!alive)
		return NULL;
	pick = xl_prng_below(&p->prng, alive);
	for (u32 i = 0; ; i++)
		if (!end_of(p, &p->actor[i])->over && !pick--)
			return &p->actor[i];
}

static void info_of(struct sim_program *p, u32 conn, struct xl_conn_info *info)
{
	memset(info, 0, sizeof *info);
	xl_conn_info(engine_of(p), conn, info);
}

/* A new MTU that the connection had not come to know yet, and what it takes from the window. */
static void forget_packet(struct xl_conn_info *before, const struct xl_conn_info *after)
{
	before->max_packet = after->max_packet;
	before->cwnd_bytes = after->cwnd_bytes;
	before->ssthresh_bytes = after->ssthresh_bytes;
}

void sim_program_move(struct sim_program *p, u64 now_ns)
{
	static u8 bytes[EXPORT_BYTES_MAX];
	struct sim_world *w = p->world;
	struct sim_actor *a = any_actor(p);
	struct xl_conn_info before, after;
	s64 n;
	int r;

	if (!a)
		return;
	info_of(p, a->conn, &before);
	n = xl_conn_export(engine_of(p), a->conn, bytes, 8);
	if (n == -ENOSPC)
		sim_world_mark(w, SIM_MARK_EXPORT_SMALL);
	else if (n != -EBUSY)
		sim_world_fail(w, "api", "end %u: export into 8 bytes returned %lld", a->end, (long long)n);
	n = xl_conn_export(engine_of(p), a->conn, bytes, sizeof bytes);
	sim_world_trace(w, "host %u: end %u is exported: %lld", p->host, a->end, (long long)n);
	if (n == -EBUSY) {
		sim_world_mark(w, SIM_MARK_EXPORTED_BUSY);
		return;
	}
	if (n <= 0) {
		sim_world_fail(w, "api", "end %u: export returned %lld", a->end, (long long)n);
		return;
	}
	r = xl_conn_import(engine_of(p), bytes, n - 1, now_ns, &a->conn);
	if (r != -EINVAL)
		sim_world_fail(w, "api", "end %u: import of a cut export returned %d", a->end, r);
	r = xl_conn_import(engine_of(p), bytes, n, now_ns, &a->conn);
	if (r) {
		sim_world_fail(w, "api", "end %u: import returned %d", a->end, r);
		return;
	}
	info_of(p, a->conn, &after);
	if (after.max_packet != before.max_packet)
		forget_packet(&before, &after);
	if (memcmp(&before, &after, sizeof before))
		sim_world_fail(w, "api", "end %u: export and import changed the connection", a->end);
	sim_world_mark(w, SIM_MARK_EXPORTED);
}

/* --- to another worker ------------------------------------------------------------------------ */
static void rename_actor(struct sim_program *p, u32 name)
{
	p->actor[name].told_anew = true;
	xl_conn_set_user(engine_of(p), p->actor[name].conn, name);
}

void sim_program_follow(struct sim_program *p, u32 conn, struct sim_program *to, u32 there)
{
	struct sim_actor *a = NULL, *last;

	for (u32 i = 0; i < p->actors && !a; i++)
		if (p->actor[i].conn == conn && !end_of(p, &p->actor[i])->over)
			a = &p->actor[i];
	if (!a)
		return;
	end_of(p, a)->host = (u8)to->host;
	to->actor[to->actors] = *a;
	to->actor[to->actors].conn = there;
	rename_actor(to, to->actors++);
	/* The last one takes its place. */
	last = &p->actor[--p->actors];
	if (last == a)
		return;
	*a = *last;
	if (!end_of(p, a)->over)
		rename_actor(p, (u32)(a - p->actor));
}
