/* SPDX-License-Identifier: BSD-2-Clause */
#include "actor.h"

#include <errno.h>

#include "misuse.h"
#include "world.h"

static u8 buffer[SIM_LARGE_BYTES_MAX + 1];

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
	if (e->kind == XLANE_KIND_DATAGRAM && xl_prng_chance(&p->prng, 300000))
		return SIM_MESSAGES_MAX;           /* more than a queue takes, if nobody reads */
	return sim_log_range(&p->prng, 1, xl_max(1, xl_min(SIM_MESSAGES_MAX, 2 * f->bytes_max / (f->message_bytes_max + 1))));
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
	if (f->crowd && is_stream(end_of(p, a)))
		a->total = f->bytes_max;
	if (f->hoard_ppm)
		a->hoards = xl_prng_chance(r, f->hoard_ppm);
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

	if (a->closed && a->told_anew) {
		a->told_anew = false;
		return;
	}
	if (a->closed)
		sim_world_fail(w, "event", "end %u: closed is told twice", a->end);
	xl_conn_info(engine_of(p), a->conn, &info);
	a->closed = a->can_read = true;
	e->error = info.error;
	e->closed_well = !info.error;
	if (e->closed_well && is_stream(e) && e->peer != XL_NONE && w->oracle.end[e->peer].got_end &&
	    sim_world_canary(w, SIM_CANARY_DENY))
		e->sent_bytes++;
	sim_world_trace(w, "host %u: end %u: closed, error %d", p->host, a->end, info.error);
	if (!info.error)
		sim_world_mark(w, SIM_MARK_GRACEFUL);
	else
		mark_error(w, info.error);
	if (!sim_oracle_error_legal(&w->oracle, a->end, info.error, legal))
		sim_world_fail(w, "false-abort", "%s", w->oracle.trouble);
}

/* --- sending -------------------------------------------------------------------------------- */
/* It has begun a large message and gives nothing of it. */
static bool hoards(const struct sim_program *p, const struct sim_actor *a)
{
	return a->hoards && a->large != XL_NONE64 && !p->world->healed;
}

static bool may_write(const struct sim_program *p, const struct sim_actor *a)
{
	const struct sim_end *e = end_of(p, a);

	return a->can_write && !a->closed && (a->large != XL_NONE64 || (!e->shut && sent_by(e) < a->total)) &&
	       !hoards(p, a) && !sim_world_failed(p->world) &&
	       (p->world->healed || p->world->now_ns >= a->write_at_ns);
}

static s64 send_stream(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);
	u64 room = xl_conn_writable(engine_of(p), a->conn);
	u64 n = xl_min(sim_range(&p->prng, 1, a->chunk_max), a->total - e->sent_bytes);
	s64 r;

	sim_oracle_content(e, e->sent_bytes, buffer, xl_min(n, room));
	r = xl_conn_send(engine_of(p), a->conn, buffer, n, now_ns);
	r += r > 0 && sim_world_canary(p->world, SIM_CANARY_FIB);
	if (r > 0 ? (u64)r > n : r == 0 || r == -EPIPE)
		sim_world_fail(p->world, "api", "end %u: send of %llu bytes returned %lld", a->end,
			(unsigned long long)n,
			       (long long)r);
	if (r > 0 && (u64)r != xl_min(n, room))
		sim_world_fail(p->world, "api", "end %u: writable said %llu, send of %llu took %lld", a->end,
			       (unsigned long long)room, (unsigned long long)n, (long long)r);
	return r;
}

/* Give the large message under way its next bytes. */
static s64 feed(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);
	u64 bytes = sim_oracle_message_bytes(e, a->large);
	u64 n = xl_min(sim_range(&p->prng, 1, 2 * SIM_PIECE_BYTES_MAX), bytes - a->large_fed);
	s64 r;

	if (xl_conn_large_left(engine_of(p), a->conn) != bytes - a->large_fed)
		sim_world_fail(p->world, "api", "end %u: %llu bytes are left of a large message, not %llu", a->end,
			       (unsigned long long)xl_conn_large_left(engine_of(p), a->conn),
			       (unsigned long long)(bytes - a->large_fed));
	sim_oracle_part(e, a->large, a->large_fed, buffer, n);
	r = xl_conn_large_more(engine_of(p), a->conn, buffer, n, now_ns);
	if (r > 0 ? (u64)r > n : r == 0 || r == -EPIPE || r == -EINVAL)
		sim_world_fail(p->world, "api", "end %u: large_more of %llu bytes returned %lld", a->end,
			       (unsigned long long)n, (long long)r);
	if (r > 0)
		a->large_fed += r;
	if (a->large_fed == bytes)
		a->large = XL_NONE64;
	return r;
}

