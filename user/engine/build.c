/* SPDX-License-Identifier: BSD-2-Clause */
/* build.c - one packet: control records pushed in front of the data, then the outer header, then the tag behind. */
#include "../base/crc32c.h"
#include "../wire/ack.h"
#include "../wire/record.h"
#include "ack.h"
#include "grant.h"
#include "output.h"
#include "txbuf.h"
#include "window.h"

u8 *xl_build_push(struct xl_engine *e, struct xl_build *b, u32 bytes)
{
	if (bytes > b->budget)
		return NULL;
	b->budget -= bytes;
	b->head -= bytes;
	XL_ASSERT(b->head >= XLANE_LINK_HEADER_MAX_BYTES + XLANE_OUTER_BYTES);
	return xl_frames_ptr(e->frames, b->tb) + b->head;
}

bool xl_build_bare(struct xl_engine *e, struct xl_build *b, u32 budget)
{
	u32 f = xl_txbuf_bare(e);

	if (f == XL_NONE)
		return false;
	*b = (struct xl_build){ .tb = f, .head = XLANE_TX_HEADROOM_BYTES, .tail = XLANE_TX_HEADROOM_BYTES,
				.budget = (u32)xl_min(budget, XLANE_TX_HEADROOM_BYTES - XLANE_LINK_HEADER_MAX_BYTES -
						      XLANE_OUTER_BYTES - XLANE_EXT_BYTES) };
	return true;
}

/* Describe [head, tail) of the chain in *out. */
static void describe(const struct xl_engine *e, const struct xl_build *b, struct xl_packet *out)
{
	u32 size = e->frames->frame_bytes, f = b->tb, at = b->head, left = b->tail - b->head;

	out->nsegs = 0;
	while (left) {
		u32 n = (u32)xl_min(left, size - at);

		out->seg[out->nsegs++] = (struct xl_seg){ .frame = f, .off = (u16)at, .len = (u16)n };
		left -= n;
		at = 0;
		f = e->txbufs[f].chain;
	}
}

static u32 checksum(const struct xl_engine *e, const struct xl_packet *p)
{
	u32 crc = 0;

	for (u32 i = 0; i < p->nsegs; i++)
		crc = xl_crc32c(crc, xl_frames_ptr(e->frames, p->seg[i].frame) + p->seg[i].off, p->seg[i].len);
	return crc;
}

void xl_build_seal(struct xl_engine *e, struct xl_build *b, struct xl_outer *h, const struct xl_path *path,
		   struct xl_packet *out)
{
	u32 tag = h->flags & XLANE_FLAG_CRC ? XLANE_TAG_BYTES : 0;
	u8 bytes[XLANE_TAG_BYTES];

	b->head -= xl_outer_bytes(h->flags);
	XL_ASSERT(b->head >= XLANE_LINK_HEADER_MAX_BYTES);
	h->length = (u16)(b->tail - b->head + tag);
	xl_outer_emit(xl_frames_ptr(e->frames, b->tb) + b->head, h);
	describe(e, b, out);
	if (tag) {
		xl_put32(bytes, checksum(e, out));
		xl_txbuf_write(e, b->tb, b->tail, bytes, tag);
		b->tail += tag;
		describe(e, b, out);
	}
	out->queue = (u32)(h->id >> 56);
	out->stamp_ns = 0;
	out->path = *path;
	xl_count(e, XL_C_PACKETS_OUT);
	e->counters[XL_C_BYTES_OUT] += h->length;
}

static void push_ack(struct xl_engine *e, struct xl_conn *c, struct xl_build *b)
{
	struct xl_ack a = { 0 };
	u32 max;
	u8 *p;

	if (b->budget < XLANE_ACK_HEAD_BYTES || !c->received.any)
		return;
	max = 1 + (b->budget - XLANE_ACK_HEAD_BYTES) / XLANE_ACK_RANGE_BYTES;
	xl_received_ack(&c->received, xl_ack_table(e, c), (u32)xl_min(max, XLANE_ACK_RANGES_SENT), &a);
	a.host_delay_ns = c->largest_host_ns;
	a.ack_delay_ns = (u32)xl_min(e->now_ns - c->largest_time_ns, UINT32_MAX);
	p = xl_build_push(e, b, xl_ack_bytes(a.count));
	xl_ack_emit(p, &a);
	xl_count(e, XL_C_ACKS_OUT);
	b->acked = true;
}

