/* SPDX-License-Identifier: BSD-2-Clause */
#include "recovery.h"

#include "ack.h"
#include "conn.h"
#include "flow.h"
#include "loss.h"
#include "persist.h"
#include "pmtu.h"
#include "rtt.h"
#include "send.h"
#include "skip.h"

static struct xl_sent *sent_at(const struct xl_engine *e, u32 i) { return &e->sents[i]; }

/* The first packet after nothing was in flight: what the window was is old knowledge (RFC 5681, 4.1). */
static void restart(const struct xl_engine *e, struct xl_conn *c)
{
	struct xl_flow *f = xl_flow_of(e, c);

	if (f && c->inflight_packets == 0 && c->last_eliciting_ns)
		xl_cc_of(&f->cc)->restart(&f->cc, e->now_ns - c->last_eliciting_ns,
					  xl_rtt_pto(&c->rtt, c->peer_ack_delay_ns), e->now_ns);
}

void xl_recovery_sent(struct xl_engine *e, struct xl_conn *c, u64 number, u32 txbuf, u32 bytes, u8 control)
{
	u32 i = xl_list_pop(&e->l_sent, &e->sent_free);
	struct xl_sent *s = sent_at(e, i);

	restart(e, c);
	*s = (struct xl_sent){ .number = number, .time_ns = e->now_ns, .txbuf = txbuf, .bytes = (u16)bytes,
			       .control = control, .order = c->sent_order++ };
	if (txbuf != XL_NONE) {
		s->generation = e->txbufs[txbuf].generation;
		e->txbufs[txbuf].last_number = number;
	}
	xl_list_append(&e->l_sent, &c->sent, i);
	c->inflight += bytes;
	c->inflight_packets++;
	c->last_eliciting_ns = e->now_ns;
}

void xl_recovery_forget(struct xl_engine *e, struct xl_conn *c, u32 i)
{
	struct xl_sent *s = sent_at(e, i);

	if (!s->lost) {
		c->inflight -= s->bytes;
		c->inflight_packets--;
	}
	xl_list_remove(&e->l_sent, s->lost ? &c->lost : &c->sent, i);
	xl_list_prepend(&e->l_sent, &e->sent_free, i);
	if (c->control)
		xl_conn_activate(e, c); /* it may have waited for this entry */
}

bool xl_recovery_spare(struct xl_engine *e, struct xl_conn *c)
{
	u32 i = c->lost.head != XL_NONE ? c->lost.head : c->probes ? c->sent.head : XL_NONE;
	struct xl_sent *s;
	struct xl_txbuf *t;

	if (i == XL_NONE)
		return false;
	s = sent_at(e, i);
	t = s->lost ? NULL : xl_recovery_carried(e, c, s);
	if (t && t->last_number == s->number)
		xl_txbuf_lose(e, c, s->txbuf);
	if (!s->lost) {
		c->control |= s->control & (u8)~(XL_CTL_PING | XL_CTL_PROBE); /* the probe that it makes room for asks again */
		c->probes--;                                                  /* each at most once, or they would chase each other */
	}
	xl_recovery_forget(e, c, i);
	return true;
}

static bool stands_for_nothing(const struct xl_engine *e, const struct xl_conn *c, const struct xl_sent *s)
{
	const struct xl_txbuf *t = xl_recovery_carried(e, c, s);

	return !(s->control & (u8)~(XL_CTL_PING | XL_CTL_PROBE)) && !(t && t->last_number == s->number);
}

void xl_recovery_thin(struct xl_engine *e, struct xl_conn *c)
{
	u32 next;

	for (u32 i = c->sent.head; i != XL_NONE && c->sent.count > XL_PROBES_KEPT; i = next) {
		next = xl_list_next(&e->l_sent, i);
		if (stands_for_nothing(e, c, sent_at(e, i)))
			xl_recovery_forget(e, c, i);
	}
}

void xl_recovery_clear(struct xl_engine *e, struct xl_conn *c)
{
	while (c->sent.head != XL_NONE)
		xl_recovery_forget(e, c, c->sent.head);
	while (c->lost.head != XL_NONE)
		xl_recovery_forget(e, c, c->lost.head);
	c->loss_time_ns = XL_NEVER;
}

struct xl_txbuf *xl_recovery_carried(const struct xl_engine *e, const struct xl_conn *c, const struct xl_sent *s)
{
	struct xl_txbuf *t;

	if (s->txbuf == XL_NONE)
		return NULL;
	t = &e->txbufs[s->txbuf];
	return t->generation == s->generation && t->conn == xl_conn_index(e, c) && !t->acked ? t : NULL;
}

/* What one ACK record acknowledged. */
struct acked {
	u64 sent_ns;             /* when the largest was sent, if it was in flight; else XL_NONE64 */
	u64 sent_bytes;          /* and how large it is */
	u64 bytes, inflight;     /* that left flight, and what had been there */
	u32 packets;
};

