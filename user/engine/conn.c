/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.c - timers of a connection: one in the wheel, at the earliest of
 *   ack_due_ns        an ACK has been held back long enough
 *   recovery          a packet is lost by time, or a probe is due (probe.c)
 *   call_time_ns      INIT or ACCEPT is repeated; past the peer-death bound the call has failed
 *   partial_due_ns    a datagram has waited too long for its fragments
 *   ring_ns           frames that are needed again may have come back: a driver tells nobody when it gives them
 *   pace_due_ns       the next packet of data is due (pacer.c)
 *   expire_ns         a datagram that waits to be sent is too old
 *   persist_ns        the credit is used up: the peer is asked for more, in case what it gave was lost
 *   rest_ns           memory is promised, and perhaps nothing comes any more (window.c)
 *   large_in.due_ns   of a granted large message enough should have come
 *   linger_until_ns   nobody needs our ACKs any more; before that state: closed by the program, and no progress since long
 */
#include "conn.h"

#include <errno.h>

#include "../base/siphash.h"
#include "ack.h"
#include "datagram.h"
#include "early.h"
#include "ended.h"
#include "flow.h"
#include "grant.h"
#include "large.h"
#include "peer.h"
#include "persist.h"
#include "probe.h"
#include "queue.h"
#include "rbuf.h"
#include "receive.h"
#include "recovery.h"
#include "rtt.h"
#include "txbuf.h"
#include "window.h"
#include "writers.h"

u64 xl_remote_key(const struct xl_engine *e, u64 node, u64 id)
{
	u64 both[2] = { node, id }, key = xl_siphash(e->cookie_key, both, sizeof both);

	return key ? key : 1;
}

static u64 fresh_id(struct xl_engine *e, u64 call_id)
{
	u64 bucket = call_id & 0xff00000000000000ull, id;

	do {
		id = bucket | (xl_prng_u64(&e->prng) >> 8);
	} while (id == 0 || xl_map_get(&e->by_local, id) != XL_NONE || xl_ended_has(e, id));
	return id;
}

struct xl_conn *xl_conn_take(struct xl_engine *e, u8 kind, u8 state, u64 call_id)
{
	u32 window = xl_window_first(e, kind), i;
	struct xl_conn *c;

	i = xl_list_pop(&e->l_active, &e->conn_free);
	if (i == XL_NONE)
		return NULL;
	c = &e->conns[i];
	*c = (struct xl_conn){
		.local_id = fresh_id(e, call_id), .call_id = call_id, .kind = kind, .state = state,
		.congestion = e->cfg.congestion ? e->cfg.congestion - 1 : XL_CC_DEFAULT, .flow = XL_NONE,
		.peer = XL_NONE, .listener = XL_NONE, .received_table = XL_NONE, .holes = XL_NONE,
		.ranks = XL_LIST_EMPTY, .queue = XL_LIST_EMPTY, .queue_large = XL_LIST_EMPTY, .again = XL_LIST_EMPTY, .flight = XL_LIST_EMPTY,
		.sent = XL_LIST_EMPTY, .lost = XL_LIST_EMPTY,
		.largest_acked = XL_NONE64, .loss_time_ns = XL_NEVER, .fin_at = XL_NONE64, .ack_due_ns = XL_NEVER,
		.early = XL_NONE, .datagrams = XL_NONE, .partial_due_ns = XL_NEVER,
		.send_buffer = e->cfg.send_buffer_bytes,
		.call_time_ns = XL_NEVER, .linger_until_ns = XL_NEVER, .ring_ns = XL_NEVER,
		.expire_ns = XL_NEVER, .pace_due_ns = XL_NEVER, .persist_ns = XL_NEVER, .blocked_at = XL_NONE64,
		.sent_order = 1, .asked_number = XL_NONE64, 
		.ack_every = XL_ACK_EVERY, .reorder_packets = XL_REORDER_PACKETS, .max_packet = e->cfg.max_packet,
		.peer_packet = XLANE_MTU_MAX, .rest_ns = XL_NEVER, .pace_since_ns = e->now_ns,
		.window = window, .credit_given = window, .peer_ack_delay_ns = XL_ACK_DELAY_NS,
		.calling = true, .call = { .first_ns = e->now_ns, .retry_ns = XL_CALL_RETRY_NS },
	};
	c->first_number = e->cfg.first_number == XL_NONE64 ? xl_prng_u64(&e->prng) >> 33 : e->cfg.first_number;
	c->next_number = c->first_number;
	xl_rbuf_init(&c->rbuf);
	xl_large_init(&c->large_in);
	xl_map_put(&e->by_local, c->local_id, i);
	e->conns_used++;
	return c;
}

