/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot_send.c - from the ring that the client fills to the engine.
 *
 * Each byte is read once, by the engine that copies it to a frame (or by the copy to memory of the worker's, where a
 * whole message is needed in one piece). A head is copied, then checked, then used.
 */
#include <errno.h>

#include "channel_state.h"

/* What a step of sending came to. */
enum step {
	GONE_ON,    /* bytes were taken */
	WAITS,      /* for more bytes of the client */
	FULL,       /* for the engine */
	REFUSED,    /* the engine takes nothing any more */
	BROKEN,     /* the client's bytes can not be */
};

struct out {
	struct xl_channels *s;
	struct xl_channel *ch;
	struct xl_slot *sl;
	const u8 *ring;
	u32 slot;
	u64 avail;   /* bytes in the ring, not looked at yet */
	int error;   /* BROKEN: what the client is told */
};

static void take(struct out *o, u64 bytes)
{
	o->sl->accepted += bytes;
	o->avail -= bytes;
}

/* Bytes in one piece from where the ring stands, `skip` bytes on. */
static const u8 *at(const struct out *o, u64 skip)
{
	return o->ring + ((o->sl->accepted + skip) & (o->ch->config.ring_bytes - 1));
}

/* What the engine said to a send. */
static enum step step_of(struct out *o, s64 n)
{
	struct xl_conn_info info;

	if (n >= 0)
		return GONE_ON;
	if (n == -EAGAIN)
		return FULL;
	xl_conn_info(o->s->engine, o->sl->conn, &info);
	if (info.error || (n != -EMSGSIZE && n != -EINVAL))
		return REFUSED;
	o->error = (int)n;
	return BROKEN;
}

static enum step send_stream(struct out *o)
{
	u64 piece = xl_ring_piece(o->ch->config.ring_bytes, o->sl->accepted, xl_min(o->avail, XL_SLOT_TURN_BYTES));
	s64 n;

	if (!piece)
		return WAITS;
	n = xl_conn_send(o->s->engine, o->sl->conn, at(o, 0), piece, o->s->now_ns);
	if (n > 0)
		take(o, (u64)n);
	return step_of(o, n);
}

/* A message that lies whole in the ring. */
static enum step send_whole(struct out *o, u32 bytes)
{
	const u32 ring_bytes = o->ch->config.ring_bytes;
	const u64 from = o->sl->accepted + sizeof(struct xlane_ring_head);
	const u8 *data = at(o, sizeof(struct xlane_ring_head));
	s64 n;

	if (o->avail < xl_ring_record(bytes))
		return WAITS;
	if (xl_ring_piece(ring_bytes, from, bytes) < bytes) {
		xl_ring_get(o->ring, ring_bytes, from, o->s->bounce, bytes);
		data = o->s->bounce;
	}
	n = xl_conn_send(o->s->engine, o->sl->conn, data, bytes, o->s->now_ns);
	if (n >= 0)
		take(o, xl_ring_record(bytes));
	return step_of(o, n);
}

static enum step begin(struct out *o, enum xl_slot_mode mode, u32 bytes)
{
	if (mode == XL_SLOT_LARGE) {
		int err = xl_conn_large_begin(o->s->engine, o->sl->conn, bytes, o->s->now_ns);

		if (err)
			return step_of(o, err);
	}
	o->sl->mode = mode;
	o->sl->out_left = bytes;
	o->sl->out_pad = xl_ring_pad(bytes);
	o->sl->gathered = 0;
	take(o, sizeof(struct xlane_ring_head));
	return GONE_ON;
}

static enum step skip(struct out *o, u32 bytes)
{
	u64 all = sizeof(struct xlane_ring_head) + (u64)bytes;

	/* the end of the ring is where it was put; after a hand-over it lies anywhere */
	if (all % 8 || all > o->avail)
		return BROKEN;
	take(o, all);
	return GONE_ON;
}

static enum step next_record(struct out *o)
{
	const u32 most = o->sl->kind == XLANE_KIND_DATAGRAM ? XLANE_DATAGRAM_MAX_BYTES : XLANE_MESSAGE_MAX_BYTES;
	struct xlane_ring_head h;
	u8 priority;

	if (o->avail < sizeof h)
		return o->avail ? BROKEN : WAITS;
	memcpy(&h, at(o, 0), sizeof h);
	if (h.flags & ~XLANE_RING_FLAGS_KNOWN)
		return BROKEN;
	if (h.flags & XLANE_RING_SKIP)
		return skip(o, h.bytes);
	if (h.bytes > most)
		return BROKEN;
	priority = (u8)(h.flags >> XLANE_RING_PRIORITY_SHIFT);
	if (priority != o->sl->priority) {
		if (xl_conn_set(o->s->engine, o->sl->conn, XL_CONN_PRIORITY, priority))
			return BROKEN;
		o->sl->priority = priority;
	}
	if (h.bytes > XLANE_MESSAGE_SMALL_MAX_BYTES)
		return begin(o, XL_SLOT_LARGE, h.bytes);
	if (xl_ring_record(h.bytes) > o->ch->config.ring_bytes)
		return begin(o, XL_SLOT_GATHER, h.bytes);
	return send_whole(o, h.bytes);
}

