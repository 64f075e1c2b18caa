/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * export.c - a connection as bytes: head, the connection, its sent packets, its frames with their buffers. Frames and
 * blocks are named by index and keep their contents: exporter and importer share the pools.
 */
#include <errno.h>

#include "clock.h"
#include "conn.h"
#include "peer.h"
#include "rbuf.h"
#include "txbuf.h"

#define MAGIC   0x786c636e /* "xlcn" */
#define VERSION 1

struct head {
	u32 magic, version, conn_bytes, sents, frames, buffers;
	u64 node, incarnation;
	struct xl_path path;
};

struct frame { u32 frame, pad; struct xl_txbuf meta; };

static const u8 list_states[] = { XL_TXBUF_QUEUED, XL_TXBUF_LOST, XL_TXBUF_SENT };

static struct xl_list *list_of(struct xl_conn *c, u8 state)
{
	return state == XL_TXBUF_QUEUED ? &c->queue : state == XL_TXBUF_LOST ? &c->again : &c->flight;
}

/* Frames of all buffers; false while the driver has one of them. */
static bool count_frames(const struct xl_engine *e, struct xl_conn *c, struct head *h)
{
	for (u32 k = 0; k < XL_ARRAY_SIZE(list_states); k++) {
		u32 tb = list_of(c, list_states[k])->head;

		for (; tb != XL_NONE; tb = xl_list_next(&e->l_tx, tb)) {
			if (e->txbufs[tb].in_ring)
				return false;
			h->frames += e->txbufs[tb].frames;
			h->buffers++;
		}
	}
	return true;
}

static u64 total(const struct head *h)
{
	return sizeof *h + sizeof(struct xl_conn) + (u64)h->sents * sizeof(struct xl_sent) +
	       (u64)h->frames * sizeof(struct frame);
}

static u8 *put(u8 *p, const void *data, size_t bytes)
{
	memcpy(p, data, bytes);
	return p + bytes;
}

static void put_frames(struct xl_engine *e, struct xl_conn *c, u8 *p)
{
	for (u32 k = 0; k < XL_ARRAY_SIZE(list_states); k++) {
		struct xl_list *l = list_of(c, list_states[k]);

		while (l->head != XL_NONE) {
			u32 tb = xl_list_pop(&e->l_tx, l);

			for (u32 f = tb; f != XL_NONE; f = e->txbufs[f].chain) {
				struct frame out = { .frame = f, .meta = e->txbufs[f] };

				p = put(p, &out, sizeof out);
			}
			e->tx_frames -= e->txbufs[tb].frames;
			e->txbufs[tb].state = XL_TXBUF_NONE;
		}
	}
}

s64 xl_conn_export(struct xl_engine *e, u32 conn, void *buf, u64 size)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	struct xl_peer *peer = xl_peer_of(e, c);
	struct head h = { .magic = MAGIC, .version = VERSION, .conn_bytes = sizeof *c, .sents = c->sent.count,
			  .node = peer->node, .incarnation = peer->incarnation, .path = peer->path };
	u8 *p = buf;

	if (!xl_state_joined(c->state) || c->listener != XL_NONE || !count_frames(e, c, &h))
		return -EBUSY;
	if (size < total(&h))
		return -ENOSPC;
	p = put(p, &h, sizeof h);
	p = put(p, c, sizeof *c);
	while (c->sent.head != XL_NONE) {
		u32 i = xl_list_pop(&e->l_sent, &c->sent);

		p = put(p, &e->sents[i], sizeof(struct xl_sent));
		xl_list_prepend(&e->l_sent, &e->sent_free, i);
	}
	put_frames(e, c, p);
	xl_conn_detach(e, c);
	return (s64)total(&h);
}

