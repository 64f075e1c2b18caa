/* SPDX-License-Identifier: BSD-2-Clause */
#include "faults.h"

#include <string.h>
#include <xlane/limits.h>
#include <xlane/wire.h>

#include "../../user/engine/engine.h"
#include "../../user/worker/worker.h"
#include "flood.h"

#define PERCENT 10000u   /* per million */
#define SINGLE_MTU_MAX 3498   /* a packet of this MTU fits one frame both ways */

u64 sim_log_range(struct xl_prng *p, u64 lo, u64 hi)
{
	u32 low = 63 - __builtin_clzll(lo), high = 63 - __builtin_clzll(hi);
	u32 bit = (u32)sim_range(p, low, high);
	u64 from = xl_max(lo, 1ull << bit), to = bit < 63 ? xl_min(hi, (2ull << bit) - 1) : hi;

	return sim_range(p, from, to);
}

const char *sim_action_name(enum sim_action_kind kind)
{
	static const char *const names[] = {
#define NAME(name, key) [SIM_ACTION_##name] = key,
		SIM_ACTIONS(NAME)
	};
	return kind < SIM_ACTION_COUNT ? names[kind] : "?";
}

#define BUCKET_MOVES_MAX 16

/* Which actions a seed has: how often at all, how many, and how long each lasts. */
static const struct {
	u32 odds_ppm, count_max;
	u64 span_min_ns, span_max_ns;
} action_odds[SIM_ACTION_MOVE_BUCKET] = {
	[SIM_ACTION_PARTITION] =  { 12 * PERCENT, 2, 1 * XL_MS, 120 * XL_S },
	[SIM_ACTION_BLACK_HOLE] = { 8 * PERCENT, 2, 1 * XL_MS, 120 * XL_S },
	[SIM_ACTION_PAUSE] =      { 20 * PERCENT, 3, 100 * XL_US, 12 * XL_S },
	[SIM_ACTION_CRASH] =      { 12 * PERCENT, 2, 1 * XL_MS, 5 * XL_S },
	[SIM_ACTION_HOLD] =       { 20 * PERCENT, 5, 50 * XL_US, 100 * XL_MS },
	[SIM_ACTION_STARVE] =     { 12 * PERCENT, 3, 50 * XL_US, 100 * XL_MS },
	[SIM_ACTION_MOVE] =       { 40 * PERCENT, 20, 1, 1 },
	[SIM_ACTION_CLOCK_BACK] = { 8 * PERCENT, 5, 1 * XL_US, 86400 * XL_S },
	[SIM_ACTION_CLOCK_LEAP] = { 4 * PERCENT, 1, 1 * XL_S, 86400 * XL_S },
	[SIM_ACTION_UNLISTEN] =   { 10 * PERCENT, 3, 1 * XL_MS, 2 * XL_S },
	[SIM_ACTION_FLOOD] =      { 4 * PERCENT, 2, 1, 1 },
	[SIM_ACTION_HOSTILE] =    { 15 * PERCENT, 4, 1, 1 },
	[SIM_ACTION_EMPTY] =      { 10 * PERCENT, 4, 50 * XL_US, 200 * XL_MS },
	[SIM_ACTION_MTU] =        { 12 * PERCENT, 6, 1, 1 },
	[SIM_ACTION_NARROW] =     { 8 * PERCENT, 2, 1 * XL_MS, 30 * XL_S },
};

static bool odds(struct xl_prng *p, u32 percent)
{
	return xl_prng_chance(p, percent * PERCENT);
}

