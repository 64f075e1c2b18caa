/* SPDX-License-Identifier: BSD-2-Clause */
/* check.c - every invariant of the engine, recounted from nothing. For tests; a function per object. */
#include "blocks.h"
#include "buckets.h"
#include "check.h"
#include "flow.h"
#include "conn.h"
#include "loss.h"
#include "persist.h"
#include "queue.h"
#include "rbuf.h"
#include "recovery.h"
#include "send.h"

static const char *check_buffers(const struct xl_engine *e, const struct xl_conn *c)
{
	const struct xl_list *lists[] = { &c->queue, &c->queue_large, &c->again, &c->flight };
	static const u8 states[] = { XL_TXBUF_QUEUED, XL_TXBUF_QUEUED, XL_TXBUF_LOST, XL_TXBUF_SENT };
	u64 held = 0, bytes = 0, sequence = 0, queued = 0;
	u32 heads = 0;

	for (u32 k = 0; k < XL_ARRAY_SIZE(lists); k++) {
		u32 n = 0;

		for (u32 tb = lists[k]->head; tb != XL_NONE; tb = xl_list_next(&e->l_tx, tb), n++) {
			const struct xl_txbuf *t = &e->txbufs[tb];

			HOLDS(t->state == states[k], "a transmit buffer is on the list of its state");
			HOLDS(t->conn == xl_conn_index(e, c), "a transmit buffer names its connection");
			HOLDS(!t->acked, "an acknowledged buffer is on no list");
			HOLDS(t->state != XL_TXBUF_QUEUED || (t->type == XL_TXBUF_LARGE) == (k == 1),
			      "parts of large messages have a queue of their own");
			HOLDS(t->state != XL_TXBUF_QUEUED || t->type != XL_TXBUF_DGRAM || t->due_ns >= c->expire_ns,
			      "no datagram is older than the timer for it");
			HOLDS(t->state != XL_TXBUF_QUEUED || t->type != XL_TXBUF_DATA || t->at <= t->seq_bytes,
			      "messages begin inside their buffer");
			queued += k == 0 && t->type == XL_TXBUF_DATA ? t->seq_bytes : 0;
			heads += t->large_head;
			held += xl_txbuf_holds(t);
			bytes += t->seq_bytes;
			sequence += t->type == XL_TXBUF_DATA ? t->seq_bytes : 0;
		}
		HOLDS(n == lists[k]->count, "a list's count is right");
	}
	HOLDS(held == c->buffered, "buffered bytes equal a recount");
	HOLDS(queued == c->seq_queued, "bytes that wait for their offset equal a recount");
	HOLDS(heads == (c->large_out.open && c->large_out.message == XL_NONE64) || c->state == XL_STATE_DEAD,
	      "the head of a large message is in one buffer until it is sent");
	HOLDS(c->seq_acked_bytes + sequence == c->seq_next + queued || c->state == XL_STATE_DEAD,
	      "every byte sent is acknowledged or buffered");
	HOLDS(c->other_done + bytes - sequence == c->other_bytes || c->state == XL_STATE_DEAD,
	      "every byte outside the sequence is acknowledged, given up or buffered");
	HOLDS(!c->large_out.open || (c->large_out.fed < c->large_out.bytes && c->large_out.fed <= c->large_out.granted &&
	      c->large_out.granted <= c->large_out.bytes), "a large message is fed as far as it was granted");
	return NULL;
}

/* The queue is in the order of the priorities, and each knows its first and last buffer. */
static const char *check_ranks(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 tb = c->queue.head, n = 0;

	for (u32 g = c->ranks.head; g != XL_NONE; g = xl_list_next(&e->l_rank, g), n++) {
		const struct xl_txbuf *first = &e->txbufs[g];
		u32 last = XL_NONE;

		HOLDS(tb == g, "a priority begins with its first buffer");
		for (; tb != XL_NONE && e->txbufs[tb].priority == first->priority; tb = xl_list_next(&e->l_tx, tb))
			last = tb;
		HOLDS(last == first->rank_tail, "a priority ends with its last buffer");
		HOLDS(tb == XL_NONE || e->txbufs[tb].priority < first->priority, "higher priorities are before lower ones");
	}
	HOLDS(tb == XL_NONE && n == c->ranks.count, "every unsent buffer has a priority");
	return NULL;
}

/* A list of sent packets; their bytes are added to *bytes. */
static const char *check_sent(const struct xl_engine *e, const struct xl_conn *c, const struct xl_list *l, u64 *bytes)
{
	u32 n = 0, order = 0;
	u64 last = 0;

	for (u32 i = l->head; i != XL_NONE; i = xl_list_next(&e->l_sent, i), n++) {
		const struct xl_sent *s = &e->sents[i];

		HOLDS(s->number >= last && s->number < c->next_number, "sent packets are in order of their numbers");
		HOLDS(n == 0 || (s32)(s->order - order) > 0, "sent packets are counted in their order");
		HOLDS((s32)(c->sent_order - s->order) > 0, "sent packets are counted before the next");
		HOLDS(s->lost == (l == &c->lost), "lost packets have a list of their own");
		last = s->number + 1;
		order = s->order;
		*bytes += s->bytes;
	}
	HOLDS(n == l->count, "a list's count is right");
	return NULL;
}

