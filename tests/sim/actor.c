/* SPDX-License-Identifier: BSD-2-Clause */
#include "actor.h"

#include <errno.h>

#include "world.h"

static u8 buffer[SIM_PIECE_BYTES_MAX + 1];

static struct xl_engine *engine_of(const struct sim_program *p) { return p->world->host[p->host].engine; }
static struct sim_end *end_of(const struct sim_program *p, const struct sim_actor *a)
{
	return &p->world->oracle.end[a->end];
}

static bool is_stream(const struct sim_end *e) { return e->kind == XLANE_KIND_STREAM; }
static u64 sent_by(const struct sim_end *e) { return is_stream(e) ? e->sent_bytes : e->sent_messages; }

static u64 draw_total(struct sim_program *p, const struct sim_end *e)
{
	const struct sim_faults *f = &p->world->faults;

	if (xl_prng_chance(&p->prng, 150000))
		return 0;
	if (is_stream(e) && xl_prng_chance(&p->prng, 150000))
		return f->bytes_max;
	if (is_stream(e))
		return sim_log_range(&p->prng, 1, f->bytes_max);
	return sim_log_range(&p->prng, 1, xl_max(1, xl_min(200, 2 * f->bytes_max / (f->message_bytes_max + 1))));
}

void sim_actor_draw(struct sim_program *p, struct sim_actor *a)
{
	const struct sim_faults *f = &p->world->faults;
	struct xl_prng *r = &p->prng;

	a->total = draw_total(p, end_of(p, a));
	a->chunk_max = sim_log_range(r, 1, SIM_PIECE_BYTES_MAX);
	a->read_max = sim_log_range(r, 1, SIM_PIECE_BYTES_MAX);
	if (a->total > 16384) {          /* not byte for byte */
		a->chunk_max = xl_max(a->chunk_max, 64);
		a->read_max = xl_max(a->read_max, 64);
	}
	a->ending = xl_prng_below(r, 8);
	a->ending = a->ending < 5 ? SIM_ENDING_WAIT : a->ending < 7 ? SIM_ENDING_CLOSE : SIM_ENDING_AT_ONCE;
	if (xl_prng_chance(r, f->abort_ppm))
		a->ending = SIM_ENDING_ABORT;
	a->abort_at = xl_prng_below(r, a->total + 1);
	if (xl_prng_chance(r, f->slow_ppm))
		a->read_pace_ns = sim_log_range(r, 10 * XL_US, 10 * XL_US + f->storm_ns / 20);
	if (xl_prng_chance(r, f->slow_ppm / 2))
		a->write_pace_ns = sim_log_range(r, 10 * XL_US, 10 * XL_US + f->storm_ns / 50);
	a->dead = xl_prng_chance(r, f->dead_ppm);
	a->peeks = xl_prng_chance(r, 300000);
}

static void over(struct sim_program *p, struct sim_actor *a)
{
	struct sim_end *e = end_of(p, a);

	e->over = true;
	p->worked++;
	sim_world_trace(p->world, "host %u: end %u is over, error %d", p->host, a->end, e->error);
}

void sim_actor_abort(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	end_of(p, a)->why |= 1 << SIM_WHY_ABORTED;
	end_of(p, a)->deaf = true;
	xl_conn_abort(engine_of(p), a->conn, XLANE_WIRE_CANCELLED, now_ns);
	sim_world_mark(p->world, SIM_MARK_ABORTED);
	over(p, a);
}

/* What an error means to the report. */
static void mark_error(struct sim_world *w, int error)
{
	switch (error) {
	case -ECONNREFUSED:
		sim_world_mark(w, SIM_MARK_ERROR_REFUSED);
		break;
	case -ECONNRESET:
		sim_world_mark(w, SIM_MARK_ERROR_RESET);
		break;
	case -ETIMEDOUT:
	case -EHOSTDOWN:
		sim_world_mark(w, SIM_MARK_ERROR_TIMEOUT);
		break;
	default:
		sim_world_mark(w, SIM_MARK_ERROR_OTHER);
	}
}

void sim_actor_closed(struct sim_program *p, struct sim_actor *a)
{
	struct sim_world *w = p->world;
	struct sim_end *e = end_of(p, a);
	bool legal = w->faults.abort_legal || w->faults.tight_conns || w->faults.tight_memory || w->faults.flaps;
	struct xl_conn_info info;

	if (a->closed)
		sim_world_fail(w, "event", "end %u: closed is told twice", a->end);
	xl_conn_info(engine_of(p), a->conn, &info);
	a->closed = a->can_read = true;
	e->error = info.error;
	e->closed_well = !info.error;
	sim_world_trace(w, "host %u: end %u: closed, error %d", p->host, a->end, info.error);
	if (!info.error)
		sim_world_mark(w, SIM_MARK_GRACEFUL);
	else
		mark_error(w, info.error);
	if (!sim_oracle_error_legal(&w->oracle, a->end, info.error, legal))
		sim_world_fail(w, "false-abort", "%s", w->oracle.trouble);
}