static void acknowledged(struct xl_engine *e, struct xl_conn *c, u32 i, struct acked *n)
{
	struct xl_sent *s = sent_at(e, i);
	struct xl_flow *f = xl_flow_of(e, c);

	n->packets++;
	xl_pmtu_acked(e, c, s);
	if (s->lost) {
		if (!s->pad)
			xl_loss_mistaken(e, c, s);
	} else {
		n->bytes += s->bytes;
		if ((s32)(s->order - c->acked_order) > 0)
			c->acked_order = s->order;
		if (f && !s->pad)
			xl_cc_of(&f->cc)->acked(&f->cc, s->bytes, s->time_ns, e->now_ns, c->rtt.srtt_ns,
						c->window_limited);
	}
	if (s->number == c->told_number)
		xl_ack_arrived(e, c);
	if (xl_recovery_carried(e, c, s))
		xl_txbuf_acknowledge(e, c, s->txbuf);
	xl_recovery_forget(e, c, i);
}

static bool plausible(struct xl_engine *e, const struct xl_conn *c, const struct xl_ack *a)
{
	if (a->range[0].last < c->next_number && a->range[a->count - 1].first >= c->first_number)
		return true;
	xl_count(e, XL_C_ACK_UNSENT);
	return false;
}

/* Walk what is in flight (ascending) and the ranges (descending, so from the last) together. */
static void walk(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a, struct acked *n)
{
	u32 r = a->count - 1, next;

	for (u32 i = c->sent.head; i != XL_NONE; i = next) {
		struct xl_sent *s = sent_at(e, i);

		xl_count(e, XL_C_ACK_STEPS);
		next = xl_list_next(&e->l_sent, i);
		while (r > 0 && a->range[r].last < s->number)
			r--;
		if (a->range[r].last < s->number)
			break;
		if (s->number < a->range[r].first)
			continue;
		if (s->number == a->range[0].last) {
			n->sent_ns = s->time_ns;
			n->sent_bytes = s->bytes;
		}
		acknowledged(e, c, i, n);
	}
}

/* Walk what was taken for lost and the ranges, both descending. */
static void walk_lost(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a, struct acked *n)
{
	u32 r = 0, before;

	for (u32 i = c->lost.tail; i != XL_NONE; i = before) {
		const struct xl_sent *s = sent_at(e, i);

		xl_count(e, XL_C_ACK_STEPS);
		before = xl_link_at(&e->l_sent, i)->prev;
		while (r < a->count && a->range[r].first > s->number)
			r++;
		if (r == a->count)
			break;
		if (s->number <= a->range[r].last)
			acknowledged(e, c, i, n);
	}
}

void xl_recovery_look_for_end(struct xl_engine *e, struct xl_conn *c)
{
	if (c->fin_acked && xl_txbuf_none(c) && (c->state == XL_STATE_LOCAL_SHUT || c->state == XL_STATE_BOTH_SHUT))
		xl_conn_event(e, c, XL_EV_FIN_ACKED);
}

/* The largest number is newly acknowledged: a round trip. None is measured across a time in which the worker stood still. */
static void measure(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a, const struct acked *n)
{
	struct xl_flow *f = xl_flow_of(e, c);
	u64 slow = (u64)a->host_delay_ns + e->host_ns, rtt;
	struct xl_cc_sample s;

	if (n->sent_ns == XL_NONE64 || n->sent_ns < e->leapt_ns)
		return;
	rtt = e->now_ns - n->sent_ns;
	if (!c->rtt.sampled)
		c->rtt.since_ns = e->now_ns;
	xl_rtt_sample(&c->rtt, rtt, xl_min(a->ack_delay_ns, c->peer_ack_delay_ns));
	s = (struct xl_cc_sample){
		.now_ns = e->now_ns, .sent_ns = n->sent_ns, .rtt_ns = rtt, .delay_ns = rtt - xl_min(rtt, a->ack_delay_ns),
		.srtt_ns = c->rtt.srtt_ns, .min_rtt_ns = c->rtt.min_ns, .acked_bytes = n->bytes, .sent_bytes = n->sent_bytes, .inflight = n->inflight,
		.limited = c->window_limited,
	};
	s.network_ns = s.delay_ns - xl_min(slow, s.delay_ns); /* what a slow host may have been (K-20) */
	if (f)
		xl_cc_of(&f->cc)->sample(&f->cc, &s);
}

void xl_recovery_ack(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a)
{
	u64 largest = a->range[0].last, acked_before = c->seq_acked_bytes + c->other_done;
	struct acked n = { .sent_ns = XL_NONE64, .inflight = c->inflight };
	const struct xl_flow *f = xl_flow_of(e, c);

	xl_count(e, XL_C_ACKS_IN);
	if (!plausible(e, c, a) || xl_skip_acked(e, c, a))
		return;
	if (c->largest_acked == XL_NONE64 || largest > c->largest_acked)
		c->largest_acked = largest;
	/* Of a window that is not even half used more would say nothing about the path (RFC 9002, 7.8). */
	if (!f || c->inflight < f->cc.cwnd / 2)
		c->window_limited = false;
	walk(e, c, a, &n);
	walk_lost(e, c, a, &n);
	if (n.packets == 0)
		return;
	if (c->seq_acked_bytes + c->other_done != acked_before) {
		xl_conn_orphan(e, c);
		xl_persist_moved(c);
	} else {
		xl_persist_unheeded(c);
	}
	measure(e, c, a, &n);
	c->pto_count = 0;
	c->probes = 0;
	xl_loss_detect(e, c);
	xl_send_tell(e, c);
	xl_recovery_look_for_end(e, c);
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
