/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc_delay.c - the window follows the delay of the network: Swift (Kumar et al., SIGCOMM 2020) in substance. Below a target
 * the window grows by up to a packet in each round trip; above it, it shrinks in proportion to the excess, at most once in a
 * round trip and at most to half. It may fall below one packet: then pacing sends one every so often.
 *
 * Where Swift has a target per hop and stamps of the NIC, there is here
 * - the target: the least delay of full packets in 10 to 20 s (small ones are faster: who began with one would leave the queue
 *   to others), and half of it or QUEUE_NS for a queue; more for small windows, as 1/sqrt, so that many flows share a queue
 *   that is not shorter than they are many (Swift, 3.5); and more where hosts are slow, for what they do is known from one side
 *   only, and nobody gains from a queue that is shorter than the time that they take;
 * - the least delay of a round trip as its evidence, not each one: a queue raises the least, a slow host only some.
 * - a reduction to somewhat below what the path holds without a queue: the queue runs empty, and who has come while it
 *   stood sees the true base. So flows that began at different times share alike, and no base grows old.
 */
#include "cc.h"

#define QUEUE_NS          (5 * XL_US)    /* least target for the queue */
#define SCALE_NS          (256 * XL_US)  /* it, or 2 bases, is added for 1 / XL_CC_LEAST_PARTS packet; nothing for 16 */
#define SLOW_PART         4              /* of the time that hosts may have been slow: as much is the target larger, */
#define SLOW_FADES        8              /* and a part of it is forgotten in a round */
#define BASE_PERIOD_NS    (10 * XL_S)
#define SLOW_START_SAMPLES 8             /* so many delays above the target end slow start within a round (RFC 9406, 4.2) */
#define SMALL_PACKETS     8              /* of a window below this a reduction leaves what the path holds */
#define STEP_PARTS        8              /* of a packet, in which growth is counted */
#define DRAIN_ROUNDS      256            /* such a window is held down once in so many round trips */
#define LOSS_TENTHS       7              /* what a loss leaves of the window */
#define ROOT_BITS         8              /* sqrt(packets) is computed in units of 2^-8 */

static u64 least(const struct xl_cc *cc) { return cc->packet_bytes / XL_CC_LEAST_PARTS; }

static u32 root(u64 n)
{
	u64 r = 0;

	for (u64 bit = 1u << 20; bit; bit >>= 1)
		if ((r | bit) * (r | bit) <= n)
			r |= bit;
	return (u32)r;
}

/* SCALE (1/sqrt(w) - 1/4) / (4 - 1/4), in 1/1024: nothing from 16 packets on, all of it at 1/16. */
static u64 scaling(const struct xl_cc *cc)
{
	u64 w = (xl_min(cc->cwnd, 32ull * cc->packet_bytes) << 2 * ROOT_BITS) / cc->packet_bytes;
	u64 inverse = (1024ull << ROOT_BITS) / xl_max(root(w), 1);

	return xl_max(SCALE_NS, 2 * cc->delay.base_ns) * (xl_min(xl_max(inverse, 256), 4096) - 256) / (4096 - 256);
}

static void begin_round(struct xl_cc *cc, u64 now_ns, u32 samples)
{
	struct xl_cc_delay *d = &cc->delay;

	d->round_ns = now_ns;
	d->least_ns = UINT64_MAX;
	d->samples = samples;
	d->slow_ns -= d->slow_ns / SLOW_FADES;
	d->scale_ns = scaling(cc);
}

static void delay_init(struct xl_cc *cc, u32 packet_bytes)
{
	*cc = (struct xl_cc){
		.cwnd = (u64)XL_CC_INITIAL_PACKETS * packet_bytes,
		.ssthresh = UINT64_MAX,
		.packet_bytes = packet_bytes,
		.algorithm = XL_CC_DELAY,
	};
	begin_round(cc, 0, 0);
}

/* By how much the window grows in a round trip: the less, the nearer the delay is to the target, and up to 8 packets by an
 * eighth of one, for many flows add that at once. That is the same for all who share the queue, whatever their windows, so that
 * these become alike. Where next to no queue stands (after a loss) it is more, but for windows of which pacing keeps parts. */
static u64 step(const struct xl_cc *cc)
{
	static const u8 parts[STEP_PARTS] = { 1, 1, 1, 1, 1, 1, 2, 4 };
	u64 packet = cc->packet_bytes, small = SMALL_PACKETS * packet, most = cc->cwnd > small ? cc->cwnd - small : 0;

	most += packet * (cc->cwnd < 2 * packet ? 1 : parts[cc->delay.headroom]);
	return xl_min(packet * (1 + cc->delay.headroom), most) / STEP_PARTS;
}