/* --- sending -------------------------------------------------------------------------------- */
static bool may_write(const struct sim_program *p, const struct sim_actor *a)
{
	const struct sim_end *e = end_of(p, a);

	return a->can_write && !e->shut && !a->closed && sent_by(e) < a->total && !sim_world_failed(p->world) &&
	       (p->world->healed || p->world->now_ns >= a->write_at_ns);
}

static s64 send_stream(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);
	u64 room = xl_conn_writable(engine_of(p), a->conn);
	u64 n = xl_min(sim_range(&p->prng, 1, a->chunk_max), a->total - e->sent_bytes);
	s64 r;

	sim_oracle_content(e, e->sent_bytes, buffer, n);
	r = xl_conn_send(engine_of(p), a->conn, buffer, n, now_ns);
	if (r > 0 ? (u64)r > n : r == 0 || r == -EPIPE)
		sim_world_fail(p->world, "api", "end %u: send of %llu bytes returned %lld", a->end,
			(unsigned long long)n,
			       (long long)r);
	if (r > 0 && (u64)r != xl_min(n, room))
		sim_world_fail(p->world, "api", "end %u: writable said %llu, send of %llu took %lld", a->end,
			       (unsigned long long)room, (unsigned long long)n, (long long)r);
	return r;
}

static s64 send_message(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);
	u64 n = sim_oracle_message_bytes(e, e->sent_messages);
	s64 r;

	sim_oracle_message(e, e->sent_messages, buffer);
	r = xl_conn_send(engine_of(p), a->conn, buffer, n, now_ns);
	if (r >= 0 ? (u64)r != n : r == -EPIPE || r == -EMSGSIZE)
		sim_world_fail(p->world, "api", "end %u: send of a message of %llu bytes returned %lld", a->end,
			       (unsigned long long)n, (long long)r);
	e->sent_messages += r >= 0;
	return r;
}

static void run_write(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);

	while (may_write(p, a)) {
		s64 r = is_stream(e) ? send_stream(p, a, now_ns) : send_message(p, a, now_ns);

		if (r < 0) {
			a->can_write = false;      /* an event says when to go on, or that it is over */
			if (r == -EAGAIN)
				sim_world_mark(p->world, SIM_MARK_SEND_FULL);
			return;
		}
		e->sent_bytes += r;
		p->worked++;
		a->write_at_ns = p->world->now_ns + a->write_pace_ns;
		if (a->ending == SIM_ENDING_ABORT && sent_by(e) >= a->abort_at)
			return;
	}
}

/* --- reading -------------------------------------------------------------------------------- */
static void got(struct sim_program *p, struct sim_actor *a, u8 *data, u64 bytes)
{
	struct sim_world *w = p->world;
	bool stream = is_stream(end_of(p, a)), ok = true;
	u32 times = 1;

	p->worked++;
	if (bytes && !w->harmed && sim_world_canary(w, SIM_CANARY_FLIP))
		data[bytes / 2] ^= 1, w->harmed = true;
	if (bytes && !w->harmed && sim_world_canary(w, SIM_CANARY_TWICE))
		times = 2, w->harmed = true;
	if (bytes && !w->harmed && sim_world_canary(w, SIM_CANARY_SKIP))
		times = 0, w->harmed = true;
	for (; times; times--)
		ok &= stream ? sim_oracle_got(&w->oracle, a->end, data, bytes) :
			       sim_oracle_got_message(&w->oracle, a->end, data, bytes);
	if (!ok)
		sim_world_fail(w, "prefix", "%s", w->oracle.trouble);
	if (!stream && !bytes)
		sim_world_mark(w, SIM_MARK_EMPTY_MESSAGE);
	if (a->closed && end_of(p, a)->error)
		sim_world_mark(w, SIM_MARK_DATA_BEFORE_ERROR);
	if (end_of(p, a)->shut)
		sim_world_mark(w, SIM_MARK_HALF_CLOSED);
}

/* One piece by loan; what recv would return. */
static s64 read_loan(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	const u8 *data = NULL;
	u64 left, n;
	s64 r = xl_conn_peek(engine_of(p), a->conn, &data, &left);

	if (r <= 0)
		return r == -ENODATA ? 0 : r;
	n = sim_range(&p->prng, 1, xl_min((u64)r, a->read_max));
	for (u64 i = 0; i < n; i++)
		buffer[i] = data[i];
	xl_conn_consume(engine_of(p), a->conn, n, now_ns);
	sim_world_mark(p->world, SIM_MARK_LOAN);
	return n;
}