/* The bytes are of this version, whole, and name only what exists here. */
static bool plausible(const struct xl_engine *e, const struct head *h, const u8 *p, u64 bytes)
{
	if (h->magic != MAGIC || h->version != VERSION || h->conn_bytes != sizeof(struct xl_conn) ||
	    h->frames > e->frames->count || h->sents > e->nsents || bytes != total(h))
		return false;
	p += sizeof *h + sizeof(struct xl_conn) + (u64)h->sents * sizeof(struct xl_sent);
	for (u32 i = 0; i < h->frames; i++) {
		struct frame f;

		memcpy(&f, p + (u64)i * sizeof f, sizeof f);
		if (f.frame >= e->frames->count || f.meta.head >= e->frames->count || f.meta.in_ring ||
		    (f.meta.chain != XL_NONE && f.meta.chain >= e->frames->count))
			return false;
	}
	return true;
}

static const u8 *take_sents(struct xl_engine *e, struct xl_conn *c, u32 count, const u8 *p)
{
	c->sent = XL_LIST_EMPTY;
	for (; count; count--, p += sizeof(struct xl_sent)) {
		u32 i = xl_list_pop(&e->l_sent, &e->sent_free);

		memcpy(&e->sents[i], p, sizeof(struct xl_sent));
		xl_list_append(&e->l_sent, &c->sent, i);
	}
	return p;
}

static void take_frames(struct xl_engine *e, struct xl_conn *c, u32 count, const u8 *p)
{
	c->queue = c->again = c->flight = XL_LIST_EMPTY;
	for (; count; count--, p += sizeof(struct frame)) {
		struct frame f;

		memcpy(&f, p, sizeof f);
		e->txbufs[f.frame] = f.meta;
		if (f.meta.head != f.frame)
			continue;
		e->txbufs[f.frame].conn = xl_conn_index(e, c);
		e->tx_frames += f.meta.frames;
		xl_list_append(&e->l_tx, list_of(c, f.meta.state), f.frame);
	}
}

/* What the engine itself knows about the connection: maps, peer, timer, events. */
static void settle(struct xl_engine *e, struct xl_conn *c, struct xl_peer *peer, const struct head *h)
{
	u32 bits = c->event_bits, i = xl_conn_index(e, c);

	c->peer = XL_NONE;
	c->is_active = c->is_event = c->is_waiting = false;
	c->event_bits = 0;
	peer->incarnation = xl_max(peer->incarnation, h->incarnation);
	xl_peer_join(e, peer, c);
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
	xl_conn_activate(e, c);
	xl_conn_rearm(e, c);
	e->conns_used++;
	e->promised += xl_window_blocks(c->window);
}

int xl_conn_import(struct xl_engine *e, const void *buf, u64 bytes, u64 now_ns, u32 *conn)
{
	const u8 *p = buf;
	struct xl_peer *peer;
	struct xl_conn *c;
	struct head h;
	u32 i, window;
	u64 id;

	xl_clock(e, now_ns);
	if (bytes < sizeof h)
		return -EINVAL;
	memcpy(&h, p, sizeof h);
	if (!plausible(e, &h, p, bytes))
		return -EINVAL;
	memcpy(&window, p + sizeof h + offsetof(struct xl_conn, window), sizeof window);
	memcpy(&id, p + sizeof h + offsetof(struct xl_conn, local_id), sizeof id);
	if (xl_map_get(&e->by_local, id) != XL_NONE)
		return -EINVAL;
	if (h.frames > e->cfg.tx_frames_max - xl_min(e->tx_frames, e->cfg.tx_frames_max) ||
	    xl_window_blocks(window) > e->cfg.blocks - e->promised || e->sent_free.count < h.sents || !(peer = xl_peer_take(e, h.node, &h.path)))
		return -ENOSPC;
	i = xl_list_pop(&e->l_active, &e->conn_free);
	if (i == XL_NONE)
		return -ENOSPC;
	c = &e->conns[i];
	memcpy(c, p + sizeof h, sizeof *c);
	p = take_sents(e, c, h.sents, p + sizeof h + sizeof *c);
	take_frames(e, c, h.frames, p);
	settle(e, c, peer, &h);
	*conn = i;
	return 0;
}
