/* SPDX-License-Identifier: BSD-2-Clause */
#include "large.h"

#include "conn.h"
#include "grant.h"
#include "rbuf.h"
#include "window.h"

#define SLOTS (XLANE_BLOCK_BYTES / 4)

void xl_large_init(struct xl_large_in *l)
{
	*l = (struct xl_large_in){ .message = XL_NONE64, .ranges = XL_NONE, .due_ns = XL_NEVER };
	for (u32 i = 0; i < XL_LARGE_INDEX_MAX; i++)
		l->index[i] = XL_NONE;
}

void xl_large_expect(struct xl_engine *e, struct xl_conn *c, u64 message, u32 bytes)
{
	xl_large_init(&c->large_in);
	c->large_in.message = message;
	c->large_in.bytes = bytes;
	if (!xl_conn_gone(c)) {
		xl_grant_wait(e, c);
		return;
	}
	c->large_in.state = XL_LARGE_DISCARDED;
	c->control |= XL_CTL_GRANT;
	xl_conn_activate(e, c);
}

/* --- memory ------------------------------------------------------------------------------------ */
static u32 take(struct xl_engine *e, struct xl_large_in *l)
{
	XL_ASSERT(l->held < l->reserved);
	l->held++;
	return xl_block_take(e);
}

/* A block that is not needed any more, nor the memory that was reserved for it. */
static void give(struct xl_engine *e, struct xl_conn *c, u32 *block)
{
	if (*block == XL_NONE)
		return;
	xl_block_give(e, *block);
	*block = XL_NONE;
	c->large_in.held--;
	xl_grant_give(e, c, 1);
}

static u32 *slots(const struct xl_engine *e, const struct xl_large_in *l, u32 n)
{
	return (u32 *)xl_block_ptr(e, l->index[n / SLOTS]);
}

static u8 *block_for(struct xl_engine *e, struct xl_large_in *l, u32 n)
{
	u32 *slot;

	if (l->index[n / SLOTS] == XL_NONE) {
		l->index[n / SLOTS] = take(e, l);
		memset(slots(e, l, n), 0xff, XLANE_BLOCK_BYTES);
	}
	slot = &slots(e, l, n)[n % SLOTS];
	if (*slot == XL_NONE)
		*slot = take(e, l);
	return xl_block_ptr(e, *slot);
}

static struct xl_ranges *ranges(struct xl_engine *e, struct xl_large_in *l)
{
	if (l->ranges == XL_NONE) {
		l->ranges = take(e, l);
		xl_ranges_init((struct xl_ranges *)xl_block_ptr(e, l->ranges), XLANE_HOLES_MAX);
	}
	return (struct xl_ranges *)xl_block_ptr(e, l->ranges);
}

static void give_all(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_large_in *l = &c->large_in;

	for (u32 i = 0; i < XL_LARGE_INDEX_MAX; i++) {
		for (u32 k = 0; l->index[i] != XL_NONE && k < SLOTS; k++)
			give(e, c, &slots(e, l, i * SLOTS)[k]);
		give(e, c, &l->index[i]);
	}
	give(e, c, &l->ranges);
}

/* --- bytes as they come ------------------------------------------------------------------------- */
static void store(struct xl_engine *e, struct xl_conn *c, u64 at, u64 end, struct xl_cursor *cur)
{
	e->counters[XL_C_LARGE_BYTES_IN] += end - at;
	c->bytes_received += end - at;
	while (at < end) {
		u32 off = at % XLANE_BLOCK_BYTES, len = (u32)xl_min(end - at, XLANE_BLOCK_BYTES - off);

		xl_cursor_copy(cur, block_for(e, &c->large_in, (u32)(at / XLANE_BLOCK_BYTES)) + off, len);
		at += len;
	}
}

static void completed(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_large_in *l = &c->large_in;

	give(e, c, &l->ranges);
	l->state = XL_LARGE_COMPLETE;
	l->due_ns = XL_NEVER;
	e->grants--;
	if (c->kind == XLANE_KIND_UNORDERED) /* in order it counts when the parser passes it */
		c->messages_ready++;
	xl_grant_serve(e);
}

static enum xl_receive_verdict refused(struct xl_engine *e, enum xl_engine_counter why)
{
	xl_count(e, why);
	return XL_RECEIVE_REFUSED;
}

static enum xl_receive_verdict take_part(struct xl_engine *e, struct xl_conn *c, u64 start, u64 end, struct xl_cursor *cur)
{
	struct xl_large_in *l = &c->large_in;
	struct xl_ranges *have = ranges(e, l);
	u64 at = start, from, to, stored = 0;

