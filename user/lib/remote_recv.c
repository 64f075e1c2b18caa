/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remote_recv.c - received bytes out of the ring.
 *
 * A message is told of when all of it is there: in the ring, or, when no ring can hold it whole, in memory of the
 * library where it is put together as it comes.
 */
#include "remote.h"

#include <errno.h>
#include <stdlib.h>

static const u8 *ring_of(struct xl_remote *r, u32 conn)
{
	return xl_layout_recv_ring(&xl_remote_channel_of(r, conn)->map, conn % r->slots);
}

/* Look at the worker's counter. False: it can not be. */
static bool refresh(struct xl_remote *r, u32 conn)
{
	struct xl_remote_slot *sl = &r->slot[conn];
	struct xlane_slot *sh = xl_remote_shared(r, conn);
	u64 given;

	if (sl->asked)
		return true;
	if (atomic_load_explicit(&sh->worker.bits, memory_order_acquire) & XLANE_SLOT_END) {
		sl->ended = true;
		sl->read_end = atomic_load_explicit(&sh->worker.read_end, memory_order_relaxed);
	}
	given = atomic_load_explicit(&sh->worker.given, memory_order_acquire);
	if (given - sl->taken > r->ring_bytes) {
		r->dead = true;
		return false;
	}
	sl->given = given;
	return true;
}

/* Bytes are taken; a worker that waits for the room is told, if this is as much as it asked for, or if it must. */
static void publish(struct xl_remote *r, u32 conn, bool must)
{
	struct xlane_slot *sh = xl_remote_shared(r, conn);
	u64 want;

	atomic_store_explicit(&sh->client.taken, r->slot[conn].taken, memory_order_seq_cst);
	want = atomic_load_explicit(&sh->worker.want_taken, memory_order_seq_cst);
	if (!want || (want > r->slot[conn].taken && !must))
		return;
	xl_remote_dirty(r, conn);
	xl_remote_wake(r, xl_remote_channel_of(r, conn));
}

/* What there is to say when there is nothing to give. */
static s64 nothing(struct xl_remote *r, u32 conn)
{
	const struct xl_remote_slot *sl = &r->slot[conn];

	if (r->dead)
		return -ENETDOWN;
	if (sl->ended)
		return sl->read_end ? sl->read_end : -ENODATA;
	/* the worker may wait for more room than is needed for the rest of this message */
	publish(r, conn, true);
	return -EAGAIN;
}

/* As much as is there of the message that is put together. True: all of it. */
static bool gather(struct xl_remote *r, u32 conn)
{
	struct xl_remote_slot *sl = &r->slot[conn];
	const u32 pad = xl_ring_pad(sl->gather_bytes);
	u64 n = xl_min(sl->given - sl->taken, sl->gather_bytes - sl->gathered);

	if (n) {
		xl_ring_get(ring_of(r, conn), r->ring_bytes, sl->taken, sl->gather + sl->gathered, n);
		sl->taken += n;
		sl->gathered += n;
		if (sl->gathered == sl->gather_bytes)
			sl->taken += pad; /* comes with the last byte */
		publish(r, conn, false);
	}
	return sl->gathered == sl->gather_bytes;
}

/* The head at the front: enter its message when it is whole, or begin to put it together. 0, -EAGAIN or an error. */
static s64 open_front(struct xl_remote *r, u32 conn)
{
	struct xl_remote_slot *sl = &r->slot[conn];
	struct xlane_ring_head h;

	if (sl->given - sl->taken < sizeof h)
		return nothing(r, conn);
	xl_ring_get(ring_of(r, conn), r->ring_bytes, sl->taken, &h, sizeof h);
	if (h.bytes > XLANE_MESSAGE_MAX_BYTES) {
		r->dead = true;
		return -ENETDOWN;
	}
	if (xl_ring_record(h.bytes) <= r->ring_bytes) {
		if (sl->given - sl->taken < sizeof h + h.bytes)
			return nothing(r, conn);
		sl->in_message = true;
		sl->left = h.bytes;
		sl->taken += sizeof h;
		return 0;
	}
	sl->gather = malloc(h.bytes);
	if (!sl->gather)
		return -ENOMEM;
	sl->gather_bytes = h.bytes;
	sl->gathered = sl->gather_at = 0;
	sl->taken += sizeof h;
	return 0;
}

/* Bytes ready at the front of what is received: of a stream, or of the next whole message. */
static s64 front(struct xl_remote *r, u32 conn)
{
	struct xl_remote_slot *sl = &r->slot[conn];
	s64 err;

	if (r->dead || !refresh(r, conn))
		return -ENETDOWN;
	if (sl->kind == XLANE_KIND_STREAM)
		return sl->given > sl->taken ? (s64)(sl->given - sl->taken) : nothing(r, conn);
	if (!sl->in_message && !sl->gather) {
		err = open_front(r, conn);
		if (err)
			return err;
	}
	if (sl->in_message)
		return (s64)sl->left;
	return gather(r, conn) ? (s64)(sl->gather_bytes - sl->gather_at) : nothing(r, conn);
}

static void end_message(struct xl_remote_slot *sl)
{
	if (sl->gather) {
		free(sl->gather);
		sl->gather = NULL;
		return;
	}
	sl->in_message = false;
	sl->taken += -sl->taken & 7;
}

static void consume(struct xl_remote *r, u32 conn, u64 bytes)
{
	struct xl_remote_slot *sl = &r->slot[conn];

	if (sl->kind == XLANE_KIND_STREAM) {
		sl->taken += bytes;
	} else if (sl->gather) {
		sl->gather_at += bytes;
		if (sl->gather_at == sl->gather_bytes)
			end_message(sl);
		return;
	} else {
		sl->taken += bytes;
		sl->left -= bytes;
		if (!sl->left)
			end_message(sl);
	}
	publish(r, conn, false);
}

s64 xl_remote_readable(const struct xl_backend *b, u32 conn)
{
	return front(xl_remote_of((struct xl_backend *)(uintptr_t)b), conn);
}

s64 xl_remote_recv(struct xl_backend *b, u32 conn, void *data, u64 bytes, u64 now_ns)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xl_remote_slot *sl = &r->slot[conn];
	s64 n = front(r, conn);

	(void)now_ns;
	if (n == -ENODATA && sl->kind == XLANE_KIND_STREAM)
		return 0;
	if (n < 0)
		return n;
	if (sl->kind != XLANE_KIND_STREAM && (u64)n > bytes)
		return -EMSGSIZE;
	n = (s64)xl_min((u64)n, bytes);
	if (sl->gather)
		memcpy(data, sl->gather + sl->gather_at, (u64)n);
	else
		xl_ring_get(ring_of(r, conn), r->ring_bytes, sl->taken, data, (u64)n);
	consume(r, conn, (u64)n);
	return n;
}

s64 xl_remote_peek(struct xl_backend *b, u32 conn, const u8 **data, u64 *left)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xl_remote_slot *sl = &r->slot[conn];
	s64 n = front(r, conn);

	if (n < 0)
		return n;
	*left = (u64)n;
	if (sl->gather) {
		*data = sl->gather + sl->gather_at;
		return n;
	}
	*data = n ? ring_of(r, conn) + (sl->taken & (r->ring_bytes - 1)) : NULL;
	return (s64)xl_ring_piece(r->ring_bytes, sl->taken, (u64)n);
}

void xl_remote_consume(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	(void)now_ns;
	consume(xl_remote_of(b), conn, bytes);
}
