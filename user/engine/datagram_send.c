/* SPDX-License-Identifier: BSD-2-Clause */
/* datagram_send.c - datagrams into packets: several small ones share one, a large one is cut into fragments. */
#include <errno.h>

#include "conn.h"
#include "send.h"
#include "share.h"

u64 xl_datagram_max(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 most = xl_min(XLANE_DATAGRAM_MAX_BYTES, xl_send_most(e, c, XLANE_DGRAM_HEAD_BYTES));

	return c->remote_id ? xl_min(most, c->message_max) : most;
}

u64 xl_datagram_room(const struct xl_engine *e, const struct xl_conn *c)
{
	return xl_min(xl_datagram_max(e, c), xl_send_room(e, c, XL_TXBUF_DGRAM));
}

/* A packet is dropped when the time of the first datagram in it is over: that of others must end soon after. One of several
 * fragments has its first packet for itself, so that they are dropped together. */
static bool shares(const struct xl_conn *c, const struct xl_txbuf *t, const struct xl_record_dgram *r, u64 due_ns)
{
	if (due_ns == XL_NEVER || t->due_ns == XL_NEVER)
		return due_ns == t->due_ns;
	return r->bytes == r->total && due_ns >= t->due_ns &&
	       due_ns - t->due_ns <= xl_min(XL_EXPIRE_SHARE_NS, c->deadline_ns / XL_EXPIRE_SHARE_PART);
}

/* The fragment goes into the packet at the queue's end if it fits there whole, else into one of its own. */
static void append(struct xl_engine *e, struct xl_conn *c, const struct xl_record_dgram *r, const u8 *data)
{
	u32 tb = xl_txbuf_open(e, c, XL_TXBUF_DGRAM);
	u64 due = c->deadline_ns ? e->now_ns + c->deadline_ns : XL_NEVER;

	if (tb != XL_NONE && shares(c, &e->txbufs[tb], r, due) && xl_txbuf_append_dgram(e, c, tb, r, data))
		return;
	tb = xl_txbuf_new(e, c, XL_TXBUF_DGRAM);
	XL_ASSERT(tb != XL_NONE && xl_txbuf_append_dgram(e, c, tb, r, data)); /* counted before: see xl_datagram_room */
	e->txbufs[tb].due_ns = due;
	c->expire_ns = xl_min(c->expire_ns, due);
}

s64 xl_datagram_send(struct xl_engine *e, struct xl_conn *c, const u8 *data, u64 bytes)
{
	struct xl_record_dgram r = { .datagram = c->datagram_next, .total = (u32)bytes };
	u32 piece = xl_txbuf_room(c) - XLANE_DGRAM_HEAD_BYTES;

	if (bytes > xl_datagram_max(e, c))
		return -EMSGSIZE;
	if (xl_datagram_room(e, c) < xl_max(bytes, 1)) {
		xl_send_wait(e, c, XL_TXBUF_DGRAM);
		return -EAGAIN;
	}
	do {
		r.bytes = (u32)xl_min(bytes - r.offset, piece);
		append(e, c, &r, data + r.offset);
		xl_share_hold(e, c, XLANE_DGRAM_HEAD_BYTES + r.bytes);
		r.offset += r.bytes;
	} while (r.offset < bytes);
	c->datagram_next++;
	c->other_bytes += bytes;
	c->message_last++;
	c->messages_sent++;
	return (s64)bytes;
}
