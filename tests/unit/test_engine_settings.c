/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of a connection, who hears of it, lists for figures, a peer that started anew, buckets of workers. */
#include "engine_pair.h"

static struct raw r;
static u8 data[XLANE_SEND_BUFFER_BYTES];

static void test_send_buffer(void **state)
{
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_STREAM);
	CHECK(xl_conn_get(p.h[0].e, j.a, XL_CONN_SEND_BUFFER) == XLANE_SEND_BUFFER_BYTES);
	CHECK(xl_conn_set(p.h[0].e, j.a, XL_CONN_SEND_BUFFER, 65535) == -EINVAL);
	CHECK(xl_conn_set(p.h[0].e, j.a, XL_CONN_SEND_BUFFER, XLANE_SEND_BUFFER_BYTES + 1) == -EINVAL);
	CHECK(xl_conn_set(p.h[0].e, j.a, XL_CONN_SEND_BUFFER, 65536) == 0);
	CHECK(xl_conn_get(p.h[0].e, j.a, XL_CONN_SEND_BUFFER) == 65536);
	CHECK(xl_conn_send(p.h[0].e, j.a, data, sizeof data, p.now) == 65536);
	CHECK(xl_conn_set(p.h[0].e, j.a, (enum xl_conn_option)99, 1) == -EINVAL);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_priority(void **state)
{
	struct pair p;
	struct peer x;
	const u8 *d;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	CHECK(xl_conn_set(p.h[1].e, x.conn, XL_CONN_PRIORITY, 256) == -EINVAL);
	CHECK(xl_conn_set(p.h[1].e, x.conn, XL_CONN_PRIORITY, 200) == 0 && xl_conn_get(p.h[1].e, x.conn, XL_CONN_PRIORITY) == 200);
	CHECK(xl_conn_send(p.h[1].e, x.conn, "m", 1, p.now) == 1);
	CHECK(peer_hears(&p, &x, &r));
	d = raw_find(&r, 0x01);
	CHECK(d && xl_get32(d + 8) == 1 && d[8 + 5] == 200);
	pair_close(&p);
}

/* Unacknowledged for longer than its own bound, though the peer is dead only later. */
static void test_stall(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	CHECK(xl_conn_set(p.h[1].e, x.conn, XL_CONN_STALL_MS, 86400001) == -EINVAL);
	CHECK(xl_conn_set(p.h[1].e, x.conn, XL_CONN_STALL_MS, 2000) == 0 && xl_conn_get(p.h[1].e, x.conn, XL_CONN_STALL_MS) == 2000);
	CHECK(xl_conn_send(p.h[1].e, x.conn, "x", 1, p.now) == 1);
	pair_run(&p, 1900 * XL_MS);
	CHECK(!info_of(&p.h[1], x.conn).error);
	pair_run(&p, 1000 * XL_MS);
	CHECK(info_of(&p.h[1], x.conn).error == -EHOSTDOWN && count_of(&p.h[1], XL_C_STALLED) == 1);
	pair_close(&p);
}

/* At any time, with the window that there is; a call's choice stays when its answer brings the size of packets. */
static void test_congestion(void **state)
{
	struct xl_engine_config like = { .congestion = XL_CONGESTION_CUBIC };
	u64 window;
	struct pair p;
	u32 c;

	(void)state;
	pair_open(&p, &like);
	c = pair_connect(&p, PORT, XLANE_KIND_STREAM);
	CHECK(xl_conn_get(p.h[0].e, c, XL_CONN_CONGESTION) == XL_CONGESTION_CUBIC);
	CHECK(xl_conn_set(p.h[0].e, c, XL_CONN_CONGESTION, XL_CONGESTION_NEWRENO + 1) == -EINVAL);
	CHECK(xl_conn_set(p.h[0].e, c, XL_CONN_CONGESTION, XL_CONGESTION_NEWRENO) == 0);
	pair_exchange(&p);
	CHECK(state_is(&p.h[0], c, "open"));
	CHECK(xl_conn_get(p.h[0].e, c, XL_CONN_CONGESTION) == XL_CONGESTION_NEWRENO);
	CHECK(!strcmp(xl_conn_congestion_name(info_of(&p.h[0], c).congestion), "newreno"));
	for (u64 choice = XL_CONGESTION_DELAY; choice <= XL_CONGESTION_NEWRENO; choice++) {
		window = info_of(&p.h[0], p.a).cwnd_bytes;
		CHECK(xl_conn_set(p.h[0].e, p.a, XL_CONN_CONGESTION, choice) == 0);
		CHECK(info_of(&p.h[0], p.a).cwnd_bytes == window);
		bystander_lives(&p);
	}
	CHECK(xl_conn_set(p.h[0].e, p.a, XL_CONN_CONGESTION, XL_CONGESTION_DEFAULT) == 0);
	CHECK(xl_conn_get(p.h[0].e, p.a, XL_CONN_CONGESTION) == XL_CONGESTION_CUBIC);
	CHECK(!strcmp(xl_conn_congestion_name(0), "?") && !strcmp(xl_conn_congestion_name(4), "?"));
	pair_close(&p);
}

static u32 bits_of(struct pair *p, u64 user)
{
	struct xl_event ev[16];
	u32 bits = 0, n;

	while ((n = xl_engine_events(p->h[1].e, ev, 16)))
		while (n--)
			bits |= ev[n].user == user ? ev[n].bits : 0;
	return bits;
}