static void delay_acked(struct xl_cc *cc, u64 bytes, u64 sent_ns, u64 now_ns, u64 srtt_ns, bool limited)
{
	(void)now_ns;
	(void)srtt_ns;
	cc->delay.limited = limited;
	if (cc->in_recovery && sent_ns > cc->recovery_start_ns)
		cc->in_recovery = false;
	if (cc->in_recovery || !limited || cc->delay.above || cc->delay.drain_ns)
		return;
	if (cc->cwnd < cc->ssthresh) {
		cc->cwnd += bytes;
	} else if (cc->cwnd < cc->packet_bytes) {
		cc->cwnd = xl_min(cc->cwnd + bytes / 4, cc->packet_bytes);
	} else if (cc->cwnd < (u64)SMALL_PACKETS * cc->packet_bytes) {
		cc->cwnd += bytes * step(cc) / cc->cwnd;
	} else {
		cc->acked_credit += bytes;
		if (cc->acked_credit >= cc->cwnd) {
			cc->acked_credit -= cc->cwnd;
			cc->cwnd += step(cc);
		}
	}
}

/* A small packet is faster than those that fill the link: what it tells counts until one of these has told more. */
static void learn_base(struct xl_cc *cc, u64 delay_ns, u64 sent_bytes, u64 now_ns)
{
	struct xl_cc_delay *d = &cc->delay;
	bool large = sent_bytes >= cc->packet_bytes - cc->packet_bytes / 4;

	if (!large && d->base_large)
		return;
	if (large && !d->base_large) {
		d->base_large = true;
		d->base_due_ns = 0;
	}
	if (now_ns >= d->base_due_ns) {
		d->base_ns = d->base_due_ns ? d->base_next_ns : delay_ns;
		d->base_next_ns = delay_ns;
		d->base_due_ns = now_ns + BASE_PERIOD_NS;
	}
	/* Lower than ever: somebody drains. All at once they see what none would see alone. */
	if (delay_ns < d->base_ns - d->base_ns / 16 && d->rounds >= DRAIN_ROUNDS / 16)
		d->rounds = DRAIN_ROUNDS;
	d->base_ns = xl_min(d->base_ns, delay_ns);
	d->base_next_ns = xl_min(d->base_next_ns, delay_ns);
}

/* For two round trips next to nothing: what others left standing runs off, and the base is seen. */
static void drain(struct xl_cc *cc, u64 now_ns)
{
	cc->delay.drain_cwnd = cc->cwnd;
	cc->delay.drain_ns = now_ns;
	cc->cwnd = cc->packet_bytes / 2;
}

static void end_drain(struct xl_cc *cc, u64 now_ns)
{
	struct xl_cc_delay *d = &cc->delay;

	if (!d->drain_ns)
		return;
	cc->cwnd = xl_max(cc->cwnd, d->drain_cwnd);
	d->drain_ns = d->rounds = 0;
	begin_round(cc, now_ns, XL_NONE);
}

/* A window whose reductions do not empty the queue on their own. */
static bool wants_drain(const struct xl_cc *cc)
{
	return cc->delay.rounds >= DRAIN_ROUNDS && cc->cwnd > cc->packet_bytes &&
	       cc->cwnd < (u64)SMALL_PACKETS * cc->packet_bytes;
}

static u64 target(const struct xl_cc_delay *d)
{
	return d->base_ns + xl_max(d->base_ns / 2, QUEUE_NS) + d->slow_ns / SLOW_PART + d->scale_ns;
}

/* What is left of the target for the queue, in parts. */
static u8 headroom(const struct xl_cc_delay *d)
{
	u64 most = target(d), queue = xl_max(most - d->base_ns, 1);

	return d->least_ns < most ? (u8)xl_min((most - d->least_ns) * STEP_PARTS / queue, STEP_PARTS - 1) : 0;
}

/* To what the path holds without a queue, and of a large window a little less. Nothing more is taken for what is on its way. */
static void reduce(struct xl_cc *cc, u64 now_ns)
{
	struct xl_cc_delay *d = &cc->delay;
	u64 kept = cc->cwnd * xl_max(d->base_ns, 1) / d->least_ns;

	if (cc->cwnd >= (u64)SMALL_PACKETS * cc->packet_bytes)
		kept -= kept / 8;
	cc->cwnd = xl_max(xl_max(kept, cc->cwnd / 2), least(cc));
	cc->ssthresh = cc->cwnd;
	cc->acked_credit = 0;
	cc->recovery_start_ns = now_ns;
	cc->before.valid = false;
	begin_round(cc, now_ns, XL_NONE);
}

