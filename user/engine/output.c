/* SPDX-License-Identifier: BSD-2-Clause */
/* output.c - which packet of a connection goes next; whose turn it is says sched.c. */
#include "output.h"

#include "../wire/record.h"
#include "ack.h"
#include "ahead.h"
#include "call.h"
#include "clock.h"
#include "conn.h"
#include "flow.h"
#include "grant.h"
#include "pacer.h"
#include "peer.h"
#include "persist.h"
#include "pmtu.h"
#include "probe.h"
#include "queue.h"
#include "recovery.h"
#include "rtt.h"
#include "send.h"
#include "skip.h"

/* An ACK of two ranges and one control record of each type. */
#define CONTROL_BYTES (XLANE_ACK_HEAD_BYTES + XLANE_ACK_RANGE_BYTES + XLANE_CREDIT_BYTES + XLANE_BLOCKED_BYTES + \
		       XLANE_GRANT_BYTES + XLANE_PING_BYTES)

enum made { MADE_PACKET, MADE_NOTHING, MADE_STARVED };

/* Everything after the records: header, bookkeeping of what was sent. */
static void finish(struct xl_engine *e, struct xl_conn *c, struct xl_build *b, bool ext, struct xl_packet *out)
{
	struct xl_outer h = {
		.type = XLANE_PACKET_DATA, .flags = c->crc_off ? 0 : XLANE_FLAG_CRC, .id = c->remote_id,
		.number = xl_skip_next(e, c),
	};
	struct xl_peer *p = xl_peer_of(e, c);

	if (ext) {
		h.flags |= XLANE_FLAG_EXT;
		h.hop_limit = XLANE_HOP_LIMIT;
		h.source_node = e->cfg.node_id;
		h.destination_node = p->node;
		h.source_id = c->local_id;
	}
	xl_build_seal(e, b, &h, &p->path, out);
	c->packets_sent++;
	c->control &= (u8)~b->control;
	if (b->eliciting)
		xl_recovery_sent(e, c, h.number, e->txbufs[b->tb].conn == XL_NONE ? XL_NONE : b->tb, h.length, b->control);
	c->unasked = b->asks ? 0 : c->unasked + b->eliciting;
	if (b->asks)
		c->asked_number = h.number;
	if (b->acked)
		xl_ack_sent(c, h.number, b->eliciting);
	xl_txbuf_sent(e, c, b->tb);
}

static enum made make_control(struct xl_engine *e, struct xl_conn *c, struct xl_packet *out)
{
	bool ext = c->control & (XL_CTL_PROBE | XL_CTL_ABORT);
	struct xl_build b;

	if (!xl_recovery_room(e) || !xl_build_bare(e, &b, c->max_packet - XLANE_OUTER_BYTES - XLANE_EXT_BYTES -
						   XLANE_TAG_BYTES))
		return MADE_STARVED;
	b.alone = true;
	xl_build_control(e, c, &b);
	if (ext) /* as large as the answer may be */
		xl_record_pad_emit(xl_build_push(e, &b, XLANE_REFUSE_BYTES), XLANE_REFUSE_BYTES);
	finish(e, c, &b, ext, out);
	return MADE_PACKET;
}

/* A packet that only tries whether the path takes one so large. Without frames for it: another time. */
static bool make_pad(struct xl_engine *e, struct xl_conn *c, struct xl_packet *out)
{
	struct xl_build b;

	if (!xl_pmtu_build(e, c, &b))
		return false;
	finish(e, c, &b, false, out);
	e->sents[c->sent.tail].pad = true;
	return true;
}

/* Sent again until the peer says that it has no such connection, or it has been said often enough. */
static enum made make_abort(struct xl_engine *e, struct xl_conn *c, struct xl_packet *out)
{
	enum made made = make_control(e, c, out);

	if (made == MADE_PACKET && ++c->abort_tries < XL_ABORT_TRIES)
		c->call_time_ns = e->now_ns + (xl_rtt_pto(&c->rtt, c->peer_ack_delay_ns) << c->abort_tries);
	return made;
}

/* Nothing may follow the packet with `t`: it is the last, or the next waits for credit. */
static bool ends_burst(const struct xl_engine *e, const struct xl_conn *c, const struct xl_txbuf *t)
{
	u32 waiting = c->again.count + c->queue.count + c->queue_large.count, next;

	if (waiting == 1)
		return true;
	if (c->again.count || c->queue_large.count || t->type != XL_TXBUF_DATA)
		return false;
	next = t->link.next;
	return next != XL_NONE && !xl_queue_credited(c, &e->txbufs[next]);
}

