/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc_cubic.c - CUBIC, RFC 9438: after a reduction the window follows
 *     W(t) = C (t - K)^3 + W_max,   K = cbrt((W_max - cwnd_epoch) / C),   C = 0.4 packets/s^3,   beta = 0.7
 * and is never below what AIMD of the same mean would have reached (4.3). Time here is in units of 2^-20 s, just below a
 * microsecond, and products have 128 bits: there is nothing to round but the result, and no 128-bit division.
 */
#include "cc.h"

typedef unsigned __int128 u128;

#define BETA_TENTHS   7
#define TIME_BITS     20
#define NS_TO_TIME    18446744074ull  /* 2^64 / 10^9: times ns, less 44 bits, is units of 2^-20 s */
#define TIME_MAX      (1ull << 27)    /* 128 s away from K the curve is no bound any more */
#define ALPHA_NUM     9               /* 3 (1 - beta) / (1 + beta) = 9 / 17 */
#define ALPHA_DEN     17

static u64 time_of(u64 ns) { return (u64)((u128)ns * NS_TO_TIME >> (64 - TIME_BITS)); }
static u64 least(const struct xl_cc *cc) { return (u64)XL_CC_MINIMUM_PACKETS * cc->packet_bytes; }

static void cubic_init(struct xl_cc *cc, u32 packet_bytes)
{
	*cc = (struct xl_cc){
		.cwnd = (u64)XL_CC_INITIAL_PACKETS * packet_bytes,
		.ssthresh = UINT64_MAX,
		.packet_bytes = packet_bytes,
		.algorithm = XL_CC_CUBIC,
	};
}

/* C d^3 in bytes. */
static u64 cube(u64 d, u32 packet_bytes)
{
	d = xl_min(d, TIME_MAX);
	return ((u64)((u128)d * d * d * packet_bytes * 2 >> (3 * TIME_BITS - 10)) / 5) >> 10;
}

/* Time until C t^3 is `bytes`, to the unit below: digit by digit, so without a division. */
static u64 cube_root(u64 bytes, u32 packet_bytes)
{
	u128 want = (u128)xl_min(bytes, UINT32_MAX) * 5 << 3 * TIME_BITS;
	u64 root = 0;

	for (u64 bit = TIME_MAX; bit; bit >>= 1) {
		u128 r = root | bit;

		if (r * r * r * packet_bytes * 2 <= want)
			root |= bit;
	}
	return root;
}

/* Congestion avoidance begins, or begins anew (4.2). */
static void begin_epoch(struct xl_cc *cc, u64 now_ns)
{
	struct xl_cc_cubic *q = &cc->cubic;

	q->epoch_ns = now_ns;
	q->w_est = cc->cwnd;
	q->acked_bytes = 0;
	cc->acked_credit = 0;
	q->k = q->w_max > cc->cwnd ? cube_root(q->w_max - cc->cwnd, cc->packet_bytes) : 0;
	q->w_max = xl_max(q->w_max, cc->cwnd);
}

static u64 curve(const struct xl_cc *cc, u64 t)
{
	const struct xl_cc_cubic *q = &cc->cubic;
	u64 bytes;

	if (t >= q->k)
		return q->w_max + cube(t - q->k, cc->packet_bytes);
	bytes = cube(q->k - t, cc->packet_bytes);
	return q->w_max > bytes ? q->w_max - bytes : 0;
}

/* The window of AIMD that shares alike with Reno; as Reno itself once it is where the reduction was (4.3). */
static void advance_estimate(struct xl_cc *cc, u64 bytes)
{
	struct xl_cc_cubic *q = &cc->cubic;
	u64 part = q->w_est < q->cwnd_prior ? ALPHA_NUM : ALPHA_DEN, step;

	q->acked_bytes += part * bytes * cc->packet_bytes;
	step = q->acked_bytes / (ALPHA_DEN * cc->cwnd);
	q->acked_bytes -= step * ALPHA_DEN * cc->cwnd;
	q->w_est += step;
}

