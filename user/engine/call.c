/* SPDX-License-Identifier: BSD-2-Clause */
/* call.c - the handshake as it arrives. */
#include "call.h"

#include "../base/siphash.h"
#include "../wire/handshake.h"
#include "conn.h"
#include "cookie.h"
#include "flow.h"
#include "peer.h"
#include "pmtu.h"
#include "recovery.h"
#include "reply.h"
#include "rtt.h"
#include "send.h"

static u64 end_hash(const u8 address[12], u16 port)
{
	static const u64 no_key[2];
	u8 bytes[14];

	memcpy(bytes, address, 12);
	xl_put16(bytes + 12, port);
	return xl_siphash(no_key, bytes, sizeof bytes);
}

u64 xl_call_id(const struct xl_path *path, u16 local_port, u16 remote_port)
{
	static const u64 no_key[2];
	u8 sum[8];
	u64 id;

	xl_put64(sum, end_hash(path->local, local_port) + end_hash(path->remote, remote_port));
	id = xl_siphash(no_key, sum, sizeof sum);
	return id ? id : 1;
}

/* What the other side said about itself, taken over. */
static bool join_remote(struct xl_engine *e, struct xl_conn *c, const struct xl_outer *h, const struct xl_params *p)
{
	u64 key = xl_remote_key(e, h->source_node, h->source_id);
	struct xl_flow *f = xl_flow_of(e, c);

	if (c->remote_key) /* of a call that crossed this one, and was not the answer */
		xl_map_del(&e->by_remote, c->remote_key);
	c->remote_key = 0;
	if (!xl_map_put(&e->by_remote, key, xl_conn_index(e, c)))
		return false;
	c->remote_key = key;
	c->remote_id = h->source_id;
	c->credit_limit = p->credit;
	c->peer_first = p->first_number;
	c->message_max = (u32)xl_min(p->message_max ? p->message_max : XLANE_MESSAGE_SMALL_MAX_BYTES,
				     XLANE_MESSAGE_MAX_BYTES);
	c->peer_ack_delay_ns = p->ack_delay_ns ? p->ack_delay_ns : (u32)XL_ACK_DELAY_NS;
	c->peer_packet = (u16)xl_min(p->max_packet, UINT16_MAX);
	c->peer_packet_number = h->number;
	c->max_packet = (u16)xl_pmtu_packet(e, c);
	c->crc_off = e->cfg.no_crc && p->no_crc;
	if (f)
		xl_cc_of(&f->cc)->init(&f->cc, c->max_packet);
	xl_send_tell(e, c); /* there is credit now */
	return true;
}

static bool usable(const struct xl_outer *h, const struct xl_params *p)
{
	return h->source_id && h->source_node && p->max_packet >= XLANE_MTU_MIN && p->has_credit && p->has_first_number &&
	       p->ack_delay_ns <= XL_S && (!p->message_max || p->message_max >= XLANE_MESSAGE_SMALL_MAX_BYTES);
}

static struct xl_listener *listener_on(struct xl_engine *e, u16 port)
{
	u32 i = xl_map_get(&e->by_port, port);

	return i == XL_NONE ? NULL : &e->listeners[i];
}

static void refuse_init(struct xl_engine *e, const struct xl_outer *h, const struct xl_path *path, u32 error)
{
	xl_count(e, error == XLANE_WIRE_STALE ? XL_C_INIT_STALE : XL_C_INIT_REFUSED);
	xl_reply_refuse(e, h, path, error);
}

