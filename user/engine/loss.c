/* SPDX-License-Identifier: BSD-2-Clause */
#include "loss.h"

#include "conn.h"
#include "flow.h"
#include "pmtu.h"
#include "recovery.h"
#include "rtt.h"
#include "txbuf.h"

/* Packets are counted in the order in which they were sent, not by their numbers: some of these are skipped (skip.h), and
 * some are of packets that nobody acknowledges. Positive: a was sent after b. */
static s32 distance(u32 a, u32 b) { return (s32)(a - b); }

/* A packet was late, not lost: wait longer before the next such verdict. */
static void learn_reordering(struct xl_conn *c, const struct xl_sent *s)
{
	u32 behind = (u32)xl_max(distance(c->acked_order, s->order), 0);

	c->reorder_packets = (u16)xl_min(xl_max(c->reorder_packets, behind + 1), XL_REORDER_PACKETS_MAX);
	if (c->reorder_quarters < XL_REORDER_QUARTERS_MAX)
		c->reorder_quarters++;
	c->calm_episodes = 0;
}

/* What was learnt is forgotten when it has not been needed for long (RFC 8985, 6.2: 16 recoveries). */
static void forget_reordering(struct xl_conn *c)
{
	if (++c->calm_episodes <= XL_REORDER_EPISODES)
		return;
	c->reorder_packets = XL_REORDER_PACKETS;
	c->reorder_quarters = 0;
	c->calm_episodes = 0;
}

void xl_loss_mistaken(struct xl_engine *e, struct xl_conn *c, const struct xl_sent *s)
{
	struct xl_flow *f = xl_flow_of(e, c);

	xl_count(e, XL_C_SPURIOUS);
	xl_up(&c->packets_spurious);
	learn_reordering(c, s);
	if (!f)
		return;
	f->run_start_ns = XL_NEVER;
	/* Packets are lost in the order in which they were sent: what was lost before the episode began was sent before. */
	if (distance(s->order, f->episode_order) < 0 || --f->episode_lost || !f->cc.before.valid)
		return;
	xl_cc_of(&f->cc)->undo(&f->cc);
	xl_count(e, XL_C_UNDO);
}

/* Packets sent one after the other, over a long time, and all lost: persistent congestion (RFC 9002, 7.6). */
static void look_for_persistence(struct xl_engine *e, struct xl_conn *c, struct xl_flow *f, const struct xl_sent *s)
{
	if (f->run_start_ns == XL_NEVER || f->run_order != s->order)
		f->run_start_ns = s->time_ns;
	f->run_order = s->order + 1;
	if (!c->rtt.sampled || f->run_start_ns < c->rtt.since_ns ||
	    s->time_ns - f->run_start_ns <= XL_PERSISTENT_PTOS * xl_rtt_pto(&c->rtt, c->peer_ack_delay_ns))
		return;
	xl_cc_of(&f->cc)->collapse(&f->cc, e->now_ns);
	xl_count(e, XL_C_PERSISTENT);
	f->run_start_ns = XL_NEVER;
}

static void reduce(struct xl_engine *e, struct xl_conn *c, const struct xl_sent *s)
{
	struct xl_flow *f = xl_flow_of(e, c);

	if (!f) /* it sends no data, and would begin anew */
		return;
	if (xl_cc_of(&f->cc)->lost(&f->cc, s->time_ns, e->now_ns)) {
		xl_count(e, XL_C_RECOVERIES);
		f->episode_order = s->order;
		f->episode_lost = 0;
		forget_reordering(c);
	}
	f->episode_lost++;
	look_for_persistence(e, c, f, s);
}

static void lose(struct xl_engine *e, struct xl_conn *c, u32 i, enum xl_engine_counter why)
{
	struct xl_sent *s = &e->sents[i];
	struct xl_txbuf *t = xl_recovery_carried(e, c, s);

	xl_count(e, why);
	xl_up(&c->packets_lost);
	c->inflight -= s->bytes;
	c->inflight_packets--;
	s->lost = true;
	xl_list_remove(&e->l_sent, &c->sent, i);
	xl_list_append(&e->l_sent, &c->lost, i);
	if (t && t->last_number == s->number)
		xl_txbuf_lose(e, c, s->txbuf);
	c->control |= s->control;
	xl_pmtu_lost(e, c, s);
	if (!s->pad)
		reduce(e, c, s);
	if (c->lost.count > xl_loss_kept(e))
		xl_recovery_forget(e, c, c->lost.head);
	xl_conn_activate(e, c);
}

static u64 time_threshold(const struct xl_conn *c)
{
	u64 rtt = xl_max(c->rtt.srtt_ns, c->rtt.latest_ns);

	return xl_max(rtt + rtt / 8 + rtt / 4 * c->reorder_quarters, XL_RTT_GRANULARITY_NS);
}

static u64 kept_for(const struct xl_conn *c) { return XL_LOST_PTOS * xl_rtt_pto(&c->rtt, c->peer_ack_delay_ns); }

u64 xl_loss_kept_until(const struct xl_engine *e, const struct xl_conn *c)
{
	return c->lost.tail == XL_NONE ? XL_NEVER : e->sents[c->lost.tail].time_ns + kept_for(c) + 1;
}

void xl_loss_expire(struct xl_engine *e, struct xl_conn *c)
{
	u64 keep = kept_for(c);

	while (c->lost.head != XL_NONE && e->sents[c->lost.head].time_ns + keep < e->now_ns)
		xl_recovery_forget(e, c, c->lost.head);
}

/* What was sent later is never lost earlier, so the first that is not lost ends the walk. */
void xl_loss_detect(struct xl_engine *e, struct xl_conn *c)
{
	u64 threshold = time_threshold(c);

	xl_loss_expire(e, c);
	c->loss_time_ns = XL_NEVER;
	if (c->largest_acked == XL_NONE64)
		return;
	while (c->sent.head != XL_NONE) {
		const struct xl_sent *s = &e->sents[c->sent.head];

		xl_count(e, XL_C_ACK_STEPS);
		if (s->number > c->largest_acked)
			return;
		if (distance(c->acked_order, s->order) >= (s32)c->reorder_packets) {
			lose(e, c, c->sent.head, XL_C_LOST_BY_COUNT);
		} else if (s->time_ns + threshold <= e->now_ns) {
			lose(e, c, c->sent.head, XL_C_LOST_BY_TIME);
		} else {
			c->loss_time_ns = s->time_ns + threshold;
			return;
		}
	}
}
