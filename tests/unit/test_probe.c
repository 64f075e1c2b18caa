/* SPDX-License-Identifier: BSD-2-Clause */
/* Timeouts: the tail probe and what follows it, and that no pause of a worker makes a storm of them. */
#include "engine_acks.h"
#include "engine_link.h"

static struct ears s;
static struct pair p;
static struct link l;

static u64 counted(enum xl_engine_counter c) { return count_of(&p.h[1], c); }

static void start(u64 credit)
{
	pair_open(&p, NULL);
	ears_open(&s, &p, credit);
	ears_settle(&s);
}

/* K-37: new data if there is some; K-5, H-19: then the two oldest and a PING with the extension. */
static void test_new_data_probes_the_tail(void **state)
{
	u32 from, n;

	(void)state;
	start(1 << 20);
	from = s.n;
	ears_send(&s, 30 * 1460);
	ears_hear(&s);
	n = s.n;
	CHECK(counted(XL_C_RETRANSMITTED) == 0);
	ears_wait(&s, 3 * XL_MS);
	CHECK(s.n == n + 1 && s.at[n].data && counted(XL_C_TAIL_PROBES) == 1 && counted(XL_C_RETRANSMITTED) == 0);
	ears_wait(&s, 4 * XL_MS);
	CHECK(counted(XL_C_RTOS) == 1 && counted(XL_C_RETRANSMITTED) == 2 && counted(XL_C_PTO_PROBES) == 3);
	for (n++; n < s.n && !s.at[n].ext; n++)
		;
	CHECK(n < s.n && s.at[n].ping);
	ears_ack_heard(&s, from, s.n);
	bystander_lives(&p);
	pair_close(&p);
}

/* K-37: else the newest once more, whose ACK shows the holes before it. */
static void test_the_newest_probes_the_tail(void **state)
{
	u32 n;

	(void)state;
	start(1 << 20);
	ears_send(&s, 5 * 1460);
	ears_hear(&s);
	n = s.n;
	ears_wait(&s, 3 * XL_MS);
	CHECK(s.n == n + 1 && s.at[n].data && counted(XL_C_TAIL_PROBES) == 1 && counted(XL_C_RETRANSMITTED) == 1);
	ears_ack_heard(&s, n, n + 1);
	CHECK(counted(XL_C_LOST_BY_COUNT) + counted(XL_C_LOST_BY_TIME) == 5);
	n = s.n;
	ears_hear(&s);
	CHECK(s.n >= n + 4); /* the holes, and not what the probe had carried */
	CHECK(counted(XL_C_RETRANSMITTED) == 5 && counted(XL_C_RTOS) == 0);
	bystander_lives(&p);
	pair_close(&p);
}

/* Two hosts 20 us apart: what is lost at the tail is there again well within a millisecond. */
static void test_a_lost_tail_on_a_lan(void **state)
{
	(void)state;
	for (u32 bytes = 100; bytes <= 10000; bytes *= 10) {
		u64 all, before;

		link_open(&l, 1, 800, 10 * XL_US);
		link_run(&l, 100000, XL_S);
		link_run(&l, 0, 10 * XL_MS);
		all = l.received;
		CHECK(all == 100000);
		l.way[0].blind_until = l.p.now + 40 * XL_US;
		before = l.p.now;
		link_run(&l, all + bytes, XL_S);
		CHECK(l.lost > 0 && l.received == all + bytes);
		print_message("# %u bytes: %llu us, round trip %llu us\n", bytes, (unsigned long long)(l.p.now - before) / 1000,
			      (unsigned long long)info_of(&l.p.h[0], l.j.a).srtt_ns / 1000);
		CHECK(l.p.now - before < 600 * XL_US && count_of(&l.p.h[0], XL_C_TAIL_PROBES) == 1);
		CHECK(count_of(&l.p.h[0], XL_C_RTOS) == 0);
		link_close(&l);
	}
}

