/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

#include "conn.h"
#include "send.h"
#include "txbuf.h"

static struct xl_txbuf *at(const struct xl_engine *e, u32 tb) { return &e->txbufs[tb]; }
/* It holds the rest of a message that began in the buffer before. */
static bool continues(const struct xl_txbuf *t) { return t->type == XL_TXBUF_DATA && t->at > 0; }

/* The first buffer of the priority, XL_NONE: none; *before: the first of the next higher one. */
static u32 rank_of(const struct xl_engine *e, const struct xl_conn *c, u8 priority, u32 *before)
{
	u32 g = c->ranks.head;

	for (*before = XL_NONE; g != XL_NONE && at(e, g)->priority > priority; g = xl_list_next(&e->l_rank, g))
		*before = g;
	return g != XL_NONE && at(e, g)->priority == priority ? g : XL_NONE;
}

u32 xl_queue_tail(const struct xl_engine *e, const struct xl_conn *c, u8 priority)
{
	u32 before, g = rank_of(e, c, priority, &before);

	return g == XL_NONE ? XL_NONE : at(e, g)->rank_tail;
}

void xl_queue_append(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	u32 before, g = rank_of(e, c, at(e, tb)->priority, &before);

	if (g != XL_NONE) {
		xl_list_insert(&e->l_tx, &c->queue, at(e, g)->rank_tail, tb);
		at(e, g)->rank_tail = tb;
		return;
	}
	xl_list_insert(&e->l_tx, &c->queue, before == XL_NONE ? XL_NONE : at(e, before)->rank_tail, tb);
	xl_list_insert(&e->l_rank, &c->ranks, before, tb);
	at(e, tb)->rank_tail = tb;
}

void xl_queue_remove(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	u32 before, g = rank_of(e, c, at(e, tb)->priority, &before), next = xl_list_next(&e->l_tx, tb);

	XL_ASSERT(g != XL_NONE);
	if (g == tb) {
		xl_list_remove(&e->l_rank, &c->ranks, tb);
		if (at(e, tb)->rank_tail != tb) {
			at(e, next)->rank_tail = at(e, tb)->rank_tail;
			xl_list_insert(&e->l_rank, &c->ranks, before, next);
		}
	} else if (at(e, g)->rank_tail == tb) {
		at(e, g)->rank_tail = xl_link_at(&e->l_tx, tb)->prev;
	}
	xl_list_remove(&e->l_tx, &c->queue, tb);
}

void xl_queue_insert(struct xl_engine *e, struct xl_conn *c, u32 piece, u32 tb)
{
	u32 before, g = rank_of(e, c, at(e, tb)->priority, &before);

	xl_list_insert(&e->l_tx, &c->queue, xl_link_at(&e->l_tx, tb)->prev, piece);
	if (g != tb)
		return;
	xl_list_remove(&e->l_rank, &c->ranks, tb);
	xl_list_insert(&e->l_rank, &c->ranks, before, piece);
	at(e, piece)->rank_tail = at(e, tb)->rank_tail;
}

bool xl_queue_begun_last(const struct xl_engine *e, const struct xl_conn *c)
{
	return c->ranks.count > 1 && continues(at(e, c->ranks.tail));
}

/* Each priority's first is its oldest. */
static u32 oldest(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 old = c->ranks.head;

	for (u32 g = old; g != XL_NONE; g = xl_list_next(&e->l_rank, g))
		old = at(e, g)->seq < at(e, old)->seq ? g : old;
	return old;
}

u32 xl_queue_next(const struct xl_engine *e, const struct xl_conn *c)
{
	if (c->ranks.count <= 1)
		return c->queue.head;
	for (u32 g = c->ranks.head; g != XL_NONE; g = xl_list_next(&e->l_rank, g))
		if (continues(at(e, g)))
			return g;
	if (c->fin_queued || c->queue_turns + 1 < XL_QUEUE_OLDEST_EVERY)
		return c->queue.head;
	return oldest(e, c);
}

static void count_turn(struct xl_conn *c, u32 tb)
{
	if (tb == c->queue.head && c->ranks.count > 1 && c->queue_turns + 1 < XL_QUEUE_OLDEST_EVERY)
		c->queue_turns++;
	else
		c->queue_turns = 0;
}