/* Both called each other at the same time: one connection (PROTOCOL 5.4). */
static bool crossed(struct xl_engine *e, const struct xl_outer *h, const struct xl_init *in, const struct xl_path *path)
{
	u32 i = xl_map_get(&e->by_call, h->id);
	struct xl_conn *c = i == XL_NONE ? NULL : &e->conns[i];

	/* The call id says who calls whom; it must be that of the path the INIT came on. */
	if (!c || c->state != XL_STATE_CALLING || c->local_port != in->destination_port ||
	    c->remote_port != in->source_port ||
	    h->id != xl_call_id(path, in->destination_port, in->source_port))
		return false;
	if (c->kind != in->kind) {
		refuse_init(e, h, path, XLANE_WIRE_KIND);
		return true;
	}
	if (!xl_peer_identify(e, c, h->source_node, in->incarnation, path)) {
		refuse_init(e, h, path, XLANE_WIRE_STALE);
		return true;
	}
	if (!join_remote(e, c, h, &in->params))
		return true;
	xl_count(e, XL_C_SIMULTANEOUS_OPEN);
	c->crossing = true;
	c->call.path = *path;
	c->peer_incarnation = in->incarnation;
	c->control |= XL_CTL_HANDSHAKE;
	xl_conn_event(e, c, XL_EV_CALLED);
	xl_conn_activate(e, c);
	return true;
}

static bool repeated(struct xl_engine *e, const struct xl_outer *h, const struct xl_path *path)
{
	u32 i = xl_map_get(&e->by_remote, xl_remote_key(e, h->source_node, h->source_id));

	if (i == XL_NONE)
		return false;
	xl_count(e, XL_C_INIT_REPEATED);
	if (e->conns[i].state == XL_STATE_ANSWERING) {
		e->conns[i].call.path = *path; /* the first one's may have been garbled: nothing covers a link header */
		e->conns[i].control |= XL_CTL_HANDSHAKE;
		xl_conn_activate(e, &e->conns[i]);
	}
	return true;
}

/* Under load no state before the caller has shown that it hears us. */
static bool cookie_missing(struct xl_engine *e, const struct xl_listener *l, const struct xl_outer *h,
			   const struct xl_init *in, const struct xl_path *path)
{
	if (in->params.has_cookie) {
		if (xl_cookie_valid(e, h, in, path, in->params.cookie)) {
			xl_count(e, XL_C_COOKIE_GOOD);
			return false;
		}
		xl_count(e, XL_C_COOKIE_BAD);
	} else if (e->half_open < XLANE_HALF_OPEN_COOKIE && l->pending < (l->backlog + 1) / 2) {
		return false;
	}
	xl_reply_cookie(e, h, in, path);
	return true;
}

static u32 answer(struct xl_engine *e, const struct xl_outer *h, const struct xl_init *in, const struct xl_path *path,
		  struct xl_listener *l)
{
	struct xl_peer *p = xl_peer_take(e, h->source_node, path);
	struct xl_conn *c;

	if (!p)
		return XLANE_WIRE_RESOURCES;
	if (in->incarnation < p->incarnation)
		return XLANE_WIRE_STALE;
	c = xl_conn_take(e, in->kind, XL_STATE_ANSWERING, h->id);
	if (!c)
		return XLANE_WIRE_RESOURCES;
	xl_peer_join(e, p, c);
	c->local_port = in->destination_port;
	c->remote_port = in->source_port;
	c->peer_incarnation = in->incarnation;
	c->call.path = *path;
	join_remote(e, c, h, &in->params);
	c->listener = (u32)(l - e->listeners);
	l->pending++;
	e->half_open++;
	c->control |= XL_CTL_HANDSHAKE;
	c->call_time_ns = e->now_ns + c->call.retry_ns;
	xl_conn_rearm(e, c);
	xl_conn_activate(e, c);
	return XLANE_WIRE_NONE;
}

