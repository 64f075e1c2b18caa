/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import.c - an exported connection comes back. Its bytes are not believed: only blocks and frames that are away are taken,
 * each once; then the connection must hold every invariant that the engine's own check asks of one. What does not is refused
 * and changes nothing.
 */
#include <errno.h>

#include "blocks.h"
#include "check.h"
#include "clock.h"
#include "conn.h"
#include "export.h"
#include "flow.h"
#include "grant.h"
#include "peer.h"
#include "pmtu.h"
#include "queue.h"
#include "rbuf.h"
#include "txbuf.h"
#include "window.h"

/* --- values that C itself does not allow ---------------------------------------------------------- */
#define FLAG(type, member) (u16)offsetof(type, member)

static const u16 conn_flags[] = { FLAG(struct xl_conn, large_out.open), FLAG(struct xl_conn, received.any) };
static const u16 flow_flags[] = { FLAG(struct xl_flow, cc.in_recovery), FLAG(struct xl_flow, cc.before.valid) };
static const u16 sent_flags[] = { FLAG(struct xl_sent, lost), FLAG(struct xl_sent, pad) };
static const u16 frame_flags[] = {
	FLAG(struct xl_export_frame, meta.acked), FLAG(struct xl_export_frame, meta.fin),
	FLAG(struct xl_export_frame, meta.sent_before), FLAG(struct xl_export_frame, meta.large_head),
};

static bool flags_ok(const u8 *p, const u16 *offset, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (p[offset[i]] > 1)
			return false;
	return true;
}

static bool bytes_ok(const struct xl_engine *e, const struct xl_export *h, const u8 *p, u64 bytes)
{
	if (h->magic != XL_EXPORT_MAGIC || h->version != XL_EXPORT_VERSION || h->conn_bytes != sizeof(struct xl_conn) ||
	    h->frames > e->frames->count || h->flows > 1 || h->sents > e->nsents || bytes != xl_export_bytes(h))
		return false;
	p += sizeof *h;
	if (!flags_ok(p, conn_flags, XL_ARRAY_SIZE(conn_flags)))
		return false;
	p += sizeof(struct xl_conn);
	for (u32 i = 0; i < h->flows; i++, p += sizeof(struct xl_flow))
		if (!flags_ok(p, flow_flags, XL_ARRAY_SIZE(flow_flags)))
			return false;
	for (u32 i = 0; i < h->sents; i++, p += sizeof(struct xl_sent))
		if (!flags_ok(p, sent_flags, XL_ARRAY_SIZE(sent_flags)))
			return false;
	for (u32 i = 0; i < h->frames; i++, p += sizeof(struct xl_export_frame))
		if (!flags_ok(p, frame_flags, XL_ARRAY_SIZE(frame_flags)))
			return false;
	return true;
}

/* --- frames ------------------------------------------------------------------------------------ */
static bool free_to_take(const struct xl_engine *e, const struct xl_export_frame *f, enum xl_frame_owner owner)
{
	return f->frame < e->frames->count && e->txbufs[f->frame].conn == XL_AWAY && e->frames->owner[f->frame] == owner;
}

/* What its lists, and whoever sends it, rely on. */
static bool buffer_ok(const struct xl_engine *e, const struct xl_conn *c, const struct xl_txbuf *t, u32 frame)
{
	return t->head == frame && t->frames <= e->cfg.segs_max && !t->in_ring && !t->acked &&
	       t->type < XL_TXBUF_TYPES && t->state >= XL_TXBUF_QUEUED && t->state <= XL_TXBUF_LOST && t->len &&
	       t->len <= XLANE_MTU_MAX && t->frames == xl_txbuf_frames(e, c, t->len) && t->seq_bytes < t->len &&
	       t->records <= XL_TXBUF_RECORDS_MAX && (t->state == XL_TXBUF_QUEUED || t->last_number < c->next_number);
}