static void avoid(struct xl_cc *cc, u64 bytes, u64 now_ns, u64 srtt_ns)
{
	struct xl_cc_cubic *q = &cc->cubic;
	u64 t = time_of(now_ns - q->epoch_ns), target, step;

	advance_estimate(cc, bytes);
	if (curve(cc, t) < q->w_est) {
		cc->cwnd = xl_max(cc->cwnd, q->w_est);
		return;
	}
	target = xl_min(xl_max(curve(cc, t + time_of(srtt_ns)), cc->cwnd), cc->cwnd + cc->cwnd / 2);
	cc->acked_credit += (target - cc->cwnd) * bytes;
	step = cc->acked_credit / cc->cwnd;
	cc->acked_credit -= step * cc->cwnd;
	cc->cwnd += step;
}

static void cubic_acked(struct xl_cc *cc, u64 bytes, u64 sent_ns, u64 now_ns, u64 srtt_ns, bool limited)
{
	struct xl_cc_cubic *q = &cc->cubic;
	u64 since = q->last_ns ? now_ns - q->last_ns : 0;

	q->last_ns = now_ns;
	if (cc->in_recovery && sent_ns > cc->recovery_start_ns)
		cc->in_recovery = false;
	if (cc->in_recovery)
		return;
	if (!limited) { /* time in which the window was not used is none of the epoch's (5.8) */
		if (q->epoch_ns)
			q->epoch_ns = xl_min(q->epoch_ns + since, now_ns);
		return;
	}
	if (cc->cwnd < cc->ssthresh) {
		cc->cwnd += bytes;
		return;
	}
	if (!q->epoch_ns)
		begin_epoch(cc, now_ns);
	avoid(cc, bytes, now_ns, srtt_ns);
}

static bool cubic_lost(struct xl_cc *cc, u64 sent_ns, u64 now_ns)
{
	struct xl_cc_cubic *q = &cc->cubic;

	if (cc->recovery_start_ns && sent_ns <= cc->recovery_start_ns)
		return false;
	cc->before = (struct xl_cc_before){ .cwnd = cc->cwnd, .ssthresh = cc->ssthresh, .valid = true };
	q->w_max_before = q->w_max;
	cc->recovery_start_ns = now_ns;
	cc->in_recovery = true;
	/* Fast convergence (4.7): who had to give way before the old maximum leaves room to others. */
	q->w_max = cc->cwnd < q->w_max ? cc->cwnd * (10 + BETA_TENTHS) / 20 : cc->cwnd;
	q->cwnd_prior = cc->cwnd;
	cc->ssthresh = xl_max(cc->cwnd * BETA_TENTHS / 10, least(cc));
	cc->cwnd = cc->ssthresh;
	q->epoch_ns = 0;
	return true;
}

static void cubic_undo(struct xl_cc *cc)
{
	struct xl_cc_cubic *q = &cc->cubic;

	if (!cc->before.valid)
		return;
	cc->cwnd = xl_max(cc->cwnd, cc->before.cwnd);
	cc->ssthresh = cc->before.ssthresh;
	q->w_max = q->w_max_before;
	q->epoch_ns = 0;
	cc->before.valid = cc->in_recovery = false;
}

static void cubic_collapse(struct xl_cc *cc, u64 now_ns)
{
	cc->cwnd = least(cc);
	cc->recovery_start_ns = now_ns;
	cc->in_recovery = cc->before.valid = false;
	cc->cubic.epoch_ns = 0;
}

static void cubic_restart(struct xl_cc *cc, u64 idle_ns, u64 rto_ns, u64 now_ns)
{
	struct xl_cc_cubic *q = &cc->cubic;

	if (q->epoch_ns)
		q->epoch_ns = xl_min(q->epoch_ns + idle_ns, now_ns);
	q->last_ns = now_ns;
	if (idle_ns > rto_ns)
		cc->cwnd = xl_min(cc->cwnd, (u64)XL_CC_INITIAL_PACKETS * cc->packet_bytes);
}

static void cubic_resize(struct xl_cc *cc, u32 packet_bytes)
{
	cc->packet_bytes = packet_bytes;
	cc->cwnd = xl_max(cc->cwnd, least(cc));
	cc->cubic.epoch_ns = 0;
}

const struct xl_cc_ops xl_cc_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.acked = cubic_acked,
	.sample = xl_cc_no_sample,
	.lost = cubic_lost,
	.undo = cubic_undo,
	.collapse = cubic_collapse,
	.restart = cubic_restart,
	.resize = cubic_resize,
	.pace = xl_cc_pace_window,
};