static void draw_link(struct sim_link_faults *l, struct xl_prng *p)
{
	memset(l, 0, sizeof *l);
	l->delay_ns = odds(p, 60) ? sim_log_range(p, 1 * XL_US, 1 * XL_MS) : sim_log_range(p, 1 * XL_US, 2 * XL_S);
	if (odds(p, 40))
		l->loss_ppm = sim_log_range(p, 1000, 500000);
	if (odds(p, 20)) {
		l->burst_ppm = sim_log_range(p, 50, 20000);
		l->burst_packets = sim_log_range(p, 1, 200);
		l->burst_loss_ppm = sim_range(p, 500000, 1000000);
	}
	if (odds(p, 30)) {
		l->dup_ppm = sim_log_range(p, 1000, 500000);
		l->dup_copies = sim_range(p, 1, 3);
	}
	if (odds(p, 30)) {
		l->reorder_ppm = sim_log_range(p, 1000, 500000);
		l->reorder_packets = sim_log_range(p, 1, 500);
	}
	if (odds(p, 25))
		l->corrupt_ppm = sim_log_range(p, 1000, 300000);
	if (odds(p, 10))
		l->reflect_ppm = sim_log_range(p, 1000, 100000);
	if (odds(p, 30))
		l->jitter_ns = l->delay_ns * sim_range(p, 1, 100) / 10;
	if (odds(p, 15))
		l->rate_bytes_per_s = sim_log_range(p, 30000, 100000000);
}

#define BLOCKS_PLENTY 8192u   /* windows for every connection of a world but a flood's */

static u32 draw_mtu(struct xl_prng *p)
{
	static const u32 common[] = { XLANE_MTU_MIN, 576, 1500, 1500, 1500, 3498, 9000, 9000, XLANE_MTU_MAX };

	if (odds(p, 70))
		return common[xl_prng_below(p, XL_ARRAY_SIZE(common))];
	return sim_log_range(p, XLANE_MTU_MIN, XLANE_MTU_MAX);
}

static void draw_host(struct sim_host_sizes *h, struct xl_prng *p)
{
	memset(h, 0, sizeof *h);
	h->frames = odds(p, 50) ? XLANE_FRAMES_MIN : sim_log_range(p, XLANE_FRAMES_MIN, 4096);
	h->ring = sim_log_range(p, 2, 4096);
	h->mtu = draw_mtu(p);
	h->segs = h->mtu > SINGLE_MTU_MAX ? 3 : sim_range(p, 1, XLANE_PACKET_SEGS_MAX);
	h->ring = xl_max(h->ring, 2 * h->segs);
	h->completion_delay = odds(p, 70) ? 0 : sim_range(p, 1, 3);
	h->blocks = odds(p, 90) ? BLOCKS_PLENTY : sim_log_range(p, 2, 4096);
	h->conns = 64;
	h->peers = 2 * SIM_PLANS_MAX;            /* a call takes one until it is answered */
	h->recv_window_bytes = odds(p, 30) ? 0 : odds(p, 50) ? XLANE_RECV_WINDOW_MIN_BYTES : sim_log_range(p,
		XLANE_RECV_WINDOW_MIN_BYTES, XLANE_RECV_WINDOW_BYTES);
	h->send_buffer_bytes = odds(p, 50) ? 0 : sim_log_range(p, 1024, XLANE_SEND_BUFFER_BYTES);
	h->ack_delay_ns = odds(p, 60) ? 0 : sim_log_range(p, 1 * XL_US, 20 * XL_MS);
	h->linger_ns = odds(p, 80) ? 0 : sim_log_range(p, 200 * XL_MS, 2 * XL_S);
	h->poll_ns = odds(p, 30) ? 0 : sim_log_range(p, 1 * XL_US, 200 * XL_US);
	h->drift_ppm = odds(p, 70) ? 0 : (s32)sim_range(p, 0, 1000) - 500;
	h->no_crc = odds(p, 10);
}

/* All workers of a station are alike, but for their pools. */
static void draw_hosts(struct sim_faults *f, struct xl_prng *p)
{
	bool alike = odds(p, 60);

	for (u32 i = 0; i < f->units; i++) {
		struct sim_host_sizes *h = &f->host[i], *first = &f->host[f->first[f->station_of[i]]];
		struct sim_host_sizes own;

		draw_host(h, p);
		own = *h;
		if (h != first)
			*h = *first;
		if (f->units > 4)
			own.frames = xl_min(own.frames, 2 * XLANE_FRAMES_MIN);
		h->frames = own.frames;
		h->blocks = own.blocks;
		if (i && alike) {
			h->mtu = f->host[0].mtu;
			h->segs = f->host[0].segs;
		}
		h->ring = xl_max(own.ring, 2 * h->segs);
	}
}

