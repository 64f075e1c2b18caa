/* SPDX-License-Identifier: BSD-2-Clause */
/* What is taken for lost, what follows from it, and what is taken back (RFC 9002, 6.1 and 7.6; RFC 8985, 6.2). */
#include "engine/core.h"
#include "engine_acks.h"

static struct ears s;
static struct pair p;

/* Until the window has so many packets. */
static void widen(u32 packets)
{
	while (ears_info(&s).cwnd_bytes < packets * 1500) {
		u32 from = s.n;

		ears_send(&s, (u32)ears_info(&s).cwnd_bytes);
		ears_hear(&s);
		p.now += XL_MS;
		ears_ack_heard(&s, from, s.n);
		ears_hear(&s);
		if (ears_info(&s).inflight_bytes)
			ears_ack_heard(&s, from, s.n);
	}
	CHECK(ears_info(&s).inflight_bytes == 0);
}

/* The window is moved by losses alone here: the delay of packets is none. */
static void start(void)
{
	pair_open(&p, &(struct xl_engine_config){ .congestion = XL_CONGESTION_NEWRENO });
	ears_open(&s, &p, 64 << 20);
	ears_settle(&s);
	widen(64);
}

static void end(void)
{
	pair_check(&p);
	bystander_lives(&p);
	pair_close(&p);
}

static u64 counted(enum xl_engine_counter c) { return count_of(&p.h[1], c); }

/* So many full packets; the index of the first in s.at. */
static u32 burst(u32 packets)
{
	u32 from = s.n;

	ears_send(&s, packets * 1460);
	ears_hear(&s);
	CHECK(s.n >= from + packets);
	return from;
}

/* K-35: what was lost arrives after all, and the window is as before. With `real`, one packet of it does not. */
static void test_undo(void **state)
{
	(void)state;
	for (u32 real = 0; real <= 1; real++) {
		u64 before;
		u32 from;

		start();
		before = ears_info(&s).cwnd_bytes;
		from = burst(8);
		p.now += XL_MS;
		ears_ack_heard(&s, from + 6, from + 8);
		CHECK(counted(XL_C_LOST_BY_COUNT) == 5 && counted(XL_C_RECOVERIES) == 1);
		CHECK(ears_info(&s).cwnd_bytes < before);
		ears_ack_heard(&s, from + 1, from + 6);
		CHECK(counted(XL_C_SPURIOUS) == 4 && counted(XL_C_UNDO) == 0);
		if (!real)
			ears_ack_heard(&s, from, from + 1);
		CHECK(counted(XL_C_UNDO) == !real && (ears_info(&s).cwnd_bytes >= before) == !real);
		end();
	}
}

/* K-35: losses of an earlier episode that turn out to be none do not undo the one after it. */
static void test_undo_is_of_the_last_episode(void **state)
{
	u32 first, second;
	u64 cut;

	(void)state;
	start();
	first = burst(6);
	p.now += XL_MS;
	ears_ack_heard(&s, first + 4, first + 6);  /* 0 and 1 and 2 are lost, and go again */
	CHECK(counted(XL_C_RECOVERIES) == 1);
	ears_hear(&s);
	p.now += XL_US;
	second = burst(6);
	p.now += XL_MS / 2;
	ears_ack_heard(&s, second + 5, second + 6);
	CHECK(counted(XL_C_RECOVERIES) == 2);
	cut = ears_info(&s).cwnd_bytes;
	ears_ack_heard(&s, first, first + 3);
	CHECK(counted(XL_C_UNDO) == 0 && ears_info(&s).cwnd_bytes == cut);
	end();
}

/* K-6, K-35: a timeout was too early. The window was never touched. */
static void test_a_spurious_timeout_changes_nothing(void **state)
{
	u64 before;
	u32 from;

	(void)state;
	start();
	before = ears_info(&s).cwnd_bytes;
	from = burst(4);
	ears_wait(&s, 3 * XL_MS);
	ears_wait(&s, 6 * XL_MS);
	CHECK(counted(XL_C_TAIL_PROBES) == 1 && counted(XL_C_RTOS) == 1);
	ears_ack_heard(&s, from, from + 4);
	CHECK(ears_info(&s).cwnd_bytes >= before && counted(XL_C_RECOVERIES) == 0);
	end();
}

