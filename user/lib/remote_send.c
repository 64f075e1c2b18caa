/* SPDX-License-Identifier: BSD-2-Clause */
/* remote_send.c - the program's bytes into the ring to send. */
#include "remote.h"

#include <errno.h>

static u8 *ring_of(struct xl_remote *r, u32 conn)
{
	return xl_layout_send_ring(&xl_remote_channel_of(r, conn)->map, conn % r->slots);
}

/* Bytes that are free; looks at what the worker has taken when `enough` are not. While the reply to the question
 * for the connection is not there, the worker's line is that of an earlier one. */
static u64 room(struct xl_remote *r, u32 conn, u64 enough)
{
	struct xl_remote_slot *sl = &r->slot[conn];
	u64 accepted;

	if (r->ring_bytes - (sl->sent - sl->accepted) < enough && !sl->asked) {
		accepted = atomic_load_explicit(&xl_remote_shared(r, conn)->worker.accepted, memory_order_seq_cst);
		if (sl->sent - accepted > r->ring_bytes) {
			r->dead = true;
			return 0;
		}
		sl->accepted = accepted;
	}
	return r->ring_bytes - (sl->sent - sl->accepted);
}

/* Refused: news is wanted when `need` bytes are free. True: they are already. */
static bool want(struct xl_remote *r, u32 conn, u64 need)
{
	struct xl_remote_slot *sl = &r->slot[conn];

	sl->want = sl->sent + need - r->ring_bytes;
	atomic_store_explicit(&xl_remote_shared(r, conn)->client.want_accepted, sl->want, memory_order_seq_cst);
	if (room(r, conn, need) < need)
		return false;
	sl->want = 0;
	atomic_store_explicit(&xl_remote_shared(r, conn)->client.want_accepted, 0, memory_order_relaxed);
	return true;
}

static void publish(struct xl_remote *r, u32 conn)
{
	atomic_store_explicit(&xl_remote_shared(r, conn)->client.sent, r->slot[conn].sent, memory_order_release);
	xl_remote_dirty(r, conn);
}

static int refusal(const struct xl_remote *r, const struct xl_remote_slot *sl)
{
	if (r->dead)
		return -ENETDOWN;
	if (sl->closed)
		return sl->error ? sl->error : -EPIPE;
	return sl->shut ? -EPIPE : 0;
}

static void put_head(struct xl_remote *r, u32 conn, u64 at, u64 bytes, u32 flags)
{
	const struct xlane_ring_head h = { .bytes = (u32)bytes, .flags = flags };

	xl_ring_put(ring_of(r, conn), r->ring_bytes, at, &h, sizeof h);
}

static u32 flags_of(const struct xl_remote_slot *sl)
{
	return (u32)sl->priority << XLANE_RING_PRIORITY_SHIFT;
}

/* As many as there is room for. */
static s64 put_stream(struct xl_remote *r, u32 conn, const u8 *data, u64 bytes)
{
	struct xl_remote_slot *sl = &r->slot[conn];
	u64 n = xl_min(bytes, room(r, conn, bytes));

	if (!n && want(r, conn, r->ring_bytes / 4))
		n = xl_min(bytes, room(r, conn, bytes));
	if (!n)
		return -EAGAIN;
	xl_ring_put(ring_of(r, conn), r->ring_bytes, sl->sent, data, n);
	sl->sent += n;
	publish(r, conn);
	if (n < bytes)
		/* the caller comes again, or waits for news: if there is room already, it is told as news */
		if (want(r, conn, r->ring_bytes / 4))
			xl_remote_event(r, conn, XL_EVENT_WRITABLE);
	return (s64)n;
}

static s64 put_message(struct xl_remote *r, u32 conn, const u8 *data, u64 bytes)
{
	static const u8 zero[8];
	struct xl_remote_slot *sl = &r->slot[conn];
	const u64 record = xl_ring_record(bytes), from = sl->sent;

	if (bytes > xl_remote_message_max(&r->b, conn) || record > r->ring_bytes)
		return -EMSGSIZE;
	if (sl->large_left) {
		sl->refused = true;
		return -EAGAIN;
	}
	if (room(r, conn, record) < record && !want(r, conn, record))
		return -EAGAIN;
	put_head(r, conn, from, bytes, flags_of(sl));
	xl_ring_put(ring_of(r, conn), r->ring_bytes, from + 8, data, bytes);
	xl_ring_put(ring_of(r, conn), r->ring_bytes, from + 8 + bytes, zero, xl_ring_pad(bytes));
	sl->sent += record;
	publish(r, conn);
	return (s64)bytes;
}

s64 xl_remote_send(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	struct xl_remote *r = xl_remote_of(b);
	s64 err = refusal(r, &r->slot[conn]);

	(void)now_ns;
	if (err)
		return err;
	if (r->slot[conn].kind != XLANE_KIND_STREAM)
		return put_message(r, conn, data, bytes);
	return bytes ? put_stream(r, conn, data, bytes) : 0;
}

int xl_remote_large_begin(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xl_remote_slot *sl = &r->slot[conn];
	int err = refusal(r, sl);

	(void)now_ns;
	if (err)
		return err;
	if (sl->kind == XLANE_KIND_STREAM || !bytes)
		return -EINVAL;
	if (bytes > xl_remote_message_max(b, conn))
		return -EMSGSIZE;
	if (sl->large_left) {
		sl->refused = true;
		return -EAGAIN;
	}
	if (room(r, conn, 8) < 8 && !want(r, conn, r->ring_bytes / 4))
		return -EAGAIN;
	put_head(r, conn, sl->sent, bytes, flags_of(sl));
	sl->sent += 8;
	sl->large_left = bytes;
	publish(r, conn);
	return 0;
}