bool xl_queue_message(const struct xl_engine *e, u32 tb, u32 *off, u32 *bytes, bool *large)
{
	u8 head[XLANE_MESSAGE_HEAD_BYTES];
	struct xl_message_head h;

	if (*off + sizeof head > at(e, tb)->seq_bytes)
		return false;
	xl_txbuf_read(e, tb, XLANE_TX_HEADROOM_BYTES + XLANE_DATA_HEAD_BYTES + *off, head, sizeof head);
	if (!xl_message_head_parse(head, sizeof head, &h))
		return false;
	*large = h.class == XLANE_MESSAGE_LARGE;
	*bytes = XLANE_MESSAGE_HEAD_BYTES + (*large ? 0 : h.bytes);
	return true;
}

/* The large message under way is known to the peer by where its head lies. */
static void place_large(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	u32 off = at(e, tb)->at, bytes;
	bool large;

	for (; xl_queue_message(e, tb, &off, &bytes, &large); off += bytes)
		if (large)
			c->large_out.message = at(e, tb)->seq + off;
	at(e, tb)->large_head = false;
}

void xl_queue_number(struct xl_engine *e, struct xl_conn *c, u32 tb)
{
	struct xl_txbuf *t = at(e, tb);

	if (!continues(t))
		count_turn(c, tb);
	if (t->type != XL_TXBUF_DATA)
		return;
	t->seq = c->seq_next;
	c->seq_next += t->seq_bytes;
	c->seq_queued -= t->seq_bytes;
	if (t->large_head)
		place_large(e, c, tb);
	xl_txbuf_place(e, tb);
}

void xl_queue_mark(struct xl_engine *e, u32 tb, u64 id)
{
	u32 n = (u32)(id - at(e, tb)->seq);

	XL_ASSERT(n < XL_QUEUE_IDS);
	xl_frames_ptr(e->frames, tb)[n / 8] |= (u8)(1 << n % 8);
}

u32 xl_queue_cuts(const struct xl_engine *e, u32 tb, u32 bytes)
{
	u32 off = at(e, tb)->at, n;
	bool large;

	if (at(e, tb)->state != XL_TXBUF_QUEUED)
		return bytes;
	for (; off < bytes && xl_queue_message(e, tb, &off, &n, &large); off += n)
		if (off && bytes < off + XLANE_MESSAGE_HEAD_BYTES)
			return off;
	return bytes;
}

void xl_queue_divide(struct xl_engine *e, u32 piece, u32 tb, u32 bytes)
{
	struct xl_txbuf *p = at(e, piece), *t = at(e, tb);
	u8 *first = xl_frames_ptr(e->frames, piece), *rest = xl_frames_ptr(e->frames, tb);
	u32 off = t->at, n, begin = 0;
	bool large, large_head = false;

	if (t->state != XL_TXBUF_QUEUED)
		return;
	for (; off < bytes && xl_queue_message(e, tb, &off, &n, &large); off += n, begin++)
		large_head |= large;
	p->at = (u32)xl_min(t->at, bytes);
	p->large_head = t->large_head && large_head;
	t->at = (u32)(xl_max(xl_min(off, t->seq_bytes), bytes) - bytes);
	t->large_head = t->large_head && !large_head;
	memcpy(first, rest, XL_QUEUE_IDS / 8);
	for (u32 i = 0; i < XL_QUEUE_IDS; i++) {
		u8 bit = (u8)(1 << i % 8), *other = begin ? rest : first;

		if (!(first[i / 8] & bit))
			continue;
		begin -= begin > 0;
		other[i / 8] &= (u8)~bit;
	}
}

void xl_queue_expire(struct xl_engine *e, struct xl_conn *c)
{
	u64 due = XL_NEVER;
	u32 next;

	for (u32 tb = c->queue.head; tb != XL_NONE; tb = next) {
		struct xl_txbuf *t = at(e, tb);

		next = xl_list_next(&e->l_tx, tb);
		if (t->type != XL_TXBUF_DGRAM)
			continue;
		if (t->due_ns > e->now_ns) {
			due = xl_min(due, t->due_ns);
			continue;
		}
		e->counters[XL_C_DATAGRAM_EXPIRED] += t->records;
		xl_txbuf_give_up(e, c, tb);
	}
	c->expire_ns = due;
	xl_send_tell(e, c);
}
