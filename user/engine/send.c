/* SPDX-License-Identifier: BSD-2-Clause */
#include "send.h"

#include <errno.h>

#include "clock.h"
#include "conn.h"
#include "queue.h"
#include "share.h"
#include "writers.h"

#define LARGE_SHARE 4  /* part of a send buffer that small messages leave to the large one under way */

static bool is_message(const struct xl_conn *c) { return c->kind != XLANE_KIND_STREAM; }

u64 xl_send_capacity(const struct xl_engine *e, u32 packet, u64 frames, u32 head)
{
	u32 per = (XLANE_TX_HEADROOM_BYTES + packet + XLANE_TAG_BYTES + e->frames->frame_bytes - 1) / e->frames->frame_bytes;

	return frames / per * (packet - head);
}

/* The part of its send buffer that the connection does not fill. A large message's bytes are outside the credit, so they always get through; small messages behind its head may be stuck
 * until they have. Hence these must not take all the room. */
static u64 own_room(const struct xl_conn *c, enum xl_txbuf_type type)
{
	u64 most = c->send_buffer;

	if (type != XL_TXBUF_LARGE && c->large_out.open)
		most -= most / LARGE_SHARE;
	return most - xl_min(most, c->buffered);
}

bool xl_send_could(const struct xl_conn *c)
{
	u64 least = c->kind == XLANE_KIND_STREAM || c->kind == XLANE_KIND_DATAGRAM ? 0 : XLANE_MESSAGE_HEAD_BYTES;

	if (!c->owned || c->error)
		return false;
	return (c->want_write && own_room(c, XL_TXBUF_DATA) > least) ||
	       (c->want_large && c->large_out.granted > c->large_out.fed && own_room(c, XL_TXBUF_LARGE));
}

u64 xl_send_room(const struct xl_engine *e, const struct xl_conn *c, enum xl_txbuf_type type)
{
	static const u8 heads[XL_TXBUF_TYPES] = { XLANE_DATA_HEAD_BYTES, XLANE_LARGE_HEAD_BYTES, XLANE_DGRAM_HEAD_BYTES };
	u64 most = xl_min(own_room(c, type), xl_share_room(e, c, type));

	return xl_min(most, xl_send_capacity(e, xl_txbuf_room(c), xl_txbuf_frames_free(e, type), heads[type]));
}

void xl_send_wait(struct xl_engine *e, struct xl_conn *c, enum xl_txbuf_type type)
{
	if (xl_share_room(e, c, type) < c->send_buffer - xl_min(c->send_buffer, c->buffered))
		xl_count(e, XL_C_SHARE_WAITS);
	if (type == XL_TXBUF_LARGE)
		xl_conn_want_large(e, c);
	else
		xl_conn_want_write(e, c);
}

u64 xl_send_most(const struct xl_engine *e, const struct xl_conn *c, u32 head)
{
	u64 frames = xl_min(e->tx_frames_data, e->frames->own / 2);

	return xl_min(c->send_buffer, xl_send_capacity(e, xl_txbuf_room_in(c->max_packet), frames, head));
}

/* The largest small message that an idle engine would take: a larger one must not wait for ever. */
static u64 small_max(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 buffer = xl_send_most(e, c, XLANE_DATA_HEAD_BYTES);
	u64 most = xl_min(XLANE_MESSAGE_SMALL_MAX_BYTES, buffer - xl_min(buffer, XLANE_MESSAGE_HEAD_BYTES));

	return c->remote_id ? xl_min(most, c->message_max) : most;
}

static u64 room(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 n = xl_send_room(e, c, XL_TXBUF_DATA);

	if (c->kind == XLANE_KIND_DATAGRAM)
		return xl_datagram_room(e, c);
	if (!is_message(c))
		return n;
	return n > XLANE_MESSAGE_HEAD_BYTES ? n - XLANE_MESSAGE_HEAD_BYTES : 0;
}

/* A message may begin in this buffer: its head lies there whole, and its id is near the others'. Messages out of order are
 * found behind a hole by the head at a record's beginning, and go whole into one packet when they can. */
static bool takes_message(const struct xl_engine *e, const struct xl_conn *c, u32 tb, u64 bytes)
{
	const struct xl_txbuf *t = &e->txbufs[tb];
	u32 room = xl_txbuf_room(c);

	if (t->len + XLANE_MESSAGE_HEAD_BYTES > room || !xl_queue_takes(t, c->message_last + 1))
		return false;
	return c->kind != XLANE_KIND_UNORDERED ||
	       (xl_txbuf_begins(e, tb) && (t->len + bytes <= room || XLANE_DATA_HEAD_BYTES + bytes > room));
}

