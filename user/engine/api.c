/* SPDX-License-Identifier: BSD-2-Clause */
/* api.c - the program's side: listen, accept, connect, shutdown, close, figures. Data: send.c and recv.c. */
#include <errno.h>

#include "buckets.h"
#include "call.h"
#include "clock.h"
#include "conn.h"
#include "flow.h"
#include "peer.h"
#include "receive.h"
#include "rtt.h"

static bool kind_served(u8 kind) { return kind >= XLANE_KIND_STREAM && kind <= XLANE_KIND_DATAGRAM; }

int xl_engine_listen(struct xl_engine *e, u16 port, u8 kind, u32 backlog, u64 user)
{
	u32 at = 0;

	if (!kind_served(kind) || port == 0 || backlog == 0 || backlog > XLANE_BACKLOG_MAX)
		return -EINVAL;
	if (xl_map_get(&e->by_port, port) != XL_NONE)
		return -EADDRINUSE;
	while (at < XLANE_LISTENERS_MAX && e->listeners[at].used)
		at++;
	if (at == XLANE_LISTENERS_MAX)
		return -ENOSPC;
	xl_map_put(&e->by_port, port, at);
	e->listeners[at] = (struct xl_listener){ .user = user, .ready = XL_LIST_EMPTY, .backlog = backlog, .port = port,
						 .kind = kind, .used = true };
	return (int)at;
}

void xl_engine_unlisten(struct xl_engine *e, u32 listener, u64 now_ns)
{
	struct xl_listener *l = &e->listeners[listener];

	XL_ASSERT(listener < XLANE_LISTENERS_MAX && l->used);
	xl_clock(e, now_ns);
	for (u32 i = 0; i < e->cfg.conns_max && l->pending; i++) {
		struct xl_conn *c = &e->conns[i];

		if (c->state == XL_STATE_FREE || c->listener != listener)
			continue;
		if (c->state == XL_STATE_DEAD) /* it ended gracefully and was never looked at */
			xl_conn_disown(e, c);
		xl_conn_end(e, c, XLANE_WIRE_REFUSED, true);
	}
	if (l->is_event)
		xl_list_remove(&e->l_listener, &e->listener_events, listener);
	xl_map_del(&e->by_port, l->port);
	l->used = l->is_event = false;
}

int xl_engine_accept(struct xl_engine *e, u32 listener, u64 user, u32 *conn)
{
	struct xl_listener *l = &e->listeners[listener];
	struct xl_conn *c;
	u32 i;

	XL_ASSERT(listener < XLANE_LISTENERS_MAX && l->used);
	i = xl_list_pop(&e->l_accept, &l->ready);
	if (i == XL_NONE)
		return -EAGAIN;
	l->pending--;
	c = &e->conns[i];
	c->listener = XL_NONE;
	c->owned = true;
	c->user = user;
	if (xl_conn_readable(e, i) != -EAGAIN)
		xl_conn_notify(e, c, XL_EVENT_READABLE);
	if (c->ended_gracefully)
		xl_conn_notify(e, c, XL_EVENT_CLOSED);
	*conn = i;
	return 0;
}

/* A free ephemeral port for this path and destination, 0: none. */
static u16 ephemeral(struct xl_engine *e, const struct xl_path *path, u16 port)
{
	u32 range = XLANE_EPHEMERAL_PORT_LAST - XLANE_EPHEMERAL_PORT_FIRST + 1;

	for (u32 i = 0; i < range; i++) {
		u16 p = (u16)(XLANE_EPHEMERAL_PORT_FIRST + (e->next_port - XLANE_EPHEMERAL_PORT_FIRST + i) % range);
		u64 id = xl_call_id(path, p, port);

		if (xl_map_get(&e->by_call, id) != XL_NONE || !xl_bucket_served(e, id))
			continue;
		e->next_port = p == XLANE_EPHEMERAL_PORT_LAST ? XLANE_EPHEMERAL_PORT_FIRST : (u16)(p + 1);
		return p;
	}
	return 0;
}

