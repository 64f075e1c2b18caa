/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input.c - a packet as it arrives: outer header, checksum, connection, records.
 *
 * The records are walked twice by the same table: first only to see that each is well formed, so that a malformed packet
 * has no effect at all, then to apply them.
 */
#include "../base/crc32c.h"
#include "../wire/ack.h"
#include "../wire/outer.h"
#include "../wire/record.h"
#include "ack.h"
#include "ahead.h"
#include "call.h"
#include "clock.h"
#include "conn.h"
#include "cursor.h"
#include "datagram.h"
#include "large.h"
#include "message.h"
#include "peer.h"
#include "persist.h"
#include "pmtu.h"
#include "rbuf.h"
#include "receive.h"
#include "recovery.h"
#include "send.h"
#include "window.h"

struct input {
	struct xl_engine *e;
	struct xl_conn *c;
	struct xl_cursor body;   /* at the body of the record in hand */
	bool apply;
	bool eliciting;          /* some record asks for an ACK */
	u32 acks;                /* ACK records so far */
	u64 number;              /* the packet's */
	bool refused;            /* some data could not be stored: the packet counts as not received */
};

static const u8 *fixed_part(struct input *in, u32 max, u8 *scratch)
{
	return xl_cursor_peek(&in->body, (u32)xl_min(in->body.left, max), scratch);
}

static bool take_pad(struct input *in, const struct xl_record_head *h)
{
	(void)in;
	(void)h;
	return true;
}

static bool take_data(struct input *in, const struct xl_record_head *h)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	const u8 *p = fixed_part(in, XLANE_DATA_HEAD_BYTES - XLANE_RECORD_BYTES, scratch);
	struct xl_record_data r;

	if (!xl_record_data_parse(p, h->bytes, h->flags, &r))
		return false;
	in->eliciting = true;
	if (!in->apply)
		return true;
	xl_cursor_skip(&in->body, XLANE_DATA_HEAD_BYTES - XLANE_RECORD_BYTES);
	if (xl_receive_data(in->e, in->c, &r, &in->body) != XL_RECEIVE_TAKEN)
		in->refused = true;
	return true;
}

/* A record that connections of this kind do not have is as good as malformed. */
static bool kind_has(struct input *in, bool has)
{
	if (!has)
		xl_count(in->e, XL_C_WRONG_KIND);
	return has;
}

static bool take_large(struct input *in, const struct xl_record_head *h)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	const u8 *p = fixed_part(in, XLANE_LARGE_HEAD_BYTES - XLANE_RECORD_BYTES, scratch);
	struct xl_record_large r;

	if (!kind_has(in, xl_message_kind(in->c)) || !xl_record_large_parse(p, h->bytes, h->flags, &r))
		return false;
	in->eliciting = true;
	if (!in->apply)
		return true;
	xl_cursor_skip(&in->body, XLANE_LARGE_HEAD_BYTES - XLANE_RECORD_BYTES);
	if (xl_large_data(in->e, in->c, &r, &in->body) != XL_RECEIVE_TAKEN)
		in->refused = true;
	return true;
}

static bool take_dgram(struct input *in, const struct xl_record_head *h)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	const u8 *p = fixed_part(in, XLANE_DGRAM_HEAD_BYTES - XLANE_RECORD_BYTES, scratch);
	struct xl_record_dgram r;

	if (!kind_has(in, in->c->kind == XLANE_KIND_DATAGRAM) || !xl_record_dgram_parse(p, h->bytes, h->flags, &r))
		return false;
	in->eliciting = true;
	if (!in->apply)
		return true;
	xl_cursor_skip(&in->body, XLANE_DGRAM_HEAD_BYTES - XLANE_RECORD_BYTES);
	xl_datagram_data(in->e, in->c, &r, &in->body);
	return true;
}

static bool take_grant(struct input *in, const struct xl_record_head *h)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	struct xl_record_grant r;

	if (!kind_has(in, xl_message_kind(in->c)) ||
	    !xl_record_grant_parse(fixed_part(in, XL_CURSOR_PEEK_MAX, scratch), h->bytes, &r))
		return false;
	in->eliciting = true;
	if (in->apply)
		xl_send_granted(in->e, in->c, &r);
	return true;
}

static bool take_ack(struct input *in, const struct xl_record_head *h)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	struct xl_ack a;

	if (in->acks++ || h->bytes > XL_CURSOR_PEEK_MAX || !xl_ack_parse(fixed_part(in, h->bytes, scratch), h->bytes, &a)) {
		xl_count(in->e, XL_C_ACK_BAD);
		return false;
	}
	if (in->apply)
		xl_recovery_ack(in->e, in->c, &a);
	return true;
}

static bool take_credit(struct input *in, const struct xl_record_head *h)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	struct xl_record_credit r;

	if (!xl_record_credit_parse(fixed_part(in, XL_CURSOR_PEEK_MAX, scratch), h->bytes, &r))
		return false;
	in->eliciting = true;
	if (in->apply && r.limit == in->c->credit_limit)
		xl_persist_again(in->c); /* it may have had no memory, and has some now */
	if (!in->apply || r.limit <= in->c->credit_limit)
		return true;
	xl_count(in->e, XL_C_CREDIT_IN);
	xl_persist_moved(in->c);
	in->c->credit_limit = r.limit;
	xl_send_tell(in->e, in->c);
	xl_conn_activate(in->e, in->c);
	return true;
}

