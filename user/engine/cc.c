/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc.h"

#include "engine.h"

const struct xl_cc_ops *const xl_cc_algorithms[XL_CC_ALGORITHMS] = {
	[XL_CC_DELAY] = &xl_cc_delay,
	[XL_CC_CUBIC] = &xl_cc_cubic,
	[XL_CC_NEWRENO] = &xl_cc_newreno,
};

const char *xl_conn_congestion_name(u8 congestion)
{
	return congestion && congestion <= XL_CC_ALGORITHMS ? xl_cc_algorithms[congestion - 1]->name : "?";
}

void xl_cc_switch(struct xl_cc *cc, enum xl_cc_algorithm algorithm)
{
	u64 cwnd = xl_max(cc->cwnd, (u64)XL_CC_MINIMUM_PACKETS * cc->packet_bytes), ssthresh = cc->ssthresh;
	u64 recovery_start_ns = cc->recovery_start_ns;

	if (cc->algorithm == algorithm)
		return;
	xl_cc_algorithms[algorithm]->init(cc, cc->packet_bytes);
	cc->cwnd = cwnd;
	cc->ssthresh = ssthresh;
	cc->recovery_start_ns = recovery_start_ns;
}

void xl_cc_no_sample(struct xl_cc *cc, const struct xl_cc_sample *s)
{
	(void)cc;
	(void)s;
}

u64 xl_cc_pace_window(const struct xl_cc *cc, u64 srtt_ns)
{
	u64 quarters = cc->cwnd < cc->ssthresh ? 8 : 5;

	return (srtt_ns << (XL_CC_PACE_BITS + 2)) / (cc->cwnd * quarters);
}
