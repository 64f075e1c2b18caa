/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot_recv.c - from the engine's receive memory to the ring that the client empties.
 *
 * The engine is told that bytes are consumed when they are in the ring. While the ring is full nothing is consumed,
 * so the engine's window closes. The client is asked to tell when a quarter of the ring is free, or when it can not
 * go on without more bytes: it marks the slot dirty.
 */
#include <errno.h>

#include "channel_state.h"

struct in {
	struct xl_channels *s;
	struct xl_channel *ch;
	struct xl_slot *sl;
	struct xlane_slot *sh;
	u8 *ring;
	u32 slot;
	u64 room;
};

static void put(struct in *in, const void *data, u64 bytes)
{
	xl_ring_put(in->ring, in->ch->config.ring_bytes, in->sl->given, data, bytes);
	in->sl->given += bytes;
	in->room -= bytes;
}

/* Room in the ring, or false: the client's counter can not be. */
static bool read_room(struct in *in)
{
	u64 taken = atomic_load_explicit(&in->sh->client.taken, memory_order_seq_cst);

	if (in->sl->given - taken > in->ch->config.ring_bytes) {
		xl_channel_bad_index(in->s, in->ch);
		return false;
	}
	in->room = in->ch->config.ring_bytes - (in->sl->given - taken);
	return true;
}

/* No room for what comes next. True: there is some after all. */
static bool wait_for_room(struct in *in)
{
	const u64 before = in->room;
	u64 quarter = in->ch->config.ring_bytes / 4;

	if (!in->sl->waits)
		xl_channels_count_up(in->s, XL_CHANNEL_RING_FULL);
	in->sl->waits = true;
	atomic_store_explicit(&in->sh->worker.want_taken, in->sl->given + quarter - in->ch->config.ring_bytes,
			      memory_order_seq_cst);
	return read_room(in) && in->room > before;
}

/* Nothing follows: say why, after all bytes are published. */
static void end(struct in *in, s64 why)
{
	if (in->sl->bits & XLANE_SLOT_END)
		return;
	atomic_store_explicit(&in->sh->worker.given, in->sl->given, memory_order_release);
	atomic_store_explicit(&in->sh->worker.read_end, (s32)why, memory_order_relaxed);
	xl_slot_bits(in->ch, in->slot, XLANE_SLOT_END);
}

/* The head of the next message. */
static void open_record(struct in *in, u64 bytes)
{
	struct xlane_ring_head h = { .bytes = (u32)bytes };

	put(in, &h, sizeof h);
	in->sl->record_open = true;
	in->sl->in_left = bytes;
	in->sl->in_pad = xl_ring_pad(bytes);
	if (bytes)
		return;
	xl_conn_consume(in->s->engine, in->sl->conn, 0, in->s->now_ns);
	in->sl->record_open = false;
}

/* As much of a message as there is room for. Bytes moved. */
static u64 fill_record(struct in *in, const u8 *data, u64 piece)
{
	static const u8 zero[8];
	struct xl_slot *sl = in->sl;
	u64 n = xl_min(piece, xl_ring_part(sl->in_left, sl->in_pad, in->room));

	if (!n)
		return 0;
	put(in, data, n);
	sl->in_left -= n;
	xl_conn_consume(in->s->engine, sl->conn, n, in->s->now_ns);
	if (!sl->in_left) {
		put(in, zero, sl->in_pad);
		sl->record_open = false;
	}
	return n;
}

/* One piece. Bytes moved; 0 and *why: 0 no room, else what the engine says. */
static u64 step_message(struct in *in, s64 *why)
{
	const u8 *data;
	u64 left;
	s64 n = xl_conn_peek(in->s->engine, in->sl->conn, &data, &left);

	*why = n < 0 ? n : 0;
	if (n < 0)
		return 0;
	if (in->sl->record_open)
		return fill_record(in, data, (u64)n);
	if (in->room < sizeof(struct xlane_ring_head))
		return 0;
	open_record(in, left);
	return sizeof(struct xlane_ring_head);
}

static u64 step_stream(struct in *in, s64 *why)
{
	const u8 *data;
	u64 left;
	s64 n = xl_conn_peek(in->s->engine, in->sl->conn, &data, &left);
	u64 m;

	*why = n < 0 ? n : n == 0 ? -ENODATA : 0;
	if (n <= 0)
		return 0;
	m = xl_min((u64)n, in->room);
	if (m) {
		put(in, data, m);
		xl_conn_consume(in->s->engine, in->sl->conn, m, in->s->now_ns);
	}
	return m;
}

u64 xl_slot_recv(struct xl_channels *s, struct xl_channel *ch, u32 slot, bool *more)
{
	struct xl_slot *sl = &ch->slot[slot];
	struct in in = { .s = s, .ch = ch, .sl = sl, .sh = &ch->map.slot[slot], .slot = slot,
			 .ring = xl_layout_recv_ring(&ch->map, slot) };
	const u64 before = sl->given;
	s64 why = 0;

	if (!read_room(&in) || sl->drained)
		return 0;
	while (sl->given - before < XL_SLOT_TURN_BYTES) {
		if (sl->kind == XLANE_KIND_STREAM ? step_stream(&in, &why) : step_message(&in, &why))
			continue;
		if (why || !wait_for_room(&in))
			break;
	}
	*more |= sl->given - before >= XL_SLOT_TURN_BYTES;
	sl->drained = why != 0;
	if (sl->given != before) {
		s->counters[XL_CHANNEL_BYTES_OUT] += sl->given - before;
		atomic_store_explicit(&in.sh->worker.given, sl->given, memory_order_release);
		xl_channel_news(ch, slot);
	}
	if (sl->waits && (why || sl->given != before) && in.room >= ch->config.ring_bytes / 4) {
		sl->waits = false;
		atomic_store_explicit(&in.sh->worker.want_taken, 0, memory_order_relaxed);
	}
	if (why && why != -EAGAIN)
		end(&in, why);
	return sl->given - before;
}

u64 xl_slot_discard(struct xl_channels *s, struct xl_channel *ch, u32 slot)
{
	const struct xl_slot *sl = &ch->slot[slot];
	const u8 *data;
	u64 left, all = 0;
	s64 n;

	while (all < XL_SLOT_TURN_BYTES && (n = xl_conn_peek(s->engine, sl->conn, &data, &left)) >= 0) {
		if (!n && sl->kind == XLANE_KIND_STREAM)
			break;
		xl_conn_consume(s->engine, sl->conn, (u64)n, s->now_ns);
		all += n ? (u64)n : 1;
	}
	return all;
}