static void give_receive_memory(struct xl_engine *e, struct xl_conn *c)
{
	xl_rbuf_release(e, &c->rbuf, 0, 0, true);
	xl_large_drop(e, c);
	xl_early_drop(e, c);
	xl_datagram_drop(e, c);
	if (c->holes != XL_NONE)
		xl_block_give(e, c->holes);
	if (c->received_table != XL_NONE)
		xl_block_give(e, c->received_table);
	c->holes = c->received_table = XL_NONE;
}

void xl_conn_leave_listener(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_listener *l;

	if (c->listener == XL_NONE)
		return;
	l = &e->listeners[c->listener];
	if (c->state != XL_STATE_ANSWERING)
		xl_list_remove(&e->l_accept, &l->ready, xl_conn_index(e, c));
	l->pending--;
	c->listener = XL_NONE;
}

void xl_conn_free(struct xl_engine *e, struct xl_conn *c)
{
	if (c->ended_gracefully && !xl_ended_has(e, c->local_id))
		xl_ended_add(e, c->local_id);
	xl_recovery_clear(e, c);
	xl_txbuf_drop_all(e, c);
	give_receive_memory(e, c);
	xl_conn_detach(e, c);
	xl_window_serve(e);
}

void xl_conn_detach(struct xl_engine *e, struct xl_conn *c)
{
	u32 i = xl_conn_index(e, c);

	xl_window_leave(e, c);
	xl_flow_leave(e, c);
	e->holders -= c->buffered > 0; /* it moves to another engine */
	xl_grant_leave(e, c);
	xl_sched_leave(e, c);
	xl_writers_leave(e, c);
	if (c->is_event)
		xl_list_remove(&e->l_event, &e->events, i);
	xl_peer_leave(e, c);
	xl_map_del(&e->by_local, c->local_id);
	if (c->remote_key)
		xl_map_del(&e->by_remote, c->remote_key);
	if (c->call_mapped)
		xl_map_del(&e->by_call, c->call_id);
	xl_wheel_set(&e->wheel, i, XL_NEVER);
	c->state = XL_STATE_FREE;
	xl_list_append(&e->l_active, &e->conn_free, i);
	e->conns_used--;
	xl_grant_serve(e); /* there is memory again */
}

struct xl_conn *xl_conn_by_local(struct xl_engine *e, u64 id)
{
	u32 i = id ? xl_map_get(&e->by_local, id) : XL_NONE;

	return i == XL_NONE ? NULL : &e->conns[i];
}

void xl_conn_notify(struct xl_engine *e, struct xl_conn *c, u32 bits)
{
	if (!c->owned)
		return;
	if (bits & XL_EVENT_WRITABLE)
		c->want_write = c->want_large = false;
	if (c->closed_told)
		bits &= ~(u32)XL_EVENT_CLOSED;
	c->closed_told |= !!(bits & XL_EVENT_CLOSED);
	c->event_bits |= bits;
	if (c->is_event || !bits)
		return;
	c->is_event = true;
	xl_list_append(&e->l_event, &e->events, xl_conn_index(e, c));
}

void xl_conn_want_write(struct xl_engine *e, struct xl_conn *c)
{
	c->want_write = true;
	xl_writers_join(e, c);
}

void xl_conn_want_large(struct xl_engine *e, struct xl_conn *c)
{
	c->want_large = true;
	xl_writers_join(e, c);
}

void xl_listener_notify(struct xl_engine *e, u32 listener)
{
	struct xl_listener *l = &e->listeners[listener];

	if (!l->is_event)
		xl_list_append(&e->l_listener, &e->listener_events, listener);
	l->is_event = true;
}

static void queue_fin(struct xl_engine *e, struct xl_conn *c)
{
	c->shut_wanted = true; /* send.c puts the end behind what is queued, as soon as there is a frame for it */
	xl_conn_activate(e, c);
}

/* The handshake is over, well or badly: its place is for what begins now. */
static void call_over(struct xl_conn *c)
{
	if (!c->calling)
		return;
	c->calling = false;
	c->told_number = XL_NONE64;
	c->told_largest = c->told_before = c->bytes_received = c->packets_received = c->messages_received = 0;
	c->packets_again = c->packets_lost = c->packets_spurious = c->ptos = 0;
}