s64 xl_remote_large_more(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	static const u8 zero[8];
	struct xl_remote *r = xl_remote_of(b);
	struct xl_remote_slot *sl = &r->slot[conn];
	s64 err = refusal(r, sl);
	u64 n, last;

	(void)now_ns;
	if (err)
		return err;
	if (!bytes || bytes > sl->large_left)
		return -EINVAL;
	/* only now is it known where the record ends: sl->sent + large_left */
	last = (sl->sent + sl->large_left) & 7 ? 8 - ((sl->sent + sl->large_left) & 7) : 0;
	n = xl_min(bytes, xl_ring_part(sl->large_left, (u32)last, room(r, conn, bytes + 8)));
	if (!n && want(r, conn, r->ring_bytes / 4))
		n = xl_min(bytes, xl_ring_part(sl->large_left, (u32)last, room(r, conn, bytes + 8)));
	if (!n)
		return -EAGAIN;
	xl_ring_put(ring_of(r, conn), r->ring_bytes, sl->sent, data, n);
	sl->sent += n;
	sl->large_left -= n;
	if (!sl->large_left) {
		xl_ring_put(ring_of(r, conn), r->ring_bytes, sl->sent, zero, last);
		sl->sent += last;
		if (sl->refused)
			xl_remote_event(r, conn, XL_EVENT_WRITABLE);
		sl->refused = false;
	}
	publish(r, conn);
	return (s64)n;
}

/* --- in place ------------------------------------------------------------------------------- */
s64 xl_remote_reserve(struct xl_backend *b, u32 conn, u64 bytes, void **data)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xl_remote_slot *sl = &r->slot[conn];
	const bool stream = sl->kind == XLANE_KIND_STREAM;
	const u64 head = stream ? 0 : sizeof(struct xlane_ring_head);
	s64 err = refusal(r, sl);
	u64 piece, need;

	if (err)
		return err;
	if (!stream && (bytes > xl_remote_message_max(b, conn)))
		return -EMSGSIZE;
	if (sl->large_left) {
		sl->refused = true;
		return -EAGAIN;
	}
	piece = xl_ring_piece(r->ring_bytes, sl->sent, r->ring_bytes);
	sl->skipped = stream || piece >= head + bytes ? 0 : piece;
	need = stream ? 1 : sl->skipped + xl_ring_record(bytes);
	if (need > r->ring_bytes)
		return -EMSGSIZE;
	if (room(r, conn, stream ? bytes : need) < need && !want(r, conn, stream ? r->ring_bytes / 4 : need))
		return -EAGAIN;
	sl->reserved = stream ? xl_min(xl_min(bytes, piece), room(r, conn, bytes)) : bytes;
	*data = ring_of(r, conn) + ((sl->sent + sl->skipped + head) & (r->ring_bytes - 1));
	return (s64)sl->reserved;
}

s64 xl_remote_commit(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	struct xl_remote *r = xl_remote_of(b);
	struct xl_remote_slot *sl = &r->slot[conn];
	s64 err = refusal(r, sl);

	(void)now_ns;
	if (bytes > sl->reserved)
		return -EINVAL;
	sl->reserved = 0;
	if (!bytes)
		return 0;
	if (err)
		return err;
	if (sl->kind == XLANE_KIND_STREAM) {
		sl->sent += bytes;
	} else {
		if (sl->skipped)
			put_head(r, conn, sl->sent, sl->skipped - sizeof(struct xlane_ring_head), XLANE_RING_SKIP);
		put_head(r, conn, sl->sent + sl->skipped, bytes, flags_of(sl));
		sl->sent += sl->skipped + xl_ring_record(bytes);
	}
	publish(r, conn);
	return (s64)bytes;
}

/* --- how much ------------------------------------------------------------------------------- */
u64 xl_remote_writable(const struct xl_backend *b, u32 conn)
{
	struct xl_remote *r = xl_remote_of((struct xl_backend *)(uintptr_t)b);
	const struct xl_remote_slot *sl = &r->slot[conn];
	u64 n;

	if (refusal(r, sl) || sl->large_left)
		return 0;
	n = room(r, conn, r->ring_bytes);
	if (sl->kind == XLANE_KIND_STREAM)
		return n;
	n = n > sizeof(struct xlane_ring_head) ? (n - sizeof(struct xlane_ring_head)) & ~7ull : 0;
	return xl_min(n, xl_remote_message_max(b, conn));
}

u64 xl_remote_message_max(const struct xl_backend *b, u32 conn)
{
	struct xl_remote *r = xl_remote_of((struct xl_backend *)(uintptr_t)b);
	const struct xl_remote_slot *sl = &r->slot[conn];
	u64 most = 0;

	if (!sl->asked && sl->state == XL_REMOTE_LIVE)
		most = atomic_load_explicit(&xl_remote_shared(r, conn)->worker.message_max, memory_order_relaxed);
	if (most)
		return most;
	return sl->kind == XLANE_KIND_DATAGRAM ? XLANE_DATAGRAM_MAX_BYTES : XLANE_MESSAGE_MAX_BYTES;
}
