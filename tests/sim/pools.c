/* SPDX-License-Identifier: BSD-2-Clause */
#include "pools.h"

#include "../../user/engine/core.h"
#include "world.h"

static void take(struct xl_list *from, struct xl_list *to)
{
	if (to->count)
		return;                /* it is empty already */
	*to = *from;
	*from = XL_LIST_EMPTY;
}

static void give(const struct xl_links *k, struct xl_list *from, struct xl_list *to)
{
	while (from->count)
		xl_list_append(k, to, xl_list_pop(k, from));
}

void sim_pools_empty(struct sim_host *h, enum sim_pool pool, u64 until_ns)
{
	static const enum sim_mark marks[SIM_POOLS] = {
		[SIM_POOL_SENTS] = SIM_MARK_EMPTY_SENTS, [SIM_POOL_CONNS] = SIM_MARK_EMPTY_CONNS,
		[SIM_POOL_PEERS] = SIM_MARK_EMPTY_PEERS, [SIM_POOL_BLOCKS] = SIM_MARK_EMPTY_BLOCKS,
	};
	struct sim_pools *p = &h->pools;
	struct xl_engine *e = h->engine;
	u32 blocks = e->cfg.blocks - xl_min(e->cfg.blocks, e->promised + e->granted + e->away);

	if (!p->until_ns)
		p->sents = p->conns = p->peers = XL_LIST_EMPTY;
	if (pool == SIM_POOL_SENTS)
		take(&e->sent_free, &p->sents);
	if (pool == SIM_POOL_CONNS)
		take(&e->conn_free, &p->conns);
	if (pool == SIM_POOL_PEERS)
		take(&e->peer_free, &p->peers);
	if (pool == SIM_POOL_BLOCKS) {
		e->promised += blocks;
		p->blocks += blocks;
	}
	p->until_ns = xl_max(p->until_ns, until_ns);
	sim_world_mark(h->world, marks[pool]);
}

void sim_pools_restore(struct sim_host *h)
{
	struct sim_pools *p = &h->pools;
	struct xl_engine *e = h->engine;

	if (!p->until_ns)
		return;
	give(&e->l_sent, &p->sents, &e->sent_free);
	give(&e->l_active, &p->conns, &e->conn_free);
	give(&e->l_idle, &p->peers, &e->peer_free);
	e->promised -= p->blocks;
	p->blocks = 0;
	p->until_ns = 0;
}

const char *sim_pools_check(struct sim_host *h)
{
	struct sim_pools *p = &h->pools;
	struct xl_engine *e = h->engine;
	const char *broken;

	if (!p->until_ns)
		return xl_engine_check(e);
	e->sent_free.count += p->sents.count;
	e->conn_free.count += p->conns.count;
	e->promised -= p->blocks;
	broken = xl_engine_check(e);
	e->sent_free.count -= p->sents.count;
	e->conn_free.count -= p->conns.count;
	e->promised += p->blocks;
	return broken;
}
