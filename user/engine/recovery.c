/* SPDX-License-Identifier: BSD-2-Clause */
#include "recovery.h"

#include "conn.h"
#include "rtt.h"
#include "send.h"

static struct xl_sent *sent_at(const struct xl_engine *e, u32 i) { return &e->sents[i]; }

void xl_recovery_sent(struct xl_engine *e, struct xl_conn *c, u64 number, u32 txbuf, u32 bytes, u8 control)
{
	u32 i = xl_list_pop(&e->l_sent, &e->sent_free);
	struct xl_sent *s = sent_at(e, i);

	*s = (struct xl_sent){ .number = number, .time_ns = e->now_ns, .txbuf = txbuf, .bytes = (u16)bytes,
			       .control = control };
	if (txbuf != XL_NONE) {
		s->generation = e->txbufs[txbuf].generation;
		e->txbufs[txbuf].last_number = number;
	}
	xl_list_append(&e->l_sent, &c->sent, i);
	c->inflight += bytes;
	c->inflight_packets++;
	c->last_eliciting_ns = e->now_ns;
}

static void forget(struct xl_engine *e, struct xl_conn *c, u32 i)
{
	struct xl_sent *s = sent_at(e, i);

	if (!s->lost) {
		c->inflight -= s->bytes;
		c->inflight_packets--;
	}
	xl_list_remove(&e->l_sent, &c->sent, i);
	xl_list_prepend(&e->l_sent, &e->sent_free, i);
}

void xl_recovery_clear(struct xl_engine *e, struct xl_conn *c)
{
	while (c->sent.head != XL_NONE)
		forget(e, c, c->sent.head);
	c->loss_time_ns = XL_NEVER;
}

/* The buffer that this transmission carried, if it is not acknowledged yet. */
static struct xl_txbuf *carried(const struct xl_engine *e, const struct xl_sent *s)
{
	struct xl_txbuf *t;

	if (s->txbuf == XL_NONE)
		return NULL;
	t = &e->txbufs[s->txbuf];
	return t->generation == s->generation && !t->acked ? t : NULL;
}

/* A packet taken for lost had only been late: wait longer before the next such verdict. */
static void learn_reordering(struct xl_engine *e, struct xl_conn *c, const struct xl_sent *s)
{
	u64 distance = c->largest_acked > s->number ? c->largest_acked - s->number : 0;

	xl_count(e, XL_C_SPURIOUS);
	c->packets_spurious++;
	c->reorder_packets = (u32)xl_min(xl_max(c->reorder_packets, distance + 1), XL_REORDER_PACKETS_MAX);
	if (c->reorder_quarters < XL_REORDER_QUARTERS_MAX)
		c->reorder_quarters++;
}

static void acknowledged(struct xl_engine *e, struct xl_conn *c, u32 i)
{
	struct xl_sent *s = sent_at(e, i);

	if (s->lost)
		learn_reordering(e, c, s);
	else
		xl_cc_of(&c->cc)->acked(&c->cc, s->bytes, s->time_ns, e->now_ns, c->rtt.srtt_ns,
					c->window_limited);
	if (carried(e, s))
		xl_txbuf_acknowledge(e, c, s->txbuf);
	forget(e, c, i);
}

static void lose(struct xl_engine *e, struct xl_conn *c, struct xl_sent *s, enum xl_engine_counter why)
{
	struct xl_txbuf *t = carried(e, s);

	xl_count(e, why);
	c->packets_lost++;
	c->inflight -= s->bytes;
	c->inflight_packets--;
	s->lost = true;
	if (t && t->last_number == s->number)
		xl_txbuf_lose(e, c, s->txbuf);
	c->control |= s->control;
	if (xl_cc_of(&c->cc)->lost(&c->cc, s->time_ns, e->now_ns))
		xl_count(e, XL_C_RECOVERIES);
	xl_conn_activate(e, c);
}

static u64 time_threshold(const struct xl_conn *c)
{
	u64 rtt = xl_max(c->rtt.srtt_ns, c->rtt.latest_ns);

	return xl_max(rtt + rtt / 8 + rtt / 4 * c->reorder_quarters, XL_RTT_GRANULARITY_NS);
}

/* Take for lost what is far enough behind the largest acknowledged, by count or by time (RFC 9002, 6.1). */
static void detect_lost(struct xl_engine *e, struct xl_conn *c)
{
	u64 threshold = time_threshold(c), keep = 4 * xl_rtt_pto(&c->rtt, c->peer_ack_delay_ns);
	u32 next;

	c->loss_time_ns = XL_NEVER;
	if (c->largest_acked == XL_NONE64)
		return;
	for (u32 i = c->sent.head; i != XL_NONE; i = next) {
		struct xl_sent *s = sent_at(e, i);

		next = xl_list_next(&e->l_sent, i);
		if (s->lost) {
			if (s->time_ns + keep < e->now_ns)
				forget(e, c, i);
			continue;
		}
		if (s->number > c->largest_acked)
			break;
		if (c->largest_acked - s->number >= c->reorder_packets)
			lose(e, c, s, XL_C_LOST_BY_COUNT);
		else if (s->time_ns + threshold <= e->now_ns)
			lose(e, c, s, XL_C_LOST_BY_TIME);
		else
			c->loss_time_ns = xl_min(c->loss_time_ns, s->time_ns + threshold);
	}
}

static bool plausible(struct xl_engine *e, const struct xl_conn *c, const struct xl_ack *a)
{
	if (a->range[0].last < c->next_number && a->range[a->count - 1].first >= c->first_number)
		return true;
	xl_count(e, XL_C_ACK_UNSENT);
	return false;
}