	if (!xl_ranges_fits(have, start, end))
		return refused(e, XL_C_LARGE_HOLES);
	for (; at < end && xl_ranges_gap(have, at, end, &from, &to); at = to) {
		xl_cursor_skip(cur, from - at);
		store(e, c, from, to, cur);
		stored += to - from;
	}
	e->counters[XL_C_LARGE_DUPLICATE] += end - start - stored;
	xl_ranges_add(have, start, end);
	xl_grant_moved(e, c, (u32)stored);
	if (!xl_ranges_covers(have, 0, l->bytes))
		return XL_RECEIVE_TAKEN;
	completed(e, c);
	return xl_receive_ready(e, c, c->kind == XLANE_KIND_UNORDERED);
}

enum xl_receive_verdict xl_large_data(struct xl_engine *e, struct xl_conn *c, const struct xl_record_large *r,
				      struct xl_cursor *cur)
{
	struct xl_large_in *l = &c->large_in;
	u64 end = (u64)r->offset + r->bytes;

	if (l->state != XL_LARGE_NONE && r->message == l->message && end > l->bytes)
		return refused(e, XL_C_LARGE_PAST_END);
	if (l->state == XL_LARGE_DISCARDED && r->message == l->message) {
		e->counters[XL_C_LARGE_DISCARDED] += r->bytes;
		return XL_RECEIVE_TAKEN;
	}
	if (l->state == XL_LARGE_GRANTED && r->message == l->message)
		return take_part(e, c, r->offset, end, cur);
	/* Of a message that is complete, or was dropped: sent again because our ACK was lost. */
	if (r->message == l->message ? l->state == XL_LARGE_COMPLETE : r->message < c->message_parse) {
		e->counters[XL_C_LARGE_DUPLICATE] += r->bytes;
		return XL_RECEIVE_TAKEN;
	}
	return refused(e, XL_C_LARGE_NOT_GRANTED);
}

/* --- reading ------------------------------------------------------------------------------------- */
static const u8 *piece_at(const struct xl_engine *e, const struct xl_large_in *l, u32 at, u64 bytes, u64 *piece)
{
	u32 off = at % XLANE_BLOCK_BYTES, n = at / XLANE_BLOCK_BYTES;

	*piece = xl_min(bytes, XLANE_BLOCK_BYTES - off);
	return xl_block_ptr(e, slots(e, l, n)[n % SLOTS]) + off;
}

const u8 *xl_large_piece(const struct xl_engine *e, const struct xl_conn *c, u64 bytes, u64 *piece)
{
	return piece_at(e, &c->large_in, c->large_in.read, bytes, piece);
}

void xl_large_read(const struct xl_engine *e, const struct xl_conn *c, u8 *out, u64 bytes)
{
	u32 at = c->large_in.read;
	u64 len;

	for (; bytes; bytes -= len, out += len, at += (u32)len) {
		const u8 *p = piece_at(e, &c->large_in, at, bytes, &len);

		memcpy(out, p, len);
	}
}

void xl_large_consume(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	struct xl_large_in *l = &c->large_in;
	u32 first = l->read / XLANE_BLOCK_BYTES, end;

	XL_ASSERT(l->state == XL_LARGE_COMPLETE && bytes <= l->bytes - l->read);
	l->read += (u32)bytes;
	end = l->read / XLANE_BLOCK_BYTES;
	for (u32 n = first; n < end; n++)
		give(e, c, &slots(e, l, n)[n % SLOTS]);
	if (l->read == l->bytes)
		xl_large_drop(e, c);
	else if (end > first)
		xl_window_serve(e);
}

void xl_large_drop(struct xl_engine *e, struct xl_conn *c)
{
	give_all(e, c);
	xl_grant_leave(e, c);
	xl_large_init(&c->large_in);
	xl_window_serve(e);
}

void xl_large_discard(struct xl_engine *e, struct xl_conn *c)
{
	u64 message = c->large_in.message;
	u32 bytes = c->large_in.bytes;
	bool coming = c->large_in.state == XL_LARGE_WAITING || c->large_in.state == XL_LARGE_GRANTED;

	if (c->large_in.state == XL_LARGE_DISCARDED)
		return;
	xl_large_drop(e, c);
	if (coming)
		xl_large_expect(e, c, message, bytes);
}

void xl_large_abandon(struct xl_engine *e, struct xl_conn *c)
{
	if (c->large_in.state != XL_LARGE_NONE && c->large_in.state != XL_LARGE_COMPLETE)
		xl_large_drop(e, c);
}
