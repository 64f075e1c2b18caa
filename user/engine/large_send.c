/* SPDX-License-Identifier: BSD-2-Clause */
/* large_send.c - a large message on its way out: its head goes into the sequence, its bytes into LARGE records when the
 * receiver has granted them. */
#include <errno.h>

#include "clock.h"
#include "conn.h"
#include "message.h"
#include "persist.h"
#include "queue.h"
#include "send.h"

int xl_conn_large_begin(struct xl_engine *e, u32 conn, u64 bytes, u64 now_ns)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	struct xl_message_head h = { .bytes = (u32)bytes, .class = XLANE_MESSAGE_LARGE, .priority = c->priority };
	u8 head[XLANE_MESSAGE_HEAD_BYTES];

	xl_clock(e, now_ns);
	if (!xl_message_kind(c) || bytes <= XLANE_MESSAGE_SMALL_MAX_BYTES)
		return -EINVAL;
	if (c->error)
		return c->error;
	if (!xl_state_sends(c->state) || c->shut_wanted)
		return -EPIPE;
	if (bytes > XLANE_MESSAGE_MAX_BYTES || (c->remote_id && bytes > c->message_max))
		return -EMSGSIZE;
	/* What the peer takes is not known before it has answered. */
	if (!c->remote_id || c->large_out.open || xl_send_room(e, c, XL_TXBUF_DATA) < sizeof head) {
		xl_conn_want_write(e, c);
		return -EAGAIN;
	}
	xl_message_head_emit(head, &h);
	c->large_out = (struct xl_large_out){ .message = XL_NONE64, .bytes = (u32)bytes, .open = true };
	XL_ASSERT(xl_send_append(e, c, XL_TXBUF_DATA, head, sizeof head, sizeof head) == sizeof head);
	e->txbufs[xl_queue_tail(e, c, xl_queue_priority(c))].large_head = true;
	c->message_last++;
	xl_conn_activate(e, c);
	return 0;
}

u64 xl_send_large_room(const struct xl_engine *e, const struct xl_conn *c)
{
	const struct xl_large_out *l = &c->large_out;

	if (!l->open || c->error)
		return 0;
	return xl_min(l->granted - l->fed, xl_send_room(e, c, XL_TXBUF_LARGE));
}

s64 xl_conn_large_more(struct xl_engine *e, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	struct xl_large_out *l = &c->large_out;
	u64 n;

	xl_clock(e, now_ns);
	if (c->error)
		return c->error;
	if (!l->open || bytes == 0 || bytes > l->bytes - l->fed)
		return -EINVAL;
	n = xl_send_append(e, c, XL_TXBUF_LARGE, data, xl_min(bytes, xl_send_large_room(e, c)), 0);
	if (n < bytes)
		xl_send_wait(e, c, XL_TXBUF_LARGE);
	if (n == 0)
		return -EAGAIN;
	if (l->fed == l->bytes) {
		l->open = c->want_large = false;
		c->messages_sent++;
		xl_send_tell(e, c); /* small messages have its part of the send buffer again */
	}
	xl_conn_activate(e, c);
	return (s64)n;
}

u64 xl_conn_large_left(const struct xl_engine *e, u32 conn)
{
	const struct xl_conn *c = xl_conn_at(e, conn);

	return c->large_out.open ? c->large_out.bytes - c->large_out.fed : 0;
}

void xl_send_granted(struct xl_engine *e, struct xl_conn *c, const struct xl_record_grant *r)
{
	struct xl_large_out *l = &c->large_out;
	u32 limit = (u32)xl_min(r->bytes, l->bytes);

	if (!l->open || r->message != l->message || limit <= l->granted) {
		xl_count(e, XL_C_GRANT_IGNORED); /* of a message that is through, or one that was sent again */
		return;
	}
	xl_count(e, XL_C_GRANT_IN);
	l->granted = limit;
	xl_persist_moved(c);
	if (!c->want_large)
		xl_conn_want_large(e, c); /* the program is told even when it did not ask yet */
	xl_send_tell(e, c);
}