/* One buffer of `left` entries at p: its frames are taken. How many; 0: they are not consistent, and none is taken. */
static u32 take_buffer(struct xl_engine *e, struct xl_conn *c, const u8 *p, u32 left)
{
	struct xl_export_frame head, f;
	enum xl_frame_owner owner;
	u32 n;

	memcpy(&head, p, sizeof head);
	owner = head.meta.state == XL_TXBUF_SENT ? XL_FRAME_INFLIGHT : XL_FRAME_QUEUED;
	if (!free_to_take(e, &head, owner) || !buffer_ok(e, c, &head.meta, head.frame) || head.meta.frames > left)
		return 0;
	f = head;
	for (n = 1; n < head.meta.frames; n++) {
		u32 chained = f.meta.chain;

		memcpy(&f, p + (u64)n * sizeof f, sizeof f);
		if (f.frame != chained || f.frame == head.frame || f.meta.head != head.frame || !free_to_take(e, &f, owner))
			return 0;
	}
	if (f.meta.chain != XL_NONE)
		return 0;
	for (u32 i = 0; i < n; i++) {
		memcpy(&f, p + (u64)i * sizeof f, sizeof f);
		/* Packets of other connections may still name what was in the frame before. */
		f.meta.generation = e->txbufs[f.frame].generation;
		e->txbufs[f.frame] = f.meta;
		e->txbufs[f.frame].conn = XL_NONE;
	}
	e->txbufs[head.frame].conn = xl_conn_index(e, c);
	e->tx_frames += n;
	if (head.meta.state == XL_TXBUF_QUEUED && head.meta.type != XL_TXBUF_LARGE)
		xl_queue_append(e, c, head.frame);
	else
		xl_list_append(&e->l_tx, xl_txbuf_list(c, &head.meta), head.frame);
	return n;
}

static void untake_frames(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_list *const lists[XL_EXPORT_LISTS] = { &c->queue, &c->queue_large, &c->again, &c->flight };

	for (u32 k = 0; k < XL_EXPORT_LISTS; k++) {
		while (lists[k]->head != XL_NONE) {
			u32 tb = xl_list_pop(&e->l_tx, lists[k]);

			e->tx_frames -= e->txbufs[tb].frames;
			for (u32 f = tb; f != XL_NONE; f = e->txbufs[f].chain) {
				e->txbufs[f].state = XL_TXBUF_NONE;
				e->txbufs[f].conn = XL_AWAY;
			}
		}
	}
}

static bool take_frames(struct xl_engine *e, struct xl_conn *c, const struct xl_export *h, const u8 *p)
{
	c->ranks = c->queue = c->queue_large = c->again = c->flight = XL_LIST_EMPTY;
	for (u32 done = 0, n; done < h->frames; done += n) {
		n = take_buffer(e, c, p + (u64)done * sizeof(struct xl_export_frame), h->frames - done);
		if (!n)
			return false;
	}
	return true;
}

/* --- sent packets ------------------------------------------------------------------------------- */
static void take_sents(struct xl_engine *e, struct xl_conn *c, const struct xl_export *h, const u8 *p)
{
	c->sent = c->lost = XL_LIST_EMPTY;
	for (u32 n = h->sents; n; n--, p += sizeof(struct xl_sent)) {
		u32 i = xl_list_pop(&e->l_sent, &e->sent_free);
		struct xl_sent *s = &e->sents[i];

		memcpy(s, p, sizeof *s);
		/* Only buffers that came along are named. This engine counts the generations of its frames otherwise. */
		if (s->txbuf >= e->frames->count || e->txbufs[s->txbuf].conn != xl_conn_index(e, c) ||
		    e->txbufs[s->txbuf].state == XL_TXBUF_QUEUED)
			s->txbuf = XL_NONE;
		else
			s->generation = e->txbufs[s->txbuf].generation;
		xl_list_append(&e->l_sent, s->lost ? &c->lost : &c->sent, i);
	}
}

static void untake_sents(struct xl_engine *e, struct xl_conn *c)
{
	while (c->sent.head != XL_NONE)
		xl_list_prepend(&e->l_sent, &e->sent_free, xl_list_pop(&e->l_sent, &c->sent));
	while (c->lost.head != XL_NONE)
		xl_list_prepend(&e->l_sent, &e->sent_free, xl_list_pop(&e->l_sent, &c->lost));
}

/* --- blocks -------------------------------------------------------------------------------------- */
struct taking { struct xl_engine *e; u32 n; };