/* The peer may hold an ACK back until more packets come: where none do, it is asked for one (K-31). */
static bool asks(struct xl_engine *e, struct xl_conn *c, const struct xl_txbuf *t, u32 bytes)
{
	const struct xl_cc *cc = &xl_flow_need(e, c)->cc; /* the end alone is no data that is held */
	bool many = (u64)(c->unasked + 1) * c->max_packet * XL_ACK_PARTS >= cc->cwnd;

	if (!xl_cc_open(cc, c->inflight + bytes, c->max_packet) && (many || !xl_probe_asked(c)))
		return true;
	return c->unasked && (many || ends_burst(e, c, t));
}

static void make_data(struct xl_engine *e, struct xl_conn *c, u32 tb, struct xl_packet *out)
{
	struct xl_txbuf *t = &e->txbufs[tb];
	u32 overhead = XLANE_OUTER_BYTES + XLANE_TAG_BYTES + t->len;
	struct xl_build b = {
		.tb = tb, .head = XLANE_TX_HEADROOM_BYTES, .tail = XLANE_TX_HEADROOM_BYTES + t->len, .eliciting = true,
		.budget = c->max_packet > overhead ? c->max_packet - overhead : 0,
	};

	if (t->state == XL_TXBUF_QUEUED && t->type != XL_TXBUF_LARGE)
		xl_queue_number(e, c, tb);
	if (t->sent_before) {
		xl_count(e, XL_C_RETRANSMITTED);
		xl_up(&c->packets_again);
	} else {
		xl_count(e, XL_C_DATA_PACKETS_OUT);
	}
	if (c->probes) {
		c->probes--;
		xl_count(e, XL_C_PTO_PROBES);
	}
	c->large_turn = t->type != XL_TXBUF_LARGE;
	b.ask = asks(e, c, t, overhead);
	xl_build_control(e, c, &b);
	xl_pacer_sent(e, c, overhead);
	finish(e, c, &b, false, out);
	xl_sched_charge(c, xl_packet_bytes(out));
}

/* The window lets a packet of `bytes` out. */
static bool window_open(struct xl_engine *e, struct xl_conn *c, u32 bytes)
{
	if (xl_cc_open(&xl_flow_need(e, c)->cc, c->inflight, bytes))
		return true;
	c->window_limited = true;
	return false;
}

static bool credit_covers(struct xl_conn *c, const struct xl_txbuf *t)
{
	if (xl_queue_credited(c, t))
		return true;
	if (c->blocked_at != c->credit_limit) {
		c->blocked_at = c->credit_limit;
		c->control |= XL_CTL_BLOCKED;
	}
	return false;
}

/* What is new: the large message and the rest in turns, as far as the credit lets the rest go. */
static u32 next_new(struct xl_engine *e, struct xl_conn *c)
{
	u32 tb, large = c->queue_large.head;

	if (c->expire_ns <= e->now_ns)
		xl_queue_expire(e, c);
	xl_send_fin(e, c);
	tb = xl_queue_next(e, c);
	if (tb == XL_NONE && large == XL_NONE)
		c->window_limited = false;
	if (tb != XL_NONE && !credit_covers(c, &e->txbufs[tb]))
		tb = XL_NONE;
	return large != XL_NONE && (tb == XL_NONE || c->large_turn) ? large : tb;
}

/* A part of the granted message. The rest may be what the receiver has no memory for, and while it does not take that, it keeps
 * memory for the message: of two probes one is of that (K-13). */
static u32 granted(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 tb = c->again.head;

	while (tb != XL_NONE && e->txbufs[tb].type != XL_TXBUF_LARGE)
		tb = xl_list_next(&e->l_tx, tb);
	return tb != XL_NONE ? tb : c->queue_large.head;
}

/* The buffer to send next: first what is to be sent again, then what is new; XL_NONE when nothing may go. `starved`: for
 * want of a frame to cut it for a smaller packet. */
static u32 next_data(struct xl_engine *e, struct xl_conn *c, bool *starved)
{
	u32 tb = c->probes && c->large_turn ? granted(e, c) : XL_NONE, bytes;
	struct xl_txbuf *t;

	if (tb == XL_NONE)
		tb = c->again.head != XL_NONE ? c->again.head : next_new(e, c);

	if (tb == XL_NONE)
		return XL_NONE;
	t = &e->txbufs[tb];
	if (t->in_ring) { /* completion activates the connection again, if the worker is awake to see it */
		c->ring_ns = e->now_ns + XL_STARVED_RETRY_NS;
		return XL_NONE;
	}
	if (!xl_pmtu_fit(e, c, &tb)) {
		*starved = true;
		return XL_NONE;
	}
	t = &e->txbufs[tb];
	bytes = t->len + XLANE_OUTER_BYTES + XLANE_TAG_BYTES;
	if (c->probes) /* they go past window and pace */
		return tb;
	return window_open(e, c, bytes) && xl_pacer_ready(e, c, bytes) ? tb : XL_NONE;
}