/* Who is there. Switches are slow enough, and their queues short enough, that they lose packets when all send at once. */
static void draw_topology(struct sim_faults *f, u64 seed)
{
	struct xl_prng prng, *p = &prng;
	u32 kind, left;

	xl_prng_seed(p, seed ^ 0x746f706full);
	kind = xl_prng_below(p, 100);
	f->topology = kind < 12 ? SIM_TOPOLOGY_STAR : kind < 20 ? SIM_TOPOLOGY_DUMBBELL : SIM_TOPOLOGY_PAIR;
	f->stations = f->topology == SIM_TOPOLOGY_PAIR ? 2 : sim_range(p, f->topology == SIM_TOPOLOGY_STAR ? 3 : 4,
								      SIM_STATIONS_MAX);
	left = SIM_UNITS_MAX - f->stations;
	for (u32 i = 0; i < f->stations; i++) {
		f->workers[i] = left && odds(p, f->stations == 2 ? 15 : 10) ?
			sim_range(p, 2, xl_min(SIM_WORKERS_MAX, left + 1)) : 1;
		left -= f->workers[i] - 1;
		f->first[i] = f->units;
		for (u32 k = 0; k < f->workers[i]; k++)
			f->station_of[f->units++] = i;
	}
	f->edge.rate_bytes_per_s = sim_log_range(p, 5000000, 10 * SIM_NET_GBIT);
	f->edge.delay_ns = sim_log_range(p, 100, 10 * XL_US);
	f->edge.queue_bytes = sim_log_range(p, 4 * XLANE_MTU_MAX, 512 * 1024);
	f->middle = f->edge;
	f->middle.rate_bytes_per_s = f->edge.rate_bytes_per_s / sim_range(p, 1, 4);
	f->middle.delay_ns = sim_log_range(p, 1 * XL_US, 5 * XL_MS);
}

/* It lasts; else the span says how far a clock goes. */
static bool is_span(u32 kind) { return kind != SIM_ACTION_CLOCK_LEAP && kind != SIM_ACTION_CLOCK_BACK; }

static void draw_actions(struct sim_faults *f, struct xl_prng *p)
{
	u64 longest = 0;

	for (u32 kind = 0; kind < SIM_ACTION_MOVE_BUCKET; kind++) {
		u32 n = xl_prng_chance(p, action_odds[kind].odds_ppm) ? sim_range(p, 1, action_odds[kind].count_max) :
			0;

		for (; n && f->actions < SIM_ACTIONS_MAX; n--) {
			struct sim_action *a = &f->action[f->actions++];

			a->kind = kind;
			a->host = xl_prng_below(p, f->units);
			a->span_ns = sim_log_range(p, action_odds[kind].span_min_ns, action_odds[kind].span_max_ns);
			a->random = xl_prng_u64(p) >> 32;
			longest = xl_max(longest, is_span(kind) ? a->span_ns : 0);
		}
	}
	f->storm_ns += longest + longest / 4;
	for (u32 i = 0; i < f->actions; i++)
		f->action[i].time_ns = sim_range(p, 0, odds(p, 70) ? f->storm_ns / 4 : f->storm_ns - 1);
}

/* Who calls whom. Two calls that cross, and a port that is used again, must meet at one worker: of several, a call takes
 * the one whose turn its port makes it. */
static void draw_ends(const struct sim_faults *f, struct sim_plan *plan, struct xl_prng *p)
{
	u32 from;

	plan->host = xl_prng_below(p, f->units);
	from = f->station_of[plan->host];
	plan->to = xl_prng_below(p, f->stations - 1);
	plan->to += plan->to >= from;
	if (f->topology == SIM_TOPOLOGY_STAR && from && odds(p, 70))
		plan->to = 0;
	if (f->topology == SIM_TOPOLOGY_DUMBBELL && odds(p, 80))
		plan->to = from < f->stations / 2 ? sim_range(p, f->stations / 2, f->stations - 1u) :
			xl_prng_below(p, f->stations / 2);
	if (f->workers[from] > 1 || f->workers[plan->to] > 1)
		plan->crossing = plan->reused_port = false;
}