static void take_init(struct xl_engine *e, const struct xl_outer *h, const u8 *body, u32 bytes, const struct xl_path *path)
{
	enum xl_handshake_verdict v;
	struct xl_listener *l;
	struct xl_init in;
	u32 error;

	xl_count(e, XL_C_INIT_RECEIVED);
	if (h->length < XLANE_INIT_MIN_BYTES) {
		xl_count(e, XL_C_INIT_SMALL);
		return;
	}
	v = xl_init_parse(body, bytes, &in);
	if (v == XL_HANDSHAKE_SHORT || v == XL_HANDSHAKE_BAD_PARAM) {
		xl_count(e, XL_C_BAD_RECORD);
		return;
	}
	if (v == XL_HANDSHAKE_UNKNOWN_PARAM || !usable(h, &in.params)) {
		refuse_init(e, h, path, XLANE_WIRE_PARAM);
		return;
	}
	if (repeated(e, h, path) || crossed(e, h, &in, path))
		return;
	l = listener_on(e, in.destination_port);
	error = !l ? XLANE_WIRE_REFUSED : l->kind != in.kind ? XLANE_WIRE_KIND :
		l->pending >= l->backlog ? XLANE_WIRE_BACKLOG : XLANE_WIRE_NONE;
	if (!error && cookie_missing(e, l, h, &in, path))
		return;
	if (!error)
		error = answer(e, h, &in, path, l);
	if (error)
		refuse_init(e, h, path, error);
}

/* The ACCEPT's number is acknowledged, which confirms the connection to the acceptor. */
static void confirm(struct xl_engine *e, struct xl_conn *c, u64 number)
{
	if (!c->received.any) {
		xl_received_add(&c->received, NULL, number);
		c->largest_time_ns = e->now_ns;
	}
	c->ack_now = true;
	xl_conn_activate(e, c);
}

/* Who answers is the peer; a call that crosses ours and was not confirmed only says that it comes from there. */
static bool answered(struct xl_engine *e, struct xl_conn *c, const struct xl_outer *h, const struct xl_accept *in,
		     const struct xl_path *path)
{
	if (!xl_peer_identify(e, c, h->source_node, in->incarnation, path) || !join_remote(e, c, h, &in->params))
		return false;
	c->peer_incarnation = in->incarnation;
	if (c->state == XL_STATE_CALLING && c->call_tries == 1 && c->call.first_ns >= e->leapt_ns)
		xl_rtt_sample(&c->rtt, e->now_ns - c->call.first_ns, 0);
	return true;
}

static void take_accept(struct xl_engine *e, const struct xl_outer *h, const u8 *body, u32 bytes,
			const struct xl_path *path)
{
	struct xl_conn *c = xl_conn_by_local(e, h->id);
	bool opens = c && !xl_state_joined(c->state);
	struct xl_accept in;

	if (!c || c->state == XL_STATE_DEAD) {
		xl_count(e, XL_C_UNKNOWN_CONNECTION);
		xl_call_unknown(e, h, path);
		return;
	}
	if (xl_accept_parse(body, bytes, &in) != XL_HANDSHAKE_OK || !usable(h, &in.params)) {
		xl_count(e, XL_C_BAD_RECORD);
		return;
	}
	if (in.initiator_incarnation != e->cfg.incarnation || (!opens && c->remote_id != h->source_id) || !c->initiator) {
		xl_count(e, XL_C_ILLEGAL_EVENT);
		return;
	}
	if (opens && c->remote_id != h->source_id && !answered(e, c, h, &in, path)) {
		xl_conn_end(e, c, XLANE_WIRE_STALE, false);
		return;
	}
	if (opens)
		xl_peer_incarnation(e, xl_peer_of(e, c), c->peer_incarnation);
	/* The first may have come with a garbled link address; a repeat is as good as data. */
	xl_peer_heard(e, xl_peer_of(e, c), path,
		      c->state == XL_STATE_CALLING || !c->received.any || h->number > c->received.newest.last);
	xl_conn_event(e, c, XL_EV_ACCEPTED);
	confirm(e, c, h->number);
	xl_conn_rearm(e, c);
}

static void take_cookie(struct xl_engine *e, const struct xl_outer *h, const u8 *body, u32 bytes,
			const struct xl_path *path)
{
	struct xl_conn *c = xl_conn_by_local(e, h->id);
	struct xl_cookie in;

	(void)path;
	if (!c || c->state != XL_STATE_CALLING || !xl_cookie_parse(body, bytes, &in)) {
		xl_count(e, c ? XL_C_ILLEGAL_EVENT : XL_C_UNKNOWN_CONNECTION);
		return;
	}
	memcpy(c->call.cookie, in.cookie, sizeof c->call.cookie);
	c->has_cookie = true;
	if (c->call_tries > XL_COOKIES_AT_ONCE)
		return;
	c->control |= XL_CTL_HANDSHAKE;
	xl_conn_activate(e, c);
}

