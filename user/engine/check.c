/* SPDX-License-Identifier: BSD-2-Clause */
/* check.c - every invariant of the engine, recounted from nothing. For tests; a function per object. */
#include "conn.h"
#include "rbuf.h"
#include "recovery.h"
#include "send.h"

#define HOLDS(condition, name) do { if (!(condition)) return name; } while (0)

static const char *check_buffers(const struct xl_engine *e, const struct xl_conn *c)
{
	const struct xl_list *lists[] = { &c->queue, &c->again, &c->flight };
	static const u8 states[] = { XL_TXBUF_QUEUED, XL_TXBUF_LOST, XL_TXBUF_SENT };
	u64 bytes = 0;

	for (u32 k = 0; k < 3; k++) {
		u32 n = 0;

		for (u32 tb = lists[k]->head; tb != XL_NONE; tb = xl_list_next(&e->l_tx, tb), n++) {
			const struct xl_txbuf *t = &e->txbufs[tb];

			HOLDS(t->state == states[k], "a transmit buffer is on the list of its state");
			HOLDS(t->conn == xl_conn_index(e, c), "a transmit buffer names its connection");
			HOLDS(!t->acked, "an acknowledged buffer is on no list");
			bytes += t->seq_bytes;
		}
		HOLDS(n == lists[k]->count, "a list's count is right");
	}
	HOLDS(bytes == c->buffered, "buffered bytes equal a recount");
	HOLDS(c->seq_acked_bytes + c->buffered == c->seq_next || c->state == XL_STATE_DEAD,
	      "every byte sent is acknowledged or buffered");
	return NULL;
}

static const char *check_sent(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 bytes = 0, last = 0;
	u32 packets = 0;

	for (u32 i = c->sent.head; i != XL_NONE; i = xl_list_next(&e->l_sent, i)) {
		const struct xl_sent *s = &e->sents[i];

		HOLDS(s->number >= last && s->number < c->next_number, "sent packets are in order of their numbers");
		last = s->number + 1;
		bytes += s->lost ? 0 : s->bytes;
		packets += !s->lost;
	}
	HOLDS(bytes == c->inflight && packets == c->inflight_packets, "in flight equals a recount");
	return NULL;
}

/* Whatever waits for something has a timer, a turn in output, or a driver that will give a frame back. */
static const char *check_timers(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 when = xl_wheel_when(&e->wheel, xl_conn_index(e, c));
	bool armed = c->is_active || when != XL_NEVER;
	u32 tb = c->again.head != XL_NONE ? c->again.head : c->queue.head;

	HOLDS(c->inflight_packets == 0 || armed, "a timer is armed while packets are in flight");
	HOLDS(c->ack_pending == 0 || armed, "a timer is armed while an ACK is owed");
	HOLDS(c->state != XL_STATE_CALLING || armed, "a timer is armed while calling");
	HOLDS(c->state != XL_STATE_ANSWERING || armed, "a timer is armed while answering");
	HOLDS(c->state != XL_STATE_LINGER || armed, "a timer is armed while lingering");
	HOLDS(c->state != XL_STATE_DEAD || c->owned || c->listener != XL_NONE || armed,
	      "a dead connection nobody holds is about to go");
	if (!xl_state_joined(c->state))
		return NULL;
	if (tb != XL_NONE && !e->txbufs[tb].in_ring &&
	    (c->again.head != XL_NONE || e->txbufs[tb].seq + e->txbufs[tb].seq_bytes <= c->credit_limit))
		HOLDS(armed, "a timer is armed while data is outstanding");
	HOLDS(!xl_send_fin_waits(c) || armed || tb != XL_NONE, "a timer is armed while the end waits for a frame");
	HOLDS(!c->want_write || c->is_waiting, "who waits for room is on the list of writers");
	HOLDS(!(c->control || c->ack_now) || c->is_active, "what is to be sent has a turn");
	return NULL;
}

static const char *check_receive(struct xl_engine *e, const struct xl_conn *c)
{
	const struct xl_ranges *h = c->holes == XL_NONE ? NULL : (const struct xl_ranges *)xl_block_ptr(e, c->holes);

	HOLDS(c->consumed <= c->recv_next && c->recv_next <= c->credit_given, "consumed <= received <= credit");
	HOLDS(c->recv_highest <= c->credit_given, "nothing is stored past the credit");
	HOLDS(c->fin_at == XL_NONE64 || c->recv_highest <= c->fin_at, "nothing is stored past the end");
	HOLDS(!h || (h->count && h->r[0].start > c->recv_next), "holes begin past the contiguous part");
	HOLDS(c->rbuf.blocks <= (c->recv_highest - c->consumed) / XLANE_BLOCK_BYTES + 2 || h,
	      "receive memory is within the span held");
	return NULL;
}

struct sums { u32 conns, blocks, promised, sents, half_open; };

static const char *check_conn(struct xl_engine *e, const struct xl_conn *c, struct sums *s)
{
	const char *(*const checks[])(const struct xl_engine *e, const struct xl_conn *c) = {
		check_buffers, check_sent, check_timers,
	};
	const char *broken = check_receive(e, c);

	for (u32 i = 0; i < XL_ARRAY_SIZE(checks) && !broken; i++)
		broken = checks[i](e, c);
	s->conns++;
	s->promised += xl_window_blocks(c->window);
	s->sents += c->sent.count;
	s->half_open += c->state == XL_STATE_ANSWERING && !c->initiator;
	s->blocks += c->rbuf.blocks + (c->rbuf.table != XL_NONE) + (c->holes != XL_NONE) +
		     (c->received_table != XL_NONE);
	HOLDS(broken || xl_map_get(&e->by_local, c->local_id) == xl_conn_index(e, c), "a connection is found by its id");
	return broken;
}

static u32 count_tx_frames(const struct xl_engine *e)
{
	u32 n = 0;

	for (u32 f = 0; f < e->frames->count; f++) {
		const struct xl_txbuf *t = &e->txbufs[f];

		if (e->frames->owner[f] != XL_FRAME_FREE && t->head == f && t->state != XL_TXBUF_NONE &&
		    t->conn != XL_NONE)
			n += t->frames;
	}
	return n;
}

const char *xl_engine_check(const struct xl_engine *engine)
{
	struct xl_engine *e = (struct xl_engine *)engine; /* read only: the accessors are shared with code that writes */
	struct sums s = { 0 };

	for (u32 i = 0; i < e->cfg.conns_max; i++) {
		const char *broken = NULL;

		if (e->conns[i].state != XL_STATE_FREE)
			broken = check_conn(e, &e->conns[i], &s);
		if (broken)
			return broken;
	}
	HOLDS(xl_frames_census_ok(e->frames), "the frame census adds up");
	HOLDS(s.conns == e->conns_used && s.conns + e->conn_free.count == e->cfg.conns_max, "connections add up");
	HOLDS(s.blocks + e->nblock_free == e->cfg.blocks, "blocks of receive memory add up");
	HOLDS(s.promised == e->promised && s.promised <= e->cfg.blocks, "promised memory adds up and is there");
	HOLDS(s.sents + e->sent_free.count == e->nsents, "sent packets add up");
	HOLDS(s.half_open == e->half_open, "half-open connections add up");
	HOLDS(count_tx_frames(e) == e->tx_frames, "frames of transmit buffers add up");
	return NULL;
}