static void test_changing_hands(void **state)
{
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_STREAM);
	CHECK(xl_conn_send(p.h[0].e, j.a, "abc", 3, p.now) == 3);
	pair_run(&p, 1 * XL_MS);
	bits_of(&p, 5);
	xl_conn_set_user(p.h[1].e, j.b, 77);
	CHECK(bits_of(&p, 77) == (XL_EVENT_OPEN | XL_EVENT_READABLE | XL_EVENT_WRITABLE));
	CHECK(bits_of(&p, 77) == 0);
	xl_conn_abort(p.h[0].e, j.a, XLANE_WIRE_CANCELLED, p.now);
	pair_run(&p, 1 * XL_MS);
	CHECK(bits_of(&p, 77) & XL_EVENT_CLOSED);
	xl_conn_set_user(p.h[1].e, j.b, 78);
	CHECK((bits_of(&p, 78) & (XL_EVENT_CLOSED | XL_EVENT_READABLE)) == (XL_EVENT_CLOSED | XL_EVENT_READABLE));
	bystander_lives(&p);
	pair_close(&p);
}

static void test_lists(void **state)
{
	u32 at = 0, conns[4], n = 0, k, rounds = 0;
	struct xl_peer_info peers[4];
	struct pair p;

	(void)state;
	pair_open(&p, NULL);
	for (u16 i = 0; i < 9; i++)
		peer_open(&p, (u8)(10 + i / 3), (u16)(100 + i), XLANE_KIND_STREAM, 1 << 20);
	for (; at != XL_NONE; n += k, rounds++) {
		k = xl_engine_conn_list(p.h[1].e, &at, conns, 4);
		for (u32 i = 0; i < k; i++)
			CHECK(state_is(&p.h[1], conns[i], "open"));
	}
	CHECK(n == 10 && rounds >= 3);
	at = n = 0;
	do {
		k = xl_engine_peer_list(p.h[1].e, &at, peers, 1);
		CHECK(k == 0 || (peers[0].conns == (peers[0].node == NODE(1) ? 1u : 3u) && peers[0].heard_ns));
		n += k;
	} while (at != XL_NONE);
	CHECK(n == 4);
	pair_close(&p);
}

/* A peer that has lost one connection is asked about all others at once, a few at a time. */
static void test_peer_that_started_anew(void **state)
{
	struct peer x[20];
	struct pair p;
	u32 asked = 0;
	u64 start;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	for (u16 i = 0; i < 20; i++)
		x[i] = peer_open(&p, 3, (u16)(100 + i), XLANE_KIND_STREAM, 1 << 20);
	CHECK(xl_conn_send(p.h[1].e, x[7].conn, "x", 1, p.now) == 1);
	while (!host_output(&p.h[1], &r, &to, p.now) || to != 3)
		;
	x[7].accept_number = xl_get64(r.b + 12);
	raw_outer(&r, 4, 3, x[7].remote_id, 1);     /* RESET UNKNOWN for the packet with the data */
	raw_ext(&r, x[7].node, NODE(2), x[7].id);
	raw_record(&r, 0x23, 0, 20);
	raw32(&r, XLANE_WIRE_UNKNOWN);
	raw64(&r, x[7].id);
	raw64(&r, x[7].accept_number);
	raw_seal(&r);
	host_input(&p.h[1], &r, 3, p.now);
	CHECK(info_of(&p.h[1], x[7].conn).error == -ECONNRESET && count_of(&p.h[1], XL_C_PEER_SWEPT) == 1);
	start = p.now;
	for (u32 round = 0; round < 6; round++) {
		xl_engine_advance(p.h[1].e, p.now);
		while (host_output(&p.h[1], &r, &to, p.now))
			asked += to == 3 && r.b[1] & 1 && raw_find(&r, 0x13);
		CHECK(asked <= 8 * (round + 1));
		p.now += 105 * XL_US;
	}
	CHECK(asked == 19 && p.now - start < 1 * XL_MS);
	CHECK(!xl_engine_check(p.h[1].e));
	pair_close(&p);
}

static void test_buckets_of_workers(void **state)
{
	struct xl_engine_config like = { .workers = 3, .worker = 1 };
	struct host h;
	u32 ours = 0, c;

	(void)state;
	host_open(&h, 1, &like);
	for (u16 port = 1000; port < 1030; port++) {
		struct xl_connect how = { .path = path_of(1, 2), .port = 9, .local_port = port, .kind = XLANE_KIND_STREAM };
		int e = xl_engine_connect(h.e, &how, START_NS, &c);

		CHECK(e == 0 || e == -EADDRNOTAVAIL);
		if (e)
			continue;
		ours++;
		CHECK((info_of(&h, c).local_id >> 56) % 3 == 1);
	}
	CHECK(ours > 2 && ours < 25);
	for (u32 i = 0; i < 10; i++) {
		struct xl_connect how = { .path = path_of(1, 2), .port = 9, .kind = XLANE_KIND_STREAM };

		CHECK(xl_engine_connect(h.e, &how, START_NS, &c) == 0 && (info_of(&h, c).local_id >> 56) % 3 == 1);
	}
	host_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send_buffer), cmocka_unit_test(test_priority), cmocka_unit_test(test_stall),
		cmocka_unit_test(test_congestion),
		cmocka_unit_test(test_changing_hands), cmocka_unit_test(test_lists),
		cmocka_unit_test(test_peer_that_started_anew), cmocka_unit_test(test_buckets_of_workers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
