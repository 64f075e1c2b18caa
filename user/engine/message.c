/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

#include "../wire/record.h"
#include "early.h"
#include "large.h"
#include "rbuf.h"

enum step { STEP_ON, STEP_WAIT, STEP_BROKEN };

static bool head_at(const struct xl_engine *e, const struct xl_conn *c, u64 at, struct xl_message_head *h)
{
	u8 bytes[XLANE_MESSAGE_HEAD_BYTES];

	xl_rbuf_read(e, &c->rbuf, at, bytes, sizeof bytes);
	return xl_message_head_parse(bytes, sizeof bytes, h);
}

static bool large_legal(const struct xl_engine *e, const struct xl_message_head *h)
{
	return h->bytes > XLANE_MESSAGE_SMALL_MAX_BYTES && h->bytes <= e->message_max;
}

/* The head of a large message: in order, nothing behind it is looked at before it is complete. One at a time. */
static enum step large(struct xl_engine *e, struct xl_conn *c, const struct xl_message_head *h)
{
	struct xl_large_in *l = &c->large_in;

	if (!large_legal(e, h))
		return STEP_BROKEN;
	if (l->state == XL_LARGE_NONE)
		xl_large_expect(e, c, c->message_parse, h->bytes);
	if (l->message != c->message_parse)
		return STEP_WAIT;
	if (c->kind == XLANE_KIND_MESSAGE && l->state != XL_LARGE_COMPLETE)
		return STEP_WAIT;
	if (c->kind == XLANE_KIND_UNORDERED &&
	    xl_early_pass(e, c, c->message_parse, c->message_parse + XLANE_MESSAGE_HEAD_BYTES) != XL_EARLY_UNKNOWN)
		return STEP_BROKEN;
	c->messages_ready += c->kind == XLANE_KIND_MESSAGE;
	c->message_parse += XLANE_MESSAGE_HEAD_BYTES;
	return STEP_ON;
}

static enum step small(struct xl_engine *e, struct xl_conn *c, const struct xl_message_head *h)
{
	u64 end = c->message_parse + XLANE_MESSAGE_HEAD_BYTES + h->bytes;
	enum xl_early_pass known = XL_EARLY_UNKNOWN;

	if (h->bytes > XLANE_MESSAGE_SMALL_MAX_BYTES)
		return STEP_BROKEN;
	if (c->recv_next < end)
		return STEP_WAIT;
	if (c->kind == XLANE_KIND_UNORDERED)
		known = xl_early_pass(e, c, c->message_parse, end);
	if (known == XL_EARLY_BROKEN)
		return STEP_BROKEN;
	c->messages_ready += known == XL_EARLY_UNKNOWN;
	c->message_parse = end;
	return STEP_ON;
}

bool xl_message_parse(struct xl_engine *e, struct xl_conn *c)
{
	enum step step = STEP_ON;
	struct xl_message_head h;

	while (step == STEP_ON && c->recv_next - c->message_parse >= XLANE_MESSAGE_HEAD_BYTES) {
		if (!head_at(e, c, c->message_parse, &h))
			return false;
		step = h.class == XLANE_MESSAGE_LARGE ? large(e, c, &h) : small(e, c, &h);
	}
	return step != STEP_BROKEN;
}

bool xl_message_at_large(const struct xl_engine *e, const struct xl_conn *c)
{
	struct xl_message_head h;

	return c->message_parse < c->recv_next && c->recv_next - c->message_parse == XLANE_MESSAGE_HEAD_BYTES &&
	       head_at(e, c, c->message_parse, &h) && h.class == XLANE_MESSAGE_LARGE;
}

void xl_message_parse_gone(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_message_head h;

	while (c->message_parse <= c->recv_next && c->recv_next - c->message_parse >= XLANE_MESSAGE_HEAD_BYTES) {
		u64 at = c->message_parse;

		if (!head_at(e, c, at, &h) || (h.class == XLANE_MESSAGE_LARGE && !large_legal(e, &h))) {
			c->message_parse = XL_NONE64; /* no messages: all that comes is dropped unread */
			return;
		}
		c->message_parse += XLANE_MESSAGE_HEAD_BYTES + (h.class == XLANE_MESSAGE_LARGE ? 0 : h.bytes);
		if (h.class == XLANE_MESSAGE_LARGE && c->large_in.message != at)
			xl_large_expect(e, c, at, h.bytes);
	}
}

enum xl_message_end xl_message_end(const struct xl_conn *c)
{
	const struct xl_large_in *l = &c->large_in;
	bool coming = l->state == XL_LARGE_WAITING || l->state == XL_LARGE_GRANTED;

	if (c->message_parse == c->fin_at)
		return coming ? XL_MESSAGE_LATER : XL_MESSAGE_END;
	/* The parser waits at a large message's head, for this one or one before it. */
	return l->state != XL_LARGE_NONE && c->fin_at - c->message_parse >= XLANE_MESSAGE_HEAD_BYTES ? XL_MESSAGE_LATER :
	       XL_MESSAGE_TORN;
}

/* --- the reader's side ---------------------------------------------------------------------------- */
u64 xl_message_passed(struct xl_engine *e, struct xl_conn *c, u64 at)
{
	struct xl_message_head h;
	u64 n;

	while (at < c->message_parse) {
		n = xl_early_skip(e, c, at);
		if (n == 0) {
			XL_ASSERT(head_at(e, c, at, &h));
			n = h.class == XLANE_MESSAGE_LARGE ? XLANE_MESSAGE_HEAD_BYTES : 0;
		}
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

enum xl_reading xl_message_next(const struct xl_engine *e, const struct xl_conn *c, u32 *bytes)
{
	struct xl_message_head h = { 0 };
	const struct xl_start *s;

	if (c->kind == XLANE_KIND_UNORDERED && c->large_in.state == XL_LARGE_COMPLETE) {
		*bytes = c->large_in.bytes; /* first: it holds the most memory */
		return XL_READING_LARGE;
	}
	if (c->kind != XLANE_KIND_UNORDERED || c->consumed < c->message_parse) {
		XL_ASSERT(head_at(e, c, c->consumed, &h));
		*bytes = h.bytes;
		return h.class == XLANE_MESSAGE_LARGE ? XL_READING_LARGE : XL_READING_FRONT;
	}
	s = xl_early_first(e, c);
	XL_ASSERT(s);
	*bytes = s->bytes;
	return XL_READING_EARLY;
}
