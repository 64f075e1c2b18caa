/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * export.c - a connection as bytes: head, the connection, its sent packets, its frames with their buffers. Frames and
 * blocks are named by index and keep their contents: exporter and importer share the pools. What was exported is marked as
 * away, so that only it can be imported, once. Import: import.c.
 */
#include "export.h"

#include <errno.h>

#include "blocks.h"
#include "conn.h"
#include "peer.h"
#include "recovery.h"
#include "txbuf.h"

struct xl_list *xl_export_list(struct xl_conn *c, u32 k)
{
	struct xl_list *const lists[XL_EXPORT_LISTS] = { &c->queue, &c->queue_large, &c->again, &c->flight };

	return lists[k];
}

/* Frames of all buffers; false while the driver has one of them. */
static bool count_frames(const struct xl_engine *e, struct xl_conn *c, struct xl_export *h)
{
	for (u32 k = 0; k < XL_EXPORT_LISTS; k++) {
		u32 tb = xl_export_list(c, k)->head;

		for (; tb != XL_NONE; tb = xl_list_next(&e->l_tx, tb)) {
			if (e->txbufs[tb].in_ring)
				return false;
			h->frames += e->txbufs[tb].frames;
		}
	}
	return true;
}

u64 xl_export_bytes(const struct xl_export *h)
{
	return sizeof *h + sizeof(struct xl_conn) + (u64)h->flows * sizeof(struct xl_flow) +
	       (u64)h->sents * sizeof(struct xl_sent) +
	       (u64)h->frames * sizeof(struct xl_export_frame);
}

static u8 *put(u8 *p, const void *data, size_t bytes)
{
	memcpy(p, data, bytes);
	return p + bytes;
}

/* What a packet carried and is acknowledged is not named: only this engine's generations tell it from what is in the same
 * frame now. */
static u8 *put_sents(const struct xl_engine *e, const struct xl_conn *c, const struct xl_list *l, u8 *p)
{
	for (u32 i = l->head; i != XL_NONE; i = xl_list_next(&e->l_sent, i)) {
		struct xl_sent out = e->sents[i];

		if (!xl_recovery_carried(e, c, &out))
			out.txbuf = XL_NONE;
		p = put(p, &out, sizeof out);
	}
	return p;
}

static u8 *put_buffer(const struct xl_engine *e, u32 tb, u8 *p)
{
	for (u32 f = tb; f != XL_NONE; f = e->txbufs[f].chain) {
		struct xl_export_frame out = { .frame = f };

		/* Of the frames behind the first only these two mean anything. */
		if (f == tb)
			out.meta = e->txbufs[f];
		out.meta.chain = e->txbufs[f].chain;
		out.meta.head = tb;
		p = put(p, &out, sizeof out);
	}
	return p;
}

bool xl_export_head(const struct xl_engine *e, struct xl_conn *c, struct xl_export *h)
{
	const struct xl_peer *peer = xl_peer_of(e, c);

	*h = (struct xl_export){ .magic = XL_EXPORT_MAGIC, .version = XL_EXPORT_VERSION, .conn_bytes = sizeof *c,
				 .sents = c->sent.count + c->lost.count, .flows = c->flow != XL_NONE, .node = peer->node,
				 .incarnation = peer->incarnation, .path = peer->path };
	return count_frames(e, c, h);
}

void xl_export_write(const struct xl_engine *e, struct xl_conn *c, const struct xl_export *h, u8 *p)
{
	p = put(p, h, sizeof *h);
	p = put(p, c, sizeof *c);
	if (h->flows)
		p = put(p, &e->flows[c->flow], sizeof(struct xl_flow));
	p = put_sents(e, c, &c->sent, p);
	p = put_sents(e, c, &c->lost, p);
	for (u32 k = 0; k < XL_EXPORT_LISTS; k++)
		for (u32 tb = xl_export_list(c, k)->head; tb != XL_NONE; tb = xl_list_next(&e->l_tx, tb))
			p = put_buffer(e, tb, p);
}

/* --- what stays, named by what was written ---------------------------------------------------------- */
static void give_sents(struct xl_engine *e, struct xl_list *l)
{
	while (l->head != XL_NONE)
		xl_list_prepend(&e->l_sent, &e->sent_free, xl_list_pop(&e->l_sent, l));
}

static void leave_frames(struct xl_engine *e, struct xl_conn *c)
{
	for (u32 k = 0; k < XL_EXPORT_LISTS; k++) {
		while (xl_export_list(c, k)->head != XL_NONE) {
			u32 tb = xl_list_pop(&e->l_tx, xl_export_list(c, k));

			e->tx_frames -= e->txbufs[tb].frames;
			for (u32 f = tb; f != XL_NONE; f = e->txbufs[f].chain) {
				e->txbufs[f].state = XL_TXBUF_NONE;
				e->txbufs[f].conn = XL_AWAY;
			}
			e->frames_freed = true; /* for others of this engine */
		}
	}
}

static bool mark_away(void *context, u32 block)
{
	struct xl_engine *e = context;

	e->block_state[block] = XL_BLOCK_AWAY;
	e->away++;
	return true;
}

s64 xl_conn_export(struct xl_engine *e, u32 conn, void *buf, u64 size)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	struct xl_export h;

	if (!xl_state_joined(c->state) || c->listener != XL_NONE || !xl_export_head(e, c, &h))
		return -EBUSY;
	if (size < xl_export_bytes(&h))
		return -ENOSPC;
	xl_export_write(e, c, &h, buf);
	give_sents(e, &c->sent);
	give_sents(e, &c->lost);
	leave_frames(e, c);
	xl_blocks_visit(e, c, mark_away, e);
	xl_conn_detach(e, c);
	return (s64)xl_export_bytes(&h);
}
