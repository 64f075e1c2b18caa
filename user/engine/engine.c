/* SPDX-License-Identifier: BSD-2-Clause */
/* engine.c - the engine as a whole: its memory, its clock, its timers, its events. */
#include <errno.h>

#include "buckets.h"
#include "clock.h"
#include "conn.h"
#include "flow.h"
#include "grant.h"
#include "peer.h"
#include "pmtu.h"
#include "txbuf.h"
#include "writers.h"

#define SENTS_PER_FRAME 4
#define SENTS_LEAST   64  /* with few frames and few connections */
#define TX_LARGE_PART 16  /* part of the frames for data that only large messages may take */

struct arena { u8 *base; size_t used; };

static void *carve(struct arena *a, size_t bytes)
{
	void *p = a->base ? a->base + a->used : NULL;

	a->used = (a->used + bytes + 63) & ~(size_t)63;
	return p;
}

struct parts {
	struct xl_engine *engine;
	void *conns, *peers, *txbufs, *sents, *flows, *blocks, *block_free, *block_state;
	void *local, *remote, *call, *node, *port, *ended, *wheel;
};

/* Each packet with data has a frame at least once until it is acknowledged; the others are packets of control, and what is
 * kept of lost ones. Who has none left waits: idle connections need none. */
static u32 sents_of(const struct xl_engine_config *c)
{
	return SENTS_PER_FRAME * c->frames->own + SENTS_LEAST + 2 * (u32)xl_min(c->conns_max, c->frames->own);
}

/* The one place that says how the memory is divided; with a NULL base it only measures. */
static struct parts divide(struct arena *a, const struct xl_engine_config *c)
{
	struct parts p;

	p.engine = carve(a, sizeof(struct xl_engine));
	p.conns = carve(a, sizeof(struct xl_conn) * c->conns_max);
	p.peers = carve(a, sizeof(struct xl_peer) * c->peers_max);
	p.txbufs = carve(a, sizeof(struct xl_txbuf) * c->frames->count);
	p.sents = carve(a, sizeof(struct xl_sent) * sents_of(c));
	p.flows = carve(a, sizeof(struct xl_flow) * xl_flow_count(c));
	p.block_free = carve(a, sizeof(u32) * c->blocks);
	p.block_state = carve(a, c->blocks);
	p.local = carve(a, xl_map_bytes(c->conns_max));
	p.remote = carve(a, xl_map_bytes(c->conns_max));
	p.call = carve(a, xl_map_bytes(c->conns_max));
	p.node = carve(a, xl_map_bytes(c->peers_max));
	p.port = carve(a, xl_map_bytes(XLANE_LISTENERS_MAX));
	p.ended = carve(a, xl_map_bytes(XL_ENDED_MAX));
	p.wheel = carve(a, xl_wheel_bytes(c->conns_max + c->peers_max));
	p.blocks = carve(a, (size_t)XLANE_BLOCK_BYTES * c->blocks);
	return p;
}

size_t xl_engine_bytes(const struct xl_engine_config *c)
{
	struct arena a = { 0 };

	divide(&a, c);
	return a.used;
}

static bool packet_ok(const struct xl_engine_config *c, u32 bytes)
{
	return bytes >= XLANE_MTU_MIN && bytes <= XLANE_MTU_MAX &&
	       c->segs_max * c->frames->frame_bytes >= XLANE_TX_HEADROOM_BYTES + bytes;
}

static bool valid(const struct xl_engine_config *c)
{
	u32 window = c->recv_window_bytes ? c->recv_window_bytes : XLANE_RECV_WINDOW_BYTES;

	return c->frames && c->frames->frame_bytes >= 2048 && c->node_id && c->conns_max &&
	       c->conns_max <= XLANE_CONNS_MAX && c->peers_max &&
	       c->blocks >= XLANE_BLOCKS_MIN && c->tx_frames_max &&
	       c->segs_max && c->segs_max <= XLANE_PACKET_SEGS_MAX && packet_ok(c, c->max_packet) &&
	       (c->workers ? c->worker < c->workers && c->workers <= XLANE_WORKERS_MAX : c->worker == 0) &&
	       c->congestion <= XL_CC_ALGORITHMS && window >= XLANE_RECV_WINDOW_MIN_BYTES && window <= XLANE_RECV_WINDOW_BYTES * 2;
}