static s64 begin_large(struct sim_program *p, struct sim_actor *a, u64 bytes, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);
	s64 r = xl_conn_large_begin(engine_of(p), a->conn, bytes, now_ns);

	if (r > 0 || r == -EPIPE || r == -EINVAL || r == -EMSGSIZE)
		sim_world_fail(p->world, "api", "end %u: large_begin of %llu bytes returned %lld", a->end,
			       (unsigned long long)bytes, (long long)r);
	if (r == 0) {
		if (a->hoards && !p->world->healed)
			sim_world_mark(p->world, SIM_MARK_HOARDED);
		a->large = e->sent_messages++;
		a->large_fed = 0;
	}
	return r;
}

/* Priorities change; datagrams get a deadline, or none. */
static void settle(struct sim_program *p, struct sim_actor *a)
{
	if (xl_prng_chance(&p->prng, 900000))
		return;
	xl_conn_set(engine_of(p), a->conn, XL_CONN_PRIORITY, xl_prng_below(&p->prng, 4) * 85);
	if (end_of(p, a)->kind == XLANE_KIND_DATAGRAM)
		xl_conn_set(engine_of(p), a->conn, XL_CONN_DEADLINE_US, xl_prng_below(&p->prng, 2) *
			    sim_log_range(&p->prng, 1, 10000));
}

/* One of the last messages is taken back, if nothing of it was sent. */
static void take_back(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);
	u64 message = e->sent_messages - 1 - xl_prng_below(&p->prng, (u32)xl_min(e->sent_messages, 8));
	int r;

	if (xl_conn_message_id(engine_of(p), a->conn) != e->sent_messages)
		sim_world_fail(p->world, "api", "end %u: the last id is not its count of messages", a->end);
	r = xl_conn_cancel(engine_of(p), a->conn, message + 1, now_ns);
	sim_world_trace(p->world, "host %u: end %u takes message %llu back: %d", p->host, a->end,
			(unsigned long long)message, r);
	if (r && r != -EALREADY)
		sim_world_fail(p->world, "api", "end %u: cancel returned %d", a->end, r);
	if (r)
		return;
	sim_oracle_took_back(&p->world->oracle, a->end, message);
	if (message != a->large)
		return;
	e->sent_bytes += sim_oracle_message_bytes(e, message); /* none of it was counted yet */
	a->large = XL_NONE64;
}

static s64 send_message(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);
	u64 n = sim_oracle_message_bytes(e, e->sent_messages);
	s64 r;

	settle(p, a);
	sim_oracle_message(e, e->sent_messages, buffer);
	r = xl_conn_send(engine_of(p), a->conn, buffer, n, now_ns);
	if (r >= 0 ? (u64)r != n : r == -EPIPE || r == -EMSGSIZE)
		sim_world_fail(p->world, "api", "end %u: send of a message of %llu bytes returned %lld", a->end,
			       (unsigned long long)n, (long long)r);
	e->sent_messages += r >= 0;
	if (r >= 0 && xl_prng_chance(&p->prng, 50000))
		take_back(p, a, now_ns);
	return r;
}

/* A small message, the head of a large one, or bytes of it. */
static s64 send_any(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);
	bool more = !e->shut && sent_by(e) < a->total, given = a->large == XL_NONE64;
	u64 n = more ? sim_oracle_message_bytes(e, e->sent_messages) : 0;
	bool small = more && n <= XLANE_MESSAGE_SMALL_MAX_BYTES;
	s64 r = -EAGAIN, fed = -EAGAIN;

	if (given)
		return small ? send_message(p, a, now_ns) : begin_large(p, a, n, now_ns);
	fed = feed(p, a, now_ns);
	if (small && xl_prng_chance(&p->prng, 300000) && (fed > 0 || fed == -EAGAIN)) {
		r = send_message(p, a, now_ns);
		if (r >= 0)
			sim_world_mark(p->world, SIM_MARK_LARGE_OVERTAKEN);
	}
	if (fed < 0 && r < 0)
		return fed;
	return (fed > 0 ? fed : 0) + (r > 0 ? r : 0);
}

