/* SPDX-License-Identifier: BSD-2-Clause */
#include "receive.h"

#include "conn.h"
#include "datagram.h"
#include "early.h"
#include "message.h"
#include "rbuf.h"
#include "window.h"

static struct xl_ranges *holes(struct xl_engine *e, const struct xl_conn *c)
{
	return c->holes == XL_NONE ? NULL : (struct xl_ranges *)xl_block_ptr(e, c->holes);
}

static enum xl_receive_verdict broken(struct xl_engine *e, struct xl_conn *c, enum xl_engine_counter why)
{
	xl_count(e, why);
	xl_conn_end(e, c, XLANE_WIRE_PROTOCOL, true);
	return XL_RECEIVE_BROKEN;
}

static enum xl_receive_verdict refused(struct xl_engine *e, enum xl_engine_counter why)
{
	xl_count(e, why);
	return XL_RECEIVE_REFUSED;
}

/* There is one end, and nothing lies past it. */
static bool end_consistent(const struct xl_conn *c, const struct xl_record_data *r, u64 end)
{
	if (c->fin_at != XL_NONE64)
		return end <= c->fin_at && (!r->fin || end == c->fin_at);
	return !r->fin || end >= c->recv_highest;
}

/* Store what of [start, end) was not here yet. cur stands at `start`. */
static void store(struct xl_engine *e, struct xl_conn *c, u64 start, u64 end, struct xl_cursor *cur)
{
	struct xl_ranges *h = holes(e, c);
	u64 at = start, from = start, to = end, stored = 0;

	xl_rbuf_reserve(e, &c->rbuf, c->consumed, start, end);
	while (at < end) {
		if (h && !xl_ranges_gap(h, at, end, &from, &to))
			break;
		xl_cursor_skip(cur, from - at);
		xl_rbuf_write(e, &c->rbuf, from, cur, (u32)(to - from));
		stored += to - from;
		at = to;
	}
	e->counters[XL_C_DATA_BYTES_IN] += stored;
	e->counters[XL_C_DATA_DUPLICATE] += end - start - stored;
}

/* The contiguous part has grown to `end`: take in what lay behind holes. */
static void advance(struct xl_engine *e, struct xl_conn *c, u64 end)
{
	struct xl_ranges *h = holes(e, c);

	while (h && h->count && h->r[0].start <= end)
		end = xl_ranges_prefix(h, end);
	c->bytes_received += end - c->recv_next;
	c->recv_next = end;
	if (!h || h->count)
		return;
	xl_block_give(e, c->holes); /* no holes, no table of them */
	c->holes = XL_NONE;
}

/* Data behind a hole. The table is asked first: what it has no place for must not occupy memory. */
static bool store_ahead(struct xl_engine *e, struct xl_conn *c, u64 start, u64 end, struct xl_cursor *cur)
{
	if (c->holes == XL_NONE) {
		c->holes = xl_block_take(e);
		xl_ranges_init(holes(e, c), XLANE_HOLES_MAX);
	}
	if (holes(e, c)->count == XLANE_HOLES_MAX)
		return false;
	store(e, c, start, end, cur);
	return xl_ranges_add(holes(e, c), start, end) == 0;
}

/* Everything up to the peer's end is here. */
static bool ended(const struct xl_conn *c, bool message, bool *torn)
{
	enum xl_message_end end = XL_MESSAGE_END;

	if (c->fin_at != c->recv_next || c->fin_received)
		return false;
	if (message)
		end = xl_message_end(c);
	*torn = end == XL_MESSAGE_TORN;
	return end == XL_MESSAGE_END;
}

enum xl_receive_verdict xl_receive_ready(struct xl_engine *e, struct xl_conn *c, bool more)
{
	bool gone = xl_conn_gone(c), message = xl_message_kind(c) && !gone, whole = true, torn = false;
	u32 before = c->messages_ready;