static void set_defaults(struct xl_engine_config *c)
{
	c->recv_window_bytes = c->recv_window_bytes ? c->recv_window_bytes : XLANE_RECV_WINDOW_BYTES;
	c->send_buffer_bytes = c->send_buffer_bytes ? c->send_buffer_bytes : XLANE_SEND_BUFFER_BYTES;
	c->ack_delay_ns = c->ack_delay_ns ? c->ack_delay_ns : XL_ACK_DELAY_NS;
	c->keepalive_ns = c->keepalive_ns ? c->keepalive_ns : XL_KEEPALIVE_NS;
	c->peer_death_ns = c->peer_death_ns ? c->peer_death_ns : XL_PEER_DEATH_NS;
	c->peer_death_ns = xl_max(c->peer_death_ns, 2 * c->keepalive_ns);
	c->linger_ns_min = c->linger_ns_min ? c->linger_ns_min : XL_LINGER_NS_MIN;
	c->workers = c->workers ? c->workers : 1;
}

static void point_links(struct xl_engine *e)
{
#define LINKS(array, member, type) { (u8 *)(array) + offsetof(type, member), sizeof(type) }
	e->l_active = (struct xl_links)LINKS(e->conns, active, struct xl_conn);
	e->l_listener = (struct xl_links)LINKS(e->listeners, event, struct xl_listener);
	e->l_event = (struct xl_links)LINKS(e->conns, event, struct xl_conn);
	e->l_writer = (struct xl_links)LINKS(e->conns, waiting, struct xl_conn);
	e->l_accept = (struct xl_links)LINKS(e->conns, accept, struct xl_conn);
	e->l_of_peer = (struct xl_links)LINKS(e->conns, of_peer, struct xl_conn);
	e->l_large_class = (struct xl_links)LINKS(e->conns, large_class, struct xl_conn);
	e->l_large_age = (struct xl_links)LINKS(e->conns, large_age, struct xl_conn);
	e->l_backing = (struct xl_links)LINKS(e->conns, backing, struct xl_conn);
	e->l_tx = (struct xl_links)LINKS(e->txbufs, link, struct xl_txbuf);
	e->l_rank = (struct xl_links)LINKS(e->txbufs, rank, struct xl_txbuf);
	e->l_sent = (struct xl_links)LINKS(e->sents, link, struct xl_sent);
	e->l_flow = (struct xl_links)LINKS(e->flows, link, struct xl_flow);
	e->l_idle = (struct xl_links)LINKS(e->peers, idle, struct xl_peer);
}

static void fill_lists(struct xl_engine *e)
{
	e->conn_free = e->peer_free = e->peer_idle = e->sent_free = e->events = e->writers = XL_LIST_EMPTY;
	e->fresh = e->active = XL_LIST_EMPTY;
	e->listener_events = e->backing = e->flow_free = e->flow_rest = XL_LIST_EMPTY;
	for (u32 i = 0; i < XL_GRANT_CLASSES; i++)
		e->large_classes[i] = XL_LIST_EMPTY;
	e->large_ages = XL_LIST_EMPTY;
	for (u32 i = 0; i < e->cfg.conns_max; i++)
		xl_list_append(&e->l_active, &e->conn_free, i);
	for (u32 i = 0; i < e->cfg.peers_max; i++)
		xl_list_append(&e->l_idle, &e->peer_free, i);
	for (u32 i = 0; i < e->nsents; i++)
		xl_list_append(&e->l_sent, &e->sent_free, i);
	for (u32 i = 0; i < e->nflows; i++) {
		e->flows[i].conn = XL_NONE;
		xl_list_append(&e->l_flow, &e->flow_free, i);
	}
	for (u32 i = 0; i < e->cfg.blocks; i++)
		e->block_free[i] = e->cfg.blocks - 1 - i;
	e->nblock_free = e->cfg.blocks;
}

