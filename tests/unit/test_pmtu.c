/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes of packets: the link's MTU changes, a path swallows what is large, larger packets are tried again. */
#include "engine_path.h"

#define BULK (2u << 20)

static const struct xl_engine_config jumbo = { .max_packet = 9000, .segs_max = 3 };

static struct path_flow flow_of(const struct pair *p, u32 from)
{
	return (struct path_flow){ .from = from, .conn = from ? p->b : p->a, .to_conn = from ? p->a : p->b };
}

/* A full packet has room for a PING, whether there is one in it or not. */
static bool is_full(u32 bytes, u32 most) { return bytes <= most && bytes >= most - XLANE_PING_BYTES; }

static void test_set_bounds(void **state)
{
	struct xl_engine_config one = { .max_packet = 1500, .segs_max = 1 };
	struct pair p;

	(void)state;
	pair_open(&p, &one);
	assert_int_equal(xl_engine_set_max_packet(p.h[0].e, XLANE_MTU_MIN - 1, p.now), -EINVAL);
	assert_int_equal(xl_engine_set_max_packet(p.h[0].e, XLANE_MTU_MAX + 1, p.now), -EINVAL);
	assert_int_equal(xl_engine_set_max_packet(p.h[0].e, XLANE_FRAME_BYTES - XLANE_TX_HEADROOM_BYTES + 1, p.now), -EINVAL);
	assert_int_equal(xl_engine_set_max_packet(p.h[0].e, XLANE_FRAME_BYTES - XLANE_TX_HEADROOM_BYTES, p.now), 0);
	assert_int_equal(xl_engine_set_max_packet(p.h[0].e, XLANE_MTU_MIN, p.now), 0);
	assert_int_equal(xl_engine_set_max_packet(p.h[0].e, XLANE_MTU_MIN, p.now), 0);
	bystander_lives(&p);
	pair_close(&p);
}

/* U-1: the peer of every connection is told, idle ones too, and obeys; nothing larger leaves this side at once. */
static void test_link_lowers(void **state)
{
	struct path_state s = path_open(9000);
	struct path_flow f[2];
	struct joined idle[40];
	struct pair p;

	(void)state;
	pair_open(&p, &jumbo);
	for (u32 i = 0; i < XL_ARRAY_SIZE(idle); i++)
		idle[i] = pair_join(&p, XLANE_KIND_STREAM);
	f[0] = flow_of(&p, 0);
	f[1] = flow_of(&p, 1);
	assert_false(path_flow(&p, &s, &f[0], BULK, 2 * XL_MS));
	assert_true(is_full(s.largest[0], 9000));
	assert_int_equal(xl_engine_set_max_packet(p.h[0].e, 1500, p.now), 0);
	s.largest[0] = 0;
	assert_true(path_flow(&p, &s, &f[0], BULK, 10 * XL_S));
	assert_true(is_full(s.largest[0], 1500));
	path_run(&p, &s, 10 * XL_MS);
	s.largest[1] = 0;
	assert_true(path_flow(&p, &s, &f[1], BULK, 10 * XL_S));
	assert_true(is_full(s.largest[1], 1500));
	for (u32 i = 0; i < XL_ARRAY_SIZE(idle); i++)
		assert_int_equal(p.h[1].e->conns[idle[i].b].peer_packet, 1500);
	assert_int_equal(count_of(&p.h[0], XL_C_MAX_PACKET_OUT), XL_ARRAY_SIZE(idle) + 1);
	assert_int_equal(count_of(&p.h[1], XL_C_MAX_PACKET_IN), XL_ARRAY_SIZE(idle) + 1);
	pair_close(&p);
}

static void test_link_raises(void **state)
{
	struct path_state s = path_open(9000);
	struct path_flow f;
	struct pair p;

	(void)state;
	pair_open(&p, &jumbo);
	f = flow_of(&p, 0);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(xl_engine_set_max_packet(p.h[i].e, 1280, p.now), 0);
	path_run(&p, &s, 10 * XL_MS);
	s.largest[0] = 0;
	assert_true(path_flow(&p, &s, &f, BULK, 10 * XL_S));
	assert_true(is_full(s.largest[0], 1280));
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(xl_engine_set_max_packet(p.h[i].e, i ? 9000 : 4352, p.now), 0);
	path_run(&p, &s, 10 * XL_MS);
	assert_true(path_flow(&p, &s, &f, 2 * BULK, 10 * XL_S));
	assert_true(is_full(s.largest[0], 4352));
	pair_close(&p);
}

