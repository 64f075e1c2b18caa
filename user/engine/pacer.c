/* SPDX-License-Identifier: BSD-2-Clause */
#include "pacer.h"

#include "flow.h"

/* Time of `bytes` at the pace of the window. The pace is worked out again only when the window or the round trip changed. */
static u64 time_of(const struct xl_conn *c, struct xl_flow *f, u64 bytes)
{
	u64 key = f->cc.cwnd ^ c->rtt.srtt_ns << 24;

	if (key != f->pace_key || !f->pace_cost) {
		f->pace_key = key;
		f->pace_cost = c->rtt.sampled ? xl_cc_of(&f->cc)->pace(&f->cc, c->rtt.srtt_ns) : 0;
	}
	return xl_min(bytes * f->pace_cost >> XL_CC_PACE_BITS, XL_PACE_WAIT_NS_MAX);
}

/* So long may packets that are due wait for others. */
static u64 step(const struct xl_conn *c) { return xl_min(c->rtt.srtt_ns / 8, XL_PACE_STEP_NS); }

/* How far the schedule may lie behind: nothing for a window of which pacing keeps parts of a packet, else no less than waiting
 * costs. */
static u64 burst(const struct xl_conn *c, struct xl_flow *f)
{
	if (f->cc.cwnd < 2 * f->cc.packet_bytes)
		return 0;
	return xl_max(time_of(c, f, (u64)XL_PACE_BURST_PACKETS * f->cc.packet_bytes), step(c));
}

bool xl_pacer_ready(struct xl_engine *e, struct xl_conn *c, u32 bytes)
{
	const struct xl_flow *f = xl_flow_of(e, c);

	(void)bytes;
	if (!f || f->pace_ns <= e->now_ns) {
		c->pace_due_ns = XL_NEVER;
		return true;
	}
	e->counters[XL_C_PACED] += c->pace_due_ns == XL_NEVER;
	c->pace_due_ns = xl_max(f->pace_ns, e->now_ns + step(c));
	c->window_limited = true; /* but for pacing it would have been full (RFC 9002, 7.8) */
	return false;
}

void xl_pacer_sent(struct xl_engine *e, struct xl_conn *c, u32 bytes)
{
	struct xl_flow *f = xl_flow_need(e, c);

	f->pace_ns = xl_max(f->pace_ns, e->now_ns - xl_min(burst(c, f), e->now_ns)) + time_of(c, f, bytes);
}