static void draw_plans(struct sim_faults *f, struct xl_prng *p)
{
	u32 n = odds(p, 10) ? sim_range(p, 8, SIM_PLANS_MAX) : sim_range(p, 1, 6);

	for (f->plans = 0; f->plans < n; f->plans++) {
		struct sim_plan *plan = &f->plan[f->plans];

		*plan = (struct sim_plan){
			.time_ns = odds(p, 50) ? sim_range(p, 0, f->storm_ns / 8) : sim_range(p, 0, f->storm_ns),
			.kind = odds(p, 40) ? XLANE_KIND_STREAM : sim_range(p, XLANE_KIND_MESSAGE, XLANE_KIND_DATAGRAM),
			.crossing = odds(p, 8),
			.closed_port = odds(p, 4),
			.wrong_kind = odds(p, 3),
			.reused_port = odds(p, 20),
		};
		draw_ends(f, plan, p);
	}
}

/* The largest message that this host's engine takes at any time: before the answer to a call, packets are of the
 * smallest MTU, and one frame holds one. Larger ones it refuses with -EMSGSIZE, as it must. */
static u64 message_max(const struct sim_host_sizes *h)
{
	u64 frames = xl_worker_tx_data_frames(h->frames), bytes = frames * (XLANE_MTU_MIN - 64);

	return xl_min(bytes, h->send_buffer_bytes ? h->send_buffer_bytes - XLANE_MESSAGE_HEAD_BYTES : bytes);
}

/* Part of all packets that the link loses, in per million. */
static u64 loss_of(const struct sim_link_faults *l)
{
	u64 good = 1000000 - l->loss_ppm, in_burst = 0, burst = (u64)l->burst_ppm * l->burst_packets;

	good = good * (1000000 - l->corrupt_ppm) / 1000000;
	if (l->burst_ppm)
		in_burst = 1000000 * burst / (1000000 + burst);
	good = good * (1000000 - in_burst * l->burst_loss_ppm / 1000000) / 1000000;
	return 1000000 - good;
}

/* May a peer be unheard of for so long that giving it up is right? Lossy links are probed at least twice a second, a
 * burst is counted in packets, and delays, pauses and partitions add up. */
static bool silence_legal(const struct sim_faults *f)
{
	u64 death = f->host[0].peer_death_ns;
	u64 delay = 0, burst = 0, away = 0;

	for (u32 i = 0; i < f->stations; i++) {
		const struct sim_link_faults *l = &f->link[i];

		if (loss_of(l) > 300000)
			return true;
		delay = xl_max(delay, 2 * (l->delay_ns + l->jitter_ns));
		burst += l->burst_packets * 250 * XL_MS;
	}
	for (u32 i = 0; i < f->actions; i++) {
		const struct sim_action *a = &f->action[i];

		if (a->kind == SIM_ACTION_CLOCK_LEAP)
			return true;
		if (a->kind == SIM_ACTION_PARTITION || a->kind == SIM_ACTION_BLACK_HOLE ||
			a->kind == SIM_ACTION_PAUSE ||
		    a->kind == SIM_ACTION_HOLD || a->kind == SIM_ACTION_STARVE || a->kind == SIM_ACTION_EMPTY)
			away += a->span_ns;
	}
	return delay + burst + away > death / 4;
}

/* Calls of the life before a crash are on their way for so long that they arrive after those of the next one. */
static void stale_calls(struct sim_faults *f)
{
	for (u32 i = 0; i < f->stations; i++) {
		f->link[i].dup_ppm = xl_max(f->link[i].dup_ppm, 300000);
		f->link[i].dup_copies = 3;
		f->link[i].jitter_ns = xl_max(f->link[i].jitter_ns, 1 * XL_S);
	}
}