/* What is kept for large messages: receive memory, and frames to send them from. */
static void keep_for_large(struct xl_engine *e)
{
	u32 packet = (XLANE_TX_HEADROOM_BYTES + e->cfg.max_packet + e->frames->frame_bytes - 1) / e->frames->frame_bytes;
	u32 kept = (u32)xl_max(packet, e->cfg.tx_frames_max / TX_LARGE_PART);

	e->reserve = xl_grant_reserve(e->cfg.blocks);
	e->message_max = xl_grant_message_max(e->reserve);
	e->tx_frames_data = e->cfg.tx_frames_max - (kept < e->cfg.tx_frames_max / 2 ? kept : 0);
}

struct xl_engine *xl_engine_init(void *mem, const struct xl_engine_config *c, u64 now_ns)
{
	struct arena a = { .base = mem };
	struct xl_engine *e;
	struct parts p;

	if (!valid(c))
		return NULL;
	p = divide(&a, c);
	e = p.engine;
	e->cfg = *c;
	set_defaults(&e->cfg);
	e->frames = c->frames;
	xl_buckets_init(e);
	e->now_ns = now_ns;
	e->writers_ns = XL_NEVER;
	e->conns = p.conns;
	e->peers = p.peers;
	e->txbufs = p.txbufs;
	e->sents = p.sents;
	e->flows = p.flows;
	e->nflows = xl_flow_count(c);
	e->nsents = sents_of(c);
	e->sents_per_conn = e->nsents / 4;
	e->blocks = p.blocks;
	e->block_free = p.block_free;
	e->block_state = p.block_state;
	xl_prng_seed(&e->prng, c->seed);
	e->cookie_key[0] = xl_prng_u64(&e->prng);
	e->cookie_key[1] = xl_prng_u64(&e->prng);
	e->next_port = (u16)(XLANE_EPHEMERAL_PORT_FIRST + xl_prng_below(&e->prng, 16384));
	xl_map_init(&e->by_local, p.local, c->conns_max, xl_prng_u64(&e->prng));
	xl_map_init(&e->by_remote, p.remote, c->conns_max, xl_prng_u64(&e->prng));
	xl_map_init(&e->by_call, p.call, c->conns_max, xl_prng_u64(&e->prng));
	xl_map_init(&e->by_node, p.node, c->peers_max, xl_prng_u64(&e->prng));
	xl_map_init(&e->by_port, p.port, XLANE_LISTENERS_MAX, xl_prng_u64(&e->prng));
	xl_map_init(&e->ended, p.ended, XL_ENDED_MAX, xl_prng_u64(&e->prng));
	xl_wheel_init(&e->wheel, p.wheel, c->conns_max + c->peers_max, now_ns);
	point_links(e);
	fill_lists(e);
	keep_for_large(e);
	return e;
}

int xl_engine_set_max_packet(struct xl_engine *e, u32 bytes, u64 now_ns)
{
	xl_clock(e, now_ns);
	if (!packet_ok(&e->cfg, bytes))
		return -EINVAL;
	if (bytes == e->cfg.max_packet)
		return 0;
	e->cfg.max_packet = bytes;
	keep_for_large(e);
	e->frames_freed = true; /* as many as before may be enough now */
	for (u32 i = 0; i < e->cfg.peers_max; i++) {
		struct xl_peer *p = &e->peers[i];

		if (!p->used || !p->conns.count)
			continue;
		xl_pmtu_hurry(e, p);
		xl_peer_tell(e, p);
	}
	return 0;
}