static bool take_block(void *context, u32 block)
{
	struct taking *t = context;

	if (block >= t->e->cfg.blocks || t->e->block_state[block] != XL_BLOCK_AWAY)
		return false;
	t->e->block_state[block] = XL_BLOCK_TAKEN;
	t->e->away--;
	t->n++;
	return true;
}

static bool untake_block(void *context, u32 block)
{
	struct taking *t = context;

	if (t->n == 0)
		return false;
	t->e->block_state[block] = XL_BLOCK_AWAY;
	t->e->away++;
	t->n--;
	return true;
}

/* --- the connection ------------------------------------------------------------------------------ */
/* What it owes to a peer can be sent, and it waits for something. */
static bool timers_ok(const struct xl_conn *c)
{
	return (c->call_time_ns == XL_NEVER) == !c->calling &&
	       (c->state != XL_STATE_LINGER || c->linger_until_ns != XL_NEVER) &&
	       (!c->ack_pending || c->ack_now || c->ack_due_ns != XL_NEVER) &&
	       (!(c->ack_pending || c->ack_now) || c->received.any);
}

static bool flow_ok(const struct xl_conn *c, const struct xl_flow *f)
{
	return f->cc.algorithm == c->congestion && f->cc.packet_bytes >= XLANE_MTU_MIN &&
	       f->cc.packet_bytes <= XLANE_MTU_MAX && f->cc.cwnd <= XL_CC_WINDOW_MAX &&
	       f->cc.cwnd >= (f->cc.algorithm == XL_CC_DELAY ? f->cc.packet_bytes / XL_CC_LEAST_PARTS :
			      xl_max(f->cc.packet_bytes, c->max_packet));
}

static bool window_ok(const struct xl_conn *c)
{
	return c->congestion < XL_CC_ALGORITHMS && c->window >= XLANE_RECV_WINDOW_MIN_BYTES &&
	       c->window <= 2 * XLANE_RECV_WINDOW_BYTES && c->persist_count <= XL_PERSIST_BACKOFF_MAX;
}

static bool large_ok(const struct xl_large_in *l)
{
	return l->bytes <= XLANE_MESSAGE_MAX_BYTES && l->reserved <= xl_grant_blocks(l->bytes) &&
	       (l->state != XL_LARGE_WAITING || l->bytes);
}

static bool is_half(const struct xl_conn *c)
{
	return c->state == XL_STATE_CALLING || c->state == XL_STATE_ANSWERING;
}

/* Which of them called, and who waits for it: its program, or the queue of a listener. */
static bool half_ok(const struct xl_conn *c)
{
	bool called = c->initiator && c->call_mapped && c->listener == XL_NONE;
	bool was_called = !c->initiator && !c->owned && c->listener != XL_NONE;

	return c->calling && c->call.retry_ns && c->call.retry_ns <= XL_CALL_RETRY_MAX_NS &&
	       (c->state == XL_STATE_CALLING ? called && !c->remote_key :
		c->remote_id && c->remote_key && (called || was_called));
}

/* What the checks do not cover: the engine's own fields, and what may be told to a peer. */
static bool fields_ok(const struct xl_engine *e, const struct xl_conn *c, bool packed)
{
	bool half = packed && is_half(c);
	u8 control = XL_CTL_CREDIT | XL_CTL_PING | XL_CTL_BLOCKED | XL_CTL_PROBE | XL_CTL_GRANT |
		     XL_CTL_MAX_PACKET | (half ? XL_CTL_HANDSHAKE : 0);

	return (half ? half_ok(c) : xl_state_joined(c->state) && !c->calling && c->remote_id) &&
	       c->kind >= XLANE_KIND_STREAM && c->kind <= XLANE_KIND_DATAGRAM &&
	       (c->listener == XL_NONE || (packed && !c->owned)) && c->local_id && !(c->control & ~control) && !c->error &&
	       !c->abort_tries && c->max_packet >= XLANE_MTU_MIN && c->max_packet <= XLANE_MTU_MAX &&
	       c->peer_packet >= XLANE_MTU_MIN && c->pad <= XLANE_MTU_MAX &&
	       c->send_buffer <= e->cfg.send_buffer_bytes && c->message_max <= XLANE_MESSAGE_MAX_BYTES &&
	       c->deadline_ns <= XL_EXPIRE_NS_MAX &&
	       c->first_number <= c->next_number &&
	       (c->largest_acked == XL_NONE64 || c->largest_acked < c->next_number) &&
	       c->ack_every >= XL_ACK_EVERY && c->ack_every <= XL_ACK_EVERY_MAX && c->reorder_packets >= XL_REORDER_PACKETS &&
	       c->reorder_packets <= XL_REORDER_PACKETS_MAX && c->reorder_quarters <= XL_REORDER_QUARTERS_MAX &&
	       timers_ok(c) && window_ok(c) && large_ok(&c->large_in);
}

