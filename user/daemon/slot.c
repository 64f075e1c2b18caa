/* SPDX-License-Identifier: BSD-2-Clause */
/* slot.c - the life of a slot: it gets a connection, serves it, and is free again. */
#include "channel_state.h"

void xl_slot_bits(struct xl_channel *ch, u32 slot, u32 bits)
{
	struct xl_slot *sl = &ch->slot[slot];

	sl->bits |= bits;
	atomic_store_explicit(&ch->map.slot[slot].worker.bits, sl->bits, memory_order_release);
	xl_channel_news(ch, slot);
}

void xl_slot_begin(struct xl_channels *s, struct xl_channel *ch, u32 slot, u32 conn, u8 kind)
{
	struct xlane_slot *sh = &ch->map.slot[slot];

	ch->slot[slot] = (struct xl_slot){ .state = XL_SLOT_LIVE, .kind = kind, .conn = conn };
	ch->live++;
	s->owner[conn] = ch->id + 1;
	atomic_store_explicit(&sh->worker.bits, 0, memory_order_relaxed);
	atomic_store_explicit(&sh->worker.accepted, 0, memory_order_relaxed);
	atomic_store_explicit(&sh->worker.given, 0, memory_order_relaxed);
	atomic_store_explicit(&sh->worker.want_taken, 0, memory_order_relaxed);
	atomic_store_explicit(&sh->worker.message_max, 0, memory_order_relaxed);
	atomic_store_explicit(&sh->worker.error, 0, memory_order_relaxed);
	atomic_store_explicit(&sh->worker.read_end, 0, memory_order_relaxed);
	/* whatever was marked dirty before the slot had a connection */
	xl_channel_look(s, ch, slot);
}

void xl_slot_free(struct xl_channels *s, struct xl_channel *ch, u32 slot)
{
	struct xl_slot *sl = &ch->slot[slot];

	if (sl->conn != XL_NONE)
		s->owner[sl->conn] = 0;
	sl->conn = XL_NONE;
	sl->state = XL_SLOT_FREE;
	ch->live--;
	xl_slot_bits(ch, slot, XLANE_SLOT_OVER);
}

void xl_slot_reset(struct xl_channels *s, struct xl_channel *ch, u32 slot, int error)
{
	struct xlane_slot *sh = &ch->map.slot[slot];
	struct xl_slot *sl = &ch->slot[slot];

	xl_conn_abort(s->engine, sl->conn, XLANE_WIRE_CANCELLED, s->now_ns);
	if (sl->state == XL_SLOT_CLOSING) {
		xl_slot_free(s, ch, slot);
		return;
	}
	s->owner[sl->conn] = 0;
	sl->conn = XL_NONE;
	sl->state = XL_SLOT_ENDED;
	sl->deaf = sl->drained = true;
	atomic_store_explicit(&sh->worker.error, error, memory_order_relaxed);
	atomic_store_explicit(&sh->worker.read_end, error, memory_order_relaxed);
	xl_slot_bits(ch, slot, XLANE_SLOT_CLOSED | XLANE_SLOT_END);
}

void xl_slot_closed(struct xl_channels *s, struct xl_channel *ch, u32 slot)
{
	struct xl_slot *sl = &ch->slot[slot];
	struct xl_conn_info info;

	if (sl->state == XL_SLOT_CLOSING) {
		xl_conn_close(s->engine, sl->conn, s->now_ns);
		xl_slot_free(s, ch, slot);
		return;
	}
	xl_conn_info(s->engine, sl->conn, &info);
	sl->drained = sl->full = false;
	atomic_store_explicit(&ch->map.slot[slot].worker.error, info.error, memory_order_relaxed);
	xl_slot_bits(ch, slot, XLANE_SLOT_CLOSED);
}

/* All has been handed to the engine that will ever be. */
static void finish(struct xl_channels *s, struct xl_channel *ch, u32 slot)
{
	struct xl_slot *sl = &ch->slot[slot];

	if (sl->state == XL_SLOT_CLOSING) {
		xl_conn_close(s->engine, sl->conn, s->now_ns);
		xl_slot_free(s, ch, slot);
	} else if (!sl->shut_done) {
		/* an error of the connection is told as its end */
		(void)xl_conn_shutdown(s->engine, sl->conn, s->now_ns);
		sl->shut_done = true;
	}
}

u64 xl_slot_serve(struct xl_channels *s, struct xl_channel *ch, u32 slot, bool *more)
{
	struct xl_slot *sl = &ch->slot[slot];
	u64 moved;

	*more = false;
	if (sl->state == XL_SLOT_FREE || sl->state == XL_SLOT_ENDED)
		return 0;
	if (sl->state == XL_SLOT_CLOSING)
		moved = xl_slot_discard(s, ch, slot);
	else
		moved = xl_slot_recv(s, ch, slot, more);
	if (!ch->dying && !sl->shut_done)
		moved += xl_slot_send(s, ch, slot, more);
	if (ch->dying || (sl->state != XL_SLOT_LIVE && sl->state != XL_SLOT_CLOSING))
		return moved;
	if (sl->shut_wanted && xl_slot_sent_all(sl))
		finish(s, ch, slot);
	return moved;
}
