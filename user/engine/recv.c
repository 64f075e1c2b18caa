/* SPDX-License-Identifier: BSD-2-Clause */
/* recv.c - received data to the program: by copy, or lent. */
#include <errno.h>

#include "../wire/record.h"
#include "clock.h"
#include "conn.h"
#include "rbuf.h"
#include "receive.h"

static bool is_message(const struct xl_conn *c) { return c->kind != XLANE_KIND_STREAM; }

/* Give credit again when a quarter of the window has been consumed since the last time. */
static void renew_credit(struct xl_engine *e, struct xl_conn *c)
{
	u64 limit = c->consumed + c->window;

	if (!xl_state_receives(c->state) || c->fin_at != XL_NONE64 ||
	    limit - c->credit_given < c->window / 4)
		return;
	c->control |= XL_CTL_CREDIT;
	xl_conn_activate(e, c);
}

static void consume(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	u64 from = c->consumed;

	XL_ASSERT(bytes <= c->recv_next - from);
	c->consumed += bytes;
	xl_rbuf_release(e, &c->rbuf, from, c->consumed, c->consumed == c->recv_next && c->holes == XL_NONE);
	renew_credit(e, c);
}

void xl_receive_discard(struct xl_engine *e, struct xl_conn *c)
{
	e->counters[XL_C_DATA_AFTER_CLOSE] += c->recv_next - c->consumed;
	c->messages_ready = 0;
	c->message_open = false;
	consume(e, c, c->recv_next - c->consumed);
}

/* Enter the next message: its header is read and consumed. */
static void open_message(struct xl_engine *e, struct xl_conn *c)
{
	u8 bytes[XLANE_MESSAGE_HEAD_BYTES];
	struct xl_message_head h;

	if (c->message_open)
		return;
	xl_rbuf_read(e, &c->rbuf, c->consumed, bytes, sizeof bytes);
	XL_ASSERT(xl_message_head_parse(bytes, sizeof bytes, &h)); /* receive.c has parsed it, nobody writes it since */
	consume(e, c, sizeof bytes);
	c->message_left = h.bytes;
	c->message_open = true;
}

static void consume_message(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	XL_ASSERT(c->message_open && bytes <= c->message_left);
	consume(e, c, bytes);
	c->message_left -= (u32)bytes;
	if (c->message_left)
		return;
	c->message_open = false;
	c->messages_ready--;
	c->messages_received++;
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
	u8 bytes[XLANE_MESSAGE_HEAD_BYTES];
	struct xl_message_head h;

	if (!is_message(c))
		return c->recv_next > c->consumed ? (s64)(c->recv_next - c->consumed) : nothing(c);
	if (c->messages_ready == 0)
		return nothing(c);
	if (c->message_open)
		return c->message_left;
	xl_rbuf_read(e, &c->rbuf, c->consumed, bytes, sizeof bytes);
	XL_ASSERT(xl_message_head_parse(bytes, sizeof bytes, &h));
	return h.bytes;
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
	xl_rbuf_read(e, &c->rbuf, c->consumed, data, (u64)ready);
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
	if (ready)
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
