/* SPDX-License-Identifier: BSD-2-Clause */
#include "persist.h"

#include "conn.h"
#include "queue.h"
#include "rtt.h"

/* Only the peer can change that nothing can be sent. */
static bool without_credit(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 tb = xl_queue_next(e, c);

	if (!xl_state_joined(c->state) || c->again.head != XL_NONE || c->queue_large.head != XL_NONE)
		return false;
	if (tb != XL_NONE)
		return !xl_queue_credited(c, &e->txbufs[tb]);
	return c->large_out.open && c->large_out.fed == c->large_out.granted;
}

bool xl_persist_stands(const struct xl_engine *e, const struct xl_conn *c)
{
	return without_credit(e, c) && !c->inflight_packets && !c->control;
}

/* What is in flight for another reason, a PING say, does not begin the pause anew. */
void xl_persist_look(const struct xl_engine *e, struct xl_conn *c)
{
	u64 pto = xl_rtt_pto(&c->rtt, c->peer_ack_delay_ns);

	if (!without_credit(e, c))
		c->persist_ns = XL_NEVER;
	else if (c->persist_ns == XL_NEVER && xl_persist_stands(e, c))
		c->persist_ns = e->now_ns + xl_min(pto << xl_min(c->persist_count, XL_PERSIST_BACKOFF_MAX),
						   xl_max(pto, XL_PERSIST_MAX_NS));
}

void xl_persist_timeout(struct xl_engine *e, struct xl_conn *c)
{
	c->persist_ns = XL_NEVER;
	if (!xl_persist_stands(e, c))
		return;
	xl_count(e, XL_C_PERSIST);
	c->persist_count += c->persist_count < XL_PERSIST_BACKOFF_MAX;
	c->control |= XL_CTL_BLOCKED;
	xl_conn_activate(e, c);
}
