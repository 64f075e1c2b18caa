/* SPDX-License-Identifier: BSD-2-Clause */
#include "turn.h"

#include <stdlib.h>
#include <string.h>

#include "../../user/engine/flow.h"
#include "../../user/wire/outer.h"
#include "../../user/wire/record.h"
#include "world.h"

/* Packets that left without data of a program: acknowledgements, handshakes, control, answers. */
static u64 bare(const u64 *c)
{
	return c[XL_C_PACKETS_OUT] - c[XL_C_DATA_PACKETS_OUT] - c[XL_C_RETRANSMITTED];
}

void sim_turn_start(struct sim_host *h)
{
	h->turn = (struct sim_turn){ .conns = h->config.conns_max };
	h->turn.seen = sim_alloc(h->turn.conns * sizeof *h->turn.seen);
	memset(h->turn.seen, 0, h->turn.conns * sizeof *h->turn.seen);
}

void sim_turn_end(struct sim_host *h)
{
	free(h->turn.seen);
	h->turn.seen = NULL;
}

static void check_inflight(struct sim_host *h, const struct xl_engine *e, const struct xl_conn *c)
{
	u64 bytes = 0;
	u32 packets = 0;

	for (u32 i = c->sent.head; i != XL_NONE; i = xl_list_next(&e->l_sent, i)) {
		bytes += e->sents[i].lost ? 0 : e->sents[i].bytes;
		packets += !e->sents[i].lost;
	}
	if (bytes != c->inflight || packets != c->inflight_packets)
		sim_world_fail(h->world, "in-flight", "host %u: %llu bytes and %u packets in flight, recounted %llu and %u",
			       h->index, (unsigned long long)c->inflight, c->inflight_packets, (unsigned long long)bytes,
			       packets);
}

/* Past the window: each probe that was due, of data or of the path's largest packet, and each packet of control, and what records of control add to the last one. */
static void check_window(struct sim_host *h, const struct xl_conn *c, const struct sim_seen *s)
{
	struct xl_cc cc = xl_flow_cc(h->engine, c);
	u64 most = xl_max(xl_max(cc.cwnd, s->inflight), c->max_packet), sent = c->packets_sent - s->sent;
	u64 probes = s->probes + (c->ptos - s->ptos + 1) * XL_PTO_PROBES;

	if (s->id != c->local_id || c->inflight <= most)
		return;
	most += xl_min(probes, sent) * h->largest + XLANE_TX_HEADROOM_BYTES;
	if (c->inflight > most)
		sim_world_fail(h->world, "window", "host %u: %llu bytes in flight, were %llu; window %llu, %llu packets sent, "
			       "%llu probes due", h->index, (unsigned long long)c->inflight, (unsigned long long)s->inflight,
			       (unsigned long long)cc.cwnd, (unsigned long long)sent, (unsigned long long)probes);
}

static void check_conns(struct sim_host *h, const struct xl_engine *e)
{
	for (u32 i = 0, n = 0; i < h->turn.conns && n < e->conns_used; i++) {
		const struct xl_conn *c = &e->conns[i];
		struct sim_seen *s = &h->turn.seen[i];

		if (c->state == XL_STATE_FREE)
			continue;
		n++;
		check_inflight(h, e, c);
		check_window(h, c, s);
		*s = (struct sim_seen){ c->local_id, c->inflight, c->ptos, c->packets_sent, c->probes };
	}
}

static void check_answers(struct sim_host *h, const struct xl_engine *e)
{
	u64 in = e->counters[XL_C_PACKETS_IN] - h->turn.in, out = bare(e->counters) - h->turn.bare;
	u64 conns = xl_max(e->conns_used, h->turn.used);    /* those that have just ended said so */
	u64 most = in * SIM_ANSWERS_PER_PACKET + conns * SIM_ANSWERS_PER_CONN + SIM_ANSWERS_PER_TURN;

	h->turn.in += in;
	h->turn.bare += out;
	h->turn.used = e->conns_used;
	if (out > most)
		sim_world_fail(h->world, "answers", "host %u: %llu packets in, %llu out without data in one turn, %u connections",
			       h->index, (unsigned long long)in, (unsigned long long)out, (u32)conns);
}

static void check_memory(struct sim_host *h)
{
	for (u32 i = 0; i < SIM_GUARD_BYTES; i++)
		if (h->guard[i] != SIM_GUARD) {
			sim_world_fail(h->world, "memory", "host %u: byte %u behind the engine's memory was written", h->index, i);
			return;
		}
}

void sim_turn_check(struct sim_host *h)
{
	check_conns(h, h->engine);
	check_answers(h, h->engine);
	check_memory(h);
}

static void check_record(struct sim_world *w, const struct sim_host *to, const struct xl_conn *c, const u8 *p,
			 const struct xl_record_head *head)
{
	struct xl_record_data r;

	if (head->type != XLANE_RECORD_DATA || c->kind == XLANE_KIND_DATAGRAM ||
	    !xl_record_data_parse(p + XLANE_RECORD_BYTES, head->bytes, head->flags, &r))
		return;
	if (r.offset + r.bytes > c->credit_given)
		sim_world_fail(w, "credit", "data up to %llu is sent to host %u, which has given credit up to %llu",
			       (unsigned long long)(r.offset + r.bytes), to->index, (unsigned long long)c->credit_given);
}

void sim_turn_packet(struct sim_world *w, struct sim_host *to, const u8 *outer, u32 bytes)
{
	const struct xl_engine *e = to->engine;
	struct xl_record_head head;
	struct xl_outer h;
	u32 i, at, end;

	if (!e || w->oracle.forged || xl_outer_parse(outer, bytes, &h) != XL_OUTER_OK || h.type != XLANE_PACKET_DATA)
		return;
	i = xl_map_get(&e->by_local, h.id);
	if (i == XL_NONE || sim_oracle_tainted_id(&w->oracle, h.id))
		return;
	at = xl_outer_bytes(outer[1]);
	end = h.length - (outer[1] & XLANE_FLAG_CRC ? XLANE_TAG_BYTES : 0);
	while (at < end && xl_record_head_parse(outer + at, end - at, &head)) {
		check_record(w, to, &e->conns[i], outer + at, &head);
		at += XLANE_RECORD_BYTES + head.bytes;
	}
}
