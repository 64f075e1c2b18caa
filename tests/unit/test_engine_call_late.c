/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections and time: clocks that leap in any state, programs that let go early, peers that nobody finds any more. */
#include "engine_path.h"

static struct raw r;

/* Host 0 calls; packets in both directions are lost until the clock has moved. */
static u32 unanswered(struct pair *p, bool heard)
{
	u32 c;
	u8 to;

	pair_open(p, &(struct xl_engine_config){ .blocks = 512 });
	c = pair_connect(p, PORT, XLANE_KIND_STREAM);
	CHECK(host_output(&p->h[0], &r, &to, p->now) && r.b[0] == 0x11);
	if (!heard)
		return c;
	host_input(&p->h[1], &r, 1, p->now);
	CHECK(host_output(&p->h[1], &r, &to, p->now) && r.b[0] == 0x12);
	return c;
}

/* The worker of one host, or both, stood still for long: no call and no answer to one has failed for that. */
static void test_leap_while_calling(void **state)
{
	static const u64 leaps[] = { 6 * XL_S, 11 * XL_S, 3600 * XL_S, 100000 * XL_S };

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(leaps) * 2; i++) {
		struct pair p;
		u32 c = unanswered(&p, i & 1);

		p.now += leaps[i / 2];
		for (u32 k = 0; k < 2; k++)
			xl_engine_advance(p.h[k].e, p.now);
		CHECK(state_is(&p.h[0], c, "calling") && xl_engine_conns(p.h[1].e) == 1 + (i & 1));
		CHECK(pair_exchange(&p) < 20); /* no storm */
		CHECK(state_is(&p.h[0], c, "open"));
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* A clock that goes back, and one that leaps again and again, keep no call for ever. */
static void test_bounds_in_spite_of_clocks(void **state)
{
	(void)state;
	for (u32 back = 0; back < 2; back++) {
		struct path_state nobody = path_open(0);
		struct pair p;
		u32 c = unanswered(&p, true);

		for (u32 i = 0; i < 3; i++) {
			p.now = back ? p.now - 20 * XL_S : p.now + 20 * XL_S;
			path_run(&p, &nobody, XL_S);
			CHECK(state_is(&p.h[0], c, "calling"));
		}
		path_run(&p, &nobody, 12 * XL_S);
		CHECK(state_is(&p.h[0], c, "dead") && info_of(&p.h[0], c).error == -EHOSTDOWN);
		CHECK(xl_engine_conns(p.h[1].e) == 1);
		pair_check(&p);
		pair_close(&p);
	}
}

/* Closed while it calls, with data for a peer that takes none of it and says that it lives: given up like any other. */
static void test_closed_while_calling(void **state)
{
	static struct raw out;
	struct xl_connect how = { .path = path_of(2, 3), .port = 50, .kind = XLANE_KIND_STREAM };
	struct peer x = peer_new(3, 50);
	struct pair p;
	u64 end;
	u32 c;

	(void)state;
	pair_open(&p, NULL);
	CHECK(xl_engine_connect(p.h[1].e, &how, p.now, &c) == 0);
	CHECK(xl_conn_send(p.h[1].e, c, "order", 5, p.now) == 5);
	x.remote_id = info_of(&p.h[1], c).local_id;
	xl_conn_close(p.h[1].e, c, p.now);
	raw_outer(&r, 2, 3, x.remote_id, x.next);
	raw_ext(&r, x.node, NODE(2), x.id);
	raw_record(&r, 0x21, 0, 16 + 8 + 12 + 12);
	raw64(&r, x.incarnation);
	raw64(&r, 77);
	raw_param(&r, 0x8001, 4, 1500);
	raw_param(&r, 0x8002, 8, 0); /* no credit */
	raw_param(&r, 0x8007, 8, x.next);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(state_is(&p.h[1], c, "local-shut"));
	for (end = p.now + XL_ORPHAN_NS + 5 * XL_S; p.now < end && xl_engine_conns(p.h[1].e) > 1; p.now += 50 * XL_MS) {
		xl_engine_advance(p.h[1].e, p.now);
		while (peer_hears(&p, &x, &out)) {
			peer_header(&x, &r);
			raw_record(&r, 0x10, 0, 20);
			raw64(&r, xl_get64(out.b + 12));
			raw_fill(&r, 0, 12);
			raw_seal(&r);
			peer_send(&p, &x, &r);
		}
	}
	CHECK(xl_engine_conns(p.h[1].e) == 1);
	pair_close(&p);
}

/* Both ends get another address in the same moment: each sends to one that nobody has. Both programs are told in time. */
static void test_both_addresses_change(void **state)
{
	(void)state;
	for (u32 busy = 0; busy < 2; busy++) {
		struct path_state s = path_open(9000);
		struct pair p;
		u32 c[2];

		pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
		c[0] = p.a;
		c[1] = p.b;
		path_run(&p, &s, XL_S);
		if (busy)
			CHECK(xl_conn_send(p.h[0].e, p.a, "there?", 6, p.now) == 6);
		s.address[0] = 11;
		s.address[1] = 12;
		path_run(&p, &s, XL_PEER_DEATH_NS + 2 * XL_KEEPALIVE_NS);
		for (u32 i = 0; i < 2; i++) {
			CHECK(state_is(&p.h[i], c[i], "dead") && info_of(&p.h[i], c[i]).error == -EHOSTDOWN);
			xl_conn_close(p.h[i].e, c[i], p.now);
		}
		path_run(&p, &s, 2 * XL_S);
		CHECK(xl_engine_conns(p.h[0].e) == 0 && xl_engine_conns(p.h[1].e) == 0);
		pair_check(&p);
		pair_close(&p);
	}
}

/* One after the other they are found again. */
static void test_addresses_change_in_turn(void **state)
{
	struct path_state s = path_open(9000);
	struct pair p;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	for (u32 i = 0; i < 2; i++) {
		s.address[i] = (u8)(11 + i);
		path_run(&p, &s, 3 * XL_S);
		CHECK(count_of(&p.h[!i], XL_C_PEER_MOVED) == 1);
	}
	CHECK(xl_conn_send(p.h[0].e, p.a, "there?", 6, p.now) == 6);
	path_run(&p, &s, 100 * XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, p.b, r.b, 9, p.now) == 6);
	pair_check(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leap_while_calling), cmocka_unit_test(test_bounds_in_spite_of_clocks),
		cmocka_unit_test(test_closed_while_calling), cmocka_unit_test(test_both_addresses_change),
		cmocka_unit_test(test_addresses_change_in_turn),
	};

	return RUN_TAP(tests);
}
