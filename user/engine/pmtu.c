/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmtu.c - the size of packets.
 *
 * How a path is caught that swallows what is larger than some size: losses of packets larger than all that were acknowledged
 * lately are counted, in rounds; a round is over with the first loss of a packet sent after the round's own first verdict.
 * One acknowledged packet at least as large as the smallest of those lost clears the path of suspicion. Plain loss does not
 * lose XL_PMTU_LOSSES packets in a row and let all smaller ones through; an outage, however long, is one round; and a loss is
 * only seen by an acknowledgement of something sent later: a peer that is dead gives no evidence.
 */
#include "pmtu.h"

#include "../wire/record.h"
#include "conn.h"
#include "flow.h"
#include "peer.h"
#include "recut.h"
#include "txbuf.h"

/* Sizes that links have, largest first (RFC 1191, 7.1, and what is common since). */
static const u16 sizes[] = { 9216, 9000, 4352, 3400, 2002, 1500, 1492, 1280, 1006, 576, 296, XLANE_MTU_MIN };

/* The next smaller size; 0: none. */
static u32 below(u32 bytes)
{
	for (u32 i = 0; i < XL_ARRAY_SIZE(sizes); i++)
		if (sizes[i] < bytes)
			return sizes[i];
	return 0;
}

/* The next larger one, at most `most`. */
static u32 above(u32 bytes, u32 most)
{
	u32 i = XL_ARRAY_SIZE(sizes);

	while (i > 0 && sizes[i - 1] <= bytes)
		i--;
	return i ? (u32)xl_min(sizes[i - 1], most) : most;
}

/* What both ends' links take. */
static u32 links(const struct xl_engine *e, const struct xl_conn *c)
{
	return (u32)xl_min(e->cfg.max_packet, c->peer_packet);
}

u32 xl_pmtu_packet(const struct xl_engine *e, const struct xl_conn *c)
{
	return (u32)xl_min(links(e, c), xl_peer_of(e, c)->pmtu.packet);
}

void xl_pmtu_refresh(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_flow *f = xl_flow_of(e, c);
	u32 bytes = xl_pmtu_packet(e, c);

	if (c->told_packet != e->cfg.max_packet)
		c->control |= XL_CTL_MAX_PACKET;
	if (bytes == c->max_packet)
		return;
	c->max_packet = (u16)bytes;
	if (f)
		xl_cc_of(&f->cc)->resize(&f->cc, bytes);
}

void xl_pmtu_told(struct xl_engine *e, struct xl_conn *c, u64 number, u32 bytes)
{
	struct xl_peer *p = xl_peer_of(e, c);

	if (number < c->peer_packet_number) {
		xl_count(e, XL_C_MAX_PACKET_OLD);
		return;
	}
	c->peer_packet_number = number;
	bytes = (u32)xl_min(bytes, UINT16_MAX);
	if (bytes == c->peer_packet)
		return;
	xl_count(e, XL_C_MAX_PACKET_IN);
	c->peer_packet = (u16)bytes;
	xl_pmtu_hurry(e, p);
	xl_peer_rearm(e, p);
	xl_conn_activate(e, c);
}

bool xl_pmtu_fit(struct xl_engine *e, struct xl_conn *c, u32 *tb)
{
	u32 room = xl_txbuf_room(c), piece;

	if (e->txbufs[*tb].len <= room)
		return true;
	piece = xl_recut(e, c, *tb, room);
	if (piece == XL_NONE)
		return false;
	*tb = piece;
	return true;
}

/* --- suspicion ---------------------------------------------------------------------------------- */
static void clear(struct xl_pmtu *m)
{
	m->bad = XL_NONE;
	m->losses = m->rounds = 0;
	m->counted = false;
}

void xl_pmtu_forget(struct xl_peer *p)
{
	p->pmtu = (struct xl_pmtu){ .packet = XLANE_MTU_MAX, .bad = XL_NONE, .raise_ns = XL_NEVER, .wait_ns = XL_PMTU_RAISE_NS };
}

void xl_pmtu_adopt(struct xl_engine *e, struct xl_conn *c, u32 bytes)
{
	struct xl_peer *p = xl_peer_of(e, c);

	if (p->conns.count > 1 || p->pmtu.packet <= bytes)
		return;
	p->pmtu.packet = bytes;
	p->pmtu.wait_ns = XL_PMTU_RAISE_NS;
	p->pmtu.raise_ns = e->now_ns + p->pmtu.wait_ns;
	xl_pmtu_refresh(e, c);
	xl_peer_rearm(e, p);
	xl_conn_activate(e, c);
}

static void lower(struct xl_engine *e, struct xl_peer *p)
{
	struct xl_pmtu *m = &p->pmtu;
	u32 bytes = below(m->bad);

	xl_count(e, XL_C_PMTU_LOWERED);
	clear(m);
	m->good = m->good_before = 0;
	m->packet = bytes;
	m->wait_ns = XL_PMTU_RAISE_NS;
	m->raise_ns = e->now_ns + m->wait_ns;
	xl_peer_rearm(e, p);
}