static bool take_ping(struct input *in, const struct xl_record_head *h)
{
	in->eliciting = true;
	in->c->ack_now |= in->apply;
	return h->bytes == 0;
}

static bool take_blocked(struct input *in, const struct xl_record_head *h)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	struct xl_record_blocked r;

	if (!xl_record_blocked_parse(fixed_part(in, XL_CURSOR_PEEK_MAX, scratch), h->bytes, &r))
		return false;
	in->eliciting = true;
	if (!in->apply)
		return true;
	xl_count(in->e, XL_C_BLOCKED_IN);
	xl_window_blocked(in->e, in->c, r.limit);
	return true;
}

/* A packet may be overtaken by one that was sent later: what that says holds (PROTOCOL U-2). */
static bool take_max_packet(struct input *in, const struct xl_record_head *h)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	struct xl_record_max_packet r;

	if (!xl_record_max_packet_parse(fixed_part(in, XL_CURSOR_PEEK_MAX, scratch), h->bytes, &r))
		return false;
	in->eliciting = true;
	if (in->apply)
		xl_pmtu_told(in->e, in->c, in->number, r.bytes);
	return true;
}

static bool take_abort(struct input *in, const struct xl_record_head *h)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	struct xl_record_abort r;

	if (!xl_record_abort_parse(fixed_part(in, XL_CURSOR_PEEK_MAX, scratch), h->bytes, &r))
		return false;
	if (!in->apply)
		return true;
	xl_count(in->e, XL_C_ABORT_RECEIVED);
	xl_conn_end(in->e, in->c, r.error ? r.error : XLANE_WIRE_CANCELLED, false);
	return true;
}

static bool (*const takers[256])(struct input *in, const struct xl_record_head *h) = {
	[XLANE_RECORD_PAD] = take_pad,
	[XLANE_RECORD_DATA] = take_data,
	[XLANE_RECORD_LARGE] = take_large,
	[XLANE_RECORD_DGRAM] = take_dgram,
	[XLANE_RECORD_ACK] = take_ack,
	[XLANE_RECORD_CREDIT] = take_credit,
	[XLANE_RECORD_GRANT] = take_grant,
	[XLANE_RECORD_PING] = take_ping,
	[XLANE_RECORD_BLOCKED] = take_blocked,
	[XLANE_RECORD_ABORT] = take_abort,
	[XLANE_RECORD_MAX_PACKET] = take_max_packet,
};

static bool take_record(struct input *in, const struct xl_record_head *h)
{
	bool ignorable = h->type & XLANE_RECORD_IGNORABLE;

	if (takers[h->type]) {
		if ((h->flags == 0 || h->type == XLANE_RECORD_DATA) && takers[h->type](in, h))
			return true;
		xl_count(in->e, XL_C_BAD_RECORD);
		return false;
	}
	if (!ignorable || in->apply)
		xl_count(in->e, ignorable ? XL_C_IGNORED_RECORD : XL_C_UNKNOWN_RECORD);
	return ignorable;
}

/* Walk all records; false when one is malformed. A connection that ends on the way stops the walk. */
static bool walk(struct input *in, struct xl_cursor cur, bool apply)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	struct xl_record_head h;

	in->apply = apply;
	in->acks = 0;
	if (!cur.left) {
		xl_count(in->e, XL_C_BAD_RECORD);
		return false;
	}
	for (u32 n = 0; cur.left; n++) {
		const u8 *p = xl_cursor_peek(&cur, (u32)xl_min(cur.left, XLANE_RECORD_BYTES), scratch);

		if (n == XLANE_RECORDS_MAX || !xl_record_head_parse(p, cur.left, &h)) {
			xl_count(in->e, n == XLANE_RECORDS_MAX ? XL_C_TOO_MANY_RECORDS : XL_C_BAD_RECORD);
			return false;
		}
		xl_cursor_skip(&cur, XLANE_RECORD_BYTES);
		in->body = cur;
		in->body.left = h.bytes;
		if (!take_record(in, &h))
			return false;
		if (apply && !xl_state_joined(in->c->state))
			return true;
		xl_cursor_skip(&cur, h.bytes);
	}
	return true;
}