/* Every host's reserve takes it, also after a small pool was raised to what an engine needs, and it is not so many packets
 * that a bad world does not get to its end in time. */
static u64 large_max(const struct sim_host_sizes *h)
{
	u64 packets = 512ull * h->mtu;

	return h->blocks < 1024 ? 0 : xl_min(packets, (u64)h->blocks / 5 * XLANE_BLOCK_BYTES);
}

static void derive(struct sim_faults *f, struct xl_prng *p)
{
	bool repair = odds(p, 25);
	u32 without_crc = 0;
	u64 death = odds(p, 60) ? 0 : sim_log_range(p, 5 * XL_S, 60 * XL_S);
	bool scarce = odds(p, 30);                 /* large messages wait for each other */
	u64 slowest = 0;

	for (u32 i = 0; i < f->stations; i++)
		without_crc += f->host[f->first[i]].no_crc;
	for (u32 i = 0; i < f->stations; i++) {
		struct sim_link_faults *l = &f->link[i];

		l->forge = repair;
		if (without_crc > 1)
			l->corrupt_ppm = 0;        /* nothing could notice between these */
		l->queue_bytes = sim_log_range(p, 2 * f->host[f->first[i]].mtu, 1048576);
		slowest = xl_max(slowest, l->delay_ns + l->jitter_ns);
	}
	for (u32 i = 0; i < f->units; i++) {
		struct sim_host_sizes *h = &f->host[i];

		h->peer_death_ns = death ? death : 10 * XL_S;
		h->keepalive_ns = odds(p, 50) ? h->peer_death_ns / 10 : h->peer_death_ns / 4;
		f->message_bytes_max = xl_min(f->message_bytes_max, message_max(h));
		if (f->large_bytes_max && scarce)
			h->blocks = sim_range(p, 1024, 3000);
		f->large_bytes_max = xl_min(f->large_bytes_max, large_max(h));
		f->tight_memory |= h->blocks < BLOCKS_PLENTY;
	}
	if (odds(p, 5)) {
		f->tight_conns = true;
		f->host[xl_prng_below(p, f->units)].conns = sim_range(p, 1, 4);
		f->host[xl_prng_below(p, f->units)].peers = sim_range(p, 1, 4);
	}
	for (u32 i = 0; i < f->actions; i++) {
		f->flaps |= f->action[i].kind == SIM_ACTION_UNLISTEN;
		f->tight_conns |= f->action[i].kind == SIM_ACTION_EMPTY;
		if (f->action[i].kind == SIM_ACTION_FLOOD) {
			f->tight_memory = true;
			for (u32 k = 0; k < f->units; k++)
				f->host[k].conns = 4 * SIM_FLOOD_CALLS;
			f->backlog = XLANE_BACKLOG_MAX;
		}
		if (f->action[i].kind == SIM_ACTION_CRASH && odds(p, 40))
			stale_calls(f);
	}
	f->flaps |= f->backlog < SIM_PLANS_MAX;
	f->abort_legal = silence_legal(f);
	f->progress_ns = 2 * f->host[0].peer_death_ns + 4 * slowest + 30 * XL_S;
	f->grace_ns = 4 * f->host[0].peer_death_ns + 4 * slowest + 120 * XL_S;
	if (repair)      /* a closed connection whose bytes a forged ACK took away ends as an orphan */
		f->grace_ns += 300 * XL_S;
}