/* K-12, U-1: lost announcements are sent again, with the value of the day. */
static void test_announcement_lost(void **state)
{
	struct path_state s = path_open(0);
	struct pair p;

	(void)state;
	pair_open(&p, &jumbo);
	assert_int_equal(xl_engine_set_max_packet(p.h[0].e, 1500, p.now), 0);
	path_run(&p, &s, 1 * XL_MS);
	assert_int_equal(p.h[1].e->conns[p.b].peer_packet, 9000);
	assert_int_equal(xl_engine_set_max_packet(p.h[0].e, 1280, p.now), 0);
	path_run(&p, &s, 1 * XL_MS);
	s.most[0] = s.most[1] = 9000;
	path_run(&p, &s, 2 * XL_S);
	assert_int_equal(p.h[1].e->conns[p.b].peer_packet, 1280);
	assert_int_equal(p.h[1].e->conns[p.b].max_packet, 1280);
	pair_close(&p);
}

static void max_packet(struct pair *p, struct peer *x, u64 number, u32 bytes)
{
	static struct raw r;

	raw_outer(&r, 0, 2, x->remote_id, number);
	raw_record(&r, 0x16, 0, 4);
	raw32(&r, bytes);
	raw_seal(&r);
	host_input(&p->h[1], &r, x->address, p->now);
}

/* U-2: what was sent later holds, in whatever order it comes; a value below 256 is malformed. */
static void test_announcement_overtaken(void **state)
{
	struct counters before;
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 9, 1000, XLANE_KIND_STREAM, 100000);
	max_packet(&p, &x, x.next + 2, 600);
	assert_int_equal(p.h[1].e->conns[x.conn].peer_packet, 600);
	max_packet(&p, &x, x.next + 1, 700);
	assert_int_equal(p.h[1].e->conns[x.conn].peer_packet, 600);
	assert_int_equal(count_of(&p.h[1], XL_C_MAX_PACKET_OLD), 1);
	max_packet(&p, &x, x.next + 3, 256);
	assert_int_equal(p.h[1].e->conns[x.conn].peer_packet, 256);
	before = counters_of(&p.h[1]);
	max_packet(&p, &x, x.next + 4, 255);
	only_counted(&p.h[1], &before, XL_C_BAD_RECORD, NO_COUNTER, "255 bytes");
	assert_int_equal(p.h[1].e->conns[x.conn].peer_packet, 256);
	pair_close(&p);
}

/* U-4: handshake and small packets pass, large ones do not, from the beginning, or from some time on. */
static void test_black_hole(void **state)
{
	static const u32 limits[] = { 8999, 4352, 2000, 1500, 1000, 300, 256 };

	(void)state;
	for (u32 late = 0; late < 2; late++) {
		for (u32 i = 0; i < XL_ARRAY_SIZE(limits); i++) {
			struct path_state s = path_open(late ? 9000 : limits[i]);
			struct path_flow f;
			struct pair p;

			pair_open(&p, &jumbo);
			f = flow_of(&p, 0);
			assert_true(!late || !path_flow(&p, &s, &f, BULK, 2 * XL_MS));
			s.most[0] = s.most[1] = limits[i];
			assert_true(path_flow(&p, &s, &f, BULK, 5 * XL_S));
			assert_true(count_of(&p.h[0], XL_C_PMTU_LOWERED) >= 1);
			assert_true(info_of(&p.h[0], p.a).max_packet <= limits[i]);
			pair_close(&p);
		}
	}
}

/* U-4: what is known of a path is of use to all connections with the peer. */
static void test_black_hole_shared(void **state)
{
	struct path_state s = path_open(1400);
	struct path_flow f;
	struct joined other;
	struct pair p;
	u64 lowered;

	(void)state;
	pair_open(&p, &jumbo);
	f = flow_of(&p, 0);
	assert_true(path_flow(&p, &s, &f, 100000, 5 * XL_S));
	lowered = count_of(&p.h[0], XL_C_PMTU_LOWERED);
	other = pair_join(&p, XLANE_KIND_STREAM);
	s.swallowed = 0;
	f = (struct path_flow){ .from = 0, .conn = other.a, .to_conn = other.b };
	assert_true(path_flow(&p, &s, &f, 100000, 500 * XL_MS));
	assert_int_equal(s.swallowed, 0);
	assert_int_equal(count_of(&p.h[0], XL_C_PMTU_LOWERED), lowered);
	pair_close(&p);
}

