/* SPDX-License-Identifier: BSD-2-Clause */
#include "send.h"

#include <errno.h>

#include "../wire/record.h"
#include "clock.h"
#include "conn.h"
#include "txbuf.h"

static bool is_message(const struct xl_conn *c) { return c->kind != XLANE_KIND_STREAM; }

/* Sequence bytes that `frames` frames hold in packets with `packet` bytes of records. */
static u64 capacity(const struct xl_engine *e, u32 packet, u64 frames)
{
	u32 per = (XLANE_TX_HEADROOM_BYTES + packet + XLANE_TAG_BYTES + e->frames->frame_bytes - 1) / e->frames->frame_bytes;

	return frames / per * (packet - XLANE_DATA_HEAD_BYTES);
}

/* Sequence bytes that frames are there for. A whole message must fit, so it is counted in frames, not tried. */
static u64 frame_room(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 left = e->tx_frames < e->cfg.tx_frames_max ? e->cfg.tx_frames_max - e->tx_frames : 0;

	return capacity(e, xl_txbuf_room(c), xl_min(xl_txbuf_frames_free(e), left));
}

/* The largest message that an idle engine would take: a larger one must not wait for ever. */
static u64 message_max(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 frames = xl_min(e->cfg.tx_frames_max, e->frames->count / 2);
	u32 packet = c->max_packet - XLANE_OUTER_BYTES - XLANE_TAG_BYTES;
	u64 buffer = xl_min(e->cfg.send_buffer_bytes, capacity(e, packet, frames));
	u64 most = xl_min(XLANE_MESSAGE_SMALL_MAX_BYTES, buffer - xl_min(buffer, XLANE_MESSAGE_HEAD_BYTES));

	return c->remote_id ? xl_min(most, c->message_max) : most;
}

static u64 room(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 buffer = c->buffered < e->cfg.send_buffer_bytes ? e->cfg.send_buffer_bytes - c->buffered : 0;
	u64 least = is_message(c) ? XLANE_MESSAGE_HEAD_BYTES + 1 : 1, n = xl_min(buffer, frame_room(e, c));

	return n >= least ? n - (is_message(c) ? XLANE_MESSAGE_HEAD_BYTES : 0) : 0;
}

/* Bytes to the end of the sequence, as many as frames are found for. */
static u64 append(struct xl_engine *e, struct xl_conn *c, const u8 *data, u64 bytes, bool begin)
{
	u64 done = 0;

	while (done < bytes) {
		u32 tb = xl_txbuf_open(e, c), n;

		if (tb == XL_NONE)
			tb = xl_txbuf_new(e, c);
		if (tb == XL_NONE)
			break;
		n = xl_txbuf_append(e, c, tb, data + done, bytes - done, begin && done == 0);
		if (n == 0)
			break;
		done += n;
		c->seq_next += n;
		c->buffered += n;
	}
	return done;
}

static s64 send_stream(struct xl_engine *e, struct xl_conn *c, const u8 *data, u64 bytes)
{
	u64 n = append(e, c, data, xl_min(bytes, room(e, c)), false);

	if (n < bytes)
		xl_conn_want_write(e, c);
	return n || bytes == 0 ? (s64)n : -EAGAIN;
}

static s64 send_message(struct xl_engine *e, struct xl_conn *c, const u8 *data, u64 bytes)
{
	struct xl_message_head h = { .bytes = (u32)bytes, .class = XLANE_MESSAGE_SMALL };
	u8 head[XLANE_MESSAGE_HEAD_BYTES];
	u64 space = room(e, c);

	if (bytes > message_max(e, c))
		return -EMSGSIZE;
	if (space == 0 || bytes > space) {
		xl_conn_want_write(e, c);
		return -EAGAIN;
	}
	xl_message_head_emit(head, &h);
	XL_ASSERT(append(e, c, head, sizeof head, true) == sizeof head);
	XL_ASSERT(append(e, c, data, bytes, false) == bytes);
	c->messages_sent++;
	return (s64)bytes;
}

s64 xl_conn_send(struct xl_engine *e, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	s64 n;

	xl_clock(e, now_ns);
	if (c->error)
		return c->error;
	if (!xl_state_sends(c->state) || c->shut_wanted)
		return -EPIPE;
	n = is_message(c) ? send_message(e, c, data, bytes) : send_stream(e, c, data, bytes);
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

void xl_send_fin(struct xl_engine *e, struct xl_conn *c)
{
	u32 tb;

	if (!xl_send_fin_waits(c))
		return;
	tb = c->queue.tail != XL_NONE ? c->queue.tail : xl_txbuf_new(e, c);
	if (tb == XL_NONE)
		return;
	xl_txbuf_fin(e, tb);
	c->fin_queued = true;
}
