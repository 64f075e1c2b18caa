/* SPDX-License-Identifier: BSD-2-Clause */
/* cc_newreno.c - NewReno as RFC 9002, section 7 and appendix B state it. */
#include "cc.h"

static void newreno_init(struct xl_cc *cc, u32 packet_bytes)
{
	*cc = (struct xl_cc){
		.cwnd = (u64)XL_CC_INITIAL_PACKETS * packet_bytes,
		.ssthresh = UINT64_MAX,
		.packet_bytes = packet_bytes,
		.algorithm = XL_CC_NEWRENO,
	};
}

static void newreno_acked(struct xl_cc *cc, u64 bytes, u64 sent_ns, u64 now_ns, u64 srtt_ns, bool limited)
{
	(void)now_ns;
	(void)srtt_ns;
	if (cc->in_recovery && sent_ns > cc->recovery_start_ns)
		cc->in_recovery = false;
	if (cc->in_recovery || !limited)
		return;
	if (cc->cwnd < cc->ssthresh) {
		cc->cwnd += bytes;
		return;
	}
	cc->acked_credit += bytes;
	if (cc->acked_credit >= cc->cwnd) {
		cc->acked_credit -= cc->cwnd;
		cc->cwnd += cc->packet_bytes;
	}
}

static u64 least(const struct xl_cc *cc) { return (u64)XL_CC_MINIMUM_PACKETS * cc->packet_bytes; }

static bool newreno_lost(struct xl_cc *cc, u64 sent_ns, u64 now_ns)
{
	if (cc->recovery_start_ns && sent_ns <= cc->recovery_start_ns)
		return false;
	cc->before = (struct xl_cc_before){ .cwnd = cc->cwnd, .ssthresh = cc->ssthresh, .valid = true };
	cc->recovery_start_ns = now_ns;
	cc->in_recovery = true;
	cc->ssthresh = xl_max(cc->cwnd / 2, least(cc));
	cc->cwnd = cc->ssthresh;
	cc->acked_credit = 0;
	return true;
}

static void newreno_undo(struct xl_cc *cc)
{
	if (!cc->before.valid)
		return;
	cc->cwnd = xl_max(cc->cwnd, cc->before.cwnd);
	cc->ssthresh = cc->before.ssthresh;
	cc->before.valid = cc->in_recovery = false;
}

static void newreno_collapse(struct xl_cc *cc, u64 now_ns)
{
	cc->cwnd = least(cc);
	cc->recovery_start_ns = now_ns;
	cc->in_recovery = cc->before.valid = false;
	cc->acked_credit = 0;
}

/* What the window was says little about the path by now. */
static void newreno_restart(struct xl_cc *cc, u64 idle_ns, u64 rto_ns, u64 now_ns)
{
	(void)now_ns;
	if (idle_ns > rto_ns)
		cc->cwnd = xl_min(cc->cwnd, (u64)XL_CC_INITIAL_PACKETS * cc->packet_bytes);
}

static void newreno_resize(struct xl_cc *cc, u32 packet_bytes)
{
	cc->packet_bytes = packet_bytes;
	cc->cwnd = xl_max(cc->cwnd, least(cc));
}

const struct xl_cc_ops xl_cc_newreno = {
	.name = "newreno",
	.init = newreno_init,
	.acked = newreno_acked,
	.sample = xl_cc_no_sample,
	.lost = newreno_lost,
	.undo = newreno_undo,
	.collapse = newreno_collapse,
	.restart = newreno_restart,
	.resize = newreno_resize,
	.pace = xl_cc_pace_window,
};
