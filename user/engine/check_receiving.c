/* SPDX-License-Identifier: BSD-2-Clause */
/* check_receiving.c - what a connection has received: memory, messages, large messages, datagrams. */
#include "../wire/record.h"
#include "blocks.h"
#include "check.h"
#include "datagram.h"
#include "early.h"
#include "grant.h"
#include "message.h"
#include "rbuf.h"
#include "window.h"

#define SLOTS (XLANE_BLOCK_BYTES / 4)

static const void *block(const struct xl_engine *e, u32 b) { return b == XL_NONE ? NULL : xl_block_ptr(e, b); }

/* Every block of [from, to) is there. */
static bool held(const struct xl_engine *e, const struct xl_conn *c, u64 from, u64 to)
{
	const u32 *table = block(e, c->rbuf.table);

	for (u64 n = from / XLANE_BLOCK_BYTES; from < to && n <= (to - 1) / XLANE_BLOCK_BYTES; n++)
		if ((table ? table[n % SLOTS] : c->rbuf.slot[n % XL_RBUF_INLINE]) == XL_NONE)
			return false;
	return true;
}

static bool sorted(const struct xl_ranges *h, u64 from, u64 to)
{
	if (h->cap != XLANE_HOLES_MAX || h->count > h->cap)
		return false;
	for (u32 i = 0; i < h->count; i++) {
		if (h->r[i].start < from || h->r[i].start >= h->r[i].end || h->r[i].end > to)
			return false;
		from = h->r[i].end + 1; /* neighbours would be one */
	}
	return true;
}

static const char *check_promise(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 held = xl_blocks_count(e, c);
	u64 end = c->kind == XLANE_KIND_DATAGRAM ? c->recv_next : c->recv_highest;

	HOLDS(held == xl_window_held(e, c) && held <= c->promised, "a connection's memory is within its promise");
	HOLDS(c->backed || c->promised == held, "a connection that is not backed is promised what it holds");
	if (!c->backed)
		return NULL;
	HOLDS(c->promised == xl_window_blocks(c->backed) && !c->awaits_memory, "what is backed is promised");
	HOLDS(c->backed >= XLANE_RECV_WINDOW_MIN_BYTES && c->backed <= 2 * XLANE_RECV_WINDOW_BYTES,
	      "a whole small message fits what is backed");
	HOLDS(end - c->consumed <= c->backed, "nothing is stored past what is backed");
	return NULL;
}

static const char *check_sequence(const struct xl_engine *e, const struct xl_conn *c)
{
	const struct xl_ranges *h = block(e, c->holes);
	u32 slots = 0, n = c->rbuf.table == XL_NONE ? XL_RBUF_INLINE : SLOTS;
	const u32 *slot = c->rbuf.table == XL_NONE ? c->rbuf.slot : block(e, c->rbuf.table);

	for (u32 i = 0; i < n; i++)
		slots += slot[i] != XL_NONE;
	HOLDS(slots == c->rbuf.blocks, "blocks of received data equal a recount");
	HOLDS(c->window <= 2 * XLANE_RECV_WINDOW_BYTES && c->credit_given <= c->consumed + 2 * XLANE_RECV_WINDOW_BYTES,
	      "the credit is within the largest window");
	HOLDS(c->consumed <= c->recv_next, "consumed <= received");
	if (c->kind == XLANE_KIND_DATAGRAM) {
		HOLDS(c->recv_next - c->consumed <= c->window && c->recv_highest == 0 && !h,
		      "datagrams received are within the window");
	} else {
		HOLDS(c->recv_next <= c->recv_highest && c->recv_highest <= c->credit_given, "nothing is stored past the credit");
		HOLDS(c->fin_at == XL_NONE64 || c->recv_highest <= c->fin_at, "nothing is stored past the end");
	}
	HOLDS(!h || (h->count && sorted(h, c->recv_next + 1, c->recv_highest)), "holes begin past the contiguous part");
	HOLDS(c->rbuf.blocks <= (c->recv_next - c->consumed) / XLANE_BLOCK_BYTES + 2 || h,
	      "receive memory is within the span held");
	HOLDS(held(e, c, c->consumed, c->recv_next), "received bytes are in memory");
	for (u32 i = 0; h && i < h->count; i++)
		HOLDS(held(e, c, h->r[i].start, h->r[i].end), "received bytes behind a hole are in memory");
	return NULL;
}

static const char *check_numbers(const struct xl_engine *e, const struct xl_conn *c)
{
	const struct xl_ack_range *table = block(e, c->received_table), *before = &c->received.newest;

	HOLDS(c->received.count <= XLANE_ACK_RANGES_KEPT && c->received.any == (c->received.count > 0),
	      "ranges of received numbers are counted");
	HOLDS(c->received.count <= 1 || table, "gaps in received numbers have a table");
	HOLDS(!c->received.any || before->first <= before->last, "a range of received numbers is not empty");
	for (u32 i = 0; i + 1 < c->received.count; before = &table[i++])
		HOLDS(table[i].first <= table[i].last && table[i].last < before->first,
		      "ranges of received numbers are in order");
	return NULL;
}