/* In whose queue it waits here. XL_NONE: nobody listens on its port, or the queue is full. */
static u32 queue_of(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 i = xl_map_get(&e->by_port, c->local_port);
	const struct xl_listener *l = i == XL_NONE ? NULL : &e->listeners[i];

	return l && l->kind == c->kind && l->pending < l->backlog ? i : XL_NONE;
}

static bool unknown_yet(const struct xl_engine *e, const struct xl_conn *c, const struct xl_export *h)
{
	return xl_map_get(&e->by_local, c->local_id) == XL_NONE &&
	       (!c->call_mapped || (c->call_id && xl_map_get(&e->by_call, c->call_id) == XL_NONE)) &&
	       (!c->remote_key || xl_map_get(&e->by_remote, xl_remote_key(e, h->node, c->remote_id)) == XL_NONE);
}

static bool there_is_room(const struct xl_engine *e, const struct xl_conn *c, const struct xl_export *h)
{
	return h->frames <= e->frames->own - xl_min(e->tx_frames, e->frames->own) &&
	       e->sent_free.count >= h->sents &&
	       (c->listener == XL_NONE || queue_of(e, c) != XL_NONE) &&
	       (c->large_in.state != XL_LARGE_GRANTED || e->grants < XLANE_GRANTS_MAX);
}

/* Others may have been promised what the connection could come to need besides the blocks it has. */
static bool memory_is_there(const struct xl_engine *e, const struct xl_conn *c)
{
	return (u64)c->promised + c->large_in.reserved <= e->cfg.blocks - e->promised - e->granted - e->away;
}

/* `flow`: what it knew of its way, or NULL. What is here of others that are at rest for longest may have to go for it. */
static void settle_flow(struct xl_engine *e, struct xl_conn *c, const struct xl_flow *flow)
{
	struct xl_flow *f;

	if (c->buffered) {
		e->holders++;
		xl_flow_hold(e, c);
	}
	if (!flow)
		return;
	f = xl_flow_need(e, c);
	f->cc = flow->cc;
	f->skip_at = flow->skip_at;
	f->skips = flow->skips;
	memcpy(f->skipped, flow->skipped, sizeof f->skipped);
	f->run_start_ns = flow->run_start_ns;
	f->run_order = flow->run_order;
	f->episode_order = flow->episode_order;
	f->episode_lost = flow->episode_lost;
	if (f->cc.packet_bytes != c->max_packet) /* it changed meanwhile */
		xl_cc_of(&f->cc)->resize(&f->cc, c->max_packet);
}

static void settle_queue(struct xl_engine *e, struct xl_conn *c)
{
	e->half_open += c->state == XL_STATE_ANSWERING && !c->initiator;
	if (c->listener == XL_NONE)
		return;
	c->listener = queue_of(e, c);
	e->listeners[c->listener].pending++;
	if (is_half(c))
		return;
	xl_list_append(&e->l_accept, &e->listeners[c->listener].ready, xl_conn_index(e, c));
	xl_listener_notify(e, c->listener);
}