static void suspect(struct xl_engine *e, struct xl_peer *p, const struct xl_sent *s)
{
	struct xl_pmtu *m = &p->pmtu;

	if (s->time_ns >= m->round_ns) {
		m->good_before = m->good;
		m->good = 0;
		m->round_ns = e->now_ns;
		m->counted = false;
	}
	if (s->bytes <= xl_max(m->good, m->good_before))
		return;
	m->bad = (u32)xl_min(m->bad, s->bytes);
	m->losses++;
	m->rounds += !m->counted;
	m->counted = true;
	if (m->rounds >= XL_PMTU_ROUNDS && m->losses >= XL_PMTU_LOSSES)
		lower(e, p);
}

/* --- larger again ------------------------------------------------------------------------------- */
static void try(struct xl_engine *e, struct xl_conn *c, u32 bytes)
{
	c->pad = (u16)bytes;
	xl_conn_activate(e, c);
}

void xl_pmtu_hurry(struct xl_engine *e, struct xl_peer *p)
{
	if (p->pmtu.packet == XLANE_MTU_MAX)
		return;
	p->pmtu.wait_ns = XL_PMTU_RAISE_NS;
	p->pmtu.raise_ns = xl_min(p->pmtu.raise_ns, e->now_ns + XL_PMTU_RAISE_NS);
}

/* First all that the links take; that failing, the next size. */
void xl_pmtu_timeout(struct xl_engine *e, struct xl_peer *p, struct xl_conn *c)
{
	p->pmtu.raise_ns = e->now_ns + p->pmtu.wait_ns;
	if (c && p->pmtu.packet < links(e, c))
		try(e, c, links(e, c));
}

static void raise_to(struct xl_engine *e, struct xl_conn *c, struct xl_peer *p, u32 bytes)
{
	struct xl_pmtu *m = &p->pmtu;

	xl_count(e, XL_C_PMTU_RAISED);
	clear(m);
	m->packet = bytes;
	m->wait_ns = XL_PMTU_RAISE_NS;
	if (bytes >= links(e, c)) {
		m->packet = XLANE_MTU_MAX;
		m->raise_ns = XL_NEVER;
	} else {
		try(e, c, above(bytes, links(e, c)));
	}
	xl_peer_rearm(e, p);
}

static void pad_lost(struct xl_engine *e, struct xl_conn *c, struct xl_pmtu *m, u32 bytes)
{
	u32 next = above(m->packet, links(e, c));

	if (bytes <= m->packet)
		return;
	if (next < bytes)
		try(e, c, next);
	else
		m->wait_ns = xl_min(2 * m->wait_ns, XL_PMTU_RAISE_MAX_NS);
}

bool xl_pmtu_build(struct xl_engine *e, struct xl_conn *c, struct xl_build *b)
{
	static const u8 zero[256];
	u32 bytes = c->pad, frames, last, at;

	c->pad = 0;
	if (bytes > links(e, c) || bytes <= xl_pmtu_packet(e, c))
		return false;
	bytes -= XLANE_OUTER_BYTES + (c->crc_off ? 0 : XLANE_TAG_BYTES);
	frames = xl_txbuf_frames(e, c, bytes);
	if (e->frames->nfree < frames || !xl_build_bare(e, b, 0))
		return false;
	for (last = b->tb; e->txbufs[b->tb].frames < frames; e->txbufs[b->tb].frames++) {
		u32 f = xl_frames_take(e->frames, XL_FRAME_QUEUED);

		e->txbufs[f].chain = XL_NONE;
		e->txbufs[f].head = b->tb;
		e->txbufs[last].chain = f;
		last = f;
	}
	at = b->tail;
	b->tail += bytes;
	b->eliciting = b->asks = true;
	at += xl_record_ping_emit(xl_frames_ptr(e->frames, b->tb) + at);
	at += xl_record_pad_emit(xl_frames_ptr(e->frames, b->tb) + at, XLANE_RECORD_BYTES);
	xl_put16(xl_frames_ptr(e->frames, b->tb) + at - 2, (u16)(b->tail - at));
	for (u32 n; at < b->tail; at += n) {
		n = (u32)xl_min(b->tail - at, sizeof zero);
		xl_txbuf_write(e, b->tb, at, zero, n);
	}
	xl_count(e, XL_C_PMTU_PROBES);
	return true;
}

/* --- what became of a packet ---------------------------------------------------------------------- */
void xl_pmtu_acked(struct xl_engine *e, struct xl_conn *c, const struct xl_sent *s)
{
	struct xl_peer *p = xl_peer_of(e, c);
	struct xl_pmtu *m = &p->pmtu;

	m->good = (u32)xl_max(m->good, s->bytes);
	if (s->bytes >= m->bad)
		clear(m);
	if (s->bytes > m->packet)
		raise_to(e, c, p, s->bytes);
}

void xl_pmtu_lost(struct xl_engine *e, struct xl_conn *c, const struct xl_sent *s)
{
	struct xl_peer *p = xl_peer_of(e, c);

	if (s->pad)
		pad_lost(e, c, &p->pmtu, s->bytes);
	else if (s->bytes > XLANE_MTU_MIN && s->bytes <= xl_pmtu_packet(e, c))
		suspect(e, p, s);
}
