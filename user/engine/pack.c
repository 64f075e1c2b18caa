/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pack.c - a connection as bytes for an engine that shares no memory with this one: a head, what an export writes, the
 * contents of its blocks in the order in which blocks.h visits them, the records of its buffers in the order of their
 * entries. The names of memory in it say only what belongs to what: whoever takes it gives each block and each frame one of
 * its own, by their order, and then it is an export of its own frames and blocks that are away (import.c). The checksum
 * stands for what nothing can check, the bytes of programs.
 */
#include <errno.h>

#include "../base/crc32c.h"
#include "blocks.h"
#include "clock.h"
#include "conn.h"
#include "datagram.h"
#include "export.h"
#include "peer.h"
#include "pmtu.h"
#include "queue.h"
#include "rbuf.h"
#include "txbuf.h"

#define PACK_MAGIC 0x786c706b /* "xlpk" */

struct pack {
	u32 magic, crc;          /* of all that follows these two */
	u64 exported;            /* bytes of the export */
	u64 now_ns;              /* what its times count from */
	u32 blocks, mtu;         /* blocks of receive memory; what the path to the peer takes */
};

/* --- writing ----------------------------------------------------------------------------------- */
struct put { const struct xl_engine *e; u8 *at; u32 n; };

static bool count_block(void *context, u32 block)
{
	(void)block;
	++((struct put *)context)->n;
	return true;
}

static bool put_block(void *context, u32 block)
{
	struct put *p = context;

	memcpy(p->at, xl_block_ptr(p->e, block), XLANE_BLOCK_BYTES);
	p->at += XLANE_BLOCK_BYTES;
	return true;
}

static u64 record_bytes(const struct xl_engine *e, struct xl_conn *c)
{
	u64 bytes = 0;

	for (u32 k = 0; k < XL_EXPORT_LISTS; k++)
		for (u32 tb = xl_export_list(c, k)->head; tb != XL_NONE; tb = xl_list_next(&e->l_tx, tb))
			bytes += e->txbufs[tb].len;
	return bytes;
}

static bool begin(struct xl_engine *e, struct xl_conn *c, struct pack *h, struct xl_export *x, u64 *bytes)
{
	struct put p = { .e = e };
	bool back = xl_export_head(e, c, x);

	xl_blocks_visit(e, c, count_block, &p);
	*h = (struct pack){ .magic = PACK_MAGIC, .exported = xl_export_bytes(x), .now_ns = e->now_ns, .blocks = p.n,
			    .mtu = xl_peer_of(e, c)->pmtu.packet };
	*bytes = sizeof *h + h->exported + (u64)p.n * XLANE_BLOCK_BYTES + record_bytes(e, c);
	return back;
}

u64 xl_conn_pack_bytes(struct xl_engine *e, u32 conn)
{
	struct xl_export x;
	struct pack h;
	u64 bytes;

	begin(e, xl_conn_at(e, conn), &h, &x, &bytes);
	return bytes;
}

/* Sent packets name their buffers by place among the frames. */
static void place_sents(struct xl_engine *e, struct xl_conn *c, u8 *p, u32 n)
{
	u32 place = 0;

	for (u32 k = 0; k < XL_EXPORT_LISTS; k++) {
		for (u32 tb = xl_export_list(c, k)->head; tb != XL_NONE; tb = xl_list_next(&e->l_tx, tb)) {
			e->txbufs[tb].place = place;
			place += e->txbufs[tb].frames;
		}
	}
	for (struct xl_sent s; n; n--, p += sizeof s) {
		memcpy(&s, p, sizeof s);
		if (s.txbuf != XL_NONE)
			s.txbuf = e->txbufs[s.txbuf].place;
		memcpy(p, &s, sizeof s);
	}
}

static void put_records(struct xl_engine *e, struct xl_conn *c, u8 *p)
{
	for (u32 k = 0; k < XL_EXPORT_LISTS; k++) {
		for (u32 tb = xl_export_list(c, k)->head; tb != XL_NONE; tb = xl_list_next(&e->l_tx, tb)) {
			xl_txbuf_read(e, tb, XLANE_TX_HEADROOM_BYTES, p, e->txbufs[tb].len);
			p += e->txbufs[tb].len;
		}
	}
}

static u32 sum(const u8 *p, u64 bytes)
{
	u32 skip = offsetof(struct pack, exported);

	return xl_crc32c(0, p + skip, bytes - skip);
}

