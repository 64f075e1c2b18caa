/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc_world.h - flows through one bottleneck, packet by packet, without engines: what a congestion control makes of a path.
 * Each packet is acknowledged on its own, or the sender learns at that time that the queue had no room for it.
 */
#ifndef TESTS_CC_WORLD_H
#define TESTS_CC_WORLD_H

#include "engine/cc.h"
#include "unit.h"

#define WORLD_FLOWS  32
#define WORLD_RING   65536
#define WORLD_PACKET 1500u
#define WORLD_BURST  10

struct world_flow {
	struct xl_cc cc;
	u64 start_ns, next_ns, inflight, srtt_ns, min_ns, delivered, counted;
};

struct world_packet { u32 flow; bool lost; u64 sent_ns, ack_ns; };

struct world {
	struct world_flow f[WORLD_FLOWS];
	u32 flows, limit;               /* packets that the queue holds */
	u64 now, packet_ns, path_ns;    /* time of a packet on the link; round trip without that and without a queue */
	u64 link_free_ns, lost, queue_ns_max;
	u32 head, count;
	struct world_packet ring[WORLD_RING];
};

static inline void world_init(struct world *w, enum xl_cc_algorithm a, u32 flows, u64 packet_ns, u64 path_ns, u32 limit)
{
	memset(w, 0, sizeof *w);
	w->flows = flows;
	w->packet_ns = packet_ns;
	w->path_ns = path_ns;
	w->limit = limit;
	w->now = w->link_free_ns = XL_S;
	for (u32 i = 0; i < flows; i++) {
		xl_cc_algorithms[a]->init(&w->f[i].cc, WORLD_PACKET);
		w->f[i].start_ns = w->now;
	}
}

static inline void world_send(struct world *w, u32 i)
{
	struct world_flow *f = &w->f[i];
	u64 cost = f->srtt_ns ? xl_cc_of(&f->cc)->pace(&f->cc, f->srtt_ns) * WORLD_PACKET >> XL_CC_PACE_BITS : 0;
	u64 burst = f->cc.cwnd < WORLD_PACKET ? 0 : WORLD_BURST * cost;
	u64 queue = w->link_free_ns > w->now ? w->link_free_ns - w->now : 0;
	struct world_packet p = { .flow = i, .sent_ns = w->now };

	p.lost = queue / w->packet_ns > w->limit;
	if (!p.lost)
		w->link_free_ns = w->now + queue + w->packet_ns;
	p.ack_ns = xl_max(w->link_free_ns, w->now) + w->path_ns;
	w->queue_ns_max = xl_max(w->queue_ns_max, queue);
	CHECK(w->count < WORLD_RING);
	w->ring[(w->head + w->count++) % WORLD_RING] = p;
	f->inflight += WORLD_PACKET;
	f->next_ns = xl_max(f->next_ns, w->now - xl_min(burst, w->now)) + cost;
}

static inline void world_ack(struct world *w)
{
	struct world_packet p = w->ring[w->head % WORLD_RING];
	struct world_flow *f = &w->f[p.flow];
	u64 rtt = w->now - p.sent_ns;
	struct xl_cc_sample s = { .now_ns = w->now, .sent_ns = p.sent_ns, .rtt_ns = rtt, .delay_ns = rtt, .network_ns = rtt,
				  .acked_bytes = WORLD_PACKET, .sent_bytes = WORLD_PACKET, .inflight = f->inflight, .limited = true };

	w->head++;
	w->count--;
	f->inflight -= WORLD_PACKET;
	if (p.lost) {
		w->lost++;
		xl_cc_of(&f->cc)->lost(&f->cc, p.sent_ns, w->now);
		return;
	}
	f->srtt_ns = f->srtt_ns ? (7 * f->srtt_ns + rtt) / 8 : rtt;
	f->min_ns = f->min_ns ? xl_min(f->min_ns, rtt) : rtt;
	s.srtt_ns = f->srtt_ns;
	s.min_rtt_ns = f->min_ns;
	f->delivered += WORLD_PACKET;
	xl_cc_of(&f->cc)->acked(&f->cc, WORLD_PACKET, p.sent_ns, w->now, f->srtt_ns, true);
	xl_cc_of(&f->cc)->sample(&f->cc, &s);
}

static inline void world_run(struct world *w, u64 ns)
{
	u64 end = w->now + ns;

	for (;;) {
		u64 next = w->count ? w->ring[w->head % WORLD_RING].ack_ns : XL_NEVER;
		u32 who = w->flows;

		for (u32 i = 0; i < w->flows; i++) {
			struct world_flow *f = &w->f[i];
			u64 when = xl_max(xl_max(f->start_ns, f->next_ns), w->now);

			if (!xl_cc_open(&f->cc, f->inflight, WORLD_PACKET) || when >= next)
				continue;
			next = when;
			who = i;
		}
		if (next >= end)
			break;
		w->now = next;
		if (who == w->flows)
			world_ack(w);
		else
			world_send(w, who);
	}
	w->now = end;
}

static inline void world_count_from_here(struct world *w)
{
	for (u32 i = 0; i < w->flows; i++)
		w->f[i].counted = w->f[i].delivered;
	w->queue_ns_max = 0;
}

/* Of what the link could have carried in `ns`, since the count began. */
static inline double world_use(const struct world *w, u64 ns)
{
	u64 sum = 0;

	for (u32 i = 0; i < w->flows; i++)
		sum += w->f[i].delivered - w->f[i].counted;
	return (double)sum / WORLD_PACKET * (double)w->packet_ns / (double)ns;
}

static inline double world_jain(const struct world *w)
{
	double sum = 0, squares = 0;

	for (u32 i = 0; i < w->flows; i++) {
		double x = (double)(w->f[i].delivered - w->f[i].counted);

		sum += x;
		squares += x * x;
	}
	return sum * sum / (squares * w->flows);
}

#endif