/* The peer's worker pauses for milliseconds, often: a packet or two for each doubling of the timeout, and no smaller window. */
static void test_pauses_make_no_storm(void **state)
{
	u64 packets, cuts;

	(void)state;
	link_open(&l, 1, 800, 10 * XL_US);
	link_run(&l, 1 << 20, XL_S);
	link_run(&l, 0, 10 * XL_MS);
	packets = l.way[0].packets;
	cuts = count_of(&l.p.h[0], XL_C_RECOVERIES);
	for (u64 i = 1; i <= 20; i++) {
		static struct raw r;
		u64 end = l.p.now + 8 * XL_MS, next;
		u8 to;

		CHECK(xl_conn_send(l.p.h[0].e, l.j.a, l.bytes, 1000, l.p.now) == 1000);
		for (; (next = xl_engine_deadline(l.p.h[0].e)) < end; l.p.now = xl_max(next, l.p.now + 1)) {
			xl_engine_advance(l.p.h[0].e, l.p.now);
			while (host_output(&l.p.h[0], &r, &to, l.p.now))
				link_put(&l, 0, &r);
		}
		l.p.now = end;
		link_run(&l, 0, 10 * XL_MS);
		CHECK(l.received == (1 << 20) + i * 1000);
	}
	CHECK(l.way[0].packets - packets <= 20 * 24 && count_of(&l.p.h[0], XL_C_RECOVERIES) == cuts);
	link_close(&l);
}

/* The sender's own worker stands still for 10 s with a full window out: it sends no more than the window when it goes on. */
static void test_a_long_pause_makes_no_burst(void **state)
{
	struct xl_conn_info i;
	u64 packets;

	(void)state;
	link_open(&l, 1, 800, 500 * XL_US);
	link_run(&l, 1 << 20, XL_S);
	l.received = 0;
	l.sent = 0;
	link_run(&l, 1 << 18, XL_MS);
	CHECK(info_of(&l.p.h[0], l.j.a).inflight_bytes > 0);
	l.way[0].count = l.way[1].count = 0; /* all that was under way is gone */
	l.p.now += 10 * XL_S;
	packets = l.way[0].packets;
	link_step(&l, 1 << 20);
	i = info_of(&l.p.h[0], l.j.a);
	CHECK((l.way[0].packets - packets) * 1400 <= i.cwnd_bytes + 4 * 1500);
	CHECK(i.inflight_bytes <= i.cwnd_bytes + 4 * 1500);
	link_run(&l, 1 << 20, 10 * XL_S);
	CHECK(state_is(&l.p.h[0], l.j.a, "open"));
	link_close(&l);
}

/* The timeout doubles, and no further than a bound. */
static void test_backoff_is_bounded(void **state)
{
	u64 last = 0, longest = 0;

	(void)state;
	start(1 << 20);
	ears_send(&s, 100);
	ears_hear(&s);
	for (u64 end = p.now + 8 * XL_S; p.now < end;) {
		u32 before = s.n;

		p.now = xl_max(p.now + 1, xl_engine_deadline(p.h[1].e));
		xl_engine_advance(p.h[1].e, p.now);
		ears_hear(&s);
		if (s.n == before)
			continue;
		longest = last ? xl_max(longest, p.now - last) : 0;
		last = p.now;
	}
	CHECK(longest > XL_PTO_MAX_NS / 2 && longest <= XL_PTO_MAX_NS + XL_MS);
	pair_check(&p);
	pair_close(&p);
}

/* A path with loss of many kinds: everything arrives, nothing is given up. */
static void test_goodput(void **state)
{
	static const u32 loss[] = { 0, 10000, 50000, 200000 };

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(loss); i++) {
		u64 begin;

		link_open(&l, 1, 800, 10 * XL_US);
		l.loss_per_million = loss[i];
		begin = l.p.now;
		link_run(&l, 2 << 20, 20 * XL_S);
		CHECK(l.received == 2 << 20);
		print_message("# loss %u %%: %llu Mbit/s, an ACK for %llu packets\n", loss[i] / 10000,
			      (unsigned long long)(l.received * 8000 / (l.p.now - begin)),
			      (unsigned long long)(l.way[0].packets / l.way[1].packets));
		link_close(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_data_probes_the_tail),
		cmocka_unit_test(test_the_newest_probes_the_tail),
		cmocka_unit_test(test_a_lost_tail_on_a_lan),
		cmocka_unit_test(test_pauses_make_no_storm),
		cmocka_unit_test(test_a_long_pause_makes_no_burst),
		cmocka_unit_test(test_backoff_is_bounded),
		cmocka_unit_test(test_goodput),
	};

	return RUN_TAP(tests);
}