static void draw_program(struct sim_faults *f, struct xl_prng *p)
{
	f->backlog = odds(p, 85) ? 64 : sim_range(p, 1, 3);
	f->bytes_max = odds(p, 75) ? sim_log_range(p, 1, 131072) : sim_log_range(p, 65536, 1048576);
	f->message_bytes_max = odds(p, 50) ? sim_log_range(p, 1, 4096) : sim_log_range(p, 1,
		XLANE_MESSAGE_SMALL_MAX_BYTES);
	f->large_bytes_max = odds(p, 60) ? 0 : sim_log_range(p, XLANE_MESSAGE_SMALL_MAX_BYTES + 1, SIM_LARGE_BYTES_MAX);
	f->slow_ppm = odds(p, 35) ? sim_range(p, 100000, 1000000) : 0;
	f->dead_ppm = odds(p, 12) ? sim_range(p, 100000, 500000) : 0;
	f->abort_ppm = odds(p, 15) ? sim_range(p, 50000, 500000) : 0;
	f->misuse_ppm = odds(p, 15) ? 100000 : 0;
	f->slow_accept = odds(p, 10);
	f->shuffle = odds(p, 30);
}

static void draw_plan(struct sim_faults *f, struct xl_prng *p, u32 i, u8 kind)
{
	f->plan[i] = (struct sim_plan){ .time_ns = sim_range(p, 0, f->storm_ns / 8), .kind = kind };
	draw_ends(f, &f->plan[i], p);
}

/* Many connections, much to send, and readers that stand still in the storm: transmit frames run short, in pools large enough
 * to be shared. */
static void crowd(struct sim_faults *f, struct xl_prng *p)
{
	f->crowd = true;
	f->bytes_max = 400000;
	f->dead_ppm = 700000;
	f->abort_ppm = 0;
	f->storm_ns = xl_max(f->storm_ns, 2 * XL_S);
	f->plans = SIM_PLANS_MAX / 2;
	for (u32 i = 0; i < f->plans; i++)
		draw_plan(f, p, i, odds(p, 60) ? XLANE_KIND_STREAM : sim_range(p, XLANE_KIND_MESSAGE, XLANE_KIND_DATAGRAM));
	for (u32 i = 0; i < f->units; i++) {
		struct sim_host_sizes *h = &f->host[i];

		h->frames = sim_range(p, 2400, 2800);
		h->mtu = 1500;
		h->recv_window_bytes = XLANE_RECV_WINDOW_MIN_BYTES;
		h->send_buffer_bytes = 0;
	}
	for (u32 i = 0; i < f->stations; i++) {
		f->link[i].delay_ns = xl_min(f->link[i].delay_ns, XL_MS);
		f->link[i].jitter_ns = 0;
		f->link[i].rate_bytes_per_s = 0;
	}
}

/* Senders of large messages that keep what they were granted, while others wait for it. */
static void hoard(struct sim_faults *f, struct xl_prng *p)
{
	f->hoard_ppm = 600000;
	f->large_bytes_max = SIM_LARGE_BYTES_MAX;
	f->plans = xl_max(f->plans, 8);
	for (u32 i = 0; i < f->plans; i++)
		draw_plan(f, p, i, sim_range(p, XLANE_KIND_MESSAGE, XLANE_KIND_UNORDERED));
	for (u32 i = 0; i < f->units; i++) {
		f->host[i].blocks = sim_range(p, 1024, 1500);
		f->host[i].recv_window_bytes = XLANE_RECV_WINDOW_MIN_BYTES;
	}
}

/* A network that swallows large packets for a while, and connections that live on to see that it does so no more. */
static void narrow(struct sim_faults *f, struct xl_prng *p)
{
	f->storm_ns = xl_max(f->storm_ns, 12 * XL_S);
	f->bytes_max = 200000;
	f->slow_ppm = 1000000;
	f->abort_ppm = f->dead_ppm = 0;
	f->action[0] = (struct sim_action){ .time_ns = sim_range(p, 1, XL_S), .span_ns = sim_range(p, XL_S / 2, 3 * XL_S),
					    .kind = SIM_ACTION_NARROW, .host = xl_prng_below(p, f->units) };
	f->actions = 1;
	for (u32 i = 0; i < f->units; i++)
		f->host[i].mtu = 1500;
	for (u32 i = 0; i < f->stations; i++)
		f->link[i] = (struct sim_link_faults){ .delay_ns = sim_range(p, XL_US, 10 * XL_MS) };
	for (f->plans = 0; f->plans < 6; f->plans++)
		draw_plan(f, p, f->plans, XLANE_KIND_STREAM);
}