/* U-5: when the path takes them again, large packets are sent again; until then trying costs no window. */
static void test_raised(void **state)
{
	struct path_state s = path_open(1400);
	struct path_flow f;
	struct pair p;
	u64 reduced;

	(void)state;
	pair_open(&p, &jumbo);
	f = flow_of(&p, 0);
	assert_true(path_flow(&p, &s, &f, BULK, 5 * XL_S));
	assert_int_equal(info_of(&p.h[0], p.a).max_packet, 1280);
	path_run(&p, &s, 10 * XL_MS);
	reduced = count_of(&p.h[0], XL_C_RECOVERIES) + count_of(&p.h[0], XL_C_PERSISTENT);
	s.swallowed = 0;
	path_run(&p, &s, 100 * XL_S);
	assert_true(s.swallowed >= 4 && s.swallowed <= 40);
	assert_int_equal(count_of(&p.h[0], XL_C_PMTU_RAISED), 0);
	assert_int_equal(count_of(&p.h[0], XL_C_RECOVERIES) + count_of(&p.h[0], XL_C_PERSISTENT), reduced);
	s.most[0] = 3400;
	path_run(&p, &s, 2 * XL_PMTU_RAISE_MAX_NS);
	assert_true(path_flow(&p, &s, &f, 2 * BULK, 5 * XL_S));
	assert_int_equal(info_of(&p.h[0], p.a).max_packet, 3400);
	s.most[0] = 9000;
	path_run(&p, &s, 2 * XL_PMTU_RAISE_MAX_NS);
	s.swallowed = 0;
	assert_true(path_flow(&p, &s, &f, 3 * BULK, 5 * XL_S));
	assert_int_equal(s.swallowed, 0);
	assert_int_equal(info_of(&p.h[0], p.a).max_packet, 9000);
	pair_close(&p);
}

/* U-4: plain loss, outages and pauses are not taken for a path that swallows large packets. */
static void test_plain_loss(void **state)
{
	static const u32 rates[] = { 50000, 200000 };

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(rates); i++) {
		struct path_state s = path_open(9000);
		struct path_flow f;
		struct pair p;

		pair_open(&p, &jumbo);
		s.loss_ppm = rates[i];
		f = flow_of(&p, 0);
		assert_true(path_flow(&p, &s, &f, 2 * BULK, 60 * XL_S));
		assert_int_equal(count_of(&p.h[0], XL_C_PMTU_LOWERED), 0);
		pair_close(&p);
	}
}

static void test_outages(void **state)
{
	struct path_state s = path_open(9000);
	struct path_flow f;
	struct pair p;

	(void)state;
	pair_open(&p, &jumbo);
	f = flow_of(&p, 0);
	for (u32 i = 0; i < 20; i++) {
		s.most[0] = 0;
		assert_false(path_flow(&p, &s, &f, (i + 2) * (u64)BULK, i * 20 * XL_MS + XL_MS));
		s.most[0] = 9000;
		assert_true(path_flow(&p, &s, &f, (i + 1) * (u64)BULK, 5 * XL_S));
	}
	assert_int_equal(count_of(&p.h[0], XL_C_PMTU_LOWERED), 0);
	pair_close(&p);
}

/* S-7, U-6: a host's address changes in the middle of transfers both ways; what was known of the old path is forgotten. A
 * copy of an old packet from elsewhere moves nobody. */
static struct raw captured;

static void capture(struct path_state *s, u32 from, const struct raw *r)
{
	(void)s;
	if (from == 0)
		captured = *r;
}

static void test_address(void **state)
{
	struct path_state s = path_open(1400);
	struct path_flow f[2];
	struct pair p;

	(void)state;
	pair_open(&p, &jumbo);
	for (u32 i = 0; i < 2; i++) {
		f[i] = flow_of(&p, i);
		assert_true(path_flow(&p, &s, &f[i], BULK, 5 * XL_S));
	}
	s.look = capture;
	path_run(&p, &s, 2 * XL_S);
	s.look = NULL;
	host_input(&p.h[1], &captured, 77, p.now);
	assert_int_equal(count_of(&p.h[1], XL_C_PEER_MOVED), 0);
	assert_true(info_of(&p.h[1], p.b).max_packet < 1400);
	assert_false(path_flow(&p, &s, &f[0], 2 * BULK, 2 * XL_MS));
	assert_false(path_flow(&p, &s, &f[1], 2 * BULK, 2 * XL_MS));
	s.address[0] = 55;
	s.most[0] = s.most[1] = 9000;
	for (u32 i = 0; i < 2; i++)
		assert_true(path_flow(&p, &s, &f[i], 2 * BULK, 10 * XL_S));
	assert_int_equal(count_of(&p.h[1], XL_C_PEER_MOVED), 1);
	assert_int_equal(info_of(&p.h[1], p.b).path.remote[5], 55);
	assert_int_equal(info_of(&p.h[1], p.b).max_packet, 9000);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_bounds), cmocka_unit_test(test_link_lowers), cmocka_unit_test(test_link_raises),
		cmocka_unit_test(test_announcement_lost), cmocka_unit_test(test_announcement_overtaken),
		cmocka_unit_test(test_black_hole), cmocka_unit_test(test_black_hole_shared), cmocka_unit_test(test_raised),
		cmocka_unit_test(test_plain_loss), cmocka_unit_test(test_outages), cmocka_unit_test(test_address),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
