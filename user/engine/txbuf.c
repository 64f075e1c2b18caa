/* SPDX-License-Identifier: BSD-2-Clause */
#include "txbuf.h"

#include "conn.h"
#include "queue.h"
#include "share.h"

/* Frames kept back from data, so that an ACK can always be sent. */
#define FRAMES_FOR_CONTROL 16

static const u8 head_bytes[XL_TXBUF_TYPES] = {
	[XL_TXBUF_DATA] = XLANE_DATA_HEAD_BYTES, [XL_TXBUF_LARGE] = XLANE_LARGE_HEAD_BYTES,
};

static struct xl_txbuf *at(const struct xl_engine *e, u32 tb) { return &e->txbufs[tb]; }

u32 xl_txbuf_room(const struct xl_conn *c)
{
	/* Before the answer the peer's largest packet is not known: any receiver takes the smallest MTU. */
	u32 packet = c->state == XL_STATE_CALLING || c->state == XL_STATE_ANSWERING ? XLANE_MTU_MIN : c->max_packet;

	return xl_txbuf_room_in(packet);
}

u32 xl_txbuf_frames_free(const struct xl_engine *e, enum xl_txbuf_type type)
{
	u32 pool = e->frames->nfree - xl_min(e->frames->nfree, FRAMES_FOR_CONTROL);
	u32 most = type == XL_TXBUF_LARGE ? e->cfg.tx_frames_max : e->tx_frames_data;

	return (u32)xl_min(pool, most - xl_min(most, e->tx_frames));
}

static u32 take_frame(struct xl_engine *e, u32 head, enum xl_txbuf_type type)
{
	u32 f;

	if (xl_txbuf_frames_free(e, type) == 0)
		return XL_NONE;
	f = xl_frames_take(e->frames, XL_FRAME_QUEUED);
	if (f == XL_NONE)
		return XL_NONE;
	e->tx_frames++;
	at(e, f)->chain = XL_NONE;
	at(e, f)->head = head == XL_NONE ? f : head;
	return f;
}

static u8 last_priority(const struct xl_engine *e, const struct xl_conn *c)
{
	return c->queue.tail == XL_NONE ? 0 : at(e, c->queue.tail)->priority;
}

u32 xl_txbuf_new(struct xl_engine *e, struct xl_conn *c, enum xl_txbuf_type type)
{
	bool data = type == XL_TXBUF_DATA;
	/* The bare end is as little held up by a reader as a large message's bytes. */
	u32 tb = take_frame(e, XL_NONE, c->shut_wanted ? XL_TXBUF_LARGE : type);
	struct xl_txbuf *t;

	if (tb == XL_NONE)
		return XL_NONE;
	t = at(e, tb);
	*t = (struct xl_txbuf){
		.conn = xl_conn_index(e, c), .generation = t->generation, .chain = XL_NONE, .head = tb,
		.seq = data ? c->message_last + 1 : c->datagram_next, .state = XL_TXBUF_QUEUED, .frames = 1,
		.type = (u8)type, .due_ns = XL_NEVER,
	};
	if (type == XL_TXBUF_LARGE) {
		t->seq = c->large_out.message;
		t->at = c->large_out.fed;
		xl_list_append(&e->l_tx, &c->queue_large, tb);
		return tb;
	}
	/* The end goes behind everything. */
	t->priority = c->shut_wanted ? last_priority(e, c) : xl_queue_priority(c);
	if (data && c->kind != XLANE_KIND_STREAM)
		memset(xl_frames_ptr(e->frames, tb), 0, XL_QUEUE_IDS / 8);
	xl_queue_append(e, c, tb);
	return tb;
}

u32 xl_txbuf_bare(struct xl_engine *e)
{
	u32 f = xl_frames_take(e->frames, XL_FRAME_QUEUED);
	struct xl_txbuf *t;

	if (f == XL_NONE)
		return XL_NONE;
	t = at(e, f);
	*t = (struct xl_txbuf){ .conn = XL_NONE, .generation = t->generation, .chain = XL_NONE, .head = f, .frames = 1 };
	return f;
}