/* The bytes of a message are taken; those that fill up to the next may still be missing. */
static enum step end_record(struct out *o)
{
	if (o->avail < o->sl->out_pad)
		return WAITS;
	take(o, o->sl->out_pad);
	o->sl->mode = XL_SLOT_NEXT;
	return GONE_ON;
}

static enum step more_large(struct out *o)
{
	struct xl_slot *sl = o->sl;
	u64 piece = xl_min(xl_min(o->avail, sl->out_left), XL_SLOT_TURN_BYTES);
	s64 n;

	if (!sl->out_left)
		return end_record(o);
	if (!piece)
		return WAITS;
	piece = xl_ring_piece(o->ch->config.ring_bytes, sl->accepted, piece);
	n = xl_conn_large_more(o->s->engine, sl->conn, at(o, 0), piece, o->s->now_ns);
	if (n > 0) {
		take(o, (u64)n);
		sl->out_left -= (u64)n;
	}
	return step_of(o, n);
}

static enum step more_gathered(struct out *o)
{
	struct xl_slot *sl = o->sl;
	u8 *to = o->ch->gather + (u64)o->slot * XL_GATHER_BYTES;
	u64 n = xl_min(o->avail, sl->out_left);
	s64 sent;

	if (n) {
		xl_ring_get(o->ring, o->ch->config.ring_bytes, sl->accepted, to + sl->gathered, n);
		take(o, n);
		sl->gathered += (u32)n;
		sl->out_left -= n;
		return GONE_ON;
	}
	if (sl->out_left)
		return WAITS;
	if (o->avail < sl->out_pad)
		return WAITS;
	sent = xl_conn_send(o->s->engine, sl->conn, to, sl->gathered, o->s->now_ns);
	return sent >= 0 ? end_record(o) : step_of(o, sent);
}

static enum step step(struct out *o)
{
	if (o->sl->kind == XLANE_KIND_STREAM)
		return send_stream(o);
	switch (o->sl->mode) {
	case XL_SLOT_LARGE:
		return more_large(o);
	case XL_SLOT_GATHER:
		return more_gathered(o);
	default:
		return next_record(o);
	}
}

/* The client's room: say how far we are, and whether it waited for that. */
static void publish(struct out *o, u64 before)
{
	struct xlane_slot *sh = &o->ch->map.slot[o->slot];
	u64 want;

	if (o->sl->accepted == before)
		return;
	o->s->counters[XL_CHANNEL_BYTES_IN] += o->sl->accepted - before;
	atomic_store_explicit(&sh->worker.accepted, o->sl->accepted, memory_order_seq_cst);
	want = atomic_load_explicit(&sh->client.want_accepted, memory_order_seq_cst);
	if (want && want <= o->sl->accepted)
		xl_channel_news(o->ch, o->slot);
}

bool xl_slot_sent_all(const struct xl_slot *sl)
{
	return sl->deaf || (sl->accepted == sl->shut_at && sl->mode == XL_SLOT_NEXT);
}

static void settle(struct out *o, enum step last, bool *more)
{
	switch (last) {
	case GONE_ON:
		*more |= !o->sl->deaf;
		break;
	case FULL:
		o->sl->full = true;
		break;
	case REFUSED:
		o->sl->deaf = true;
		break;
	case WAITS:
		/* a message that ends in the middle, and nothing comes any more */
		if (!o->sl->shut_wanted || xl_slot_sent_all(o->sl))
			break;
		/* fall through */
	case BROKEN:
		xl_channels_count_up(o->s, XL_CHANNEL_BAD_MESSAGE);
		xl_slot_reset(o->s, o->ch, o->slot, o->error);
		break;
	}
}

u64 xl_slot_send(struct xl_channels *s, struct xl_channel *ch, u32 slot, bool *more)
{
	struct xl_slot *sl = &ch->slot[slot];
	struct out o = { .s = s, .ch = ch, .sl = sl, .slot = slot, .error = -EPROTO,
			 .ring = xl_layout_send_ring(&ch->map, slot) };
	const u64 before = sl->accepted;
	u64 sent = sl->shut_wanted ? sl->shut_at :
		   atomic_load_explicit(&ch->map.slot[slot].client.sent, memory_order_acquire);
	enum step last = GONE_ON;

	if (sent - sl->accepted > ch->config.ring_bytes) {
		xl_channel_bad_index(s, ch);
		return 0;
	}
	if (sl->full)
		return 0;
	o.avail = sent - sl->accepted;
	while (last == GONE_ON && sl->accepted - before < XL_SLOT_TURN_BYTES && !sl->deaf)
		last = step(&o);
	settle(&o, last, more);
	if (sl->deaf && sl->state != XL_SLOT_FREE)
		take(&o, o.avail);
	if (sl->state != XL_SLOT_FREE)
		publish(&o, before);
	return sl->state == XL_SLOT_FREE ? 1 : sl->accepted - before;
}