/* What the engine itself knows about the connection: maps, peer, timer, events. */
static void settle(struct xl_engine *e, struct xl_conn *c, struct xl_peer *peer, const struct xl_export *h,
		   const struct xl_flow *flow)
{
	u32 bits = c->event_bits, i = xl_conn_index(e, c);

	c->peer = XL_NONE;
	c->is_active = c->is_event = c->is_waiting = c->is_fresh = c->is_held = false;
	c->pace_due_ns = XL_NEVER;
	c->event_bits = 0;
	xl_peer_join(e, peer, c);
	xl_pmtu_refresh(e, c);
	xl_map_put(&e->by_local, c->local_id, i);
	if (c->remote_key) {
		c->remote_key = xl_remote_key(e, h->node, c->remote_id);
		xl_map_put(&e->by_remote, c->remote_key, i);
	}
	if (c->call_mapped)
		xl_map_put(&e->by_call, c->call_id, i);
	if (bits & XL_EVENT_CLOSED)
		c->closed_told = false; /* it was still on its way */
	if (bits)
		xl_conn_notify(e, c, bits);
	if (c->want_write)
		xl_conn_want_write(e, c);
	if (c->want_large)
		xl_conn_want_large(e, c);
	e->conns_used++;
	settle_queue(e, c);
	settle_flow(e, c, flow);
	xl_window_join(e, c);
	xl_grant_join(e, c);
	xl_grant_serve(e);
	xl_conn_activate(e, c);
	xl_conn_rearm(e, c);
}

/* Frames, sent packets and blocks for c, which is a copy of what came; all or nothing. */
static int take(struct xl_engine *e, struct xl_conn *c, const struct xl_export *h, const u8 *p)
{
	const u8 *frames = p + (u64)h->sents * sizeof(struct xl_sent);
	struct taking t = { .e = e };
	bool ok = take_frames(e, c, h, frames);

	take_sents(e, c, h, p);
	ok = ok && xl_blocks_visit(e, c, take_block, &t) && !xl_check_sending(e, c) && !xl_check_receiving(e, c);
	if (ok)
		return 0;
	xl_blocks_visit(e, c, untake_block, &t);
	untake_sents(e, c);
	untake_frames(e, c);
	return -EINVAL;
}

int xl_conn_import(struct xl_engine *e, const void *buf, u64 bytes, u64 now_ns, u32 *conn)
{
	return xl_import(e, buf, bytes, now_ns, false, conn);
}

int xl_import(struct xl_engine *e, const void *buf, u64 bytes, u64 now_ns, bool packed, u32 *conn)
{
	const u8 *p = buf;
	struct xl_peer *peer;
	struct xl_export h;
	struct xl_flow flow;
	struct xl_conn *c;
	int error;
	u32 i;

	xl_clock(e, now_ns);
	if (bytes < sizeof h)
		return -EINVAL;
	memcpy(&h, p, sizeof h);
	if (!bytes_ok(e, &h, p, bytes))
		return -EINVAL;
	i = xl_list_pop(&e->l_active, &e->conn_free);
	if (i == XL_NONE)
		return -ENOSPC;
	c = &e->conns[i];
	p += sizeof h;
	memcpy(c, p, sizeof *c);
	p += sizeof *c;
	c->flow = XL_NONE;
	if (h.flows)
		memcpy(&flow, p, sizeof flow);
	p += h.flows * sizeof flow;
	error = !fields_ok(e, c, packed) || (h.flows && !flow_ok(c, &flow)) ? -EINVAL :
		!unknown_yet(e, c, &h) ? (packed ? -EEXIST : -EINVAL) :
		!there_is_room(e, c, &h) ? -ENOSPC : 0;
	if (!error)
		error = take(e, c, &h, p);
	if (error)
		goto refused;
	peer = memory_is_there(e, c) ? xl_peer_take(e, h.node, &h.path) : NULL;
	if (!peer) {
		error = -ENOSPC;
		goto give_back;
	}
	if (!packed)
		peer->incarnation = xl_max(peer->incarnation, h.incarnation);
	settle(e, c, peer, &h, h.flows ? &flow : NULL);
	if (packed && h.incarnation)
		xl_peer_incarnation(e, peer, h.incarnation); /* perhaps it is known here only now that the peer began anew */
	*conn = i;
	return 0;

give_back:
	xl_blocks_visit(e, c, untake_block, &(struct taking){ .e = e, .n = e->cfg.blocks });
	untake_sents(e, c);
	untake_frames(e, c);
refused:
	c->state = XL_STATE_FREE;
	xl_list_prepend(&e->l_active, &e->conn_free, i);
	return error;
}
