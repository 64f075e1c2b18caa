/* SPDX-License-Identifier: BSD-2-Clause */
#include "harm.h"

#include <unistd.h>

#include "../../user/engine/conn.h"
#include "world.h"

#define CHATTER 400   /* more than any answer to anything */

/* A connection that can send; NULL: there is none. */
static struct xl_conn *joined(const struct xl_engine *e)
{
	for (u32 i = 0; i < e->cfg.conns_max; i++)
		if (e->conns[i].state != XL_STATE_FREE && xl_state_joined(e->conns[i].state) && e->conns[i].received.any)
			return &e->conns[i];
	return NULL;
}

static bool census(struct sim_world *w, struct sim_host *h)
{
	(void)w;
	h->frames.census[XL_FRAME_FREE]++;
	return true;
}

static bool leak(struct sim_world *w, struct sim_host *h)
{
	(void)w;
	return xl_frames_take(&h->frames, XL_FRAME_LENT) != XL_NONE;
}

static bool kill_one(struct sim_world *w, struct sim_host *h)
{
	return sim_program_kill(&w->program[h->index], sim_world_clock(w, h->index));
}

static bool stray(struct sim_world *w, struct sim_host *h)
{
	(void)h;
	sim_world_hash(w, (u64)getpid());
	return true;
}

static bool overdraw(struct sim_world *w, struct sim_host *h)
{
	struct xl_conn *c = joined(h->engine);

	(void)w;
	if (c)
		c->credit_limit += XLANE_RECV_WINDOW_BYTES;
	return false;          /* every time: not each connection has something to send */
}

static bool spill(struct sim_world *w, struct sim_host *h)
{
	(void)w;
	h->guard[0] = 0;
	return true;
}

static bool miscount(struct sim_world *w, struct sim_host *h)
{
	struct xl_conn *c = joined(h->engine);

	(void)w;
	if (c)
		c->inflight++;
	return c;
}

static bool misplace(struct sim_world *w, struct sim_host *h)
{
	(void)w;
	h->engine->tx_frames++;
	return true;
}

static bool jumbo(struct sim_world *w, struct sim_host *h)
{
	(void)w;
	h->config.max_packet = XLANE_MTU_MIN / 4;
	return true;
}

void sim_harm(struct sim_world *w)
{
	static const struct { enum sim_canary canary; bool (*harm)(struct sim_world *w, struct sim_host *h); } table[] = {
		{ SIM_CANARY_CENSUS, census }, { SIM_CANARY_LEAK, leak }, { SIM_CANARY_KILL, kill_one },
		{ SIM_CANARY_STRAY, stray }, { SIM_CANARY_OVERDRAW, overdraw }, { SIM_CANARY_SPILL, spill },
		{ SIM_CANARY_MISCOUNT, miscount }, { SIM_CANARY_MISPLACE, misplace }, { SIM_CANARY_JUMBO, jumbo },
	};

	if (!w->options.canary || w->harmed || !w->host[0].engine)
		return;
	for (u32 i = 0; i < XL_ARRAY_SIZE(table); i++)
		if (sim_world_canary(w, table[i].canary))
			w->harmed = table[i].harm(w, &w->host[0]);
}

void sim_harm_turn(struct sim_host *h)
{
	struct xl_engine *e = h->engine;

	if (!sim_world_canary(h->world, SIM_CANARY_OVERDRIVE))
		return;
	for (u32 i = 0; i < e->nflows; i++)
		e->flows[i].cc.cwnd *= 4;
}

void sim_harm_turned(struct sim_host *h)
{
	struct xl_engine *e = h->engine;
	struct xl_conn *c;

	if (sim_world_canary(h->world, SIM_CANARY_OVERDRIVE))
		for (u32 i = 0; i < e->nflows; i++)
			e->flows[i].cc.cwnd /= 4;
	if (!sim_world_canary(h->world, SIM_CANARY_CHATTER) || !(c = joined(e)))
		return;
	for (u32 i = 0; i < CHATTER; i++) {
		c->ack_now = true;
		xl_conn_activate(e, c);
		xl_worker_round(h->worker, e->now_ns);
	}
}
