/* SPDX-License-Identifier: BSD-2-Clause */
/* How often an ACK is sent, when one is asked for, what is forgotten of what was received, and numbers that are left out. */
#include "engine_acks.h"
#include "engine_link.h"

static struct ears s;
static struct pair p;
static struct link l;
static struct raw r;
static u8 bytes[1 << 16];

static void start(void)
{
	pair_open(&p, NULL);
	ears_open(&s, &p, 64 << 20);
}

/* Packets of data in order until an ACK comes. */
static u32 until_ack(u64 *at, u64 gap_ns)
{
	for (u32 n = 1; n <= 2 * XL_ACK_EVERY_MAX; n++) {
		p.now += gap_ns;
		xl_engine_advance(p.h[1].e, p.now);
		peer_data(&p, &s.x, 0, *at, 'x', 100);
		*at += 100;
		if (peer_hears(&p, &s.x, &r)) {
			CHECK(raw_acked(&r) == s.x.next - 1);
			return n;
		}
	}
	return 0;
}

/* K-30: the faster packets come, the more share an ACK; a gap and a slow time make it two again. */
static void test_more_packets_share_an_ack(void **state)
{
	static const u32 fast[] = { 2, 4, 8, 16, 16, 16 };
	u64 at = 0;

	(void)state;
	start();
	for (u32 i = 0; i < XL_ARRAY_SIZE(fast); i++)
		CHECK(until_ack(&at, XL_US) == fast[i]);
	s.x.next++; /* a gap: at once */
	CHECK(until_ack(&at, XL_US) == 1);
	CHECK(until_ack(&at, XL_US) == 2 && until_ack(&at, XL_US) == 4);
	CHECK(xl_conn_recv(p.h[1].e, s.x.conn, bytes, sizeof bytes, p.now) > 0);
	p.now += XL_MS;
	while (peer_hears(&p, &s.x, &r))
		;
	peer_data(&p, &s.x, 0, at, 'x', 100);
	at += 100;
	CHECK(!peer_hears(&p, &s.x, &r));
	p.now += XL_ACK_DELAY_NS; /* no second one comes: within the delay */
	xl_engine_advance(p.h[1].e, p.now);
	CHECK(peer_hears(&p, &s.x, &r) && raw_acked(&r) == s.x.next - 1);
	CHECK(until_ack(&at, XL_US) == 2);
	bystander_lives(&p);
	pair_close(&p);
}

/* K-31: one packet alone asks for nothing, the last of several does, and so does the one that fills the window. */
static void test_who_waits_for_an_ack_asks(void **state)
{
	u32 from;

	(void)state;
	start();
	ears_settle(&s);
	from = s.n;
	ears_send(&s, 1);
	ears_hear(&s);
	CHECK(s.n == from + 1 && !s.at[from].ping);
	ears_ack_heard(&s, from, s.n);
	from = s.n;
	ears_send(&s, 3 * 1460);
	ears_hear(&s);
	CHECK(s.n >= from + 3 && s.at[s.n - 1].ping);
	p.now += XL_MS;
	ears_ack_heard(&s, from, s.n);
	from = s.n;
	ears_send(&s, 100 * 1460);
	ears_hear(&s);
	CHECK(s.n < from + 60 && s.at[s.n - 1].ping);
	bystander_lives(&p);
	pair_close(&p);
}

/* K-32: gaps that never close are not told of for ever. */
static void test_what_the_peer_knows_is_forgotten(void **state)
{
	const struct xl_conn *c;
	u64 at = 0;

	(void)state;
	start();
	c = &p.h[1].e->conns[s.x.conn];
	for (u32 i = 0; i < 10; i++) {
		s.x.next++;
		CHECK(until_ack(&at, XL_US) == 1);
	}
	CHECK(c->received.count == 11);
	for (u32 i = 0; i < 3; i++) { /* data of ours that carries an ACK, and is acknowledged */
		u32 from = s.n;

		peer_data(&p, &s.x, 0, at, 'x', 100);
		at += 100;
		ears_send(&s, 1);
		ears_hear(&s);
		CHECK(s.n > from && s.at[from].acks && s.at[from].data);
		CHECK(c->received.count == (i < 2 ? 11 : 1));
		ears_ack_heard(&s, from, s.n);
	}
	CHECK(c->received.count == 1 && c->received_table == XL_NONE);
	s.x.next -= 9; /* of what is forgotten nothing is taken any more */
	peer_data(&p, &s.x, 0, at, 'x', 100);
	CHECK(count_of(&p.h[1], XL_C_OLD_PACKET) == 1);
	pair_check(&p);
	pair_close(&p);
}

/* K-33: an honest peer never names a number that was left out, a liar is reset as soon as it does. */
static void test_numbers_left_out(void **state)
{
	u32 skipped = 0, from = 0;

	(void)state;
	start();
	for (u32 round = 0; s.n < 4000; round++) {
		from = s.n;
		if (xl_conn_writable(p.h[1].e, s.x.conn) > 100000)
			ears_send(&s, 100000);
		ears_hear(&s);
		p.now += 100 * XL_US;
		CHECK(round < 4000);
		if (s.n > from)
			ears_ack_heard(&s, from, s.n);
	}
	for (u32 i = 1; i < s.n; i++) {
		CHECK(s.at[i].number - s.at[i - 1].number <= 2);
		skipped += s.at[i].number - s.at[i - 1].number == 2;
	}
	CHECK(skipped >= 4000 / (XL_SKIP_MAX + 1) - 1 && skipped <= 4000 / XL_SKIP_MIN);
	CHECK(count_of(&p.h[1], XL_C_ACK_SKIPPED) == 0 && ears_info(&s).packets_lost == 0);
	ears_ack_one(&s, s.at[0].number, s.at[s.n - 1].number);
	CHECK(count_of(&p.h[1], XL_C_ACK_SKIPPED) == 1 && state_is(&p.h[1], s.x.conn, "dead"));
	CHECK(ears_info(&s).error == -EPROTO);
	bystander_lives(&p);
	pair_close(&p);
}

/* The same between two engines: nobody is reset, nothing lost, and gaps do not pile up at the receiver. */
static void test_numbers_left_out_between_engines(void **state)
{
	(void)state;
	link_open(&l, 1, 800, 30 * XL_US); /* an eighth of the window, for which an ACK is asked (K-31), is several packets */
	link_run(&l, 16 << 20, 10 * XL_S);
	CHECK(l.received == 16 << 20 && count_of(&l.p.h[0], XL_C_RETRANSMITTED) == 0);
	CHECK(xl_flow_need(l.p.h[0].e, &l.p.h[0].e->conns[l.j.a])->skips >= XL_SKIPS_KEPT && l.p.h[1].e->conns[l.j.b].received.count <= 8);
	CHECK(l.way[1].packets * 4 < l.way[0].packets);
	link_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_packets_share_an_ack),
		cmocka_unit_test(test_who_waits_for_an_ack_asks),
		cmocka_unit_test(test_what_the_peer_knows_is_forgotten),
		cmocka_unit_test(test_numbers_left_out),
		cmocka_unit_test(test_numbers_left_out_between_engines),
	};

	return RUN_TAP(tests);
}