static const char *check_flight(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 bytes = 0, lost_bytes = 0;
	const char *broken = check_sent(e, c, &c->sent, &bytes);

	if (!broken)
		broken = check_sent(e, c, &c->lost, &lost_bytes);
	HOLDS(broken || (bytes == c->inflight && c->sent.count == c->inflight_packets), "in flight equals a recount");
	HOLDS(broken || c->lost.count <= xl_loss_kept(e), "packets taken for lost are bounded");
	return broken;
}

/* Whatever waits for something has a timer, a turn in output, or a driver that will give a frame back. */
static const char *check_timers(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 when = xl_wheel_when(&e->wheel, xl_conn_index(e, c));
	bool armed = c->is_active || when != XL_NEVER;
	u32 tb = c->again.head != XL_NONE ? c->again.head : xl_queue_next(e, c);

	if (xl_bucket_frozen(e, c->local_id)) {
		HOLDS(!c->is_active, "nothing of a frozen bucket has a turn");
		return NULL;
	}
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
	    (c->again.head != XL_NONE || xl_queue_credited(c, &e->txbufs[tb])))
		HOLDS(armed, "a timer is armed while data is outstanding");
	HOLDS(c->queue_large.head == XL_NONE || c->again.head != XL_NONE || e->txbufs[c->queue_large.head].in_ring || armed,
	      "a timer is armed while a large message is outstanding");
	HOLDS(!xl_send_fin_waits(c) || armed || tb != XL_NONE, "a timer is armed while the end waits for a frame");
	HOLDS(!xl_send_could(c) || c->is_waiting, "who waits for frames is on the list of writers");
	HOLDS(!(c->control || c->ack_now) || c->is_active || xl_recovery_full(e, c), "what is to be sent has a turn");
	HOLDS(!c->is_active || (c->deficit > 0 && c->deficit <= XL_SCHED_QUANTUM_BYTES), "who has a turn may send in it");
	HOLDS(!xl_persist_stands(e, c) || armed, "a timer is armed while a sender stands without credit");
	HOLDS(!c->backed || c->rest_ns != XL_NEVER || c->is_active, "memory that is promised is looked at again");
	return NULL;
}

const char *xl_check_sending(const struct xl_engine *e, const struct xl_conn *c)
{
	const char *broken = check_buffers(e, c);

	if (!broken)
		broken = check_ranks(e, c);
	return broken ? broken : check_flight(e, c);
}

static const char *check_flow(const struct xl_engine *e, const struct xl_conn *c)
{
	const struct xl_flow *f = xl_flow_of(e, c);

	HOLDS(f ? f->conn == xl_conn_index(e, c) && f->cc.algorithm == c->congestion : !c->buffered,
	      "who holds data has a flow of its own");
	HOLDS(!f || f->cc.packet_bytes == c->max_packet, "the window is counted in packets of today");
	return NULL;
}

struct sums { u32 backing, conns, flows, holders, blocks, promised, granted, grants, waiting, sents, half_open; };

static const char *check_conn(struct xl_engine *e, const struct xl_conn *c, struct sums *s)
{
	const char *broken = xl_check_receiving(e, c);

	if (!broken)
		broken = xl_check_sending(e, c);
	if (!broken)
		broken = check_timers(e, c);
	s->conns++;
	s->flows += c->flow != XL_NONE;
	if (!broken)
		broken = check_flow(e, c);
	s->holders += c->buffered > 0;
	s->promised += c->promised;
	s->backing += c->awaits_memory;
	s->sents += c->sent.count + c->lost.count;
	s->half_open += c->state == XL_STATE_ANSWERING && !c->initiator;
	s->blocks += xl_blocks_count(e, c) + c->large_in.held;
	s->granted += c->large_in.reserved;
	s->grants += c->large_in.state == XL_LARGE_GRANTED;
	s->waiting += c->large_in.state == XL_LARGE_WAITING;
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

static u32 count_away(const struct xl_engine *e)
{
	u32 n = 0;

	for (u32 i = 0; i < e->cfg.blocks; i++)
		n += e->block_state[i] == XL_BLOCK_AWAY;
	return n;
}

static u32 count_waiting(const struct xl_engine *e)
{
	u32 n = 0;

	for (u32 i = 0; i < XL_GRANT_CLASSES; i++)
		n += e->large_classes[i].count;
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
	HOLDS(count_away(e) == e->away && s.blocks + e->nblock_free + e->away == e->cfg.blocks,
	      "blocks of receive memory add up");
	HOLDS(s.promised == e->promised && s.granted == e->granted && s.promised + s.granted + e->away <= e->cfg.blocks,
	      "promised and granted memory adds up and is there");
	HOLDS(s.backing == e->backing.count, "connections that wait for memory add up");
	HOLDS(s.grants == e->grants && s.grants <= XLANE_GRANTS_MAX, "large messages in reassembly add up");
	HOLDS(s.waiting == e->large_ages.count && s.waiting == count_waiting(e), "large messages that wait add up");
	HOLDS(s.sents + e->sent_free.count == e->nsents, "sent packets add up");
	HOLDS(s.half_open == e->half_open, "half-open connections add up");
	HOLDS(count_tx_frames(e) == e->tx_frames, "frames of transmit buffers add up");
	HOLDS(s.holders == e->holders, "connections that hold data add up");
	HOLDS(s.flows + e->flow_free.count == e->nflows && s.flows == s.holders + e->flow_rest.count, "flows add up");
	return NULL;
}