s64 xl_conn_pack(struct xl_engine *e, u32 conn, void *buf, u64 size)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	struct put p = { .e = e, .at = buf };
	struct xl_export x;
	struct pack h;
	u64 bytes;

	if (c->state == XL_STATE_DEAD)
		return 0;
	if (!begin(e, c, &h, &x, &bytes))
		return -EBUSY;
	if (size < bytes)
		return -ENOSPC;
	p.at += sizeof h;
	xl_export_write(e, c, &x, p.at);
	place_sents(e, c, p.at + sizeof x + sizeof *c + (u64)x.flows * sizeof(struct xl_flow), x.sents);
	p.at += h.exported;
	xl_blocks_visit(e, c, put_block, &p);
	put_records(e, c, p.at);
	memcpy(buf, &h, sizeof h);
	h.crc = sum(buf, bytes);
	memcpy(buf, &h, sizeof h);
	return (s64)bytes;
}

void xl_conn_forget(struct xl_engine *e, u32 conn)
{
	struct xl_conn *c = xl_conn_at(e, conn);

	e->half_open -= c->state == XL_STATE_ANSWERING && !c->initiator;
	xl_conn_leave_listener(e, c);
	c->ended_gracefully = false; /* that is known where it goes */
	xl_conn_free(e, c);
}

/* --- times: those of the other engine's clock become this one's ----------------------------------- */
#define TIME(type, member) (u16)offsetof(type, member)

static const u16 conn_times[] = {
	TIME(struct xl_conn, ack_due_ns), TIME(struct xl_conn, largest_time_ns), TIME(struct xl_conn, last_eliciting_ns),
	TIME(struct xl_conn, loss_time_ns), TIME(struct xl_conn, ring_ns), TIME(struct xl_conn, pace_due_ns),
	TIME(struct xl_conn, persist_ns), TIME(struct xl_conn, expire_ns), TIME(struct xl_conn, partial_due_ns),
	TIME(struct xl_conn, pace_since_ns), TIME(struct xl_conn, grown_ns), TIME(struct xl_conn, data_ns),
	TIME(struct xl_conn, rest_ns), TIME(struct xl_conn, large_in.due_ns), TIME(struct xl_conn, stalled_ns),
	TIME(struct xl_conn, call_time_ns), TIME(struct xl_conn, linger_until_ns),
};
static const u16 call_times[] = { TIME(struct xl_conn, call.first_ns) };
static const u16 flow_times[] = {
	TIME(struct xl_flow, run_start_ns), TIME(struct xl_flow, cc.recovery_start_ns),
};
static const u16 cubic_times[] = { TIME(struct xl_flow, cc.cubic.epoch_ns), TIME(struct xl_flow, cc.cubic.last_ns) };
static const u16 delay_times[] = {
	TIME(struct xl_flow, cc.delay.base_due_ns), TIME(struct xl_flow, cc.delay.round_ns),
	TIME(struct xl_flow, cc.delay.drain_ns),
};
static const u16 sent_times[] = { TIME(struct xl_sent, time_ns) };
static const u16 frame_times[] = { TIME(struct xl_export_frame, meta.due_ns) };

/* 0 and XL_NEVER are no times; no time becomes one of them. */
static void shift_one(u8 *p, u64 by)
{
	u64 t;

	memcpy(&t, p, sizeof t);
	if (t == 0 || t == XL_NEVER)
		return;
	t += by;
	t = t == 0 ? 1 : t == XL_NEVER ? XL_NEVER - 1 : t;
	memcpy(p, &t, sizeof t);
}

static void shift_all(u8 *p, const u16 *offset, u32 n, u64 by)
{
	for (u32 i = 0; i < n; i++)
		shift_one(p + offset[i], by);
}
#define SHIFT(p, times) shift_all(p, times, XL_ARRAY_SIZE(times), by)

static void shift_conn(u8 *p, u64 by)
{
	struct xl_conn c;

	SHIFT(p, conn_times);
	memcpy(&c, p, sizeof c);
	if (c.calling)
		SHIFT(p, call_times);
	if (c.rtt.sampled)
		c.rtt.since_ns += by;
	memcpy(p + offsetof(struct xl_conn, rtt), &c.rtt, sizeof c.rtt);
}

static void shift_flow(u8 *p, u64 by)
{
	u8 algorithm = p[offsetof(struct xl_flow, cc.algorithm)];

	SHIFT(p, flow_times);
	if (algorithm == XL_CC_CUBIC)
		SHIFT(p, cubic_times);
	if (algorithm == XL_CC_DELAY)
		SHIFT(p, delay_times);
}

