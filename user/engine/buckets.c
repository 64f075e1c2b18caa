/* SPDX-License-Identifier: BSD-2-Clause */
#include "buckets.h"

#include "conn.h"
#include "ended.h"

static void mark(u64 *set, u8 bucket, bool in)
{
	u64 bit = 1ull << (bucket & 63);

	set[bucket >> 6] = in ? set[bucket >> 6] | bit : set[bucket >> 6] & ~bit;
}

void xl_buckets_init(struct xl_engine *e)
{
	for (u32 i = 0; i < XLANE_BUCKETS; i++)
		mark(e->serves, (u8)i, i % e->cfg.workers == e->cfg.worker);
}

void xl_engine_serve(struct xl_engine *e, u8 bucket, bool serves) { mark(e->serves, bucket, serves); }

void xl_engine_freeze(struct xl_engine *e, u8 bucket, bool frozen)
{
	mark(e->frozen, bucket, frozen);
	for (u32 i = 0; i < e->cfg.conns_max; i++) {
		struct xl_conn *c = &e->conns[i];

		if (c->state == XL_STATE_FREE || c->local_id >> 56 != bucket)
			continue;
		if (frozen)
			xl_sched_leave(e, c);
		else
			xl_conn_activate(e, c);
	}
}

u32 xl_engine_ended(const struct xl_engine *e, u8 bucket, u32 *at, u64 *ids, u32 max)
{
	u32 n = 0;

	for (; *at < XL_ENDED_MAX + e->cfg.conns_max && n < max; ++*at) {
		u64 id = 0;

		if (*at < XL_ENDED_MAX)
			id = e->ended_ring[(e->ended_next + *at) % XL_ENDED_MAX];
		else if (e->conns[*at - XL_ENDED_MAX].state == XL_STATE_DEAD &&
			 e->conns[*at - XL_ENDED_MAX].ended_gracefully)
			id = e->conns[*at - XL_ENDED_MAX].local_id;
		if (id && id >> 56 == bucket)
			ids[n++] = id;
	}
	if (*at >= XL_ENDED_MAX + e->cfg.conns_max)
		*at = XL_NONE;
	return n;
}

void xl_engine_ended_also(struct xl_engine *e, const u64 *ids, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (ids[i] && !xl_ended_has(e, ids[i]))
			xl_ended_add(e, ids[i]);
}
