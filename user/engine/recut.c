/* SPDX-License-Identifier: BSD-2-Clause */
#include "recut.h"

#include "queue.h"
#include "share.h"
#include "txbuf.h"

/* Frames that cutting leaves in the pool, so that an ACK can still be sent. Fewer than other data leaves: a buffer that can
 * not be cut can not be sent, and its frames never come back. */
#define FRAMES_LEFT 4

static struct xl_txbuf *at(const struct xl_engine *e, u32 tb) { return &e->txbufs[tb]; }

/* Where offset `off` of the records of tb is, and how much of that frame is left from there. */
static u8 *locate(const struct xl_engine *e, u32 tb, u32 off, u32 *left)
{
	u32 size = e->frames->frame_bytes;

	for (off += XLANE_TX_HEADROOM_BYTES; off >= size; off -= size)
		tb = at(e, tb)->chain;
	*left = size - off;
	return xl_frames_ptr(e->frames, tb) + off;
}

/* Bytes from one buffer to another, or down within one. */
static void move_bytes(const struct xl_engine *e, u32 to, u32 to_off, u32 from, u32 from_off, u32 bytes)
{
	while (bytes) {
		u32 to_left, from_left, n;
		u8 *q = locate(e, to, to_off, &to_left);
		const u8 *p = locate(e, from, from_off, &from_left);

		n = (u32)xl_min(bytes, xl_min(to_left, from_left));
		memmove(q, p, n);
		to_off += n;
		from_off += n;
		bytes -= n;
	}
}

/* A buffer like `like`, before it in its list, with frames for records of `len` bytes. */
static u32 fresh(struct xl_engine *e, struct xl_conn *c, u32 like, u32 len)
{
	u32 need = xl_txbuf_frames(e, c, len), first = XL_NONE;

	if (e->frames->nfree < need + FRAMES_LEFT)
		return XL_NONE;
	for (u32 i = 0; i < need; i++) {
		u32 f = xl_frames_take(e->frames, XL_FRAME_QUEUED), generation = at(e, f)->generation;

		*at(e, f) = *at(e, like);
		at(e, f)->generation = generation;
		at(e, f)->chain = first;
		at(e, f)->frames = (u8)need;
		first = f;
	}
	for (u32 f = first; f != XL_NONE; f = at(e, f)->chain)
		at(e, f)->head = first;
	e->tx_frames += need;
	if (at(e, like)->state == XL_TXBUF_QUEUED && at(e, like)->type != XL_TXBUF_LARGE)
		xl_queue_insert(e, c, first, like);
	else
		xl_list_insert(&e->l_tx, xl_txbuf_list(c, at(e, like)), xl_link_at(&e->l_tx, like)->prev, first);
	return first;
}

/* The records of tb are `len` bytes now: frames that it does not need go home. */
static void shrink(struct xl_engine *e, struct xl_conn *c, u32 tb, u32 len)
{
	u32 need = xl_txbuf_frames(e, c, len), f = tb, next;

	at(e, tb)->len = len;
	for (u32 i = 1; i < need; i++)
		f = at(e, f)->chain;
	next = at(e, f)->chain;
	at(e, f)->chain = XL_NONE;
	for (f = next; f != XL_NONE; f = next) {
		next = at(e, f)->chain;
		xl_frames_move(e->frames, f, XL_FRAME_QUEUED, XL_FRAME_FREE);
		e->tx_frames--;
		at(e, tb)->frames--;
		e->frames_freed = true;
	}
}

/* Write the one record's head again. */
static void write_head(const struct xl_engine *e, u32 tb, bool begin)
{
	const struct xl_txbuf *t = at(e, tb);
	struct xl_record_data data = { .offset = t->seq, .bytes = t->seq_bytes, .fin = t->fin, .begin = begin };
	struct xl_record_large large = { .message = t->seq, .offset = t->at, .bytes = t->seq_bytes };
	u8 *p = xl_frames_ptr(e->frames, tb) + XLANE_TX_HEADROOM_BYTES;

	if (t->type == XL_TXBUF_LARGE)
		xl_record_large_emit(p, &large);
	else
		xl_record_data_emit(p, &data);
}

