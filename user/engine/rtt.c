/* SPDX-License-Identifier: BSD-2-Clause */
#include "rtt.h"

void xl_rtt_sample(struct xl_rtt *r, u64 rtt_ns, u64 ack_delay_ns)
{
	u64 adjusted, deviation;

	r->latest_ns = rtt_ns;
	if (!r->sampled) {
		r->sampled = true;
		r->min_ns = rtt_ns;
		r->srtt_ns = rtt_ns;
		r->rttvar_ns = rtt_ns / 2;
		return;
	}
	r->min_ns = xl_min(r->min_ns, rtt_ns);
	adjusted = rtt_ns >= r->min_ns + ack_delay_ns ? rtt_ns - ack_delay_ns : rtt_ns;
	deviation = r->srtt_ns > adjusted ? r->srtt_ns - adjusted : adjusted - r->srtt_ns;
	r->rttvar_ns = (3 * r->rttvar_ns + deviation) / 4;
	r->srtt_ns = (7 * r->srtt_ns + adjusted) / 8;
}

u64 xl_rtt_pto(const struct xl_rtt *r, u64 peer_ack_delay_ns)
{
	u64 srtt = r->sampled ? r->srtt_ns : XL_RTT_INITIAL_NS;
	u64 var = r->sampled ? r->rttvar_ns : XL_RTT_INITIAL_NS / 2;

	return srtt + xl_max(4 * var, XL_RTT_GRANULARITY_NS) + peer_ack_delay_ns;
}