static void push_credit(struct xl_engine *e, struct xl_conn *c, struct xl_build *b)
{
	struct xl_record_credit r = { .limit = xl_window_limit(c) };
	u8 *p = xl_build_push(e, b, XLANE_CREDIT_BYTES);

	if (!p)
		return;
	c->credit_given = r.limit;
	xl_record_credit_emit(p, &r);
	xl_count(e, XL_C_CREDIT_OUT);
	b->control |= XL_CTL_CREDIT;
	b->eliciting = true;
}

static void push_blocked(struct xl_engine *e, struct xl_conn *c, struct xl_build *b)
{
	struct xl_record_blocked r = { .limit = c->credit_limit };
	u8 *p = xl_build_push(e, b, XLANE_BLOCKED_BYTES);

	if (!p)
		return;
	xl_record_blocked_emit(p, &r);
	xl_count(e, XL_C_BLOCKED_OUT);
	b->control |= XL_CTL_BLOCKED;
	b->eliciting = true;
}

static void push_grant(struct xl_engine *e, struct xl_conn *c, struct xl_build *b)
{
	struct xl_record_grant r = { .message = c->large_in.message, .bytes = c->large_in.bytes };
	u8 *p = xl_grant_due(c) ? xl_build_push(e, b, XLANE_GRANT_BYTES) : NULL;

	if (!p)
		return;
	xl_record_grant_emit(p, &r);
	xl_count(e, XL_C_GRANT_OUT);
	b->control |= XL_CTL_GRANT;
	b->eliciting = true;
}

static void push_ping(struct xl_engine *e, struct xl_conn *c, struct xl_build *b)
{
	u8 *p = xl_build_push(e, b, XLANE_PING_BYTES);

	if (!p)
		return;
	xl_record_ping_emit(p);
	b->asks = true;
	b->control |= b->alone ? c->control & (XL_CTL_PING | XL_CTL_PROBE) : c->control & XL_CTL_PING;
	b->eliciting = true;
}

static void push_max_packet(struct xl_engine *e, struct xl_conn *c, struct xl_build *b)
{
	struct xl_record_max_packet r = { .bytes = e->cfg.max_packet };
	u8 *p = xl_build_push(e, b, XLANE_MAX_PACKET_BYTES);

	if (!p)
		return;
	xl_record_max_packet_emit(p, &r);
	xl_count(e, XL_C_MAX_PACKET_OUT);
	c->told_packet = (u16)r.bytes;
	b->control |= XL_CTL_MAX_PACKET;
	b->eliciting = true;
}

static void push_abort(struct xl_engine *e, struct xl_conn *c, struct xl_build *b)
{
	struct xl_record_abort r = { .error = c->abort_code };
	u8 *p = xl_build_push(e, b, XLANE_ABORT_BYTES);

	if (!p)
		return;
	xl_record_abort_emit(p, &r);
	b->control |= XL_CTL_ABORT;
}

void xl_build_control(struct xl_engine *e, struct xl_conn *c, struct xl_build *b)
{
	static const struct {
		u8 bits;
		void (*push)(struct xl_engine *e, struct xl_conn *c, struct xl_build *b);
	} records[] = {
		{ XL_CTL_CREDIT, push_credit }, { XL_CTL_BLOCKED, push_blocked },
		{ XL_CTL_GRANT, push_grant }, { XL_CTL_MAX_PACKET, push_max_packet },
		{ XL_CTL_PING | XL_CTL_PROBE, push_ping }, { XL_CTL_ABORT, push_abort },
	};
	u8 wanted = b->alone ? c->control : c->control & (u8)~(XL_CTL_PROBE | XL_CTL_ABORT);

	for (u32 i = 0; i < XL_ARRAY_SIZE(records); i++)
		if (wanted & records[i].bits || (b->ask && records[i].bits & XL_CTL_PING))
			records[i].push(e, c, b);
	if (c->ack_now || c->ack_pending)
		push_ack(e, c, b);
}