/* Walk the sent list (ascending) and the ranges (descending, so from the last) together. */
static u32 walk(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a, u64 *largest_time)
{
	u32 r = a->count - 1, n = 0, next;

	for (u32 i = c->sent.head; i != XL_NONE; i = next) {
		struct xl_sent *s = sent_at(e, i);

		next = xl_list_next(&e->l_sent, i);
		while (r > 0 && a->range[r].last < s->number)
			r--;
		if (a->range[r].last < s->number)
			break;
		if (s->number < a->range[r].first)
			continue;
		if (s->number == a->range[0].last && !s->lost)
			*largest_time = s->time_ns;
		acknowledged(e, c, i);
		n++;
	}
	return n;
}

/* The end is acknowledged, and everything before it: the end may have overtaken lost data. */
static void look_for_end(struct xl_engine *e, struct xl_conn *c)
{
	if (c->fin_acked && xl_txbuf_none(c) && (c->state == XL_STATE_LOCAL_SHUT || c->state == XL_STATE_BOTH_SHUT))
		xl_conn_event(e, c, XL_EV_FIN_ACKED);
}

void xl_recovery_ack(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a)
{
	u64 largest = a->range[0].last, sent_ns = XL_NONE64, acked_before = c->seq_acked_bytes + c->other_done;

	xl_count(e, XL_C_ACKS_IN);
	if (!plausible(e, c, a))
		return;
	if (c->largest_acked == XL_NONE64 || largest > c->largest_acked)
		c->largest_acked = largest;
	/* Of a window that is not even half used more would say nothing about the path (RFC 9002, 7.8). */
	if (c->inflight < c->cc.cwnd / 2)
		c->window_limited = false;
	if (walk(e, c, a, &sent_ns) == 0)
		return;
	if (c->seq_acked_bytes + c->other_done != acked_before)
		xl_conn_orphan(e, c);
	if (sent_ns != XL_NONE64 && sent_ns >= e->leapt_ns)
		xl_rtt_sample(&c->rtt, e->now_ns - sent_ns, xl_min(a->ack_delay_ns, c->peer_ack_delay_ns));
	c->pto_count = 0;
	c->probes = 0;
	detect_lost(e, c);
	xl_send_tell(e, c);
	look_for_end(e, c);
	xl_conn_activate(e, c);
}

static u64 pto_period(const struct xl_conn *c)
{
	/* Of several packets in flight some are acknowledged at once (RFC 8985, 7.2); one alone may wait for the delay. */
	u64 base = xl_rtt_pto(&c->rtt, c->inflight_packets > 1 ? 0 : c->peer_ack_delay_ns);

	return xl_min(base << xl_min(c->pto_count, XL_PTO_BACKOFF_MAX), xl_max(base, XL_PTO_MAX_NS));
}

u64 xl_recovery_deadline(const struct xl_engine *e, const struct xl_conn *c)
{
	(void)e;
	if (c->loss_time_ns != XL_NEVER)
		return c->loss_time_ns;
	if (c->inflight_packets == 0)
		return XL_NEVER;
	return c->last_eliciting_ns + pto_period(c);
}

/* Nothing of what was sent has been acknowledged for the peer-death bound, whatever else the peer may say. A worker that
 * stood still itself starts the clock anew. */
static bool given_up(struct xl_engine *e, struct xl_conn *c, u64 due_ns)
{
	if (c->pto_count == 0 || e->now_ns - due_ns > XL_CLOCK_LEAP_NS)
		c->stalled_ns = e->now_ns;
	if (e->now_ns - c->stalled_ns < (c->stall_ns ? c->stall_ns : e->cfg.peer_death_ns))
		return false;
	xl_count(e, XL_C_STALLED);
	xl_conn_end(e, c, XLANE_WIRE_PEER_DEAD, true);
	return true;
}

void xl_recovery_timeout(struct xl_engine *e, struct xl_conn *c)
{
	u64 due = c->last_eliciting_ns + pto_period(c);
	u32 n = 0, next;

	if (c->loss_time_ns != XL_NEVER) {
		if (c->loss_time_ns > e->now_ns)
			return;
		detect_lost(e, c);
		xl_send_tell(e, c);
		look_for_end(e, c); /* what was lost may have been a datagram, and the last that the end waited for */
		return;
	}
	if (c->inflight_packets == 0 || due > e->now_ns || given_up(e, c, due))
		return;
	xl_count(e, XL_C_PTO);
	c->ptos++;
	c->pto_count++;
	c->probes = XL_PTO_PROBES;
	c->last_eliciting_ns = e->now_ns; /* the next period counts from here, also when no probe can be sent */
	for (u32 i = c->flight.head; i != XL_NONE && n < XL_PTO_PROBES; i = next) {
		next = xl_list_next(&e->l_tx, i);
		if (e->txbufs[i].type == XL_TXBUF_DGRAM)
			continue;
		xl_txbuf_lose(e, c, i);
		n++;
	}
	if ((n == 0 && c->again.head == XL_NONE) || c->pto_count > 1)
		c->control |= XL_CTL_PROBE;
	xl_conn_activate(e, c);
}

void xl_recovery_all_received(struct xl_engine *e, struct xl_conn *c)
{
	xl_recovery_clear(e, c);
	xl_txbuf_drop_all(e, c);
	c->seq_acked_bytes = c->seq_next;
	c->other_done = c->other_bytes;
	c->fin_acked = true;
	xl_conn_event(e, c, XL_EV_FIN_ACKED);
	xl_conn_rearm(e, c);
}
