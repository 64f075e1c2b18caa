/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include "turn.h"
#include "world.h"

static void check_pace(struct sim_host *h, bool worked)
{
	struct sim_world *w = h->world;

	h->runs_now = w->now_ns == h->last_run_ns ? h->runs_now + 1 : 0;
	h->runs_idle = worked ? 0 : h->runs_idle + 1;
	h->last_run_ns = w->now_ns;
	if (h->runs_now > SIM_RUNS_AT_ONE_TIME_MAX)
		sim_world_fail(w, "livelock", "host %u ran %u times while time stood still", h->index, h->runs_now);
	if (h->runs_idle > SIM_RUNS_IDLE_MAX)
		sim_world_fail(w, "livelock", "host %u woke %u times in a row and had nothing to do", h->index,
			h->runs_idle);
}

static void check_frames(struct sim_host *h)
{
	u32 sum = 0;

	for (u32 i = 0; i < XL_FRAME_OWNER_COUNT; i++)
		sum += h->frames.census[i];
	if (sum != h->frames.count)
		sim_world_fail(h->world, "census", "host %u: %u frames owned, %u in the pool", h->index, sum,
			h->frames.count);
	if (h->frames.census[XL_FRAME_RX])
		sim_world_fail(h->world, "census", "host %u: %u received frames kept after a turn", h->index,
			       h->frames.census[XL_FRAME_RX]);
}

static void check_armed(struct sim_host *h)
{
	struct sim_world *w = h->world;
	struct sim_program *p = &w->program[h->index];

	if (h->station->moving.active)
		return;          /* what is frozen waits for nothing but that */
	if (xl_worker_deadline(h->worker) != XL_NEVER && !sim_world_canary(w, SIM_CANARY_DISARM))
		return;
	for (u32 i = 0; i < p->actors; i++) {
		struct xl_conn_info info;

		if (w->oracle.end[p->actor[i].end].over)
			continue;
		xl_conn_info(h->engine, p->actor[i].conn, &info);
		if (info.error || (!info.inflight_bytes && info.bytes_acked >= info.bytes_sent))
			continue;
		sim_world_fail(w, "armed",
			"host %u, end %u: %llu bytes in flight, %llu of %llu acknowledged, no deadline",
			       h->index, p->actor[i].end, (unsigned long long)info.inflight_bytes,
			       (unsigned long long)info.bytes_acked, (unsigned long long)info.bytes_sent);
		return;
	}
}

/* What costs as much as there are frames and blocks: not after each turn of an ordinary run, but at least once in so many,
 * after every fault, and at the end. A replay looks after each. */
static void check_all(struct sim_host *h)
{
	const char *broken = NULL;

	if (!xl_frames_census_ok(&h->frames))
		sim_world_fail(h->world, "census", "host %u: the census is not what the frames say", h->index);
	else
		broken = sim_pools_check(h);
	sim_moving_check(h);
	if (broken)
		sim_world_fail(h->world, "engine", "host %u: %s", h->index, broken);
}

void sim_check_step(struct sim_host *h, bool worked)
{
	struct sim_world *w = h->world;

	check_frames(h);
	if (h->shaken || w->options.thorough || (h->turns + w->options.seed) % SIM_CHECK_EVERY == 0)
		check_all(h);
	h->shaken = false;
	h->turns++;
	sim_turn_check(h);
	check_armed(h);
	check_pace(h, worked);
}

void sim_check_packet(struct sim_world *w, u32 bytes, u32 max)
{
	if (bytes > max && !w->oracle.forged)
		sim_world_fail(w, "packet-size", "a packet of %u bytes is sent to a host that takes %u", bytes, max);
}

/* What the engines say of the connections that are left, for whoever replays the seed. */
static void trace_left(const struct sim_world *w)
{
	for (u32 k = 0; k < w->units; k++) {
		const struct sim_program *p = &w->program[k];

		for (u32 i = 0; i < p->actors; i++) {
			const struct sim_actor *a = &p->actor[i];
			struct xl_conn_info info;

			if (w->oracle.end[a->end].over)
				continue;
			xl_conn_info(w->host[k].engine, a->conn, &info);
			sim_world_trace(w,
				"left: host %u: end %u (other end %d): %s, id %016llx, %llu of %llu bytes acked, "
				"%llu in flight, %llu PTOs, credit %llu, readable %lld; "
				"program: reads %d, writes %d, closed %d", k,
					a->end, (int)w->oracle.end[a->end].peer, xl_conn_state_name(info.state),
					(unsigned long long)info.local_id, (unsigned long long)info.bytes_acked,
					(unsigned long long)info.bytes_sent, (unsigned long long)info.inflight_bytes,
					(unsigned long long)info.ptos, (unsigned long long)info.credit_bytes,
					(long long)xl_conn_readable(w->host[k].engine, a->conn), a->can_read,
						a->can_write, a->closed);
		}
	}
}

static void check_over(struct sim_world *w)
{
	for (u32 i = 0; i < w->oracle.ends; i++) {
		const struct sim_end *e = &w->oracle.end[i];

		if (e->over)
			continue;
		trace_left(w);
		sim_world_fail(w, "completion",
			"end %u of host %u is not over: sent %llu B, %llu messages%s; got %llu B, "
			       "%llu messages%s", i, e->host, (unsigned long long)e->sent_bytes,
			       (unsigned long long)e->sent_messages, e->shut ? " and the end" : "",
			       (unsigned long long)e->got_bytes, (unsigned long long)e->got_messages,
			       e->got_end ? " and the end" : "");
		return;
	}
	for (u32 i = 0; i < w->units; i++)
		if (!sim_program_over(&w->program[i]))
			sim_world_fail(w, "completion", "the program of host %u has something left to do", i);
}

static void check_home(struct sim_world *w)
{
	for (u32 i = 0; i < w->units; i++) {
		struct sim_host *h = &w->host[i];
		const u32 *c = h->frames.census;

		if (sim_host_quiet(h))
			continue;
		sim_world_fail(w, "frames-home",
			"host %u: %u connections left; frames: %u free, %u fill, %u rx, %u queued, "
			       "%u tx, %u inflight, %u lent", i, h->engine ? xl_engine_conns(h->engine) : 0,
			       c[XL_FRAME_FREE],
			       c[XL_FRAME_FILL], c[XL_FRAME_RX], c[XL_FRAME_QUEUED], c[XL_FRAME_TX],
			       c[XL_FRAME_INFLIGHT],
			       c[XL_FRAME_LENT]);
	}
}

void sim_check_end(struct sim_world *w)
{
	for (u32 i = 0; i < w->units; i++)
		if (w->host[i].engine)
			check_all(&w->host[i]);
	check_over(w);
	for (u32 i = 0; i < w->oracle.ends && !sim_world_failed(w); i++)
		if (!sim_oracle_agrees(&w->oracle, i))
			sim_world_fail(w, "agreement", "%s", w->oracle.trouble);
	check_home(w);
}
