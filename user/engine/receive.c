/* SPDX-License-Identifier: BSD-2-Clause */
#include "receive.h"

#include "conn.h"
#include "rbuf.h"

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
	u64 at = start, from = start, to = end;

	xl_rbuf_reserve(e, &c->rbuf, c->consumed, start, end);
	while (at < end) {
		if (h && !xl_ranges_gap(h, at, end, &from, &to))
			break;
		xl_cursor_skip(cur, from - at);
		xl_rbuf_write(e, &c->rbuf, from, cur, (u32)(to - from));
		e->counters[XL_C_DATA_BYTES_IN] += to - from;
		at = to;
	}
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

/* Find the whole messages in what has become contiguous. */
static bool parse_messages(struct xl_engine *e, struct xl_conn *c)
{
	u8 bytes[XLANE_MESSAGE_HEAD_BYTES];
	struct xl_message_head h;

	while (c->recv_next - c->message_parse >= sizeof bytes) {
		xl_rbuf_read(e, &c->rbuf, c->message_parse, bytes, sizeof bytes);
		if (!xl_message_head_parse(bytes, sizeof bytes, &h) || h.class != XLANE_MESSAGE_SMALL ||
		    h.bytes > XLANE_MESSAGE_SMALL_MAX_BYTES)
			return false;
		if (c->recv_next - c->message_parse < sizeof bytes + h.bytes)
			break;
		c->message_parse += sizeof bytes + h.bytes;
		c->messages_ready++;
	}
	return true;
}

/* Something became readable, or the end was reached. */
static enum xl_receive_verdict deliver(struct xl_engine *e, struct xl_conn *c)
{
	bool gone = !c->owned && c->listener == XL_NONE, message = c->kind != XLANE_KIND_STREAM && !gone;
	u32 before = c->messages_ready;

	if (message && !parse_messages(e, c))
		return broken(e, c, XL_C_DATA_BAD_MESSAGE);
	if (!message || c->messages_ready != before)
		xl_conn_notify(e, c, XL_EVENT_READABLE);
	if (c->fin_at == c->recv_next && !c->fin_received) {
		if (message && c->message_parse != c->fin_at)
			return broken(e, c, XL_C_DATA_BAD_MESSAGE);
		c->fin_received = true;
		xl_conn_event(e, c, XL_EV_FIN_RECEIVED);
	}
	if (gone)
		xl_receive_discard(e, c);
	return XL_RECEIVE_TAKEN;
}

enum xl_receive_verdict xl_receive_data(struct xl_engine *e, struct xl_conn *c, const struct xl_record_data *r,
					struct xl_cursor *cur)
{
	u64 end = r->offset + r->bytes, start = xl_max(r->offset, c->recv_next), had = c->recv_next;

	if (end < r->offset)
		return refused(e, XL_C_DATA_OVERFLOW);
	if (!end_consistent(c, r, end))
		return broken(e, c, XL_C_DATA_PAST_FIN);
	if (end > c->credit_given)
		return refused(e, XL_C_DATA_OVER_CREDIT);
	e->counters[XL_C_DATA_DUPLICATE] += xl_min(start - r->offset, r->bytes);
	if (start < end) {
		xl_cursor_skip(cur, start - r->offset);
		if (start == c->recv_next) {
			store(e, c, start, end, cur);
			advance(e, c, end);
		} else if (store_ahead(e, c, start, end, cur)) {
			c->ack_now = true; /* a hole: tell at once (RFC 9000, 13.2.1) */
		} else {
			return refused(e, XL_C_DATA_HOLES);
		}
	}
	c->recv_highest = xl_max(c->recv_highest, end);
	if (r->fin)
		c->fin_at = end;
	return c->recv_next != had || r->fin ? deliver(e, c) : XL_RECEIVE_TAKEN;
}