/* --- messages ------------------------------------------------------------------------------------ */
static const struct xl_start *start_at(const struct xl_starts *s, u64 offset)
{
	for (u32 i = 0; s && i < s->count; i++)
		if (s->start[i].offset == offset)
			return &s->start[i];
	return NULL;
}

/* Whole messages from the reader's place to the parser's; XL_NONE: these are no messages. */
static u32 count_front(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 at = c->consumed + (c->reading == XL_READING_FRONT ? c->message_left : 0);
	u64 end = c->kind == XLANE_KIND_DATAGRAM ? c->recv_next : c->message_parse;
	u32 ready = c->reading == XL_READING_FRONT;
	u8 bytes[XLANE_MESSAGE_HEAD_BYTES];
	struct xl_message_head h;

	if (end > c->recv_next || at > end)
		return XL_NONE;
	while (at < end) {
		const struct xl_start *s = start_at(block(e, c->early), at);

		if (end - at < sizeof bytes)
			return XL_NONE;
		xl_rbuf_read(e, &c->rbuf, at, bytes, sizeof bytes);
		if (!xl_message_head_parse(bytes, sizeof bytes, &h))
			return XL_NONE;
		at += sizeof bytes;
		if (h.class == XLANE_MESSAGE_LARGE) {
			ready += c->kind == XLANE_KIND_MESSAGE;
			if (c->kind == XLANE_KIND_MESSAGE && c->large_in.message != at - sizeof bytes)
				return XL_NONE;
			continue;
		}
		if (h.bytes > end - at || (s && s->state < XL_EARLY_OPEN))
			return XL_NONE;
		at += h.bytes;
		ready += !s;
	}
	return ready;
}

static bool received(const struct xl_engine *e, const struct xl_conn *c, u64 from, u64 to)
{
	const struct xl_ranges *h = block(e, c->holes);

	return from >= c->consumed && (to <= c->recv_next || (h && from > c->recv_next && xl_ranges_covers(h, from, to)));
}

static const char *check_early(const struct xl_engine *e, const struct xl_conn *c, u32 *ready)
{
	const struct xl_starts *s = block(e, c->early);
	u32 open = 0;
	u64 last = 0;

	HOLDS(!s || (c->kind == XLANE_KIND_UNORDERED && s->count && s->count <= XL_EARLY_MAX), "a table of starts is in use");
	for (u32 i = 0; s && i < s->count; i++) {
		const struct xl_start *at = &s->start[i];
		u64 end = at->offset + XLANE_MESSAGE_HEAD_BYTES + at->bytes;

		HOLDS(at->offset >= last && at->offset >= c->consumed && at->state < XL_EARLY_STATES &&
		      at->bytes <= XLANE_MESSAGE_SMALL_MAX_BYTES && at->offset <= c->recv_highest, "starts are in order");
		last = at->offset + 1;
		HOLDS(at->state < XL_EARLY_READY || received(e, c, at->offset, end), "an early message is whole");
		*ready += at->state == XL_EARLY_READY || at->state == XL_EARLY_OPEN;
		if (at->state != XL_EARLY_OPEN)
			continue;
		open++;
		HOLDS(c->early_at >= at->offset && end - c->early_at == c->message_left, "an early message is read on");
	}
	HOLDS(open == (c->reading == XL_READING_EARLY), "one early message is read at a time");
	return NULL;
}

static const char *check_messages(const struct xl_engine *e, const struct xl_conn *c)
{
	const struct xl_large_in *l = &c->large_in;
	const char *broken;
	u32 ready;

	HOLDS(c->kind != XLANE_KIND_STREAM || (!c->reading && !c->messages_ready), "a stream has no messages");
	if (c->kind == XLANE_KIND_STREAM || xl_conn_gone(c))
		return NULL;
	HOLDS(c->reading < XL_READINGS, "messages are read in known ways");
	ready = count_front(e, c);
	HOLDS(ready != XL_NONE, "received messages are whole");
	broken = check_early(e, c, &ready);
	if (broken)
		return broken;
	HOLDS(c->reading != XL_READING_LARGE || (l->state == XL_LARGE_COMPLETE && l->bytes - l->read == c->message_left),
	      "a large message that is read is complete");
	if (c->kind == XLANE_KIND_UNORDERED)
		ready += l->state == XL_LARGE_COMPLETE;
	else
		ready += c->reading == XL_READING_LARGE;
	HOLDS(ready == c->messages_ready, "whole messages equal a recount");
	return NULL;
}

