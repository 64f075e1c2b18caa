/* SPDX-License-Identifier: BSD-2-Clause */
/* NewReno in integers against RFC 9002, 7 in doubles, written from its text alone. */
#include <math.h>

#include "cc_model.h"

struct model { double cwnd, ssthresh, recovery, credit; bool recovering; };

static void model_lost(struct model *m, double sent, double now)
{
	if (m->recovery > 0 && sent <= m->recovery)
		return;
	m->ssthresh = fmax(m->cwnd / 2, 2);
	m->cwnd = m->ssthresh;
	m->recovery = now;
	m->recovering = true;
	m->credit = 0;
}

/* 5.: slow start by what was acknowledged, avoidance by a packet for each window (RFC 3465, RFC 5681). */
static void model_acked(struct model *m, double packets, double sent, bool limited)
{
	if (m->recovering && sent > m->recovery)
		m->recovering = false;
	if (m->recovering || !limited)
		return;
	if (m->cwnd < m->ssthresh) {
		m->cwnd += packets;
		return;
	}
	m->credit += packets;
	if (m->credit >= m->cwnd) {
		m->credit -= m->cwnd;
		m->cwnd += 1;
	}
}

static void test_follows_the_model(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 40; seed++) {
		struct model m = { .cwnd = XL_CC_INITIAL_PACKETS, .ssthresh = 1e30 };
		u64 now = XL_S;
		struct xl_prng r;
		struct xl_cc cc;

		xl_prng_seed(&r, seed);
		xl_cc_newreno.init(&cc, MODEL_PACKET);
		for (u32 i = 0; i < 20000; i++) {
			struct model_step s = model_next(&r, &now, cc.cwnd, 1 + (u32)(seed % 8) * 10);

			model_apply(&cc, &s);
			if (s.loss)
				model_lost(&m, (double)s.sent, (double)s.now);
			else
				model_acked(&m, 1, (double)s.sent, s.limited);
			/* half a window is cut to bytes: that may put a step off by one acknowledgement */
			if (fabs((double)cc.cwnd / MODEL_PACKET - m.cwnd) > 1.01)
				fail_msg("seed %llu, step %u: %.3f packets, the model has %.3f", (unsigned long long)seed, i,
					 (double)cc.cwnd / MODEL_PACKET, m.cwnd);
		}
	}
}

static void test_one_reduction_an_episode(void **state)
{
	struct xl_cc cc;

	(void)state;
	xl_cc_newreno.init(&cc, MODEL_PACKET);
	cc.cwnd = 64 * MODEL_PACKET;
	CHECK(xl_cc_newreno.lost(&cc, 1000, 2000) && cc.cwnd == 32 * MODEL_PACKET);
	for (u64 sent = 1; sent <= 2000; sent += 100)
		CHECK(!xl_cc_newreno.lost(&cc, sent, 3000));
	xl_cc_newreno.undo(&cc);
	CHECK(cc.cwnd == 64 * MODEL_PACKET && cc.ssthresh == UINT64_MAX);
	for (u32 i = 0; i < 10; i++)
		xl_cc_newreno.lost(&cc, 10000 * (i + 1), 10000 * (i + 1) + 1);
	CHECK(cc.cwnd == XL_CC_MINIMUM_PACKETS * MODEL_PACKET);
}

static void test_restart_and_collapse(void **state)
{
	struct xl_cc cc;

	(void)state;
	xl_cc_newreno.init(&cc, MODEL_PACKET);
	cc.cwnd = 64 * MODEL_PACKET;
	xl_cc_newreno.restart(&cc, 10, 20, 100);
	CHECK(cc.cwnd == 64 * MODEL_PACKET);
	xl_cc_newreno.restart(&cc, 30, 20, 100);
	CHECK(cc.cwnd == XL_CC_INITIAL_PACKETS * MODEL_PACKET);
	xl_cc_newreno.collapse(&cc, 100);
	CHECK(cc.cwnd == XL_CC_MINIMUM_PACKETS * MODEL_PACKET);
	xl_cc_newreno.resize(&cc, 9000);
	CHECK(cc.cwnd == XL_CC_MINIMUM_PACKETS * 9000);
}

static void test_idle_does_not_grow(void **state)
{
	(void)state;
	model_idle_does_not_grow(XL_CC_NEWRENO);
	model_idle_does_not_grow(XL_CC_DELAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_the_model),
		cmocka_unit_test(test_one_reduction_an_episode),
		cmocka_unit_test(test_restart_and_collapse),
		cmocka_unit_test(test_idle_does_not_grow),
	};

	return RUN_TAP(tests);
}