int xl_engine_connect(struct xl_engine *e, const struct xl_connect *how, u64 now_ns, u32 *conn)
{
	u16 local = how->local_port;
	struct xl_peer *p;
	struct xl_conn *c;
	u64 id;

	xl_clock(e, now_ns);
	if (!kind_served(how->kind) || how->port == 0)
		return -EINVAL;
	if (!local && !(local = ephemeral(e, &how->path, how->port)))
		return -EADDRNOTAVAIL;
	id = xl_call_id(&how->path, local, how->port);
	if (!xl_bucket_served(e, id))
		return -EADDRNOTAVAIL;
	if (xl_map_get(&e->by_call, id) != XL_NONE)
		return -EADDRINUSE;
	p = xl_peer_take(e, 0, &how->path);
	if (!p)
		return -ENOSPC;
	c = xl_conn_take(e, how->kind, XL_STATE_CALLING, id);
	if (!c)
		return -ENOSPC;
	xl_peer_join(e, p, c);
	xl_map_put(&e->by_call, id, xl_conn_index(e, c));
	c->call_mapped = c->initiator = c->owned = true;
	c->local_port = local;
	c->remote_port = how->port;
	c->user = how->user;
	c->control = XL_CTL_HANDSHAKE;
	c->call_time_ns = e->now_ns + c->call.retry_ns;
	xl_conn_rearm(e, c);
	xl_conn_activate(e, c);
	*conn = xl_conn_index(e, c);
	return 0;
}

int xl_conn_shutdown(struct xl_engine *e, u32 conn, u64 now_ns)
{
	struct xl_conn *c = xl_conn_at(e, conn);

	xl_clock(e, now_ns);
	if (c->error)
		return c->error;
	if (!c->shut_wanted)
		xl_conn_event(e, c, XL_EV_SHUTDOWN);
	return 0;
}

void xl_conn_close(struct xl_engine *e, u32 conn, u64 now_ns)
{
	struct xl_conn *c = xl_conn_at(e, conn);

	xl_clock(e, now_ns);
	XL_ASSERT(c->owned);
	if (c->large_out.open) { /* nobody can give the rest of it any more */
		xl_conn_abort(e, conn, XLANE_WIRE_CANCELLED, now_ns);
		return;
	}
	xl_conn_disown(e, c);
	if (!c->shut_wanted && c->state != XL_STATE_DEAD)
		xl_conn_event(e, c, XL_EV_SHUTDOWN);
	if (xl_state_joined(c->state))
		xl_receive_ready(e, c, false); /* what the end waited for is not waited for any more */
	else
		xl_receive_discard(e, c);
	xl_conn_activate(e, c); /* output reaps it if it is over already */
}

void xl_conn_abort(struct xl_engine *e, u32 conn, enum xlane_wire_error error, u64 now_ns)
{
	struct xl_conn *c = xl_conn_at(e, conn);

	xl_clock(e, now_ns);
	XL_ASSERT(c->owned);
	xl_conn_disown(e, c);
	xl_conn_end(e, c, error, true);
	xl_conn_activate(e, c);
}

void xl_conn_info(const struct xl_engine *e, u32 conn, struct xl_conn_info *out)
{
	const struct xl_conn *c = xl_conn_at(e, conn);
	const struct xl_peer *p = xl_peer_of(e, c);
	u64 taken = c->seq_next + c->seq_queued;
	struct xl_cc cc = xl_flow_cc(e, c);

	*out = (struct xl_conn_info){
		.state = c->state, .kind = c->kind, .congestion = c->congestion + 1, .error = c->error, .local_port = c->local_port,
		.remote_port = c->remote_port, .local_id = c->local_id, .remote_id = c->remote_id, .peer_node = p->node,
		.path = p->path, .srtt_ns = c->rtt.srtt_ns, .rttvar_ns = c->rtt.rttvar_ns, .rtt_min_ns = c->rtt.min_ns,
		.rtt_latest_ns = c->rtt.latest_ns, .pto_ns = xl_rtt_pto(&c->rtt, c->peer_ack_delay_ns),
		.cwnd_bytes = cc.cwnd, .ssthresh_bytes = cc.ssthresh, .inflight_bytes = c->inflight,
		.bytes_sent = c->seq_next + c->seq_queued + c->other_bytes, .bytes_acked = c->seq_acked_bytes + c->other_done,
		.bytes_delivered = c->consumed, .packets_sent = c->packets_sent,
		.messages_sent = c->messages_sent, .max_packet = c->max_packet,
		.credit_bytes = c->credit_limit > taken ? c->credit_limit - taken : 0,
	};
	if (c->calling)
		return;
	out->bytes_received = c->bytes_received;
	out->packets_received = c->packets_received;
	out->packets_retransmitted = c->packets_again;
	out->packets_lost = c->packets_lost;
	out->packets_spurious = c->packets_spurious;
	out->ptos = c->ptos;
	out->messages_received = c->messages_received;
}
