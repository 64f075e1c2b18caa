/* SPDX-License-Identifier: BSD-2-Clause */
/* recv.c - received data to the program: by copy, or lent. */
#include <errno.h>

#include "../wire/record.h"
#include "clock.h"
#include "conn.h"
#include "datagram.h"
#include "early.h"
#include "large.h"
#include "message.h"
#include "rbuf.h"
#include "window.h"

static bool is_message(const struct xl_conn *c) { return c->kind != XLANE_KIND_STREAM; }

static void consume(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	u64 from = c->consumed;

	XL_ASSERT(bytes <= c->recv_next - from);
	c->consumed += bytes;
	xl_rbuf_release(e, &c->rbuf, from, c->consumed, c->consumed == c->recv_next && c->holes == XL_NONE);
	xl_window_settle(e, c);
	xl_window_consumed(e, c);
}

void xl_receive_pass(struct xl_engine *e, struct xl_conn *c)
{
	u64 to = xl_message_passed(e, c, c->consumed);

	if (to > c->consumed)
		consume(e, c, to - c->consumed);
}

/* Messages that nobody reads go too, but where a large one begins must be seen, or its sender would wait for ever. */
static void discard_messages(struct xl_engine *e, struct xl_conn *c)
{
	c->messages_ready = 0;
	c->reading = XL_READING_NOTHING;
	if (c->kind == XLANE_KIND_DATAGRAM)
		xl_datagram_drop(e, c);
	if (!xl_message_kind(c))
		return;
	xl_early_drop(e, c);
	xl_large_discard(e, c);
	if (xl_state_joined(c->state))
		xl_message_parse_gone(e, c);
}

void xl_receive_discard(struct xl_engine *e, struct xl_conn *c)
{
	u64 to = c->recv_next;

	discard_messages(e, c);
	if (xl_message_kind(c) && xl_state_joined(c->state) && c->message_parse < to)
		to = xl_max(c->message_parse, c->consumed); /* the rest may be the beginning of a header */
	e->counters[XL_C_DATA_AFTER_CLOSE] += to - c->consumed;
	consume(e, c, to - c->consumed);
}

/* Enter the next message: its header is read and consumed. */
static void open_message(struct xl_engine *e, struct xl_conn *c)
{
	enum xl_reading where;
	struct xl_start *s;
	u32 bytes;

	if (c->reading)
		return;
	where = xl_message_next(e, c, &bytes);
	if (where == XL_READING_FRONT || c->kind == XLANE_KIND_MESSAGE)
		consume(e, c, XLANE_MESSAGE_HEAD_BYTES);
	if (where == XL_READING_EARLY) {
		s = xl_early_first(e, c);
		s->state = XL_EARLY_OPEN;
		c->early_at = s->offset + XLANE_MESSAGE_HEAD_BYTES;
	}
	c->message_left = bytes;
	c->reading = (u8)where;
}

static void close_message(struct xl_engine *e, struct xl_conn *c)
{
	bool large = c->reading == XL_READING_LARGE;

	if (c->reading == XL_READING_EARLY)
		xl_early_close(e, c);
	c->reading = XL_READING_NOTHING;
	c->messages_ready--;
	c->messages_received++;
	if (c->kind == XLANE_KIND_UNORDERED)
		xl_receive_pass(e, c);
	if (large && xl_state_joined(c->state))
		xl_receive_ready(e, c, false); /* the parser may have waited for its place */
}

static void consume_message(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	XL_ASSERT(c->reading && bytes <= c->message_left);
	c->message_left -= (u32)bytes;
	if (c->reading == XL_READING_LARGE)
		xl_large_consume(e, c, bytes);
	else if (c->reading == XL_READING_EARLY)
		c->early_at += bytes;
	else
		consume(e, c, bytes);
	if (!c->message_left)
		close_message(e, c);
}

/* The contiguous piece of the message being read that comes next. */
static const u8 *message_piece(const struct xl_engine *e, const struct xl_conn *c, u64 bytes, u64 *piece)
{
	if (c->reading == XL_READING_LARGE)
		return xl_large_piece(e, c, bytes, piece);
	return xl_rbuf_piece(e, &c->rbuf, c->reading == XL_READING_EARLY ? c->early_at : c->consumed, bytes, piece);
}

static void message_read(const struct xl_engine *e, const struct xl_conn *c, u8 *out, u64 bytes)
{
	if (c->reading == XL_READING_LARGE)
		xl_large_read(e, c, out, bytes);
	else
		xl_rbuf_read(e, &c->rbuf, c->reading == XL_READING_EARLY ? c->early_at : c->consumed, out, bytes);
}

/* What recv says when there is nothing to give. */
static s64 nothing(const struct xl_conn *c)
{
	if (c->error)
		return c->error;
	if (c->fin_received || c->state == XL_STATE_DEAD)
		return -ENODATA;
	return -EAGAIN;
}

s64 xl_conn_readable(const struct xl_engine *e, u32 conn)
{
	const struct xl_conn *c = xl_conn_at(e, conn);
	u32 bytes = c->message_left;

	if (!is_message(c))
		return c->recv_next > c->consumed ? (s64)(c->recv_next - c->consumed) : nothing(c);
	if (c->messages_ready == 0)
		return nothing(c);
	if (!c->reading)
		xl_message_next(e, c, &bytes);
	return bytes;
}

s64 xl_conn_recv(struct xl_engine *e, u32 conn, void *data, u64 bytes, u64 now_ns)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	s64 ready = xl_conn_readable(e, conn);
	u64 n;

	xl_clock(e, now_ns);
	if (ready == -ENODATA && !is_message(c))
		return 0;
	if (ready < 0)
		return ready;
	if (!is_message(c)) {
		n = xl_min((u64)ready, bytes);
		xl_rbuf_read(e, &c->rbuf, c->consumed, data, n);
		consume(e, c, n);
		return (s64)n;
	}
	if ((u64)ready > bytes)
		return -EMSGSIZE;
	open_message(e, c);
	message_read(e, c, data, (u64)ready);
	consume_message(e, c, (u64)ready);
	return ready;
}

s64 xl_conn_peek(struct xl_engine *e, u32 conn, const u8 **p, u64 *left)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	s64 ready = xl_conn_readable(e, conn);
	u64 piece = 0;

	if (ready < 0)
		return ready;
	if (is_message(c))
		open_message(e, c);
	*left = (u64)ready;
	*p = NULL;
	if (ready && is_message(c))
		*p = message_piece(e, c, (u64)ready, &piece);
	else if (ready)
		*p = xl_rbuf_piece(e, &c->rbuf, c->consumed, (u64)ready, &piece);
	return (s64)piece;
}

void xl_conn_consume(struct xl_engine *e, u32 conn, u64 bytes, u64 now_ns)
{
	struct xl_conn *c = xl_conn_at(e, conn);

	xl_clock(e, now_ns);
	if (is_message(c))
		consume_message(e, c, bytes);
	else
		consume(e, c, bytes);
}