static void run_write(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_end *e = end_of(p, a);

	while (may_write(p, a)) {
		s64 r = is_stream(e) ? send_stream(p, a, now_ns) : send_any(p, a, now_ns);

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
	if (end_of(p, a)->out_of_order)
		sim_world_mark(w, SIM_MARK_OUT_OF_ORDER);
	if (bytes > SIM_PIECE_BYTES_MAX && !stream)
		sim_world_mark(w, SIM_MARK_LARGE);
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

/* A whole message by loans of any size. */
static s64 read_message_loan(struct sim_program *p, struct sim_actor *a, s64 ready, u64 now_ns)
{
	u64 left = ready, total = 0;
	const u8 *data = NULL;

	while (total < (u64)ready) {
		s64 n = xl_conn_peek(engine_of(p), a->conn, &data, &left);

		if (n <= 0 || left != ready - total) {
			sim_world_fail(p->world, "api", "end %u: peek at %llu of %lld returned %lld", a->end,
				       (unsigned long long)total, (long long)ready, (long long)n);
			return ready;
		}
		n = sim_range(&p->prng, 1, n);
		for (s64 i = 0; i < n; i++)
			buffer[total + i] = data[i];
		xl_conn_consume(engine_of(p), a->conn, n, now_ns);
		total += n;
	}
	return ready;
}

static s64 read_message(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	s64 ready = xl_conn_readable(engine_of(p), a->conn), r;

	if (ready > SIM_LARGE_BYTES_MAX && sim_oracle_tainted(&p->world->oracle, a->end)) {
		sim_actor_abort(p, a, now_ns);     /* no program of ours sends it */
		return -EAGAIN;
	}
	if (ready > 0 && xl_prng_chance(&p->prng, 50000)) {
		r = xl_conn_recv(engine_of(p), a->conn, buffer, ready - 1, now_ns);
		if (r != -EMSGSIZE)
			sim_world_fail(p->world, "api", "end %u: recv into too few bytes returned %lld", a->end,
				(long long)r);
	}
	if (a->peeks && ready > 0)
		return read_message_loan(p, a, ready, now_ns);
	r = xl_conn_recv(engine_of(p), a->conn, buffer, SIM_LARGE_BYTES_MAX, now_ns);
	if (r != ready)
		sim_world_fail(p->world, "api", "end %u: readable said %lld, recv returned %lld", a->end,
			(long long)ready,
			       (long long)r);
	return r;
}

static void mark_lost_datagrams(struct sim_program *p, const struct sim_actor *a)
{
	const struct sim_end *e = end_of(p, a);

	if (e->kind == XLANE_KIND_DATAGRAM && e->peer != XL_NONE &&
	    e->got_messages < p->world->oracle.end[e->peer].sent_messages)
		sim_world_mark(p->world, SIM_MARK_DATAGRAM_LOST);
}

static bool may_read(const struct sim_program *p, const struct sim_actor *a)
{
	const struct sim_world *w = p->world;

	return a->can_read && !a->failed && !end_of(p, a)->got_end && !sim_world_failed(w) &&
	       (w->healed || (!a->dead && w->now_ns >= a->read_at_ns));
}

/* The rule of user/engine/share.h has put off a send of a host. */
static bool frames_short(const struct sim_world *w)
{
	for (u32 i = 0; i < w->units; i++)
		if (w->host[i].engine && xl_engine_counters(w->host[i].engine)[XL_C_SHARE_WAITS])
			return true;
	return false;
}

static void run_read(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	struct sim_world *w = p->world;
	bool stream = is_stream(end_of(p, a));

	if (a->can_read && a->dead && !w->healed) {
		sim_world_mark(w, SIM_MARK_DEAD_READER);
		if (frames_short(w))
			sim_world_mark(w, SIM_MARK_FRAMES_SHORT);
	}
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
			mark_lost_datagrams(p, a);
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
			if (a->large != XL_NONE64)
				return;
			close_now(p, a, now_ns);
			return;
		}
		e->shut = true;
		p->worked++;
		if (xl_conn_shutdown(engine_of(p), a->conn, now_ns))
			sim_world_fail(p->world, "api", "end %u: shutdown failed", a->end);
	}
	if ((e->shut || e->error) && e->got_end && (a->closed || (a->ending == SIM_ENDING_CLOSE && a->large == XL_NONE64)))
		close_now(p, a, now_ns);
}

void sim_actor_run(struct sim_program *p, struct sim_actor *a, u64 now_ns)
{
	if (p->world->faults.misuse_ppm && xl_prng_chance(&p->prng, p->world->faults.misuse_ppm))
		sim_misuse(p, a, now_ns);
	run_write(p, a, now_ns);
	run_read(p, a, now_ns);
	if (!sim_world_failed(p->world) && !end_of(p, a)->over)
		run_end(p, a, now_ns);
}

u64 sim_actor_deadline(const struct sim_program *p, const struct sim_actor *a)
{
	const struct sim_end *e = end_of(p, a);
	u64 at = XL_NEVER;

	if (p->world->healed)
		return XL_NEVER;
	if (a->can_write && !a->closed && !hoards(p, a) && (a->large != XL_NONE64 || (!e->shut && sent_by(e) < a->total)))
		at = a->write_at_ns;
	if (a->can_read && !a->failed && !e->got_end && !a->dead)
		at = xl_min(at, a->read_at_ns);
	return at;
}