/* The handshake is done: the program, or the listener's queue, gets the connection. */
static void opened(struct xl_engine *e, struct xl_conn *c, u8 before)
{
	xl_count(e, XL_C_CONNS_OPENED);
	c->call_time_ns = XL_NEVER;
	c->control &= (u8)~XL_CTL_HANDSHAKE;
	if (before == XL_STATE_ANSWERING && !c->initiator)
		e->half_open--;
	if (c->listener != XL_NONE) {
		xl_list_append(&e->l_accept, &e->listeners[c->listener].ready, xl_conn_index(e, c));
		xl_listener_notify(e, c->listener);
	}
	xl_conn_notify(e, c, XL_EVENT_OPEN | XL_EVENT_WRITABLE);
	xl_conn_activate(e, c); /* data may be queued already */
	xl_conn_orphan(e, c); /* its program may have closed it while it called */
	if (c->shut_wanted)
		xl_conn_event(e, c, XL_EV_SHUTDOWN);
}

/* Long enough for four of the peer's probe timeouts, each twice the one before. */
u64 xl_conn_linger(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 probes = c->rtt.sampled ? 16 * xl_rtt_pto(&c->rtt, c->peer_ack_delay_ns) : XL_LINGER_NS_MAX;

	return xl_min(xl_max(e->cfg.linger_ns_min, probes), XL_LINGER_NS_MAX);
}

static void lingering(struct xl_engine *e, struct xl_conn *c)
{
	xl_count(e, XL_C_CONNS_CLOSED);
	c->ended_gracefully = true;
	c->linger_until_ns = e->now_ns + xl_conn_linger(e, c);
	xl_conn_notify(e, c, XL_EVENT_CLOSED);
}

void xl_conn_quiet(struct xl_engine *e, struct xl_conn *c)
{
	c->control = 0;
	c->pad = 0;
	c->call_time_ns = c->ack_due_ns = c->linger_until_ns = c->ring_ns = XL_NEVER;
	c->pace_due_ns = c->persist_ns = XL_NEVER;
	c->ack_now = false;
	c->ack_pending = 0;
	xl_recovery_clear(e, c);
	xl_txbuf_drop_all(e, c);
	c->large_out.open = false;
	xl_large_abandon(e, c);
	xl_receive_cut(e, c);
	xl_datagram_drop(e, c);
	xl_window_stop(e, c);
	xl_conn_activate(e, c);
}

bool xl_conn_event(struct xl_engine *e, struct xl_conn *c, enum xl_state_event event)
{
	u8 before = c->state;
	enum xl_state next = xl_state_next(before, event);

	if (next == XL_STATE_COUNT) {
		xl_count(e, XL_C_ILLEGAL_EVENT);
		return false;
	}
	c->state = (u8)next;
	if (next != XL_STATE_CALLING && next != XL_STATE_ANSWERING)
		call_over(c);
	if (event == XL_EV_SHUTDOWN && next != XL_STATE_DEAD)
		queue_fin(e, c);
	if (next == before)
		return true;
	if (next == XL_STATE_OPEN)
		opened(e, c, before);
	if (next == XL_STATE_LINGER)
		lingering(e, c);
	if (next == XL_STATE_DEAD)
		xl_conn_quiet(e, c);
	if (event == XL_EV_FIN_RECEIVED)
		xl_conn_notify(e, c, XL_EVENT_READABLE);
	return true;
}

void xl_conn_end(struct xl_engine *e, struct xl_conn *c, u32 code, bool tell_peer)
{
	if (c->state == XL_STATE_DEAD)
		return;
	if (c->state == XL_STATE_ANSWERING && !c->initiator)
		e->half_open--;
	xl_conn_leave_listener(e, c);
	if (c->state != XL_STATE_LINGER) {
		xl_count(e, XL_C_CONNS_RESET);
		c->error = xl_wire_error_errno(code);
	}
	tell_peer = tell_peer && c->remote_id && c->state != XL_STATE_LINGER;
	c->state = XL_STATE_DEAD;
	call_over(c);
	xl_conn_quiet(e, c);
	c->abort_code = code;
	c->control = tell_peer ? XL_CTL_ABORT : 0;
	xl_conn_notify(e, c, XL_EVENT_CLOSED | XL_EVENT_READABLE | XL_EVENT_WRITABLE);
	xl_conn_rearm(e, c);
}

void xl_conn_orphan(const struct xl_engine *e, struct xl_conn *c)
{
	if (!c->owned && c->listener == XL_NONE && xl_state_joined(c->state) && c->state != XL_STATE_LINGER)
		c->linger_until_ns = e->now_ns + XL_ORPHAN_NS;
}