/* One DATA or LARGE record becomes two. */
static u32 cut_record(struct xl_engine *e, struct xl_conn *c, u32 tb, u32 room)
{
	struct xl_txbuf *t = at(e, tb);
	bool begin = xl_txbuf_begins(e, tb), large = t->type == XL_TXBUF_LARGE, placed = t->state != XL_TXBUF_QUEUED;
	u32 head = large ? XLANE_LARGE_HEAD_BYTES : XLANE_DATA_HEAD_BYTES;
	u32 bytes = large ? room - head : xl_queue_cuts(e, tb, room - head), piece = fresh(e, c, tb, head + bytes);

	if (piece == XL_NONE)
		return XL_NONE;
	if (!large)
		xl_queue_divide(e, piece, tb, bytes);
	move_bytes(e, piece, head, tb, head, bytes);
	at(e, piece)->len = head + bytes;
	at(e, piece)->seq_bytes = bytes;
	at(e, piece)->fin = false;
	write_head(e, piece, begin);
	t->seq_bytes -= bytes;
	if (large)
		t->at += bytes;
	else if (placed) /* else it has no offset yet */
		t->seq += bytes;
	move_bytes(e, tb, head, tb, head + bytes, t->seq_bytes);
	shrink(e, c, tb, head + t->seq_bytes);
	write_head(e, tb, !large && !placed && t->at == 0 && t->seq_bytes);
	return piece;
}

/* The DGRAM record at `off`. */
static struct xl_record_dgram dgram_at(const struct xl_engine *e, u32 tb, u32 off)
{
	u8 bytes[XLANE_DGRAM_HEAD_BYTES];
	struct xl_record_head h;
	struct xl_record_dgram r;
	u32 left;

	for (u32 i = 0; i < sizeof bytes; i++)
		bytes[i] = *locate(e, tb, off + i, &left);
	xl_record_head_parse(bytes, UINT32_MAX, &h);
	xl_record_dgram_parse(bytes + XLANE_RECORD_BYTES, h.bytes, h.flags, &r);
	return r;
}

/* The datagram, or fragment, at the beginning of tb is too large: its first part goes before it. */
static u32 cut_fragment(struct xl_engine *e, struct xl_conn *c, u32 tb, u32 room)
{
	struct xl_record_dgram r = dgram_at(e, tb, 0), first = r;
	u32 piece = fresh(e, c, tb, room), bytes = room - XLANE_DGRAM_HEAD_BYTES;
	struct xl_txbuf *t = at(e, tb), *p;

	if (piece == XL_NONE)
		return XL_NONE;
	p = at(e, piece);
	move_bytes(e, piece, XLANE_DGRAM_HEAD_BYTES, tb, XLANE_DGRAM_HEAD_BYTES, bytes);
	first.bytes = bytes;
	p->len = room;
	p->seq_bytes = bytes;
	p->records = 1;
	xl_record_dgram_emit(xl_frames_ptr(e->frames, piece) + XLANE_TX_HEADROOM_BYTES, &first);
	t->seq_bytes -= bytes;
	move_bytes(e, tb, XLANE_DGRAM_HEAD_BYTES, tb, room, t->len - room);
	shrink(e, c, tb, t->len - bytes);
	r.offset += bytes;
	r.bytes -= bytes;
	xl_record_dgram_emit(xl_frames_ptr(e->frames, tb) + XLANE_TX_HEADROOM_BYTES, &r);
	xl_share_hold(e, c, XLANE_DGRAM_HEAD_BYTES);
	return piece;
}

/* As many whole datagrams as fit go before the others. */
static u32 cut_datagrams(struct xl_engine *e, struct xl_conn *c, u32 tb, u32 room)
{
	u32 bytes = 0, records = 0, data = 0, piece;
	struct xl_txbuf *t = at(e, tb), *p;
	struct xl_record_dgram r;

	for (;;) {
		r = dgram_at(e, tb, bytes);
		if (bytes + XLANE_DGRAM_HEAD_BYTES + r.bytes > room)
			break;
		bytes += XLANE_DGRAM_HEAD_BYTES + r.bytes;
		data += r.bytes;
		records++;
	}
	if (records == 0)
		return cut_fragment(e, c, tb, room);
	piece = fresh(e, c, tb, bytes);
	if (piece == XL_NONE)
		return XL_NONE;
	p = at(e, piece);
	move_bytes(e, piece, 0, tb, 0, bytes);
	p->len = bytes;
	p->seq_bytes = data;
	p->records = (u8)records;
	t->seq = r.datagram;
	t->seq_bytes -= data;
	t->records = (u8)(t->records - records);
	move_bytes(e, tb, 0, tb, bytes, t->len - bytes);
	shrink(e, c, tb, t->len - bytes);
	return piece;
}

u32 xl_recut(struct xl_engine *e, struct xl_conn *c, u32 tb, u32 room)
{
	u32 piece;

	XL_ASSERT(at(e, tb)->len > room && !at(e, tb)->in_ring && at(e, tb)->state != XL_TXBUF_SENT);
	piece = at(e, tb)->type == XL_TXBUF_DGRAM ? cut_datagrams(e, c, tb, room) : cut_record(e, c, tb, room);
	if (piece != XL_NONE)
		xl_count(e, XL_C_RECUT);
	return piece;
}