u32 xl_txbuf_open(struct xl_engine *e, struct xl_conn *c, enum xl_txbuf_type type)
{
	u32 tb = type == XL_TXBUF_LARGE ? c->queue_large.tail : xl_queue_tail(e, c, xl_queue_priority(c));
	const struct xl_txbuf *t;

	if (tb == XL_NONE)
		return XL_NONE;
	t = at(e, tb);
	if (t->type != type || t->fin || t->len >= xl_txbuf_room(c) || t->records >= XL_TXBUF_RECORDS_MAX ||
	    (type == XL_TXBUF_LARGE && t->seq != c->large_out.message))
		return XL_NONE;
	return tb;
}

/* Where logical offset `off` from the first frame's start is, and how much of that frame is left from there. */
static u8 *locate(const struct xl_engine *e, u32 tb, u32 off, u32 *left)
{
	u32 size = e->frames->frame_bytes;

	for (; off >= size; off -= size)
		tb = at(e, tb)->chain;
	*left = size - off;
	return xl_frames_ptr(e->frames, tb) + off;
}

void xl_txbuf_write(struct xl_engine *e, u32 tb, u32 off, const u8 *data, u32 bytes)
{
	u32 left;

	while (bytes) {
		u8 *p = locate(e, tb, off, &left);
		u32 n = (u32)xl_min(bytes, left);

		memcpy(p, data, n);
		data += n;
		off += n;
		bytes -= n;
	}
}

void xl_txbuf_read(const struct xl_engine *e, u32 tb, u32 off, u8 *out, u32 bytes)
{
	u32 left;

	while (bytes) {
		const u8 *p = locate(e, tb, off, &left);
		u32 n = (u32)xl_min(bytes, left);

		memcpy(out, p, n);
		out += n;
		off += n;
		bytes -= n;
	}
}

/* Give back the frames past the first `frames` of an unsent buffer. */
static void trim(struct xl_engine *e, u32 tb, u32 frames)
{
	u32 f = tb, next;

	for (u32 i = 1; i < frames; i++)
		f = at(e, f)->chain;
	next = at(e, f)->chain;
	at(e, f)->chain = XL_NONE;
	for (f = next; f != XL_NONE; f = next) {
		next = at(e, f)->chain;
		xl_frames_move(e->frames, f, XL_FRAME_QUEUED, XL_FRAME_FREE);
		e->tx_frames--;
		at(e, tb)->frames--;
	}
}

/* Have frames for records of `len` bytes: all that are needed, or no more than before. */
static bool extend(struct xl_engine *e, u32 tb, u32 len)
{
	struct xl_txbuf *t = at(e, tb);
	u32 need = xl_txbuf_frames(e, &e->conns[t->conn], len), before = t->frames, last = tb;

	while (at(e, last)->chain != XL_NONE)
		last = at(e, last)->chain;
	for (; t->frames < need; t->frames++) {
		u32 f = take_frame(e, tb, t->type);

		if (f == XL_NONE) {
			trim(e, tb, before);
			return false;
		}
		at(e, last)->chain = f;
		last = f;
	}
	return true;
}

/* (Re)write the record's head for its present length. */
static void write_head(struct xl_engine *e, u32 tb, bool begin)
{
	struct xl_txbuf *t = at(e, tb);
	struct xl_record_data r = { .offset = t->seq, .bytes = t->seq_bytes, .fin = t->fin, .begin = begin };
	struct xl_record_large large = { .message = t->seq, .offset = t->at, .bytes = t->seq_bytes };
	u8 *p = xl_frames_ptr(e->frames, tb) + XLANE_TX_HEADROOM_BYTES;

	if (t->type == XL_TXBUF_LARGE)
		xl_record_large_emit(p, &large);
	else
		xl_record_data_emit(p, &r);
}

bool xl_txbuf_begins(const struct xl_engine *e, u32 tb)
{
	const struct xl_txbuf *t = at(e, tb);

	return t->type == XL_TXBUF_DATA && t->len &&
	       xl_frames_ptr(e->frames, tb)[XLANE_TX_HEADROOM_BYTES + 1] & XLANE_DATA_BEGIN;
}

