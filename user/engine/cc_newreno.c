/* SPDX-License-Identifier: BSD-2-Clause */
/* cc_newreno.c - NewReno as RFC 9002, section 7 and appendix B state it. */
#include "cc.h"

#define INITIAL_PACKETS 10  /* RFC 6928 */
#define MINIMUM_PACKETS 2   /* RFC 9002, 7.2 */

static void newreno_init(struct xl_cc *cc, u32 packet_bytes)
{
	*cc = (struct xl_cc){
		.cwnd = (u64)INITIAL_PACKETS * packet_bytes,
		.ssthresh = UINT64_MAX,
		.packet_bytes = packet_bytes,
		.algorithm = XL_CC_NEWRENO,
	};
}

static void newreno_acked(struct xl_cc *cc, u64 bytes, u64 sent_ns, bool limited)
{
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

static bool newreno_lost(struct xl_cc *cc, u64 sent_ns, u64 now_ns)
{
	if (cc->recovery_start_ns && sent_ns <= cc->recovery_start_ns)
		return false;
	cc->recovery_start_ns = now_ns;
	cc->in_recovery = true;
	cc->ssthresh = xl_max(cc->cwnd / 2, (u64)MINIMUM_PACKETS * cc->packet_bytes);
	cc->cwnd = cc->ssthresh;
	cc->acked_credit = 0;
	return true;
}

static const struct xl_cc_ops newreno = {
	.name = "newreno",
	.init = newreno_init,
	.acked = newreno_acked,
	.lost = newreno_lost,
};

const struct xl_cc_ops *const xl_cc_algorithms[XL_CC_ALGORITHMS] = {
	[XL_CC_NEWRENO] = &newreno,
};