/* The worker itself stood still: nobody is dead because we did not listen. */
static void forgive_peers(struct xl_engine *e)
{
	xl_count(e, XL_C_CLOCK_LEAP);
	e->leapt_ns = e->now_ns;
	for (u32 i = 0; i < e->cfg.peers_max; i++) {
		struct xl_peer *p = &e->peers[i];

		if (!p->used)
			continue;
		p->heard_ns = p->checked_ns = e->now_ns;
		p->asked_ns = 0;
		xl_peer_rearm(e, p);
	}
}

void xl_clock(struct xl_engine *e, u64 now_ns)
{
	u64 due;

	now_ns += e->behind_ns;
	if (now_ns < e->now_ns) {
		xl_count(e, XL_C_CLOCK_BACK);
		e->behind_ns += e->now_ns - now_ns;
		return;
	}
	due = xl_wheel_soon(&e->wheel);
	e->now_ns = now_ns;
	if (due != XL_NEVER && now_ns > due && now_ns - due > XL_CLOCK_LEAP_NS)
		forgive_peers(e);
}

void xl_engine_advance(struct xl_engine *e, u64 now_ns)
{
	u32 id;

	xl_clock(e, now_ns);
	while ((id = xl_wheel_expired(&e->wheel, e->now_ns)) != XL_NONE) {
		if (id >= e->cfg.conns_max)
			xl_peer_timeout(e, &e->peers[id - e->cfg.conns_max]);
		else
			xl_conn_timeout(e, &e->conns[id]);
	}
	xl_writers_wake(e);
}

u64 xl_engine_deadline(const struct xl_engine *e)
{
	u64 when = xl_min(xl_wheel_next(&e->wheel), e->writers_ns);

	if (e->frames_freed && e->writers.count)
		when = e->now_ns; /* by a call of the program, perhaps, after which nobody would look */
	else if (e->reply_count || xl_sched_next(e) != XL_NONE)
		when = e->starved ? xl_min(when, e->starved_until_ns) : e->now_ns;
	return when == XL_NEVER ? when : when - xl_min(when, e->behind_ns);
}

void xl_engine_completed(struct xl_engine *e, const u32 *frames, u32 n)
{
	for (u32 i = 0; i < n; i++)
		xl_txbuf_completed(e, frames[i]);
}

static u32 listener_events(struct xl_engine *e, struct xl_event *out, u32 max)
{
	u32 n = 0;

	while (n < max && e->listener_events.head != XL_NONE) {
		u32 i = xl_list_pop(&e->l_listener, &e->listener_events);
		struct xl_listener *l = &e->listeners[i];

		l->is_event = false;
		out[n++] = (struct xl_event){ .bits = XL_EVENT_ACCEPT, .index = i, .user = l->user };
	}
	return n;
}

u32 xl_engine_events(struct xl_engine *e, struct xl_event *out, u32 max)
{
	u32 n = listener_events(e, out, max);

	while (n < max) {
		u32 i = xl_list_pop(&e->l_event, &e->events);
		struct xl_conn *c;

		if (i == XL_NONE)
			break;
		c = &e->conns[i];
		c->is_event = false;
		out[n++] = (struct xl_event){ .bits = c->event_bits, .index = i, .user = c->user };
		c->event_bits = 0;
	}
	return n;
}

u32 xl_engine_conn_list(const struct xl_engine *e, u32 *at, u32 *conn, u32 max)
{
	u32 n = 0;

	for (; *at < e->cfg.conns_max && n < max; ++*at)
		if (e->conns[*at].state != XL_STATE_FREE)
			conn[n++] = *at;
	if (*at >= e->cfg.conns_max)
		*at = XL_NONE;
	return n;
}

u32 xl_engine_conns(const struct xl_engine *e) { return e->conns_used; }
const u64 *xl_engine_counters(const struct xl_engine *e) { return e->counters; }
