/* SPDX-License-Identifier: BSD-2-Clause */
/* cc_model.h - random sequences of acknowledgements and losses for a congestion control, and what is true of all of them. */
#ifndef TESTS_CC_MODEL_H
#define TESTS_CC_MODEL_H

#include "engine/cc.h"
#include "unit.h"

#define MODEL_PACKET 1500u
#define MODEL_RTT    (200 * XL_US)

/* One step of a sequence: `acked` bytes, or a loss, at `now`, of what was sent at `sent`. */
struct model_step { u64 now, sent; u32 acked; bool loss, limited; };

/* Sent one round trip ago; a loss about once in `rarity` windows. */
static inline struct model_step model_next(struct xl_prng *r, u64 *now, u64 cwnd, u32 rarity)
{
	struct model_step s = { .acked = MODEL_PACKET, .limited = xl_prng_below(r, 50) != 0 };

	*now += MODEL_RTT * MODEL_PACKET / cwnd + xl_prng_below(r, 2000);
	s.now = *now;
	s.sent = *now - MODEL_RTT;
	s.loss = !xl_prng_below(r, rarity * (cwnd / MODEL_PACKET));
	return s;
}

static inline void model_apply(struct xl_cc *cc, const struct model_step *s)
{
	if (s->loss)
		xl_cc_of(cc)->lost(cc, s->sent, s->now);
	else
		xl_cc_of(cc)->acked(cc, s->acked, s->sent, s->now, MODEL_RTT, s->limited);
}

/* A program that never fills the window does not make it grow, whatever comes. */
static inline void model_idle_does_not_grow(enum xl_cc_algorithm algorithm)
{
	for (u64 seed = 1; seed <= 50; seed++) {
		struct xl_prng r;
		struct xl_cc cc;
		u64 now = XL_S;

		xl_prng_seed(&r, seed);
		xl_cc_algorithms[algorithm]->init(&cc, MODEL_PACKET);
		for (u32 i = 0; i < 2000; i++) {
			u64 before = cc.cwnd, rtt = MODEL_RTT + xl_prng_below(&r, MODEL_RTT);
			struct xl_cc_sample s = { .sent_ns = now, .now_ns = now + rtt, .rtt_ns = rtt, .delay_ns = rtt,
						  .network_ns = rtt - xl_prng_below(&r, MODEL_RTT), .srtt_ns = MODEL_RTT };

			now += rtt;
			if (!xl_prng_below(&r, 200))
				xl_cc_of(&cc)->lost(&cc, s.sent_ns, now);
			xl_cc_of(&cc)->acked(&cc, MODEL_PACKET, s.sent_ns, now, MODEL_RTT, false);
			xl_cc_of(&cc)->sample(&cc, &s);
			CHECK(cc.cwnd <= before);
		}
	}
}

#endif