static void shift_partials(struct xl_engine *e, const struct xl_conn *c, u64 by)
{
	for (struct xl_partial *p = NULL; (p = xl_partial_next(e, c, p));)
		shift_one((u8 *)&p->since_ns, by);
}

/* --- reading ------------------------------------------------------------------------------------- */
struct unpack {
	struct xl_engine *e;
	struct pack h;
	struct xl_export x;
	struct xl_conn c;
	u8 *exported, *conn, *sents, *frames, *blocks, *records;
	u32 at;                  /* blocks named so far */
	u32 *block;              /* those taken, as many as there are: they lie above what is left of the free ones */
};

/* Each entry of a buffer's first frame says how many follow; its records lie behind those of the one before. */
static bool records_ok(const struct unpack *u, u64 bytes)
{
	struct xl_export_frame f;
	u64 sum = 0;

	for (u32 i = 0; i < u->x.frames; i += f.meta.frames) {
		memcpy(&f, u->frames + (u64)i * sizeof f, sizeof f);
		if (!f.meta.frames || f.meta.frames > u->x.frames - i || f.meta.len > XLANE_MTU_MAX ||
		    XLANE_TX_HEADROOM_BYTES + f.meta.len > f.meta.frames * u->e->frames->frame_bytes)
			return false;
		sum += f.meta.len;
	}
	return sum == bytes;
}

static bool open_pack(struct unpack *u, u8 *p, u64 bytes)
{
	u64 rest;

	if (bytes < sizeof u->h + sizeof u->x + sizeof u->c)
		return false;
	memcpy(&u->h, p, sizeof u->h);
	memcpy(&u->x, p + sizeof u->h, sizeof u->x);
	rest = bytes - sizeof u->h;
	if (u->h.magic != PACK_MAGIC || u->h.crc != sum(p, bytes) || u->x.flows > 1 || u->h.exported > rest ||
	    u->h.exported != xl_export_bytes(&u->x) || u->h.mtu < XLANE_MTU_MIN || u->h.mtu > XLANE_MTU_MAX)
		return false;
	rest -= u->h.exported;
	if (u->h.blocks > rest / XLANE_BLOCK_BYTES)
		return false;
	rest -= (u64)u->h.blocks * XLANE_BLOCK_BYTES;
	u->exported = p + sizeof u->h;
	u->conn = u->exported + sizeof u->x;
	u->sents = u->conn + sizeof u->c + (u64)u->x.flows * sizeof(struct xl_flow);
	u->frames = u->sents + (u64)u->x.sents * sizeof(struct xl_sent);
	u->blocks = u->exported + u->h.exported;
	u->records = u->blocks + (u64)u->h.blocks * XLANE_BLOCK_BYTES;
	memcpy(&u->c, u->conn, sizeof u->c);
	return records_ok(u, rest);
}

static bool there_is_room(const struct unpack *u)
{
	const struct xl_engine *e = u->e;

	return e->conn_free.count && u->x.frames <= xl_txbuf_frames_free(e, XL_TXBUF_LARGE) &&
	       u->h.blocks <= e->cfg.blocks - e->promised - e->granted - e->away;
}

/* --- blocks */
static void take_blocks(struct unpack *u)
{
	struct xl_engine *e = u->e;

	e->nblock_free -= u->h.blocks;
	e->away += u->h.blocks;
	u->block = &e->block_free[e->nblock_free]; /* until anybody gives one back */
	for (u32 i = 0; i < u->h.blocks; i++) {
		e->block_state[u->block[i]] = XL_BLOCK_AWAY;
		memcpy(xl_block_ptr(e, u->block[i]), u->blocks + (u64)i * XLANE_BLOCK_BYTES, XLANE_BLOCK_BYTES);
	}
}

static void give_blocks(struct unpack *u)
{
	struct xl_engine *e = u->e;

	for (u32 i = 0; i < u->h.blocks; i++)
		e->block_state[e->block_free[e->nblock_free + i]] = XL_BLOCK_FREE;
	e->nblock_free += u->h.blocks;
	e->away -= u->h.blocks;
}

static bool name_block(void *context, u32 *block)
{
	struct unpack *u = context;

	if (u->at == u->h.blocks)
		return false;
	*block = u->block[u->at++];
	return true;
}