u32 xl_txbuf_append(struct xl_engine *e, struct xl_conn *c, u32 tb, const u8 *data, u64 bytes, bool begin)
{
	struct xl_txbuf *t = at(e, tb);
	u32 room = xl_txbuf_room(c), len = t->len ? t->len : head_bytes[t->type], n;

	if (len >= room)
		return 0;
	n = (u32)xl_min(bytes, room - len);
	if (n == 0 || !extend(e, tb, len + n))
		return 0;
	if (t->type == XL_TXBUF_DATA && !begin && t->at == t->seq_bytes)
		t->at += n;
	begin = t->len ? xl_txbuf_begins(e, tb) : begin;
	xl_txbuf_write(e, tb, XLANE_TX_HEADROOM_BYTES + len, data, n);
	t->len = len + n;
	t->seq_bytes += n;
	write_head(e, tb, begin);
	return n;
}

bool xl_txbuf_append_dgram(struct xl_engine *e, struct xl_conn *c, u32 tb, const struct xl_record_dgram *r, const u8 *data)
{
	struct xl_txbuf *t = at(e, tb);
	u32 bytes = XLANE_DGRAM_HEAD_BYTES + r->bytes, where = XLANE_TX_HEADROOM_BYTES + t->len;
	u8 head[XLANE_DGRAM_HEAD_BYTES];

	if (t->len + bytes > xl_txbuf_room(c) || !extend(e, tb, t->len + bytes))
		return false;
	xl_record_dgram_emit(head, r);
	xl_txbuf_write(e, tb, where, head, sizeof head);
	xl_txbuf_write(e, tb, where + (u32)sizeof head, data, r->bytes);
	t->len += bytes;
	t->seq_bytes += r->bytes;
	t->records++;
	return true;
}

void xl_txbuf_cut(struct xl_engine *e, u32 tb, u32 off, u32 bytes)
{
	struct xl_txbuf *t = at(e, tb);
	u32 to = XLANE_TX_HEADROOM_BYTES + off, from = to + bytes, end = XLANE_TX_HEADROOM_BYTES + t->len, left;
	u8 *p;

	XL_ASSERT(t->state == XL_TXBUF_QUEUED && off + bytes <= t->len);
	while (from < end) {
		u32 n;

		p = locate(e, tb, to, &left);
		n = (u32)xl_min(end - from, left);
		n = (u32)xl_min(n, bytes); /* the two must not overlap */
		xl_txbuf_read(e, tb, from, p, n);
		from += n;
		to += n;
	}
	t->len -= bytes;
	trim(e, tb, xl_txbuf_frames(e, &e->conns[t->conn], t->len));
	e->frames_freed = true;
}

void xl_txbuf_head(struct xl_engine *e, u32 tb, bool begin) { write_head(e, tb, begin); }

void xl_txbuf_place(struct xl_engine *e, u32 tb)
{
	struct xl_txbuf *t = at(e, tb);
	bool begin = xl_txbuf_begins(e, tb);

	t->at = 0;
	write_head(e, tb, begin);
}

void xl_txbuf_fin(struct xl_engine *e, u32 tb)
{
	struct xl_txbuf *t = at(e, tb);
	bool begin = xl_txbuf_begins(e, tb);

	t->len = t->len ? t->len : XLANE_DATA_HEAD_BYTES;
	t->fin = true;
	write_head(e, tb, begin);
}

/* Every frame of a buffer that the driver does not hold goes from `from` to the pool. */
static void give_frames(struct xl_engine *e, u32 tb, enum xl_frame_owner from)
{
	bool data = at(e, tb)->conn != XL_NONE;
	u32 next;

	at(e, tb)->generation++;
	at(e, tb)->state = XL_TXBUF_NONE;
	for (u32 f = tb; f != XL_NONE; f = next) {
		next = at(e, f)->chain;
		xl_frames_move(e->frames, f, from, XL_FRAME_FREE);
		e->tx_frames -= data;
	}
	e->frames_freed = true;
	if (e->starved)
		e->starved_until_ns = e->now_ns;
}

static void move_frames(struct xl_engine *e, u32 tb, enum xl_frame_owner from, enum xl_frame_owner to)
{
	for (u32 f = tb; f != XL_NONE; f = at(e, f)->chain)
		xl_frames_move(e->frames, f, from, to);
}

struct xl_list *xl_txbuf_list(struct xl_conn *c, const struct xl_txbuf *t)
{
	if (t->state == XL_TXBUF_QUEUED)
		return t->type == XL_TXBUF_LARGE ? &c->queue_large : &c->queue;
	return t->state == XL_TXBUF_SENT ? &c->flight : &c->again;
}