	if (message)
		whole = xl_message_parse(e, c);
	/* Broken or not: what the parser has passed is still read, and the reader never stands at a large message's head. */
	if (!gone && c->kind == XLANE_KIND_UNORDERED && c->reading != XL_READING_FRONT)
		xl_receive_pass(e, c);
	if (!whole)
		return broken(e, c, XL_C_DATA_BAD_MESSAGE);
	if (more || !message || c->messages_ready != before)
		xl_conn_notify(e, c, XL_EVENT_READABLE);
	if (ended(c, message, &torn)) {
		c->fin_received = true;
		xl_conn_event(e, c, XL_EV_FIN_RECEIVED);
	}
	if (torn)
		return broken(e, c, XL_C_DATA_BAD_MESSAGE);
	if (gone)
		xl_receive_discard(e, c);
	xl_window_settle(e, c);
	return XL_RECEIVE_TAKEN;
}

/* What has come behind a hole may hold whole messages. */
static enum xl_receive_verdict look_behind(struct xl_engine *e, struct xl_conn *c, u64 start, u64 end, bool begin)
{
	u32 before = c->messages_ready;

	if (c->kind != XLANE_KIND_UNORDERED || xl_conn_gone(c))
		return XL_RECEIVE_TAKEN;
	if (!xl_early_stored(e, c, start, end, begin))
		return broken(e, c, XL_C_DATA_BAD_MESSAGE);
	if (c->messages_ready != before)
		xl_conn_notify(e, c, XL_EVENT_READABLE);
	return XL_RECEIVE_TAKEN;
}

enum xl_receive_verdict xl_receive_data(struct xl_engine *e, struct xl_conn *c, const struct xl_record_data *r,
					struct xl_cursor *cur)
{
	u64 end = r->offset + r->bytes, start = xl_max(r->offset, c->recv_next), had = c->recv_next;
	bool ahead = false;

	if (c->kind == XLANE_KIND_DATAGRAM)
		return xl_datagram_end(e, c, r);
	if (end < r->offset)
		return refused(e, XL_C_DATA_OVERFLOW);
	if (!end_consistent(c, r, end))
		return broken(e, c, XL_C_DATA_PAST_FIN);
	if (end > c->credit_given)
		return refused(e, XL_C_DATA_OVER_CREDIT);
	e->counters[XL_C_DATA_DUPLICATE] += xl_min(start - r->offset, r->bytes);
	if (start < end && !xl_window_back(e, c, end - c->consumed))
		return XL_RECEIVE_REFUSED;
	if (start < end) {
		xl_cursor_skip(cur, start - r->offset);
		if (start == c->recv_next) {
			c->ack_now |= c->holes != XL_NONE; /* a hole shrinks: tell at once (RFC 5681, 4.2) */
			store(e, c, start, end, cur);
			advance(e, c, end);
		} else if (store_ahead(e, c, start, end, cur)) {
			c->ack_now = ahead = true; /* a hole: tell at once (RFC 9000, 13.2.1) */
		} else {
			return refused(e, XL_C_DATA_HOLES);
		}
	}
	c->recv_highest = xl_max(c->recv_highest, end);
	if (r->fin)
		c->fin_at = end;
	if (ahead && look_behind(e, c, start, end, r->begin && start == r->offset) == XL_RECEIVE_BROKEN)
		return XL_RECEIVE_BROKEN;
	return c->recv_next != had || r->fin ? xl_receive_ready(e, c, false) : XL_RECEIVE_TAKEN;
}

void xl_receive_cut(struct xl_engine *e, struct xl_conn *c)
{
	if (c->received_table != XL_NONE) {
		xl_received_newest(&c->received);
		xl_block_give(e, c->received_table);
		c->received_table = XL_NONE;
	}
	if (c->holes == XL_NONE || !xl_early_cut(e, c, c->recv_next))
		return;
	xl_block_give(e, c->holes);
	c->holes = XL_NONE;
	if (c->consumed == c->recv_next)
		xl_rbuf_release(e, &c->rbuf, c->consumed, c->recv_next, true);
	else
		xl_rbuf_cut(e, &c->rbuf, c->recv_next, c->recv_highest);
	c->recv_highest = c->recv_next;
}