/* What is to be said goes with the next data, if that leaves room for it; full packets would make it wait for the window. */
static bool rides(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 tb = c->again.head != XL_NONE ? c->again.head : c->queue_large.head;

	tb = tb != XL_NONE ? tb : xl_queue_next(e, c);
	return tb == XL_NONE || e->txbufs[tb].len + CONTROL_BYTES <= (u32)c->max_packet - XLANE_OUTER_BYTES - XLANE_TAG_BYTES;
}

/* An ACK and nothing else, for which no room among the sent packets is needed. What else is to be said is said later. */
static enum made make_ack(struct xl_engine *e, struct xl_conn *c, struct xl_packet *out)
{
	u8 later = c->control;
	enum made made;

	if (!c->ack_now)
		return MADE_NOTHING;
	c->control = 0;
	made = make_control(e, c, out);
	c->control = later;
	return made;
}

static enum made make_joined(struct xl_engine *e, struct xl_conn *c, struct xl_packet *out)
{
	bool starved = false;
	u32 tb;

	if (!xl_recovery_room(e))
		return MADE_STARVED;
	/* What was lost and is asked for no more (K-12). */
	if (!xl_grant_due(c))
		c->control &= (u8)~XL_CTL_GRANT;
	if (c->blocked_at != c->credit_limit)
		c->control &= (u8)~XL_CTL_BLOCKED;
	if (xl_recovery_full(e, c) && !xl_recovery_spare(e, c))
		return make_ack(e, c, out);
	if (c->pad && make_pad(e, c, out))
		return MADE_PACKET;
	tb = (c->ack_now || c->control) && !rides(e, c) ? XL_NONE : next_data(e, c, &starved);
	if (tb != XL_NONE) {
		make_data(e, c, tb, out);
		return MADE_PACKET;
	}
	if (c->ack_now || c->control)
		return make_control(e, c, out);
	/* Behind data that waits for the window the end waits for that, not for a frame. */
	return starved || (xl_send_fin_waits(c) && c->again.head == XL_NONE) ? MADE_STARVED : MADE_NOTHING;
}

static enum made make_packet(struct xl_engine *e, struct xl_conn *c, struct xl_packet *out)
{
	if (xl_state_joined(c->state))
		return make_joined(e, c, out);
	if (c->state == XL_STATE_DEAD && c->control & XL_CTL_ABORT)
		return make_abort(e, c, out);
	if (c->state != XL_STATE_DEAD && c->control & XL_CTL_HANDSHAKE)
		return xl_call_output(e, c, out) ? MADE_PACKET : MADE_STARVED;
	return MADE_NOTHING;
}

/* No frame for what is to be sent: try again a little later. */
static void starve(struct xl_engine *e)
{
	xl_count(e, XL_C_OUT_NO_FRAME);
	e->starved = true;
	e->starved_wait_ns = xl_min(xl_max(2 * e->starved_wait_ns, XL_STARVED_RETRY_NS), XL_STARVED_RETRY_MAX_NS);
	e->starved_until_ns = e->now_ns + e->starved_wait_ns;
}

/* One turn of the connection that is the next. */
static u32 turn(struct xl_engine *e, struct xl_conn *c, struct xl_packet *out, u32 max)
{
	enum made made = MADE_PACKET;
	u32 n = 0;

	c->ring_ns = XL_NEVER;
	if (xl_state_joined(c->state))
		xl_pmtu_refresh(e, c);
	while (n < max && c->deficit > 0 && (made = make_packet(e, c, &out[n])) == MADE_PACKET)
		n++;
	if (made == MADE_NOTHING) {
		xl_sched_idle(e, c);
	} else if (made == MADE_STARVED) {
		starve(e);
		xl_sched_starved(e, c);
	} else if (c->deficit <= 0) {
		xl_sched_spent(e, c);
	} /* else the caller has no room for more: it goes on here */
	xl_persist_look(e, c);
	if (!xl_conn_reap(e, c))
		xl_conn_rearm(e, c);
	return n;
}

u32 xl_engine_output(struct xl_engine *e, struct xl_packet *out, u32 max, u64 now_ns)
{
	u32 n = 0, i;

	xl_clock(e, now_ns);
	e->starved = false;
	while (n < max && e->reply_count && !e->starved) {
		if (xl_reply_output(e, &out[n]))
			n++;
		else
			starve(e);
	}
	while (n < max && !e->starved && (i = xl_sched_next(e)) != XL_NONE) {
		xl_ahead_output(e, i);
		n += turn(e, &e->conns[i], out + n, max - n);
	}
	if (n)
		e->starved_wait_ns = 0;
	return n;
}