static void take_packet(struct xl_engine *e, struct xl_conn *c, const struct xl_outer *h, struct xl_cursor *cur,
			const struct xl_path *path)
{
	struct input in = { .e = e, .c = c, .number = h->number };
	bool first = !c->received.any, newest = first || h->number > c->received.newest.last;
	bool in_order = first || h->number == c->received.newest.last + 1;

	if (!walk(&in, *cur, false))
		return;
	if (xl_ack_seen(e, c, h->number)) {
		/* Our ACK may have been lost; but an ACK is never answered by an ACK, however often it comes. */
		c->ack_now |= in.eliciting && c->received.any;
		return;
	}
	c->packets_received++;
	xl_peer_heard(e, xl_peer_of(e, c), path, newest);
	if (c->state == XL_STATE_ANSWERING) {
		xl_peer_incarnation(e, xl_peer_of(e, c), c->peer_incarnation);
		xl_conn_event(e, c, XL_EV_CONFIRMED);
	}
	in.eliciting = false;
	walk(&in, *cur, true);
	if (!xl_state_joined(c->state) || in.refused) {
		c->ack_now &= c->received.any; /* there is nothing to acknowledge yet */
		return;
	}
	xl_ack_remember(e, c, h->number);
	if (newest) {
		c->largest_time_ns = e->now_ns;
		c->largest_host_ns = (u32)xl_min(e->host_ns, UINT32_MAX);
	}
	if (in.eliciting)
		xl_ack_owe(e, c, in_order);
}

static void take_data_packet(struct xl_engine *e, const struct xl_outer *h, struct xl_cursor *cur,
			     const struct xl_path *path)
{
	struct xl_conn *c = xl_conn_by_local(e, h->id);

	if (h->source_node == e->cfg.node_id) {
		xl_count(e, XL_C_OWN_PACKET);
		return;
	}
	if (!c || c->state == XL_STATE_DEAD) {
		xl_count(e, XL_C_UNKNOWN_CONNECTION);
		xl_call_unknown(e, h, path);
		return;
	}
	if (!xl_state_joined(c->state) && c->state != XL_STATE_ANSWERING) {
		xl_count(e, XL_C_ILLEGAL_EVENT);
		return;
	}
	if (!(h->flags & XLANE_FLAG_CRC) && !c->crc_off) {
		xl_count(e, XL_C_NO_CRC);
		return;
	}
	take_packet(e, c, h, cur, path);
	if (c->ack_now || c->control)
		xl_conn_activate(e, c);
	xl_conn_rearm(e, c);
}

/* cur at the outer header, limited to h->length: true when the tag is right or none is there. */
static bool checksum_ok(const struct xl_outer *h, struct xl_cursor cur)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	u32 crc;

	if (!(h->flags & XLANE_FLAG_CRC))
		return true;
	crc = xl_cursor_crc(&cur, h->length - XLANE_TAG_BYTES);
	return crc == xl_get32(xl_cursor_peek(&cur, XLANE_TAG_BYTES, scratch));
}

static const u8 outer_counters[XL_OUTER_VERDICTS] = {
	[XL_OUTER_SHORT] = XL_C_OUTER_SHORT, [XL_OUTER_BAD_VERSION] = XL_C_OUTER_BAD_VERSION,
	[XL_OUTER_BAD_TYPE] = XL_C_OUTER_BAD_TYPE, [XL_OUTER_BAD_FLAGS] = XL_C_OUTER_BAD_FLAGS,
	[XL_OUTER_BAD_LENGTH] = XL_C_OUTER_BAD_LENGTH, [XL_OUTER_BAD_EXTENSION] = XL_C_OUTER_BAD_EXTENSION,
};

static void take_one(struct xl_engine *e, const struct xl_packet *packet)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	enum xl_outer_verdict v;
	struct xl_cursor cur;
	struct xl_outer h;
	const u8 *p;

	xl_count(e, XL_C_PACKETS_IN);
	xl_cursor_init(&cur, e->frames, packet, xl_packet_bytes(packet));
	p = xl_cursor_peek(&cur, (u32)xl_min(cur.left, XLANE_OUTER_BYTES + XLANE_EXT_BYTES), scratch);
	v = xl_outer_parse(p, cur.left, &h);
	if (v != XL_OUTER_OK) {
		xl_count(e, outer_counters[v]);
		return;
	}
	e->counters[XL_C_BYTES_IN] += h.length;
	e->host_ns = packet->stamp_ns && packet->stamp_ns < e->now_ns ? e->now_ns - packet->stamp_ns : 0;
	cur.left = h.length;
	if (!checksum_ok(&h, cur)) {
		xl_count(e, XL_C_BAD_CRC);
		return;
	}
	if (h.flags & XLANE_FLAG_CRC)
		cur.left -= XLANE_TAG_BYTES;
	xl_cursor_skip(&cur, xl_outer_bytes(h.flags));
	if (h.type == XLANE_PACKET_DATA)
		take_data_packet(e, &h, &cur, &packet->path);
	else if (h.flags & XLANE_FLAG_CRC)
		xl_call_input(e, &h, &cur, &packet->path);
	else
		xl_count(e, XL_C_NO_CRC);
}

void xl_engine_input(struct xl_engine *e, const struct xl_packet *packets, u32 n, u64 now_ns)
{
	xl_clock(e, now_ns);
	for (u32 i = 0; i < n; i++) {
		if (i % XL_AHEAD_PACKETS == 0)
			xl_ahead_input(e, packets + i, (u32)xl_min(n - i, XL_AHEAD_PACKETS));
		take_one(e, &packets[i]);
	}
}