/* --- large messages ------------------------------------------------------------------------------ */
static bool large_held(const struct xl_engine *e, const struct xl_large_in *l, u64 from, u64 to)
{
	for (u64 n = from / XLANE_BLOCK_BYTES; from < to && n <= (to - 1) / XLANE_BLOCK_BYTES; n++) {
		const u32 *index = block(e, l->index[n / SLOTS]);

		if (!index || index[n % SLOTS] == XL_NONE)
			return false;
	}
	return true;
}

static u32 count_large(const struct xl_engine *e, const struct xl_large_in *l)
{
	u32 n = l->ranges != XL_NONE;

	for (u32 i = 0; i < XL_LARGE_INDEX_MAX; i++) {
		const u32 *index = block(e, l->index[i]);

		n += !!index;
		for (u32 k = 0; index && k < SLOTS; k++)
			n += index[k] != XL_NONE;
	}
	return n;
}

static const char *check_large(const struct xl_engine *e, const struct xl_conn *c)
{
	const struct xl_large_in *l = &c->large_in;
	const struct xl_ranges *r = block(e, l->ranges);
	bool memory = l->state == XL_LARGE_GRANTED || l->state == XL_LARGE_COMPLETE;

	HOLDS(l->state <= XL_LARGE_DISCARDED && (l->state == XL_LARGE_NONE || xl_message_kind(c)),
	      "large messages are in known states");
	HOLDS(l->held == count_large(e, l) && l->held <= l->reserved, "blocks of a large message equal a recount");
	HOLDS((l->state == XL_LARGE_GRANTED) == (l->due_ns != XL_NEVER), "a granted message is waited for with a bound");
	HOLDS(memory ? l->reserved <= xl_grant_blocks(l->bytes) : !l->reserved, "memory is reserved for what was granted");
	HOLDS(!r || (l->state == XL_LARGE_GRANTED && sorted(r, 0, l->bytes)), "parts of a large message are in order");
	HOLDS(l->state != XL_LARGE_GRANTED || l->reserved == xl_grant_blocks(l->bytes), "a grant is for the whole message");
	if (l->state == XL_LARGE_NONE)
		return NULL;
	HOLDS(l->bytes > XLANE_MESSAGE_SMALL_MAX_BYTES && l->bytes <= XLANE_MESSAGE_MAX_BYTES && l->read <= l->bytes,
	      "a large message is large");
	HOLDS(l->state != XL_LARGE_COMPLETE || (l->read < l->bytes && large_held(e, l, l->read, l->bytes)),
	      "a complete message is in memory");
	for (u32 i = 0; r && i < r->count; i++)
		HOLDS(large_held(e, l, r->r[i].start, r->r[i].end), "parts of a large message are in memory");
	return NULL;
}

/* --- datagrams ------------------------------------------------------------------------------------ */
static const char *check_partial(const struct xl_engine *e, const struct xl_partial *p)
{
	const struct xl_fragments *t = block(e, p->table);
	u32 last = 0, sum = 0;

	HOLDS(p->total <= XLANE_DATAGRAM_MAX_BYTES && t->count && t->count <= XL_DATAGRAM_FRAGMENTS,
	      "fragments are counted");
	for (u32 i = 0; i < t->count; i++) {
		const struct xl_fragment *f = &t->fragment[i];

		HOLDS(f->start >= last && f->end > f->start && f->end <= p->total, "fragments are in order");
		last = f->end;
		sum += f->end - f->start;
	}
	HOLDS(sum == t->got && sum < p->total, "bytes of fragments equal a recount");
	for (u32 i = 0; i < XL_DATAGRAM_BLOCKS; i++)
		HOLDS((t->block[i] != XL_NONE) == (i + 1 < xl_partial_blocks(p->total)), "fragments have their memory");
	return NULL;
}

static const char *check_partials(const struct xl_engine *e, const struct xl_conn *c)
{
	const char *broken = NULL;
	u32 n = 0;

	for (const struct xl_partial *p = NULL; !broken && (p = xl_partial_next(e, c, p)); n++)
		broken = check_partial(e, p);
	HOLDS(broken || (c->kind == XLANE_KIND_DATAGRAM || (!n && c->datagrams == XL_NONE)),
	      "only datagram connections have datagrams");
	HOLDS(broken || (n > 0) == (c->partial_due_ns != XL_NEVER), "datagrams in reassembly have a timer");
	return broken;
}

const char *xl_check_receiving(struct xl_engine *e, const struct xl_conn *c)
{
	const char *(*const checks[])(const struct xl_engine *e, const struct xl_conn *c) = {
		check_numbers, check_promise, check_sequence, check_large, check_partials, check_messages,
	};
	const char *broken = NULL;

	for (u32 i = 0; i < XL_ARRAY_SIZE(checks) && !broken; i++)
		broken = checks[i](e, c);
	return broken;
}
