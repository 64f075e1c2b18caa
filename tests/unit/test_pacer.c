/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/conn.h"
#include "engine/flow.h"
#include "engine/pacer.h"
#include "engine_pair.h"

#define PACKET 1500u

/* A connection with that window and round trip, ready to send. */
static struct xl_conn *paced(struct pair *p, enum xl_cc_algorithm algorithm, u64 cwnd, u64 srtt_ns)
{
	struct xl_conn *c;
	struct xl_flow *f;

	pair_open(p, NULL);
	c = xl_conn_at(p->h[0].e, p->a);
	f = xl_flow_need(p->h[0].e, c);
	c->congestion = algorithm;
	xl_cc_switch(&f->cc, algorithm);
	f->cc.packet_bytes = PACKET;
	f->cc.cwnd = f->cc.ssthresh = cwnd;
	c->rtt.sampled = true;
	c->rtt.srtt_ns = srtt_ns;
	f->pace_ns = 0;
	return c;
}

/* Send whenever allowed, for `ns`; the clock moves as the wheel of the engine would move it. Bytes sent. */
static u64 blast(struct pair *p, struct xl_conn *c, u64 ns, u64 burst)
{
	struct xl_engine *e = p->h[0].e;
	struct xl_flow *f = xl_flow_of(e, c);
	u64 begin = e->now_ns, sent = 0, pace = xl_cc_of(&f->cc)->pace(&f->cc, c->rtt.srtt_ns);

	while (e->now_ns < begin + ns) {
		while (xl_pacer_ready(e, c, PACKET)) {
			u64 schedule;

			CHECK(c->pace_due_ns == XL_NEVER);
			xl_pacer_sent(e, c, PACKET);
			sent += PACKET;
			/* never more than a burst before what the pace says, but for parts of nanoseconds */
			schedule = ((e->now_ns - begin) << XL_CC_PACE_BITS) / pace;
			CHECK(sent <= schedule + schedule / 50 + burst + 2 * PACKET);
		}
		CHECK(c->pace_due_ns > e->now_ns && c->pace_due_ns != XL_NEVER);
		e->now_ns = c->pace_due_ns;
	}
	return sent;
}

static void test_pace_is_kept(void **state)
{
	static const u32 windows[] = { 12, 40, 170, 1000 };

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(windows); i++) {
		u64 srtt = 30 * XL_US * (i + 1), ns = 100 * srtt, want, sent;
		struct pair p;
		struct xl_conn *c = paced(&p, XL_CC_NEWRENO, (u64)windows[i] * PACKET, srtt);

		sent = blast(&p, c, ns, xl_max(XL_PACE_BURST_PACKETS, windows[i] / 6) * PACKET);
		want = 100ull * windows[i] * PACKET * 5 / 4;
		/* the last wait may go past the end by a round trip's eighth */
		CHECK(sent + want / 50 >= want);
		CHECK(sent <= want + xl_max(XL_PACE_BURST_PACKETS, windows[i] / 3) * PACKET + want / 50);
		CHECK(count_of(&p.h[0], XL_C_PACED) > 10);
		pair_close(&p);
	}
}

/* Half a packet in a round trip: one in two, however long nothing was sent before. */
static void test_below_a_packet(void **state)
{
	struct pair p;
	struct xl_conn *c = paced(&p, XL_CC_DELAY, PACKET / 2, 100 * XL_US);

	(void)state;
	CHECK(blast(&p, c, 200 * 100 * XL_US - 200, 0) == 100 * PACKET); /* less what is cut off 100 times */
	p.h[0].e->now_ns += XL_S;
	CHECK(blast(&p, c, 200 * 100 * XL_US - 200, 0) == 100 * PACKET); /* less what is cut off 100 times */
	pair_close(&p);
}

static void test_idle_does_not_wait(void **state)
{
	struct pair p;
	struct xl_conn *c = paced(&p, XL_CC_NEWRENO, 20 * PACKET, 100 * XL_US);
	struct xl_engine *e = p.h[0].e;

	(void)state;
	for (u32 i = 0; i < 50; i++) {
		for (u32 k = 0; k < XL_PACE_BURST_PACKETS; k++) {
			CHECK(xl_pacer_ready(e, c, PACKET));
			xl_pacer_sent(e, c, PACKET);
		}
		e->now_ns += 200 * XL_US;
	}
	CHECK(count_of(&p.h[0], XL_C_PACED) == 0);
	/* nothing measured yet: nothing to pace by */
	c->rtt.sampled = false;
	xl_flow_of(e, c)->pace_ns = xl_flow_of(e, c)->pace_cost = 0;
	for (u32 k = 0; k < 100; k++) {
		CHECK(xl_pacer_ready(e, c, PACKET));
		xl_pacer_sent(e, c, PACKET);
	}
	pair_close(&p);
}

/* However absurd round trip and window: the pause is bounded. */
static void test_longest_pause(void **state)
{
	struct pair p;
	struct xl_conn *c = paced(&p, XL_CC_DELAY, PACKET / XL_CC_LEAST_PARTS, 20 * XL_S);
	struct xl_engine *e = p.h[0].e;

	(void)state;
	CHECK(xl_pacer_ready(e, c, PACKET));
	xl_pacer_sent(e, c, PACKET);
	CHECK(!xl_pacer_ready(e, c, PACKET) && c->pace_due_ns == e->now_ns + XL_PACE_WAIT_NS_MAX);
	pair_close(&p);
}

/* The whole engine: who waits for pacing has a timer and no turn, and goes on when it is over; the window bounds it. */
static void test_waits_in_the_wheel(void **state)
{
	static u8 data[65536];
	struct xl_packet out[64];
	struct pair p;
	struct xl_conn *c = paced(&p, XL_CC_NEWRENO, 40 * PACKET, 100 * XL_US);
	struct xl_engine *e = p.h[0].e;
	u32 n, all;

	(void)state;
	CHECK(xl_conn_send(e, p.a, data, sizeof data, p.now) == sizeof data);
	all = n = xl_engine_output(e, out, 64, p.now);
	CHECK(n >= XL_PACE_BURST_PACKETS && n <= XL_PACE_BURST_PACKETS + 2);
	CHECK(!c->is_active && c->pace_due_ns != XL_NEVER && xl_engine_deadline(e) <= c->pace_due_ns);
	CHECK(xl_engine_output(e, out, 64, p.now) == 0 && !xl_engine_check(e));
	while (c->inflight + PACKET <= xl_flow_of(e, c)->cc.cwnd && all < 64) {
		u64 due = c->pace_due_ns;

		CHECK(due > p.now && due - p.now <= XL_PACE_STEP_NS);
		p.now = due;
		xl_engine_advance(e, p.now);
		n = xl_engine_output(e, out, 64, p.now);
		CHECK(n && n < XL_PACE_BURST_PACKETS);
		all += n;
	}
	CHECK(c->inflight <= xl_flow_of(e, c)->cc.cwnd && all >= 38 && count_of(&p.h[0], XL_C_PACED) >= 3);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pace_is_kept),
		cmocka_unit_test(test_below_a_packet),
		cmocka_unit_test(test_idle_does_not_wait),
		cmocka_unit_test(test_longest_pause),
		cmocka_unit_test(test_waits_in_the_wheel),
	};

	return RUN_TAP(tests);
}
