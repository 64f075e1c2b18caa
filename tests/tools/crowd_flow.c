// SPDX-License-Identifier: BSD-2-Clause
/* crowd_flow.c - moving messages and stretches of a stream, by copy, by loan, or in place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"

static bool room_for(struct crowd_flow *f, size_t bytes)
{
	uint8_t *data;

	if (bytes <= f->room)
		return true;
	data = realloc(f->data, bytes);
	if (!data)
		return false;
	f->data = data;
	f->room = bytes;
	return true;
}

static void count_sent(struct crowd *w, struct crowd_conn *k, size_t bytes, bool whole)
{
	k->out.bytes += bytes;
	w->bytes_out += bytes;
	if (whole) {
		k->out.items++;
		w->items_out++;
		k->out.pending = false;
	}
	crowd_moved(w);
}

/* Bytes of a stream from `from` on: its head, then the pattern. */
static void stream_fill(const struct crowd_head *h, uint64_t from, uint8_t *to, size_t bytes)
{
	const size_t head = from < sizeof *h ? sizeof *h - from < bytes ? sizeof *h - from : bytes : 0;

	memcpy(to, (const uint8_t *)h + (head ? from : 0), head);
	crowd_pattern_fill(h, from + head, to + head, bytes - head);
}

static int send_in_place(struct crowd *w, struct crowd_conn *k, size_t bytes, int timeout_ms)
{
	const bool stream = w->o.type == XLANE_STREAM;
	void *to;
	int64_t n = xlane_send_reserve(k->c, bytes, &to, timeout_ms);

	if (n < 0)
		return (int)n;
	if (stream) {
		stream_fill(&k->out.head, k->out.bytes, to, (size_t)n);
	} else {
		memcpy(to, &k->out.head, sizeof k->out.head);
		crowd_pattern_fill(&k->out.head, sizeof k->out.head, (uint8_t *)to + sizeof k->out.head,
				   bytes - sizeof k->out.head);
	}
	n = xlane_send_commit(k->c, (size_t)n);
	if (n < 0)
		return (int)n;
	count_sent(w, k, (size_t)n, !stream);
	return 1;
}

static int send_stream(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	struct crowd_flow *out = &k->out;
	size_t bytes = CROWD_PIECE_BYTES;
	int64_t n;

	if (!out->bytes)
		out->head = (struct crowd_head){ .key = k->key, .bytes = w->o.bytes, .count = 1 };
	if (bytes > w->o.bytes - out->bytes)
		bytes = w->o.bytes - out->bytes;
	if (w->o.reserve)
		return send_in_place(w, k, bytes, timeout_ms);
	if (!room_for(out, CROWD_PIECE_BYTES))
		return -ENOMEM;
	stream_fill(&out->head, out->bytes, out->data, bytes);
	n = xlane_send(k->c, out->data, bytes, timeout_ms);
	if (n <= 0)
		return n ? (int)n : -EPROTO;
	count_sent(w, k, (size_t)n, false);
	return 1;
}

int crowd_flow_send(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	struct crowd_flow *out = &k->out;
	int64_t n;

	if (w->o.type == XLANE_STREAM)
		return send_stream(w, k, timeout_ms);
	if (!out->pending) {
		out->head = (struct crowd_head){ .key = k->key, .number = out->items, .count = w->o.count,
						 .bytes = crowd_item_bytes(&w->o, k->key, out->items) };
		out->length = out->head.bytes;
	}
	if (w->o.reserve && out->length <= XLANE_MESSAGE_SMALL_MAX_BYTES)
		return send_in_place(w, k, out->length, timeout_ms);
	if (!out->pending) {
		if (!room_for(out, out->length))
			return -ENOMEM;
		memcpy(out->data, &out->head, sizeof out->head);
		crowd_pattern_fill(&out->head, sizeof out->head, out->data + sizeof out->head,
				   out->length - sizeof out->head);
		out->pending = true;
	}
	n = xlane_send(k->c, out->data, out->length, timeout_ms);
	if (n < 0)
		return (int)n;
	if ((size_t)n != out->length)
		return -EPROTO;
	count_sent(w, k, out->length, true);
	return 1;
}

static int recv_stream(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	const bool loan = w->o.loan && !(w->o.serve && w->o.work == CROWD_ECHO); /* what goes back is kept */
	const void *data;
	int64_t n;

	if (loan) {
		n = xlane_recv_loan(k->c, &data, timeout_ms);
	} else {
		if (!room_for(&k->in, CROWD_PIECE_BYTES))
			return -ENOMEM;
		n = xlane_recv(k->c, k->in.data, CROWD_PIECE_BYTES, timeout_ms);
		data = k->in.data;
	}
	if (n <= 0)
		return (int)n;
	if (!crowd_check_stream(w, k, data, (size_t)n))
		return -EBADMSG;
	if (loan)
		xlane_release(k->c, (size_t)n);
	k->in.length = (size_t)n;
	return 1;
}

/* A whole message into memory of this program, as large as it needs. */
static int recv_item(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	int64_t n;

	if (!room_for(&k->in, CROWD_PIECE_BYTES))
		return -ENOMEM;
	n = xlane_recv(k->c, k->in.data, k->in.room, timeout_ms);
	if (n == -EMSGSIZE) {
		n = xlane_readable(k->c);
		if (n < 0)
			return (int)n;
		if (!room_for(&k->in, (size_t)n))
			return -ENOMEM;
		n = xlane_recv(k->c, k->in.data, k->in.room, timeout_ms);
	}
	if (n < 0)
		return n == -ENODATA ? 0 : (int)n;
	k->in.length = (size_t)n;
	return crowd_check_item(w, k, k->in.data, (size_t)n) ? 1 : -EBADMSG;
}

int crowd_flow_recv(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	int got = w->o.type == XLANE_STREAM ? recv_stream(w, k, timeout_ms) : recv_item(w, k, timeout_ms);

	if (got <= 0)
		return got;
	k->in.bytes += k->in.length;
	w->bytes_in += k->in.length;
	k->in.items++;
	w->items_in++;
	crowd_moved(w);
	k->heard_ns = w->moved_ns;
	return 1;
}

/* Server: what came goes back. Nothing is read before all of the last has gone. */
int crowd_flow_echo(struct crowd *w, struct crowd_conn *k, int timeout_ms)
{
	const bool stream = w->o.type == XLANE_STREAM;
	struct crowd_flow *in = &k->in;
	int64_t n;
	int got;

	if (!k->out.pending) {
		got = crowd_flow_recv(w, k, timeout_ms);
		if (got <= 0)
			return got;
		k->out.pending = true;
		in->done = 0;
	}
	n = xlane_send(k->c, in->data + in->done, in->length - in->done, timeout_ms);
	if (n < 0)
		return (int)n;
	in->done += (size_t)n;
	count_sent(w, k, (size_t)n, in->done == in->length);
	return stream || in->done == in->length ? 1 : -EPROTO;
}
