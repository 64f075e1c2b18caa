/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc_world.h"

#define RTT   (100 * XL_US)
#define START (10 * XL_S)

/* One flow, one packet at a time: the clock of acknowledgements, as the test wants it. */
struct flow { struct xl_cc cc; u64 now, round; };

static struct flow flow_new(void)
{
	struct flow f = { .now = START };

	xl_cc_delay.init(&f.cc, WORLD_PACKET);
	return f;
}

/* A round trip of n packets, each of which took `delay_ns`, and `slow_ns` of that in hosts. */
static void round_trip(struct flow *f, u32 n, u64 delay_ns, u64 slow_ns, bool limited)
{
	u64 sent = f->now;

	f->now += delay_ns;
	for (u32 i = 0; i < n; i++) {
		struct xl_cc_sample s = { .now_ns = f->now, .sent_ns = sent, .rtt_ns = delay_ns, .delay_ns = delay_ns,
					  .network_ns = delay_ns - slow_ns, .srtt_ns = RTT, .sent_bytes = WORLD_PACKET,
					  .limited = limited };

		xl_cc_delay.acked(&f->cc, WORLD_PACKET, sent, f->now, RTT, limited);
		xl_cc_delay.sample(&f->cc, &s);
		f->now += 10;
		sent += 10;
	}
}

static double packets(const struct flow *f) { return (double)f->cc.cwnd / WORLD_PACKET; }

/* Out of slow start, at about 20 packets. */
static struct flow flow_avoiding(void)
{
	struct flow f = flow_new();

	round_trip(&f, 10, RTT, 0, true);
	CHECK(packets(&f) == 20);
	f.cc.ssthresh = f.cc.cwnd;
	return f;
}

static void test_grows_below(void **state)
{
	struct flow f = flow_avoiding();

	(void)state;
	for (u32 i = 0; i < 10; i++) {
		double before = packets(&f);

		round_trip(&f, (u32)before, RTT, 0, true);
		CHECK(packets(&f) >= before && packets(&f) <= before + 1);
	}
	CHECK(packets(&f) > 28);
}

static void test_shrinks_above(void **state)
{
	struct flow f = flow_avoiding();
	double before;

	(void)state;
	/* 1.8 of the base: in proportion, an eighth less. The rest of that round trip can not reduce it again. */
	round_trip(&f, 20, RTT, 0, true);
	round_trip(&f, 1, 18 * RTT / 10, 0, true); /* ends that round, of which it was not the least */
	before = packets(&f);
	round_trip(&f, 1, 18 * RTT / 10, 0, true);
	CHECK(packets(&f) < before / 1.8 && packets(&f) > before / 1.8 * 0.85);
	before = packets(&f);
	for (u32 i = 0; i < 20; i++) {
		struct xl_cc_sample s = { .now_ns = f.now, .sent_ns = f.now - 2 * RTT, .rtt_ns = 2 * RTT, .delay_ns = 2 * RTT,
					  .network_ns = 2 * RTT, .srtt_ns = RTT, .sent_bytes = WORLD_PACKET,
					  .limited = true };

		xl_cc_delay.sample(&f.cc, &s);
		CHECK(packets(&f) == before);
		f.now += 10;
	}
	/* never to less than half */
	round_trip(&f, 2, 100 * RTT, 0, true);
	round_trip(&f, 2, 100 * RTT, 0, true);
	CHECK(packets(&f) >= before / 4);
}

static void test_slow_hosts_are_no_queue(void **state)
{
	struct flow f = flow_avoiding();
	double before = packets(&f);

	(void)state;
	for (u32 i = 0; i < 20; i++)
		round_trip(&f, 20, 20 * RTT, 19 * RTT, true);
	CHECK(packets(&f) > before + 5);
	CHECK(f.cc.delay.base_ns == RTT);
}