void xl_conn_disown(struct xl_engine *e, struct xl_conn *c)
{
	xl_conn_leave_listener(e, c);
	c->owned = false;
	xl_conn_orphan(e, c);
	if (c->is_event)
		xl_list_remove(&e->l_event, &e->events, xl_conn_index(e, c));
	c->is_event = false;
	c->event_bits = 0;
	xl_conn_activate(e, c);
}

bool xl_conn_reap(struct xl_engine *e, struct xl_conn *c)
{
	if (c->state != XL_STATE_DEAD || c->owned || c->listener != XL_NONE || c->control & XL_CTL_ABORT ||
	    c->call_time_ns != XL_NEVER)
		return false;
	xl_conn_free(e, c);
	return true;
}

void xl_conn_rearm(struct xl_engine *e, struct xl_conn *c)
{
	u64 when = xl_min(xl_min(c->ack_due_ns, c->call_time_ns), xl_min(c->linger_until_ns, c->partial_due_ns));

	when = xl_min(when, xl_min(c->large_in.due_ns, c->ring_ns));
	when = xl_min(when, xl_min(c->pace_due_ns, xl_min(c->persist_ns, xl_min(c->rest_ns, c->expire_ns))));
	xl_wheel_set(&e->wheel, xl_conn_index(e, c), xl_min(when, xl_probe_deadline(e, c)));
}

static void call_timeout(struct xl_engine *e, struct xl_conn *c)
{
	if (c->state == XL_STATE_DEAD) {
		c->call_time_ns = XL_NEVER;
		c->control |= XL_CTL_ABORT;
		xl_conn_activate(e, c);
		return;
	}
	/* A worker that stood still itself starts the clock anew: nobody failed to answer. */
	if (e->now_ns - xl_max(c->call.first_ns, e->leapt_ns) >= e->cfg.peer_death_ns) {
		xl_conn_end(e, c, XLANE_WIRE_PEER_DEAD, false);
		return;
	}
	c->control |= XL_CTL_HANDSHAKE;
	c->call.retry_ns = (u32)xl_min(2 * (u64)c->call.retry_ns, XL_CALL_RETRY_MAX_NS);
	c->call_time_ns = e->now_ns + c->call.retry_ns;
	xl_conn_activate(e, c);
}

void xl_conn_timeout(struct xl_engine *e, struct xl_conn *c)
{
	if (c->ack_due_ns <= e->now_ns)
		xl_ack_timeout(e, c);
	if (c->call_time_ns <= e->now_ns)
		call_timeout(e, c);
	if (c->partial_due_ns <= e->now_ns)
		xl_datagram_timeout(e, c);
	if (c->ring_ns <= e->now_ns) {
		c->ring_ns = XL_NEVER;
		xl_conn_activate(e, c);
	}
	if (c->pace_due_ns <= e->now_ns) {
		c->pace_due_ns = XL_NEVER;
		xl_conn_activate(e, c);
	}
	if (c->persist_ns <= e->now_ns)
		xl_persist_timeout(e, c);
	if (c->rest_ns <= e->now_ns)
		xl_window_rest(e, c);
	if (c->expire_ns <= e->now_ns)
		xl_queue_expire(e, c);
	if (c->large_in.due_ns <= e->now_ns)
		xl_grant_timeout(e, c);
	if (xl_state_joined(c->state))
		xl_probe_timeout(e, c);
	if (c->linger_until_ns <= e->now_ns) {
		c->linger_until_ns = XL_NEVER;
		if (c->state == XL_STATE_LINGER)
			xl_conn_event(e, c, XL_EV_LINGERED);
		else
			xl_conn_end(e, c, XLANE_WIRE_CANCELLED, true);
	}
	xl_conn_rearm(e, c);
}

int xl_wire_error_errno(u32 code)
{
	static const u8 table[] = {
		[XLANE_WIRE_NONE] = 0, [XLANE_WIRE_REFUSED] = ECONNREFUSED, [XLANE_WIRE_BACKLOG] = ECONNREFUSED,
		[XLANE_WIRE_UNKNOWN] = ECONNRESET, [XLANE_WIRE_STALE] = ECONNRESET,
		[XLANE_WIRE_PARAM] = EPROTONOSUPPORT, [XLANE_WIRE_KIND] = EPROTOTYPE, [XLANE_WIRE_PROTOCOL] = EPROTO,
		[XLANE_WIRE_RESOURCES] = ENOBUFS, [XLANE_WIRE_CANCELLED] = ECONNRESET,
		[XLANE_WIRE_TOO_LARGE] = EMSGSIZE, [XLANE_WIRE_PEER_DEAD] = EHOSTDOWN,
	};

	return code < XL_ARRAY_SIZE(table) ? -(int)table[code] : -EPROTO;
}