static void unlist(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	struct xl_txbuf *t = at(e, tb);

	if (t->state == XL_TXBUF_QUEUED && t->type != XL_TXBUF_LARGE)
		xl_queue_remove(e, c, tb);
	else
		xl_list_remove(&e->l_tx, xl_txbuf_list(c, t), tb);
}

void xl_txbuf_give_up(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	struct xl_txbuf *t = at(e, tb);

	if (t->state == XL_TXBUF_QUEUED && t->type == XL_TXBUF_DATA)
		c->seq_queued -= t->seq_bytes;
	unlist(e, c, tb);
	xl_share_release(e, c, xl_txbuf_holds(t));
	if (t->type != XL_TXBUF_DATA)
		c->other_done += t->seq_bytes;
	t->acked = true;
	if (t->in_ring)
		return;
	give_frames(e, tb, t->state == XL_TXBUF_SENT ? XL_FRAME_INFLIGHT : XL_FRAME_QUEUED);
}

void xl_txbuf_acknowledge(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	struct xl_txbuf *t = at(e, tb);

	XL_ASSERT(!t->acked && t->state != XL_TXBUF_QUEUED);
	if (t->fin)
		c->fin_acked = true;
	if (t->type == XL_TXBUF_DATA)
		c->seq_acked_bytes += t->seq_bytes;
	xl_txbuf_give_up(e, c, tb);
}

/* b is to be sent before a. */
static bool earlier(const struct xl_txbuf *b, const struct xl_txbuf *a)
{
	return b->seq < a->seq || (b->seq == a->seq && b->at < a->at);
}

void xl_txbuf_lose(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	struct xl_txbuf *t = at(e, tb);
	u32 after = c->again.tail;

	if (t->state != XL_TXBUF_SENT)
		return;
	if (t->type == XL_TXBUF_DGRAM) {
		xl_count(e, XL_C_DATAGRAM_LOST);
		xl_txbuf_give_up(e, c, tb);
		return;
	}
	xl_list_remove(&e->l_tx, &c->flight, tb);
	while (after != XL_NONE && earlier(t, at(e, after)))
		after = xl_link_at(&e->l_tx, after)->prev;
	xl_list_insert(&e->l_tx, &c->again, after, tb);
	t->state = XL_TXBUF_LOST;
	if (!t->in_ring)
		move_frames(e, tb, XL_FRAME_INFLIGHT, XL_FRAME_QUEUED);
}

void xl_txbuf_sent(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	struct xl_txbuf *t = at(e, tb);

	XL_ASSERT(t->in_ring == 0);
	move_frames(e, tb, XL_FRAME_QUEUED, XL_FRAME_TX);
	t->in_ring = t->frames;
	if (t->conn == XL_NONE)
		return;
	unlist(e, c, tb);
	xl_list_append(&e->l_tx, &c->flight, tb);
	t->state = XL_TXBUF_SENT;
	t->sent_before = true;
}

void xl_txbuf_completed(struct xl_engine *e, u32 frame)
{
	u32 tb = at(e, frame)->head;
	struct xl_txbuf *t = at(e, tb);

	XL_ASSERT(t->in_ring > 0);
	xl_frames_move(e->frames, frame, XL_FRAME_TX, XL_FRAME_INFLIGHT);
	if (--t->in_ring)
		return;
	if (t->conn == XL_NONE || t->acked) {
		give_frames(e, tb, XL_FRAME_INFLIGHT);
	} else if (t->state == XL_TXBUF_LOST) {
		move_frames(e, tb, XL_FRAME_INFLIGHT, XL_FRAME_QUEUED);
		xl_conn_activate(e, &e->conns[t->conn]);
	}
}

void xl_txbuf_drop_all(struct xl_engine *e, struct xl_conn *c)
{
	while (c->queue.head != XL_NONE)
		xl_txbuf_give_up(e, c, c->queue.head);
	while (c->queue_large.head != XL_NONE)
		xl_txbuf_give_up(e, c, c->queue_large.head);
	while (c->again.head != XL_NONE)
		xl_txbuf_give_up(e, c, c->again.head);
	while (c->flight.head != XL_NONE)
		xl_txbuf_give_up(e, c, c->flight.head);
}
