/* SPDX-License-Identifier: BSD-2-Clause */
#include "handover.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

struct entry {
	bool used;
	u32 uid;                   /* of the giver */
	u8 token[XL_TOKEN_BYTES];
	struct xl_slot slot;       /* as it was */
	u64 taken, left, until_ns;
	u64 unsent, unread;        /* bytes of the two rings */
	u8 *bytes;                 /* unsent, then unread */
};

struct xl_handover {
	u32 worker, count;
	u64 bytes;                 /* of all entries */
	struct entry entry[XLANE_HANDOVER_MAX];
};

int xl_handover_open(u32 worker, struct xl_handover **out)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return -ENOMEM;
	(*out)->worker = worker;
	return 0;
}

static void forget(struct xl_handover *h, struct entry *e)
{
	h->bytes -= e->unsent + e->unread;
	free(e->bytes);
	*e = (struct entry){ 0 };
	h->count--;
}

static void reset(struct xl_channels *s, struct entry *e)
{
	xl_channels_count_up(s, XL_CHANNEL_UNTAKEN);
	xl_conn_abort(s->engine, e->slot.conn, XLANE_WIRE_CANCELLED, s->now_ns);
	forget(s->handover, e);
}

void xl_handover_close(struct xl_handover *h, struct xl_channels *s)
{
	if (!h)
		return;
	for (u32 i = 0; i < XLANE_HANDOVER_MAX; i++)
		if (h->entry[i].used)
			reset(s, &h->entry[i]);
	free(h);
}

void xl_handover_expire(struct xl_channels *s)
{
	struct xl_handover *h = s->handover;

	for (u32 i = 0; h->count && i < XLANE_HANDOVER_MAX; i++)
		if (h->entry[i].used && h->entry[i].until_ns <= s->now_ns)
			reset(s, &h->entry[i]);
}

u64 xl_handover_deadline(const struct xl_handover *h)
{
	u64 first = XL_NEVER;

	for (u32 i = 0; h->count && i < XLANE_HANDOVER_MAX; i++)
		if (h->entry[i].used)
			first = xl_min(first, h->entry[i].until_ns);
	return first;
}

/* One user leaves room for others: it has at most as much as nobody has. */
static bool fair(const struct xl_handover *h, const struct entry *next)
{
	u64 bytes = next->unsent + next->unread;
	u32 count = 0;

	if (h->bytes + bytes > XLANE_HANDOVER_MAX_BYTES)
		return false;
	for (u32 i = 0; h->count && i < XLANE_HANDOVER_MAX; i++) {
		const struct entry *e = &h->entry[i];

		if (!e->used || e->uid != next->uid)
			continue;
		count++;
		bytes += e->unsent + e->unread;
	}
	return count < XLANE_HANDOVER_MAX - h->count && bytes <= XLANE_HANDOVER_MAX_BYTES - h->bytes;
}

static struct entry *free_entry(struct xl_handover *h)
{
	for (u32 i = 0; i < XLANE_HANDOVER_MAX; i++)
		if (!h->entry[i].used)
			return &h->entry[i];
	return NULL;
}

/* Copies of what lies in the rings. The counters have been checked. */
static int copy_rings(struct entry *e, const struct xl_channel *ch, u32 slot)
{
	const u32 ring_bytes = ch->config.ring_bytes;

	e->bytes = malloc(e->unsent + e->unread + 1);
	if (!e->bytes)
		return -ENOMEM;
	xl_ring_get(xl_layout_send_ring(&ch->map, slot), ring_bytes, e->slot.accepted, e->bytes, e->unsent);
	xl_ring_get(xl_layout_recv_ring(&ch->map, slot), ring_bytes, e->taken, e->bytes + e->unsent, e->unread);
	return 0;
}

static int make_token(struct entry *e, u32 worker)
{
	if (getrandom(e->token, sizeof e->token, GRND_NONBLOCK) != sizeof e->token)
		return -EAGAIN;
	e->token[0] = (u8)worker;
	return 0;
}

/* Read the client's counters once and check them. */
static int read_rings(struct entry *e, struct xl_channels *s, struct xl_channel *ch, u32 slot)
{
	struct xlane_slot *sh = &ch->map.slot[slot];
	u64 sent = atomic_load_explicit(&sh->client.sent, memory_order_acquire);

	e->taken = atomic_load_explicit(&sh->client.taken, memory_order_acquire);
	if (e->slot.shut_wanted)
		sent = e->slot.shut_at;
	e->unsent = sent - e->slot.accepted;
	e->unread = e->slot.given - e->taken;
	if (e->unsent <= ch->config.ring_bytes && e->unread <= ch->config.ring_bytes)
		return 0;
	xl_channel_bad_index(s, ch);
	return -EPROTO;
}