/* K-4, K-34: the threshold rises by a mistake, and falls when it was not needed for 16 reductions. */
static void test_reordering_is_learnt_and_forgotten(void **state)
{
	const struct xl_conn *c;
	u32 from;

	(void)state;
	start();
	c = &p.h[1].e->conns[s.x.conn];
	from = burst(8);
	p.now += XL_MS;
	ears_ack_heard(&s, from + 7, from + 8);
	ears_ack_heard(&s, from, from + 7);
	CHECK(c->reorder_packets == 8 && c->reorder_quarters == 5);
	for (u32 i = 0; i <= XL_REORDER_EPISODES; i++) {
		CHECK(c->reorder_packets == 8);
		p.now += XL_MS;
		from = burst(10);
		p.now += XL_MS;
		ears_ack_heard(&s, from + 1, from + 10);
		CHECK(counted(XL_C_RECOVERIES) == i + 2);
		ears_hear(&s);
		p.now += XL_MS;
		ears_ack_heard(&s, s.n - 1, s.n);
		widen(14);
	}
	CHECK(c->reorder_packets == XL_REORDER_PACKETS && c->reorder_quarters == 0);
	end();
}

/* K-36: nothing that was sent over a long time arrived. `kind` 1: something did; 2: nobody knew the round trip then. */
static void test_persistent_congestion(void **state)
{
	(void)state;
	for (u32 kind = 0; kind < 3; kind++) {
		u32 from;

		pair_open(&p, NULL);
		ears_open(&s, &p, 1 << 20);
		if (kind != 2)
			ears_settle(&s);
		from = burst(1);
		CHECK(kind == 2 || (3 * ears_info(&s).pto_ns > 3 * XL_MS && 3 * ears_info(&s).pto_ns < 6 * XL_MS));
		for (u32 i = 0; i < 2; i++) {
			p.now += 3 * XL_MS;
			burst(1);
		}
		if (kind == 1)
			ears_ack_heard(&s, from + 1, from + 2);
		p.now += 2 * XL_MS;
		burst(1);
		p.now += XL_MS;
		ears_ack_heard(&s, s.n - 1, s.n);
		CHECK(counted(XL_C_PERSISTENT) == (kind == 0));
		CHECK((ears_info(&s).cwnd_bytes == XL_CC_MINIMUM_PACKETS * 1500) == (kind == 0));
		end();
	}
}

/* ACK division: who acknowledges each packet often, or in pieces, opens the window no further than by its bytes. */
static void test_bytes_are_counted_not_acks(void **state)
{
	u64 grown[2];

	(void)state;
	for (u32 divided = 0; divided <= 1; divided++) {
		u32 from;
		u64 before;

		start();
		before = ears_info(&s).cwnd_bytes;
		from = s.n;
		ears_send(&s, 200000);
		ears_hear(&s);
		p.now += XL_MS;
		for (u32 i = from; divided && i < from + 10; i++)
			for (u32 k = 0; k < 20; k++)
				ears_ack_heard(&s, from, i + 1);
		ears_ack_heard(&s, from, from + 10);
		grown[divided] = ears_info(&s).cwnd_bytes - before;
		end();
	}
	CHECK(grown[0] == grown[1] && grown[0] > 0 && grown[0] <= 10 * 1500);
}

/* --- the oracle: every packet on its own, no lists -------------------------------------------------- */
enum fate { FLYING, ACKED, LOST };
static enum fate fate[HEARD_MAX];
static u32 threshold, newest, lost_count, spurious;

static bool named(const struct span *range, u32 n, u64 number)
{
	for (u32 i = 0; i < n; i++)
		if (number >= range[i].first && number <= range[i].last)
			return true;
	return false;
}

static void model_ack(const struct span *range, u32 n, u32 from)
{
	u64 largest = 0;

	for (u32 i = from; i < s.n; i++)
		if (fate[i] == FLYING && named(range, n, s.at[i].number)) {
			fate[i] = ACKED;
			newest = (u32)xl_max(newest, i);
		}
	for (u32 i = from; i < s.n; i++)
		if (fate[i] == LOST && named(range, n, s.at[i].number)) {
			fate[i] = ACKED;
			spurious++;
			threshold = (u32)xl_min(xl_max(threshold, newest - i + 1), XL_REORDER_PACKETS_MAX);
		}
	for (u32 i = from; i < s.n; i++)
		largest = fate[i] == ACKED ? s.at[i].number : largest;
	for (u32 i = from; i < s.n; i++)
		if (fate[i] == FLYING && s.at[i].number < largest && newest >= i + threshold) {
			fate[i] = LOST;
			lost_count++;
		}
}

/* Random ranges over what was heard from `from` on, newest first, none over a number that was left out. */
static u32 random_ranges(struct xl_prng *g, struct span *range, u32 from)
{
	u32 i = s.n - 1 - (u32)xl_prng_below(g, xl_min(s.n - from, 30)), n = 0;
	u32 runs = 1 + (u32)xl_prng_below(g, 16);

	while (n < runs) {
		u32 run = (u32)xl_prng_below(g, 6), skip = 2 + (u32)xl_prng_below(g, 5);

		range[n] = (struct span){ s.at[i].number, s.at[i].number };
		for (; run && i > from && s.at[i - 1].number + 1 == s.at[i].number; run--)
			range[n].first = s.at[--i].number;
		n++;
		if (i < from + skip)
			break;
		i -= skip;
	}
	return n;
}