/* The peer has no such connection. If it had been joined, the peer has started anew and lost the others as well. */
static void lost_there(struct xl_engine *e, struct xl_conn *c, u32 error)
{
	bool joined = xl_state_joined(c->state);

	xl_conn_end(e, c, error, false);
	if (joined && error == XLANE_WIRE_UNKNOWN)
		xl_peer_sweep(e, xl_peer_of(e, c));
}

/* Our end was sent, and everything before it: only then can the peer have it. */
static bool all_sent(const struct xl_conn *c) { return c->fin_queued && !(c->queue.count | c->queue_large.count); }

/* Only an exact match ends a connection: its id, what it sends to, and a number it has sent and not had acknowledged. */
static void take_reset(struct xl_engine *e, const struct xl_outer *h, const u8 *body, u32 bytes, const struct xl_path *path)
{
	struct xl_conn *c = xl_conn_by_local(e, h->id);
	struct xl_refuse in;
	u64 id;

	(void)path;
	if (!xl_refuse_parse(body, bytes, &in)) {
		xl_count(e, XL_C_BAD_RECORD);
		return;
	}
	id = !c ? 0 : c->state == XL_STATE_CALLING ? c->call_id : c->remote_id;
	if (!c || (c->state == XL_STATE_DEAD && !c->abort_tries) || id != in.id || in.number < c->first_number ||
	    in.number >= c->next_number || (c->largest_acked != XL_NONE64 && in.number <= c->largest_acked)) {
		xl_count(e, XL_C_REFUSE_IGNORED);
		return;
	}
	xl_count(e, XL_C_REFUSE_RECEIVED);
	if (c->state == XL_STATE_DEAD)
		xl_conn_quiet(e, c); /* the ABORT has arrived */
	else if (in.error == XLANE_WIRE_NONE && c->state == XL_STATE_BOTH_SHUT && all_sent(c))
		xl_recovery_all_received(e, c);
	else
		lost_there(e, c, in.error ? in.error : XLANE_WIRE_UNKNOWN);
}

static const struct {
	u8 record;
	void (*take)(struct xl_engine *e, const struct xl_outer *h, const u8 *body, u32 bytes, const struct xl_path *path);
} handlers[XLANE_PACKET_TYPES] = {
	[XLANE_PACKET_INIT] = { XLANE_RECORD_INIT, take_init },
	[XLANE_PACKET_ACCEPT] = { XLANE_RECORD_ACCEPT, take_accept },
	[XLANE_PACKET_COOKIE] = { XLANE_RECORD_COOKIE, take_cookie },
	[XLANE_PACKET_RESET] = { XLANE_RECORD_REFUSE, take_reset },
};

void xl_call_input(struct xl_engine *e, const struct xl_outer *h, struct xl_cursor *cur, const struct xl_path *path)
{
	u8 scratch[XL_CURSOR_PEEK_MAX];
	struct xl_record_head r;
	const u8 *p;

	if (h->source_node == e->cfg.node_id) { /* or a reflected ACCEPT would end in a RESET that matches exactly */
		xl_count(e, XL_C_OWN_PACKET);
		return;
	}
	/* The handshake record comes first; what follows it is padding and not read. */
	p = xl_cursor_peek(cur, (u32)xl_min(cur->left, XLANE_RECORD_BYTES), scratch);
	if (!xl_record_head_parse(p, cur->left, &r) || r.type != handlers[h->type].record || r.flags ||
	    r.bytes + XLANE_RECORD_BYTES > XL_CURSOR_PEEK_MAX) {
		xl_count(e, XL_C_BAD_RECORD);
		return;
	}
	p = xl_cursor_peek(cur, XLANE_RECORD_BYTES + r.bytes, scratch);
	handlers[h->type].take(e, h, p + XLANE_RECORD_BYTES, r.bytes, path);
}