u64 xl_send_append(struct xl_engine *e, struct xl_conn *c, enum xl_txbuf_type type, const u8 *data, u64 bytes, u64 begin)
{
	u64 done = 0;

	while (done < bytes) {
		u32 tb = xl_txbuf_open(e, c, type), n;

		if (tb != XL_NONE && begin && done == 0 && !takes_message(e, c, tb, begin))
			tb = XL_NONE;
		if (tb == XL_NONE)
			tb = xl_txbuf_new(e, c, type);
		if (tb == XL_NONE)
			break;
		n = xl_txbuf_append(e, c, tb, data + done, bytes - done, begin && done == 0);
		if (n == 0)
			break;
		if (begin && done == 0)
			xl_queue_mark(e, tb, c->message_last + 1);
		done += n;
		xl_share_hold(e, c, n);
		*(type == XL_TXBUF_DATA ? &c->seq_queued : &c->other_bytes) += n;
		if (type == XL_TXBUF_LARGE)
			c->large_out.fed += n;
	}
	return done;
}

static s64 send_stream(struct xl_engine *e, struct xl_conn *c, const u8 *data, u64 bytes)
{
	u64 n = xl_send_append(e, c, XL_TXBUF_DATA, data, xl_min(bytes, room(e, c)), 0);

	if (n < bytes)
		xl_send_wait(e, c, XL_TXBUF_DATA);
	return n || bytes == 0 ? (s64)n : -EAGAIN;
}

static s64 send_message(struct xl_engine *e, struct xl_conn *c, const u8 *data, u64 bytes)
{
	struct xl_message_head h = { .bytes = (u32)bytes, .class = XLANE_MESSAGE_SMALL, .priority = c->priority };
	u8 head[XLANE_MESSAGE_HEAD_BYTES];
	u64 space = room(e, c);

	if (bytes > small_max(e, c))
		return -EMSGSIZE;
	if (space == 0 || bytes > space) {
		xl_send_wait(e, c, XL_TXBUF_DATA);
		return -EAGAIN;
	}
	xl_message_head_emit(head, &h);
	XL_ASSERT(xl_send_append(e, c, XL_TXBUF_DATA, head, sizeof head, sizeof head + bytes) == sizeof head);
	XL_ASSERT(xl_send_append(e, c, XL_TXBUF_DATA, data, bytes, 0) == bytes);
	c->message_last++;
	c->messages_sent++;
	return (s64)bytes;
}

s64 xl_conn_send(struct xl_engine *e, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	static s64 (*const senders[])(struct xl_engine *e, struct xl_conn *c, const u8 *data, u64 bytes) = {
		[XLANE_KIND_STREAM] = send_stream, [XLANE_KIND_MESSAGE] = send_message,
		[XLANE_KIND_UNORDERED] = send_message, [XLANE_KIND_DATAGRAM] = xl_datagram_send,
	};
	struct xl_conn *c = xl_conn_at(e, conn);
	s64 n;

	xl_clock(e, now_ns);
	if (c->error)
		return c->error;
	if (!xl_state_sends(c->state) || c->shut_wanted)
		return -EPIPE;
	n = senders[c->kind](e, c, data, bytes);
	if (n > 0 || (n == 0 && is_message(c)))
		xl_conn_activate(e, c);
	return n;
}

u64 xl_conn_writable(const struct xl_engine *e, u32 conn)
{
	const struct xl_conn *c = xl_conn_at(e, conn);

	if (c->error || !xl_state_sends(c->state) || c->shut_wanted)
		return 0;
	return room(e, c);
}

u64 xl_conn_message_max(const struct xl_engine *e, u32 conn)
{
	const struct xl_conn *c = xl_conn_at(e, conn);

	if (c->kind == XLANE_KIND_STREAM)
		return 0;
	if (c->kind == XLANE_KIND_DATAGRAM)
		return xl_datagram_max(e, c);
	return c->remote_id && c->message_max > XLANE_MESSAGE_SMALL_MAX_BYTES ? c->message_max : small_max(e, c);
}

void xl_send_tell(struct xl_engine *e, struct xl_conn *c)
{
	if ((c->want_write && xl_conn_writable(e, xl_conn_index(e, c))) || (c->want_large && xl_send_large_room(e, c)))
		xl_conn_notify(e, c, XL_EVENT_WRITABLE);
	if (c->want_write || c->want_large)
		xl_writers_join(e, c);
}

void xl_send_fin(struct xl_engine *e, struct xl_conn *c)
{
	u32 tb = c->queue.tail;

	if (!xl_send_fin_waits(c))
		return;
	if (tb == XL_NONE || e->txbufs[tb].type != XL_TXBUF_DATA || xl_queue_begun_last(e, c))
		tb = xl_txbuf_new(e, c, XL_TXBUF_DATA);
	if (tb == XL_NONE)
		return;
	xl_txbuf_fin(e, tb);
	c->fin_queued = true;
}