/* --- frames */
static u32 frame_at(const struct unpack *u, u32 place)
{
	u32 frame;

	memcpy(&frame, u->frames + (u64)place * sizeof(struct xl_export_frame), sizeof frame);
	return frame;
}

/* A frame for each entry, named in it; the entries of a buffer name each other. */
static void take_buffer(struct unpack *u, u32 place, const struct xl_txbuf *meta, u8 *records)
{
	enum xl_frame_owner owner = meta->state == XL_TXBUF_SENT ? XL_FRAME_INFLIGHT : XL_FRAME_QUEUED;
	u32 head = frame_at(u, place);

	for (u32 k = 0; k < meta->frames; k++) {
		u8 *at = u->frames + (u64)(place + k) * sizeof(struct xl_export_frame);
		struct xl_txbuf *t = &u->e->txbufs[frame_at(u, place + k)];
		struct xl_export_frame f;

		memcpy(&f, at, sizeof f);
		f.meta.head = head;
		f.meta.chain = k + 1 < meta->frames ? frame_at(u, place + k + 1) : XL_NONE;
		memcpy(at, &f, sizeof f);
		t->conn = XL_AWAY;
		t->chain = f.meta.chain;
		t->state = XL_TXBUF_NONE;
		if (owner != XL_FRAME_QUEUED)
			xl_frames_move(u->e->frames, f.frame, XL_FRAME_QUEUED, owner);
	}
	xl_txbuf_write(u->e, head, XLANE_TX_HEADROOM_BYTES, records, meta->len);
}

static void take_frames(struct unpack *u)
{
	u8 *records = u->records;
	struct xl_export_frame f;

	for (u32 i = 0; i < u->x.frames; i++) {
		u32 frame = xl_frames_take(u->e->frames, XL_FRAME_QUEUED);

		memcpy(u->frames + (u64)i * sizeof f, &frame, sizeof frame);
	}
	for (u32 i = 0; i < u->x.frames; i += f.meta.frames) {
		memcpy(&f, u->frames + (u64)i * sizeof f, sizeof f);
		take_buffer(u, i, &f.meta, records);
		records += f.meta.len;
	}
}

static void give_frames(struct unpack *u)
{
	for (u32 i = 0; i < u->x.frames; i++) {
		u32 frame = frame_at(u, i);

		u->e->txbufs[frame].conn = XL_NONE;
		xl_frames_move(u->e->frames, frame, u->e->frames->owner[frame], XL_FRAME_FREE);
	}
}

static void name_sents(struct unpack *u, u64 by)
{
	u8 *p = u->sents;

	for (u32 i = 0; i < u->x.sents; i++, p += sizeof(struct xl_sent)) {
		struct xl_sent s;

		SHIFT(p, sent_times);
		memcpy(&s, p, sizeof s);
		s.txbuf = s.txbuf < u->x.frames ? frame_at(u, s.txbuf) : XL_NONE;
		s.generation = s.txbuf == XL_NONE ? 0 : u->e->txbufs[s.txbuf].generation;
		memcpy(p, &s, sizeof s);
	}
}

/* --- all of it */
static int settle(struct unpack *u, u32 *conn)
{
	u64 by = u->e->now_ns - u->h.now_ns;
	bool named;

	take_blocks(u);
	take_frames(u);
	name_sents(u, by);
	for (u32 i = 0; i < u->x.frames; i++)
		SHIFT(u->frames + (u64)i * sizeof(struct xl_export_frame), frame_times);
	if (u->x.flows)
		shift_flow(u->conn + sizeof u->c, by);
	named = xl_blocks_name(u->e, &u->c, name_block, u) && u->at == u->h.blocks;
	if (!named)
		return -EINVAL;
	shift_partials(u->e, &u->c, by);
	memcpy(u->conn, &u->c, sizeof u->c);
	shift_conn(u->conn, by);
	return xl_import(u->e, u->exported, u->h.exported, u->e->now_ns - u->e->behind_ns, true, conn);
}

int xl_conn_unpack(struct xl_engine *e, void *buf, u64 bytes, u64 now_ns, u32 *conn)
{
	struct unpack u = { .e = e };
	int error;

	xl_clock(e, now_ns);
	if (!open_pack(&u, buf, bytes))
		return -EINVAL;
	if (!there_is_room(&u))
		return -ENOSPC;
	error = settle(&u, conn);
	if (error) {
		give_frames(&u);
		give_blocks(&u);
		return error;
	}
	xl_pmtu_adopt(e, xl_conn_at(e, *conn), u.h.mtu);
	return 0;
}
