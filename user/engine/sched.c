/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

#include "buckets.h"

_Static_assert(XL_SCHED_QUANTUM_BYTES >= 2 * XLANE_MTU_MAX, "a quantum makes up for the last packet of a turn");

static bool has_data(const struct xl_conn *c) { return c->again.count | c->queue.count | c->queue_large.count; }
static struct xl_list *list(struct xl_engine *e, const struct xl_conn *c) { return c->is_fresh ? &e->fresh : &e->active; }

static void put(struct xl_engine *e, struct xl_conn *c, bool fresh)
{
	c->is_active = true;
	c->is_fresh = fresh;
	xl_list_append(&e->l_active, list(e, c), xl_conn_index(e, c));
}

void xl_sched_leave(struct xl_engine *e, struct xl_conn *c)
{
	if (!c->is_active)
		return;
	xl_list_remove(&e->l_active, list(e, c), xl_conn_index(e, c));
	c->is_active = c->is_fresh = false;
}

void xl_sched_join(struct xl_engine *e, struct xl_conn *c)
{
	bool owes = c->ack_now || c->control;

	if (xl_bucket_frozen(e, c->local_id))
		return;
	if (!c->is_active) {
		if (!c->is_held)
			c->deficit = XL_SCHED_QUANTUM_BYTES;
		put(e, c, !c->is_held || owes);
	} else if (!c->is_fresh && owes && !has_data(c)) {
		xl_sched_leave(e, c);
		put(e, c, true);
	}
}

void xl_sched_spent(struct xl_engine *e, struct xl_conn *c)
{
	c->deficit += XL_SCHED_QUANTUM_BYTES;
	xl_sched_leave(e, c);
	put(e, c, false);
}

void xl_sched_starved(struct xl_engine *e, struct xl_conn *c)
{
	xl_sched_leave(e, c);
	put(e, c, false);
}

void xl_sched_idle(struct xl_engine *e, struct xl_conn *c)
{
	bool rests = c->is_fresh && c->deficit < XL_SCHED_QUANTUM_BYTES && e->active.count;

	xl_sched_leave(e, c);
	/* Held up by window, pace or credit it comes back in its place, not as a fresh one. */
	c->is_held = has_data(c);
	if (rests)
		put(e, c, false);
}