static void test_against_an_array(void **state)
{
	u32 all_lost = 0, all_spurious = 0;
	u64 inflight, started = 0;

	(void)state;
	for (u64 seed = 1; seed <= 30; seed++) {
		struct xl_prng g;
		struct span range[16];
		u32 from;

		xl_prng_seed(&g, seed);
		start();
		started = counted(XL_C_SPURIOUS);
		from = s.n;
		memset(fate, 0, sizeof fate);
		threshold = XL_REORDER_PACKETS;
		newest = lost_count = spurious = 0;
		for (u32 round = 0; round < 120; round++) {
			u32 n;

			if (xl_conn_writable(p.h[1].e, s.x.conn) > 60000 && s.n < HEARD_MAX - 1000)
				ears_send(&s, 1 + (u32)xl_prng_below(&g, 30000));
			ears_hear(&s);
			if (s.n == from)
				continue;
			n = random_ranges(&g, range, from);
			ears_ack(&s, range, n);
			model_ack(range, n, from);
			inflight = 0;
			for (u32 i = from; i < s.n; i++)
				inflight += fate[i] == FLYING ? s.at[i].bytes : 0;
			CHECK(ears_info(&s).packets_lost == lost_count && ears_info(&s).inflight_bytes == inflight);
			CHECK(counted(XL_C_SPURIOUS) - started == spurious && !xl_engine_check(p.h[1].e));
		}
		all_lost += lost_count;
		all_spurious += spurious;
		pair_close(&p);
	}
	print_message("# %u lost, %u of them wrongly\n", all_lost, all_spurious);
	CHECK(all_lost > 1000 && all_spurious > 100);
}

/* K-34: what was taken for lost is forgotten in time also when nothing happens any more: others may need the memory. */
static void test_lost_packets_of_the_idle_are_forgotten(void **state)
{
	const struct xl_conn *c;
	u32 from, again;

	(void)state;
	start();
	c = &p.h[1].e->conns[s.x.conn];
	from = burst(40);
	p.now += XL_MS;
	again = s.n;
	ears_ack_heard(&s, again - 1, again);
	ears_hear(&s);
	while (ears_info(&s).inflight_bytes) {
		u32 to = s.n;

		p.now += XL_MS;
		ears_ack_heard(&s, again, to);
		again = to;
		ears_hear(&s);
	}
	CHECK(c->lost.count >= 30 && s.n > from + 60 && xl_engine_deadline(p.h[1].e) < p.now + 100 * XL_MS);
	ears_wait(&s, 100 * XL_MS);
	CHECK(c->lost.count == 0);
	end();
}

/* Hole explosion: every second packet of a large window is acknowledged, in as many ranges as may be, again and again. */
static void test_work_for_an_ack_is_bounded(void **state)
{
	u64 acks = 0, worst = 0;

	(void)state;
	start();
	for (u32 round = 0; round < 200; round++) {
		struct span range[16];
		u32 n = 0;

		if (xl_conn_writable(p.h[1].e, s.x.conn) > 200000)
			ears_send(&s, 200000);
		ears_hear(&s);
		p.now += 10 * XL_US;
		for (u32 i = s.n; i-- > 20 && n < 16; i--)
			if (!n || s.at[i].number + 1 < range[n - 1].first)
				range[n++] = (struct span){ s.at[i].number, s.at[i].number };
		for (u32 k = 0; n && k < 5; k++, acks++) {
			u64 lost = ears_info(&s).packets_lost, steps = counted(XL_C_ACK_STEPS);

			ears_ack(&s, range, n);
			lost = ears_info(&s).packets_lost - lost;
			steps = counted(XL_C_ACK_STEPS) - steps;
			worst = xl_max(worst, steps);
			CHECK(steps <= n + lost + XL_REORDER_PACKETS_MAX + XL_LOST_KEPT + 2);
		}
	}
	CHECK(acks > 500 && worst > 0);
	print_message("# worst case %llu steps\n", (unsigned long long)worst);
	pair_check(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_undo_is_of_the_last_episode),
		cmocka_unit_test(test_a_spurious_timeout_changes_nothing),
		cmocka_unit_test(test_reordering_is_learnt_and_forgotten),
		cmocka_unit_test(test_persistent_congestion),
		cmocka_unit_test(test_bytes_are_counted_not_acks),
		cmocka_unit_test(test_against_an_array),
		cmocka_unit_test(test_lost_packets_of_the_idle_are_forgotten),
		cmocka_unit_test(test_work_for_an_ack_is_bounded),
	};

	return RUN_TAP(tests);
}