/* Where hosts may be slow by 8 round trips, another that they do not account for is no queue; where they are not, it is. */
static void test_slow_hosts_have_more(void **state)
{
	(void)state;
	for (u32 slow = 0; slow <= 8; slow += 8) {
		struct flow f = flow_avoiding();
		double before = packets(&f);

		for (u32 i = 0; i < 20; i++)
			round_trip(&f, 20, 2 * RTT + slow * RTT, slow * RTT, true);
		CHECK(slow ? packets(&f) > before : packets(&f) < before / 2);
		/* it is forgotten when they are quick again */
		for (u32 i = 0; i < 40; i++)
			round_trip(&f, 20, 2 * RTT, 0, true);
		CHECK(packets(&f) < before / 2);
	}
}

static void test_floor(void **state)
{
	struct flow f = flow_avoiding();
	u64 floor = WORLD_PACKET / XL_CC_LEAST_PARTS;

	(void)state;
	for (u32 i = 0; i < 100; i++)
		round_trip(&f, 1, 100 * RTT, 0, true);
	CHECK(f.cc.cwnd == floor);
	/* one packet in so many round trips, and exactly so */
	CHECK((xl_cc_delay.pace(&f.cc, RTT) * WORLD_PACKET >> XL_CC_PACE_BITS) / RTT == WORLD_PACKET / floor);
	CHECK(xl_cc_open(&f.cc, 0, WORLD_PACKET) && !xl_cc_open(&f.cc, WORLD_PACKET, WORLD_PACKET));
	/* and up again */
	for (u32 i = 0; i < 30; i++)
		round_trip(&f, 1, RTT, 0, true);
	CHECK(packets(&f) > 2);
}

static void test_loss_and_undo(void **state)
{
	struct flow f = flow_avoiding();
	u64 before = f.cc.cwnd;

	(void)state;
	CHECK(xl_cc_delay.lost(&f.cc, f.now - 10, f.now));
	CHECK(f.cc.cwnd == before * 7 / 10 && f.cc.in_recovery);
	CHECK(!xl_cc_delay.lost(&f.cc, f.now - 5, f.now + 5) && f.cc.cwnd == before * 7 / 10);
	xl_cc_delay.undo(&f.cc);
	CHECK(f.cc.cwnd == before && !f.cc.in_recovery);
	xl_cc_delay.undo(&f.cc);
	CHECK(f.cc.cwnd == before);
	CHECK(xl_cc_delay.lost(&f.cc, f.now + 10, f.now + 20));
	xl_cc_delay.collapse(&f.cc, f.now + 30);
	CHECK(f.cc.cwnd == XL_CC_MINIMUM_PACKETS * WORLD_PACKET);
	xl_cc_delay.undo(&f.cc);
	CHECK(f.cc.cwnd == XL_CC_MINIMUM_PACKETS * WORLD_PACKET);
}

/* Who sends little is not at fault for a queue, and learns nothing about room. */
static void test_not_limited(void **state)
{
	struct flow f = flow_avoiding();
	u64 before = f.cc.cwnd;

	(void)state;
	for (u32 i = 0; i < 50; i++)
		round_trip(&f, 1, i % 2 ? RTT : 5 * RTT, 0, false);
	CHECK(f.cc.cwnd == before);
}

/* A path that has become longer is known as such within two periods. */
static void test_base_ages(void **state)
{
	struct flow f = flow_avoiding();

	(void)state;
	for (u32 i = 0; i < 25 * 1000; i++) {
		round_trip(&f, 1, 10 * RTT, 0, true);
		CHECK(f.cc.cwnd >= WORLD_PACKET / XL_CC_LEAST_PARTS);
	}
	CHECK(f.cc.delay.base_ns == 10 * RTT);
	CHECK(packets(&f) > 2);
}

