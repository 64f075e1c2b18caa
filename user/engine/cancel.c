/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cancel.c - a message or datagram of which nothing was sent is taken out of the queue. Others may lie in the same buffer
 * before and behind it: the bytes behind move up, within this one packet.
 */
#include <errno.h>

#include "clock.h"
#include "conn.h"
#include "message.h"
#include "queue.h"
#include "send.h"
#include "share.h"
#include "txbuf.h"

static struct xl_txbuf *at(const struct xl_engine *e, u32 tb) { return &e->txbufs[tb]; }

/* --- messages ------------------------------------------------------------------------------------- */
/* The unsent buffer in which the message begins, and how many begin there before it. */
static u32 find(const struct xl_engine *e, const struct xl_conn *c, u64 id, u32 *before)
{
	for (u32 tb = c->queue.head; tb != XL_NONE; tb = xl_list_next(&e->l_tx, tb)) {
		const u8 *ids = xl_frames_ptr(e->frames, tb);
		u32 n = (u32)(id - at(e, tb)->seq);

		if (!xl_queue_takes(at(e, tb), id) || !(ids[n / 8] & 1 << n % 8))
			continue;
		*before = 0;
		for (u32 i = 0; i < n; i++)
			*before += ids[i / 8] >> i % 8 & 1;
		return tb;
	}
	return XL_NONE;
}

/* Take bytes of the sequence out of an unsent buffer, which goes home when nothing is left in it. */
static void cut(struct xl_engine *e, struct xl_conn *c, u32 tb, u32 off, u32 bytes)
{
	struct xl_txbuf *t = at(e, tb);

	if (bytes == t->seq_bytes && !t->fin) {
		xl_txbuf_give_up(e, c, tb);
		return;
	}
	xl_txbuf_cut(e, tb, XLANE_DATA_HEAD_BYTES + off, bytes);
	t->seq_bytes -= bytes;
	c->seq_queued -= bytes;
	if (off < t->at)
		t->at -= bytes;
	xl_txbuf_head(e, tb, t->at == 0 && t->seq_bytes);
	xl_share_release(e, c, bytes);
}

static void forget_large(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	at(e, tb)->large_head = false;
	c->large_out = (struct xl_large_out){ 0 };
	c->want_large = false;
	xl_conn_activate(e, c); /* the end may have waited for it */
}

static int cancel_message(struct xl_engine *e, struct xl_conn *c, u64 id)
{
	u32 before, tb = find(e, c, id, &before), off, bytes, n, next;
	bool large;

	if (tb == XL_NONE)
		return -EALREADY;
	off = at(e, tb)->at;
	bytes = 0;
	do {
		off += bytes;
		if (!xl_queue_message(e, tb, &off, &bytes, &large))
			return -EALREADY;
	} while (before--);
	if (large)
		forget_large(e, c, tb);
	else
		c->messages_sent--;
	n = (u32)(id - at(e, tb)->seq);
	xl_frames_ptr(e->frames, tb)[n / 8] &= (u8)~(1 << n % 8);
	n = (u32)xl_min(bytes, at(e, tb)->seq_bytes - off);
	next = xl_list_next(&e->l_tx, tb);
	cut(e, c, tb, off, n);
	/* its rest, in the buffers that follow */
	for (bytes -= n; bytes && next != XL_NONE && at(e, next)->at; bytes -= n) {
		tb = next;
		next = xl_list_next(&e->l_tx, tb);
		n = (u32)xl_min(bytes, at(e, tb)->at);
		cut(e, c, tb, 0, n);
	}
	return 0;
}

/* --- datagrams ------------------------------------------------------------------------------------ */
static bool dgram_at(const struct xl_engine *e, u32 tb, u32 off, struct xl_record_dgram *r)
{
	u8 head[XLANE_DGRAM_HEAD_BYTES];
	struct xl_record_head h;

	if (off + sizeof head > at(e, tb)->len)
		return false;
	xl_txbuf_read(e, tb, XLANE_TX_HEADROOM_BYTES + off, head, sizeof head);
	return xl_record_head_parse(head, UINT32_MAX, &h) &&
	       xl_record_dgram_parse(head + XLANE_RECORD_BYTES, h.bytes, h.flags, r) &&
	       off + sizeof head + r->bytes <= at(e, tb)->len;
}

/* The record of this datagram in a buffer. */
static bool dgram_in(const struct xl_engine *e, u32 tb, u64 datagram, u32 *off, struct xl_record_dgram *r)
{
	if (at(e, tb)->type != XL_TXBUF_DGRAM)
		return false;
	for (*off = 0; dgram_at(e, tb, *off, r); *off += XLANE_DGRAM_HEAD_BYTES + r->bytes)
		if (r->datagram == datagram)
			return true;
	return false;
}

static void cut_dgram(struct xl_engine *e, struct xl_conn *c, u32 tb, u32 off, const struct xl_record_dgram *r)
{
	struct xl_txbuf *t = at(e, tb);
	u32 bytes = XLANE_DGRAM_HEAD_BYTES + r->bytes;

	if (t->records == 1 || bytes == t->len) {
		xl_txbuf_give_up(e, c, tb);
		return;
	}
	xl_txbuf_cut(e, tb, off, bytes);
	t->records--;
	t->seq_bytes -= r->bytes;
	c->other_done += r->bytes;
	xl_share_release(e, c, bytes);
}

static int cancel_datagram(struct xl_engine *e, struct xl_conn *c, u64 datagram)
{
	struct xl_record_dgram r;
	u32 tb = c->queue.head, off, next;

	while (tb != XL_NONE && !dgram_in(e, tb, datagram, &off, &r))
		tb = xl_list_next(&e->l_tx, tb);
	if (tb == XL_NONE || r.offset)
		return -EALREADY;
	for (; tb != XL_NONE && dgram_in(e, tb, datagram, &off, &r); tb = next) {
		next = xl_list_next(&e->l_tx, tb);
		cut_dgram(e, c, tb, off, &r);
	}
	c->messages_sent--;
	return 0;
}

int xl_conn_cancel(struct xl_engine *e, u32 conn, u64 message, u64 now_ns)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	int r;

	xl_clock(e, now_ns);
	if (c->error)
		return c->error;
	if (message == 0 || message > c->message_last)
		return -ENOENT;
	r = xl_message_kind(c) ? cancel_message(e, c, message) : cancel_datagram(e, c, message - 1);
	if (r)
		return r;
	xl_count(e, XL_C_CANCELLED);
	xl_send_tell(e, c);
	xl_conn_activate(e, c); /* what is next now may go at once */
	return 0;
}

u64 xl_conn_message_id(const struct xl_engine *e, u32 conn) { return xl_conn_at(e, conn)->message_last; }
