/* SPDX-License-Identifier: BSD-2-Clause */
/* CUBIC in integers against RFC 9438 in doubles: packets and seconds, written from its text alone. */
#include <math.h>

#include "cc_model.h"

#define C     0.4
#define BETA  0.7
#define ALPHA (3 * (1 - BETA) / (1 + BETA))

struct model { double cwnd, ssthresh, w_max, k, epoch, w_est, prior, recovery, last; bool recovering; };

static void model_lost(struct model *m, double sent, double now)
{
	if (m->recovery > 0 && sent <= m->recovery)
		return;
	m->w_max = m->cwnd < m->w_max ? m->cwnd * (1 + BETA) / 2 : m->cwnd;
	m->prior = m->cwnd;
	m->ssthresh = fmax(m->cwnd * BETA, 2);
	m->cwnd = m->ssthresh;
	m->recovery = now;
	m->recovering = true;
	m->epoch = 0;
}

static double w_cubic(const struct model *m, double t) { return C * pow(t - m->k, 3) + m->w_max; }

static void model_acked(struct model *m, double packets, double sent, double now, double rtt, bool limited)
{
	double since = m->last > 0 ? now - m->last : 0, target, t;

	m->last = now;
	if (m->recovering && sent > m->recovery)
		m->recovering = false;
	if (m->recovering)
		return;
	if (!limited) {
		m->epoch += m->epoch > 0 ? since : 0;
		return;
	}
	if (m->cwnd < m->ssthresh) {
		m->cwnd += packets;
		return;
	}
	if (m->epoch <= 0) {
		m->epoch = now;
		m->w_est = m->cwnd;
		m->k = m->w_max > m->cwnd ? cbrt((m->w_max - m->cwnd) / C) : 0;
		m->w_max = fmax(m->w_max, m->cwnd);
	}
	t = now - m->epoch;
	m->w_est += (m->w_est < m->prior ? ALPHA : 1) * packets / m->cwnd;
	if (w_cubic(m, t) < m->w_est) {
		m->cwnd = fmax(m->cwnd, m->w_est);
		return;
	}
	target = fmin(fmax(w_cubic(m, t + rtt), m->cwnd), 1.5 * m->cwnd);
	m->cwnd += (target - m->cwnd) / m->cwnd * packets;
}

static void follow(u64 seed, u32 rarity, u32 steps)
{
	struct model m = { .cwnd = XL_CC_INITIAL_PACKETS, .ssthresh = 1e30 };
	u64 now = XL_S, begin = now - MODEL_RTT - 1;
	struct xl_prng r;
	struct xl_cc cc;

	xl_prng_seed(&r, seed);
	xl_cc_cubic.init(&cc, MODEL_PACKET);
	for (u32 i = 0; i < steps; i++) {
		struct model_step s = model_next(&r, &now, cc.cwnd, rarity);
		double at = (double)(s.now - begin) / XL_S, sent = (double)(s.sent - begin) / XL_S, got;

		model_apply(&cc, &s);
		if (s.loss)
			model_lost(&m, sent, at);
		else
			model_acked(&m, 1, sent, at, (double)MODEL_RTT / XL_S, s.limited);
		got = (double)cc.cwnd / MODEL_PACKET;
		if (fabs(got - m.cwnd) > 0.03 * m.cwnd + 0.25) /* a byte may decide which branch is taken */
			fail_msg("seed %llu, step %u: %.3f packets, the model has %.3f", (unsigned long long)seed, i, got, m.cwnd);
	}
}

static void test_follows_the_model(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 40; seed++)
		follow(seed, 1 + (u32)(seed % 8) * 40, 20000);
}

/* Long after a reduction of a large window: beyond the plateau, where the cube itself grows. */
static void test_far_along_the_curve(void **state)
{
	struct xl_cc cc;
	u64 now = XL_S;

	(void)state;
	xl_cc_cubic.init(&cc, MODEL_PACKET);
	cc.cwnd = 10000ull * MODEL_PACKET;
	CHECK(xl_cc_cubic.lost(&cc, now, now) && cc.cwnd == 7000ull * MODEL_PACKET);
	now += XL_S;
	for (u32 ms = 0; ms < 60000; ms += 2, now += 2 * XL_MS) {
		double t = ms / 1000.0, k = cbrt(3000 / C), want = C * pow(t - k, 3) + 10000;

		for (u32 i = 0; i < 20; i++) /* a window in each of 20 round trips: it stands where the curve is */
			xl_cc_cubic.acked(&cc, (u32)xl_min(cc.cwnd, 1 << 22), now - 1, now, 0, true);
		if (t > 1 && want > 3000 && (double)cc.cwnd / MODEL_PACKET < 0.97 * want)
			fail_msg("after %.3f s: %.1f packets of %.1f", t, (double)cc.cwnd / MODEL_PACKET, want);
	}
}

static void test_undo(void **state)
{
	struct xl_cc cc;
	u64 before;

	(void)state;
	xl_cc_cubic.init(&cc, MODEL_PACKET);
	cc.cwnd = 100 * MODEL_PACKET;
	cc.ssthresh = 50 * MODEL_PACKET;
	before = cc.cwnd;
	CHECK(xl_cc_cubic.lost(&cc, XL_S, XL_S) && !xl_cc_cubic.lost(&cc, XL_S, XL_S + 5));
	CHECK(cc.cwnd == before * 7 / 10);
	xl_cc_cubic.undo(&cc);
	CHECK(cc.cwnd == before && cc.ssthresh == 50 * MODEL_PACKET && cc.cubic.w_max == 0);
	xl_cc_cubic.collapse(&cc, 2 * XL_S);
	CHECK(cc.cwnd == XL_CC_MINIMUM_PACKETS * MODEL_PACKET);
	xl_cc_cubic.undo(&cc);
	CHECK(cc.cwnd == XL_CC_MINIMUM_PACKETS * MODEL_PACKET);
}

/* A pause moves the curve, it does not climb it. */
static void test_pause(void **state)
{
	struct xl_cc cc;
	u64 now = XL_S, before;

	(void)state;
	xl_cc_cubic.init(&cc, MODEL_PACKET);
	cc.cwnd = 400 * MODEL_PACKET;
	xl_cc_cubic.lost(&cc, now, now);
	now += MODEL_RTT;
	xl_cc_cubic.acked(&cc, MODEL_PACKET, now - 1, now, MODEL_RTT, true);
	before = cc.cwnd;
	xl_cc_cubic.restart(&cc, 30 * XL_S, 60 * XL_S, now + 30 * XL_S);
	now += 30 * XL_S;
	for (u32 i = 0; i < 280; i++)
		xl_cc_cubic.acked(&cc, MODEL_PACKET, now, now + MODEL_RTT, MODEL_RTT, true);
	CHECK(cc.cwnd < before + 2 * MODEL_PACKET);
	xl_cc_cubic.restart(&cc, 2 * XL_S, XL_S, now + 2 * XL_S);
	CHECK(cc.cwnd == XL_CC_INITIAL_PACKETS * MODEL_PACKET);
}

static void test_idle_does_not_grow(void **state)
{
	(void)state;
	model_idle_does_not_grow(XL_CC_CUBIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_the_model),
		cmocka_unit_test(test_far_along_the_curve),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_idle_does_not_grow),
	};

	return RUN_TAP(tests);
}