/* What a small packet tells is not the base of full ones: who began with one would have less of a queue than others. */
static void test_base_is_that_of_full_packets(void **state)
{
	struct flow f = flow_new();
	struct xl_cc_sample s = { .now_ns = f.now, .sent_ns = f.now - RTT / 2, .rtt_ns = RTT / 2, .delay_ns = RTT / 2,
				  .network_ns = RTT / 2, .srtt_ns = RTT, .sent_bytes = 100 };

	(void)state;
	xl_cc_delay.sample(&f.cc, &s);
	CHECK(f.cc.delay.base_ns == RTT / 2);
	round_trip(&f, 1, RTT, 0, true);
	CHECK(f.cc.delay.base_ns == RTT);
	xl_cc_delay.sample(&f.cc, &s);
	CHECK(f.cc.delay.base_ns == RTT);
	/* of whom nothing but small ones is seen, they are the base, and it ages as well */
	f = flow_new();
	for (u32 i = 0; i < 25; i++, s.now_ns += XL_S, s.sent_ns += XL_S) {
		if (i == 2)
			s.delay_ns = s.network_ns = RTT;
		xl_cc_delay.sample(&f.cc, &s);
	}
	CHECK(f.cc.delay.base_ns == RTT);
}

static struct world w;

static void test_one_flow_fills_the_link(void **state)
{
	static const u32 bdp[] = { 1, 2, 3, 5, 10, 30, 100, 300, 1000 };

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(bdp); i++) {
		world_init(&w, XL_CC_DELAY, 1, 1200, 1200ull * (bdp[i] - 1), 20000);
		world_run(&w, 2 * XL_S);
		world_count_from_here(&w);
		world_run(&w, XL_S / 2);
		if (world_use(&w, XL_S / 2) < 0.95)
			fail_msg("%u packets: %.3f of the link", bdp[i], world_use(&w, XL_S / 2));
		CHECK(w.lost == 0);
	}
}

static void test_flows_share_alike(void **state)
{
	static const struct { u32 flows; u64 packet_ns; u32 bdp; } c[] = {
		{ 2, 1200, 2 }, { 2, 1200, 16 }, { 2, 1200, 128 }, { 2, 12000, 2 }, { 2, 12000, 16 },
		{ 10, 1200, 2 }, { 10, 1200, 16 }, { 10, 1200, 128 }, { 10, 12000, 2 }, { 10, 12000, 16 },
	};

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(c); i++) {
		for (u32 late = 0; late < 2; late++) {
			world_init(&w, XL_CC_DELAY, c[i].flows, c[i].packet_ns, c[i].packet_ns * c[i].bdp, 20000);
			for (u32 k = 0; late && k < c[i].flows; k++)
				w.f[k].start_ns += k * 300 * XL_MS / c[i].flows;
			world_run(&w, 3 * XL_S);
			world_count_from_here(&w);
			world_run(&w, XL_S);
			if (world_jain(&w) < 0.95 || world_use(&w, XL_S) < 0.9)
				fail_msg("%u flows, %u packets, late %u: index %.3f, %.3f of the link", c[i].flows, c[i].bdp,
					 late, world_jain(&w), world_use(&w, XL_S));
		}
	}
}

static void test_incast(void **state)
{
	(void)state;
	for (u32 limit = 16; limit <= 256; limit *= 2) {
		world_init(&w, XL_CC_DELAY, WORLD_FLOWS, 1200, 20000, limit);
		world_run(&w, XL_S);
		world_count_from_here(&w);
		world_run(&w, XL_S);
		if (world_use(&w, XL_S) < 0.9)
			fail_msg("queue of %u: %.3f of the link", limit, world_use(&w, XL_S));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_below),
		cmocka_unit_test(test_shrinks_above),
		cmocka_unit_test(test_slow_hosts_are_no_queue),
		cmocka_unit_test(test_slow_hosts_have_more),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_loss_and_undo),
		cmocka_unit_test(test_not_limited),
		cmocka_unit_test(test_base_ages),
		cmocka_unit_test(test_base_is_that_of_full_packets),
		cmocka_unit_test(test_one_flow_fills_the_link),
		cmocka_unit_test(test_flows_share_alike),
		cmocka_unit_test(test_incast),
	};

	return RUN_TAP(tests);
}