/* Worlds of one purpose, drawn from numbers of their own. */
static bool draw_purpose(struct sim_faults *f, u64 seed)
{
	struct xl_prng prng, *p = &prng;
	u32 n;

	xl_prng_seed(p, seed ^ 0x70757270ull);
	n = xl_prng_below(p, 1000);
	if (f->units > 2)
		return false;
	if (n < 10)
		crowd(f, p);
	else if (n < 30)
		hoard(f, p);
	else if (n < 50)
		narrow(f, p);
	return n >= 10 && n < 30;
}

/* Buckets move, drawn from numbers of their own: at any time, or soon after a call, which is half-open then. */
static void draw_moves(struct sim_faults *f, u64 seed)
{
	struct xl_prng prng, *p = &prng;
	u32 n;

	xl_prng_seed(p, seed ^ 0x6d6f7665ull);
	n = odds(p, 75) ? sim_range(p, 1, BUCKET_MOVES_MAX) : 0;
	for (; n && f->actions < SIM_ACTIONS_MAX; n--) {
		const struct sim_plan *plan = &f->plan[xl_prng_below(p, f->plans)];
		u32 station = odds(p, 50) ? f->station_of[plan->host] : plan->to;
		struct sim_action *a = &f->action[f->actions];

		*a = (struct sim_action){ .kind = SIM_ACTION_MOVE_BUCKET, .random = xl_prng_u64(p) >> 32,
					  .time_ns = sim_range(p, 0, f->storm_ns - 1), .span_ns = sim_log_range(p, 1, 5 * XL_MS) };
		a->host = f->first[station] + xl_prng_below(p, f->workers[station]);
		if (odds(p, 70))
			a->time_ns = xl_min(plan->time_ns + sim_log_range(p, 1 * XL_US, 20 * XL_MS), f->storm_ns - 1);
		if (f->workers[station] < 2)
			continue;
		f->actions++;
		if (f->actions == SIM_ACTIONS_MAX || !odds(p, 50))
			continue;
		f->action[f->actions++] = (struct sim_action){ .kind = SIM_ACTION_HOLD, .host = a->host,
			.time_ns = a->time_ns - xl_min(a->time_ns, sim_log_range(p, 1 * XL_US, 5 * XL_MS)),
			.span_ns = sim_log_range(p, 1 * XL_MS, 50 * XL_MS) };
	}
}

void sim_faults_draw(struct sim_faults *f, u64 seed)
{
	static const u64 numbers[] = { 0, 1ull << 31, UINT32_MAX, XL_NONE64, XL_NONE64 };
	struct xl_prng prng, *p = &prng;
	u64 round_trip = 0;
	bool same, hoards;

	xl_prng_seed(p, seed ^ 0x66617573ull);
	memset(f, 0, sizeof *f);
	same = odds(p, 60);
	draw_topology(f, seed);
	for (u32 i = 0; i < f->stations; i++) {
		draw_link(&f->link[i], p);
		if (i && same)
			f->link[i] = f->link[0];
		round_trip = xl_max(round_trip, 2 * (f->link[i].delay_ns + f->link[i].jitter_ns));
	}
	draw_hosts(f, p);
	f->first_number = numbers[xl_prng_below(p, XL_ARRAY_SIZE(numbers))];
	f->clock_start_ns = odds(p, 20) ? 0 : sim_log_range(p, 1, 1ull << 50);
	f->vlan_tags = odds(p, 80) ? 0 : sim_range(p, 1, XLANE_VLAN_TAGS_MAX);
	f->storm_ns = sim_log_range(p, 5 * XL_MS, 3 * XL_S) + round_trip * sim_range(p, 1, 16);
	draw_program(f, p);
	draw_actions(f, p);
	draw_plans(f, p);
	hoards = draw_purpose(f, seed);
	derive(f, p);
	if (hoards)
		f->storm_ns += 3 * f->host[0].peer_death_ns;
	draw_moves(f, seed);
}