static void delay_sample(struct xl_cc *cc, const struct xl_cc_sample *s)
{
	struct xl_cc_delay *d = &cc->delay;
	bool over = s->sent_ns >= d->round_ns, slow_start = cc->cwnd < cc->ssthresh;

	learn_base(cc, s->delay_ns, s->sent_bytes, s->now_ns);
	if (d->drain_ns) {
		if (s->sent_ns >= d->drain_ns + s->srtt_ns)
			end_drain(cc, s->now_ns);
		return;
	}
	if (d->samples == XL_NONE) { /* what was sent before the window was reduced tells nothing about it */
		if (!over)
			return;
		begin_round(cc, s->now_ns, 0);
		over = false;
	}
	d->samples++;
	d->least_ns = xl_min(d->least_ns, s->network_ns);
	d->slow_ns = xl_max(d->slow_ns, s->delay_ns - s->network_ns);
	d->above = d->least_ns > target(d);
	if (!over && !(slow_start && d->samples >= SLOW_START_SAMPLES && d->above))
		return;
	d->headroom = headroom(d);
	if (d->above && s->limited)
		reduce(cc, s->now_ns);
	else if (over)
		begin_round(cc, s->now_ns, 0);
	d->rounds += over && s->limited;
	if (wants_drain(cc))
		drain(cc, s->now_ns);
}

/* Loss alone may have other causes than a queue: it is delay that says how far below a packet the window belongs. */
static u64 loss_floor(const struct xl_cc *cc)
{
	if (!cc->delay.limited)
		return (u64)XL_CC_MINIMUM_PACKETS * cc->packet_bytes;
	return cc->delay.above ? least(cc) : cc->packet_bytes;
}

static bool delay_lost(struct xl_cc *cc, u64 sent_ns, u64 now_ns)
{
	if (cc->recovery_start_ns && sent_ns <= cc->recovery_start_ns)
		return false;
	end_drain(cc, now_ns);
	cc->before = (struct xl_cc_before){ .cwnd = cc->cwnd, .ssthresh = cc->ssthresh, .valid = true };
	cc->recovery_start_ns = now_ns;
	cc->in_recovery = true;
	cc->cwnd = xl_min(cc->cwnd, xl_max(cc->cwnd * LOSS_TENTHS / 10, loss_floor(cc)));
	cc->ssthresh = cc->cwnd;
	cc->acked_credit = 0;
	begin_round(cc, now_ns, XL_NONE);
	return true;
}

static void delay_undo(struct xl_cc *cc)
{
	if (!cc->before.valid)
		return;
	cc->cwnd = xl_max(cc->cwnd, cc->before.cwnd);
	cc->ssthresh = cc->before.ssthresh;
	cc->before.valid = cc->in_recovery = false;
}

static void delay_collapse(struct xl_cc *cc, u64 now_ns)
{
	end_drain(cc, now_ns);
	cc->cwnd = xl_min(cc->cwnd, (u64)XL_CC_MINIMUM_PACKETS * cc->packet_bytes);
	cc->recovery_start_ns = now_ns;
	cc->in_recovery = cc->before.valid = false;
	cc->acked_credit = 0;
	begin_round(cc, now_ns, XL_NONE);
}

/* What others left to this flow says nothing any more, neither of a large window nor of one below a packet. */
static void delay_restart(struct xl_cc *cc, u64 idle_ns, u64 rto_ns, u64 now_ns)
{
	if (idle_ns <= rto_ns)
		return;
	end_drain(cc, now_ns);
	cc->cwnd = xl_min(cc->cwnd, (u64)XL_CC_INITIAL_PACKETS * cc->packet_bytes);
	cc->cwnd = xl_max(cc->cwnd, (u64)XL_CC_MINIMUM_PACKETS * cc->packet_bytes);
	cc->delay.above = false;
	begin_round(cc, now_ns, 0);
}

static void delay_resize(struct xl_cc *cc, u32 packet_bytes)
{
	cc->packet_bytes = packet_bytes;
	cc->delay.base_large = false;
	cc->cwnd = xl_max(cc->cwnd, least(cc));
}

/* Below two packets exactly as the window says: parts of a packet are nothing that could be held in flight. */
static u64 delay_pace(const struct xl_cc *cc, u64 srtt_ns)
{
	return cc->cwnd < 2ull * cc->packet_bytes ? (srtt_ns << XL_CC_PACE_BITS) / cc->cwnd : xl_cc_pace_window(cc, srtt_ns);
}

const struct xl_cc_ops xl_cc_delay = {
	.name = "delay",
	.init = delay_init,
	.acked = delay_acked,
	.sample = delay_sample,
	.lost = delay_lost,
	.undo = delay_undo,
	.collapse = delay_collapse,
	.restart = delay_restart,
	.resize = delay_resize,
	.pace = delay_pace,
};