static s64 read_stream(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	s64 ready = xl_conn_readable(engine_of(p), a->conn), r;
	u64 cap = sim_range(&p->prng, 1, a->read_max);

	if (a->peeks)
		return read_loan(p, a, now_ns);
	r = xl_conn_recv(engine_of(p), a->conn, buffer, cap, now_ns);
	if (ready > 0 ? r != (s64)xl_min((u64)ready, cap) : r != (ready == -ENODATA ? 0 : ready))
		sim_world_fail(p->world, "api", "end %u: readable said %lld, recv of %llu returned %lld", a->end,
			       (long long)ready, (unsigned long long)cap, (long long)r);
	return r;
}

static s64 read_message(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	s64 ready = xl_conn_readable(engine_of(p), a->conn), r;

	if (ready > 0 && xl_prng_chance(&p->prng, 50000)) {
		r = xl_conn_recv(engine_of(p), a->conn, buffer, ready - 1, now_ns);
		if (r != -EMSGSIZE)
			sim_world_fail(p->world, "api", "end %u: recv into too few bytes returned %lld", a->end,
				(long long)r);
	}
	r = xl_conn_recv(engine_of(p), a->conn, buffer, SIM_PIECE_BYTES_MAX, now_ns);
	if (r != ready)
		sim_world_fail(p->world, "api", "end %u: readable said %lld, recv returned %lld", a->end,
			(long long)ready,
			       (long long)r);
	return r;
}

static bool may_read(const struct sim_program *p, const struct sim_actor *a)
{
	const struct sim_world *w = p->world;

	return a->can_read && !a->failed && !end_of(p, a)->got_end && !sim_world_failed(w) &&
	       (w->healed || (!a->dead && w->now_ns >= a->read_at_ns));
}

static void run_read(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_world *w = p->world;
	bool stream = is_stream(end_of(p, a));

	if (a->can_read && a->dead && !w->healed)
		sim_world_mark(w, SIM_MARK_DEAD_READER);
	while (may_read(p, a)) {
		s64 r = stream ? read_stream(p, a, now_ns) : read_message(p, a, now_ns);

		if (r == -EAGAIN) {
			a->can_read = false;
			return;
		}
		if (stream ? r == 0 : r == -ENODATA) {
			sim_world_mark(w, stream ? SIM_MARK_STREAM_END : SIM_MARK_MESSAGE_END);
			if (!sim_oracle_got_end(&w->oracle, a->end))
				sim_world_fail(w, "prefix", "%s", w->oracle.trouble);
		} else if (r < 0) {
			a->failed = true;
		} else {
			got(p, a, buffer, r);
			a->read_at_ns = w->now_ns + a->read_pace_ns;
			if (a->read_pace_ns && !w->healed)
				sim_world_mark(w, SIM_MARK_SLOW_READER);
		}
	}
}

/* --- ending --------------------------------------------------------------------------------- */
static void close_now(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);

	if (!e->got_end) {
		e->deaf = true;
		if (!e->error)
			sim_world_mark(p->world, SIM_MARK_CLOSED_EARLY);
	}
	e->shut = true;
	xl_conn_close(engine_of(p), a->conn, now_ns);
	over(p, a);
}

static void run_end(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);

	if (a->failed || (a->closed && e->error && e->got_end)) {
		if (!a->closed)
			return;                        /* the event must come, too */
		close_now(p, a, now_ns);
		return;
	}
	if (a->ending == SIM_ENDING_ABORT && !a->closed && sent_by(e) >= a->abort_at) {
		sim_actor_abort(p, a, now_ns);
		return;
	}
	if (!e->shut && !a->closed && sent_by(e) >= a->total) {
		if (a->ending == SIM_ENDING_AT_ONCE) {
			close_now(p, a, now_ns);
			return;
		}
		e->shut = true;
		p->worked++;
		if (xl_conn_shutdown(engine_of(p), a->conn, now_ns))
			sim_world_fail(p->world, "api", "end %u: shutdown failed", a->end);
	}
	if ((e->shut || e->error) && e->got_end && (a->closed || a->ending == SIM_ENDING_CLOSE))
		close_now(p, a, now_ns);
}

void sim_actor_run(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	run_write(p, a, now_ns);
	run_read(p, a, now_ns);
	if (!sim_world_failed(p->world))
		run_end(p, a, now_ns);
}

u64 sim_actor_deadline(const struct sim_program *p, const struct sim_actor *a)
{
	const struct sim_end *e = end_of(p, a);
	u64 at = XL_NEVER;

	if (p->world->healed)
		return XL_NEVER;
	if (a->can_write && !e->shut && !a->closed && sent_by(e) < a->total)
		at = a->write_at_ns;
	if (a->can_read && !a->failed && !e->got_end && !a->dead)
		at = xl_min(at, a->read_at_ns);
	return at;
}
