/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe.h"

#include "conn.h"
#include "loss.h"
#include "persist.h"
#include "queue.h"
#include "recovery.h"
#include "rtt.h"
#include "send.h"

static u64 period(const struct xl_conn *c)
{
	/* Where an ACK was asked for at once, none is held back (K-31). */
	u64 base = xl_rtt_pto(&c->rtt, xl_probe_asked(c) ? 0 : c->peer_ack_delay_ns);
	u32 doublings = (u32)xl_max(c->pto_count, xl_persist_doublings(c));

	return xl_min(base << xl_min(doublings, XL_PTO_BACKOFF_MAX), xl_max(base, XL_PTO_MAX_NS));
}

u64 xl_probe_deadline(const struct xl_engine *e, const struct xl_conn *c)
{
	if (c->loss_time_ns != XL_NEVER)
		return c->loss_time_ns;
	if (c->inflight_packets == 0) /* no ACK will come to see that it is too old */
		return xl_loss_kept_until(e, c);
	return c->last_eliciting_ns + period(c);
}

/* Nothing of what was sent has been acknowledged for the peer-death bound, whatever else the peer may say. A worker that
 * stood still itself starts the clock anew. */
static bool given_up(struct xl_engine *e, struct xl_conn *c, u64 due_ns)
{
	if (c->pto_count == 0 || e->now_ns - due_ns > XL_CLOCK_LEAP_NS)
		c->stalled_ns = e->now_ns;
	if (e->now_ns - c->stalled_ns < (c->stall_ms ? c->stall_ms * XL_MS : e->cfg.peer_death_ns))
		return false;
	xl_count(e, XL_C_STALLED);
	xl_conn_end(e, c, XLANE_WIRE_PEER_DEAD, true);
	return true;
}

/* There is data that was never sent and may be. */
static bool has_new(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 tb = xl_queue_next(e, c);

	return c->queue_large.head != XL_NONE || (tb != XL_NONE && xl_queue_credited(c, &e->txbufs[tb]));
}

/* One packet, whose ACK shows every hole before it: what waits already, something new, or the newest once more. */
static void tail_probe(struct xl_engine *e, struct xl_conn *c)
{
	u32 newest = c->flight.tail;

	xl_count(e, XL_C_TAIL_PROBES);
	if (c->again.head == XL_NONE && !has_new(e, c) && newest != XL_NONE && e->txbufs[newest].type != XL_TXBUF_DGRAM)
		xl_txbuf_lose(e, c, newest);
	c->probes = 1;
	if (c->again.head != XL_NONE ? e->txbufs[c->again.head].in_ring : !has_new(e, c)) {
		c->control |= XL_CTL_PING;
		c->probes = 0;
	}
}

/* The two oldest again; from the second timeout in a row on who lost the connection is to be able to say so (H-19). */
static void retransmit(struct xl_engine *e, struct xl_conn *c)
{
	u32 n = 0, next;

	xl_count(e, XL_C_RTOS);
	xl_recovery_thin(e, c);
	c->probes = XL_PTO_PROBES;
	for (u32 i = c->flight.head; i != XL_NONE && n < XL_PTO_PROBES; i = next) {
		next = xl_list_next(&e->l_tx, i);
		if (e->txbufs[i].type == XL_TXBUF_DGRAM)
			continue;
		xl_txbuf_lose(e, c, i);
		n++;
	}
	c->control |= XL_CTL_PROBE;
}

void xl_probe_timeout(struct xl_engine *e, struct xl_conn *c)
{
	u64 due = c->last_eliciting_ns + period(c);

	if (c->loss_time_ns != XL_NEVER) {
		if (c->loss_time_ns > e->now_ns)
			return;
		xl_loss_detect(e, c);
		xl_send_tell(e, c);
		xl_recovery_look_for_end(e, c); /* what was lost may have been a datagram, and the last that the end waited for */
		return;
	}
	if (c->inflight_packets == 0)
		xl_loss_expire(e, c);
	if (c->inflight_packets == 0 || due > e->now_ns || given_up(e, c, due))
		return;
	xl_count(e, XL_C_PTO);
	xl_up(&c->ptos);
	if (c->pto_count++ == 0)
		tail_probe(e, c);
	else
		retransmit(e, c);
	c->last_eliciting_ns = e->now_ns; /* the next period counts from here, also when no probe can be sent */
	xl_conn_activate(e, c);
}