int xl_handover_give(struct xl_channels *s, struct xl_channel *ch, u32 slot, u64 left, u8 token[XL_TOKEN_BYTES])
{
	struct xl_handover *h = s->handover;
	struct xl_slot *sl = &ch->slot[slot];
	struct entry *e = free_entry(h);
	int err;

	if (sl->bits & XLANE_SLOT_CLOSED || !(sl->bits & XLANE_SLOT_OPEN))
		return -ENOTCONN;
	if (sl->mode == XL_SLOT_GATHER)
		return -EBUSY;
	if (left > XLANE_MESSAGE_MAX_BYTES)
		return -EINVAL;
	if (!e)
		return -ENOSPC;
	*e = (struct entry){ .slot = *sl, .left = left, .until_ns = s->now_ns + XLANE_HANDOVER_S * XL_S,
			     .uid = ch->config.uid };
	err = read_rings(e, s, ch, slot);
	if (!err && !fair(h, e))
		err = -ENOSPC;
	if (!err)
		err = make_token(e, h->worker);
	if (!err)
		err = copy_rings(e, ch, slot);
	if (err) {
		*e = (struct entry){ 0 };
		return err;
	}
	e->used = true;
	h->count++;
	h->bytes += e->unsent + e->unread;
	s->copied += e->unsent + e->unread;
	memcpy(token, e->token, sizeof e->token);
	xl_conn_set_user(s->engine, sl->conn, xl_user(XL_USER_HANDOVER, 0, (u32)(e - h->entry)));
	xl_slot_free(s, ch, slot);
	xl_channels_count_up(s, XL_CHANNEL_GIVEN);
	return 0;
}

/* Looks at every byte of every token, so that time tells nothing of how much of one was right. */
static struct entry *find(struct xl_handover *h, const u8 token[XL_TOKEN_BYTES])
{
	struct entry *found = NULL;

	for (u32 i = 0; i < XLANE_HANDOVER_MAX; i++) {
		u8 differ = !h->entry[i].used;

		for (u32 b = 0; b < XL_TOKEN_BYTES; b++)
			differ |= h->entry[i].token[b] ^ token[b];
		if (!differ)
			found = &h->entry[i];
	}
	return found;
}

/* The slot goes on where the giver's was. Counters keep only their place in a record: modulo 8. */
static void put_rings(struct entry *e, struct xl_channel *ch, u32 slot, struct xlane_reply *r)
{
	const u32 ring_bytes = ch->config.ring_bytes;
	struct xlane_slot *sh = &ch->map.slot[slot];
	struct xl_slot *sl = &ch->slot[slot];

	*sl = e->slot;
	sl->accepted = e->slot.accepted & 7;
	sl->shut_at = e->slot.shut_at - e->slot.accepted + sl->accepted;
	sl->given = (e->taken & 7) + e->unread;
	sl->bits = e->slot.bits & XLANE_SLOT_OPEN;
	sl->full = sl->drained = sl->waits = false;
	xl_ring_put(xl_layout_send_ring(&ch->map, slot), ring_bytes, sl->accepted, e->bytes, e->unsent);
	xl_ring_put(xl_layout_recv_ring(&ch->map, slot), ring_bytes, e->taken & 7, e->bytes + e->unsent, e->unread);
	r->begin.sent = sl->accepted + e->unsent;
	r->begin.taken = e->taken & 7;
	r->begin.left = (u32)e->left;
	/* the client's counters, for looks before it has seen the reply: the slot is the worker's until then */
	atomic_store_explicit(&sh->client.sent, r->begin.sent, memory_order_relaxed);
	atomic_store_explicit(&sh->client.taken, r->begin.taken, memory_order_relaxed);
	atomic_store_explicit(&sh->worker.accepted, sl->accepted, memory_order_relaxed);
	atomic_store_explicit(&sh->worker.given, sl->given, memory_order_release);
	atomic_store_explicit(&sh->worker.bits, sl->bits, memory_order_release);
}

int xl_handover_take(struct xl_channels *s, struct xl_channel *ch, u32 slot, const u8 token[XL_TOKEN_BYTES],
		     struct xlane_reply *r)
{
	struct entry *e = find(s->handover, token);
	struct xlane_slot *sh = &ch->map.slot[slot];
	u32 conn;

	if (!e)
		return -ENOENT;
	if (e->unsent > ch->config.ring_bytes || e->unread > ch->config.ring_bytes)
		return -EINVAL;
	conn = e->slot.conn;
	xl_slot_begin(s, ch, slot, conn, e->slot.kind);
	put_rings(e, ch, slot, r);
	s->copied += e->unsent + e->unread;
	r->kind = e->slot.kind;
	r->begin.shut = e->slot.shut_wanted;
	atomic_store_explicit(&sh->worker.message_max, xl_conn_message_max(s->engine, conn), memory_order_relaxed);
	/* what happened while nobody had it is told anew */
	xl_conn_set_user(s->engine, conn, xl_user(XL_USER_SLOT, ch->id, slot));
	forget(s->handover, e);
	xl_channels_count_up(s, XL_CHANNEL_TAKEN);
	return 0;
}
