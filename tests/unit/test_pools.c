/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools that run empty, at each place that takes from them: nothing is broken, nothing taken is lost, and who waits goes on
 * when there is something again. */
#include "engine/core.h"
#include "engine_feed.h"

static struct raw r;
static struct pair p;

/* --- frames ---------------------------------------------------------------------------------------------- */
static u32 held[1024], nheld;

static void hold_frames(struct host *h, u32 left)
{
	while (h->f.nfree > left)
		held[nheld++] = xl_frames_take(&h->f, XL_FRAME_LENT);
}

static void give_frames(struct host *h)
{
	while (nheld)
		xl_frames_move(&h->f, held[--nheld], XL_FRAME_LENT, XL_FRAME_FREE);
}

/* Host 0 sends what it can; nothing comes back to it, since it has no frame to receive into. */
static void drought(u64 ns)
{
	u64 end = p.now + ns;
	u8 to;

	while (p.now < end) {
		xl_engine_advance(p.h[0].e, p.now);
		while (host_output(&p.h[0], &r, &to, p.now))
			if (to == 2)
				host_input(&p.h[1], &r, 1, p.now);
		while (host_output(&p.h[1], &r, &to, p.now))
			;
		pair_check(&p);
		p.now += 100 * XL_US;
		xl_engine_advance(p.h[1].e, p.now);
	}
}

/* Reads all that there is; each message or datagram is one of those that were sent. How many bytes. */
static u64 read_all(u32 conn, u8 kind, u64 from)
{
	u64 got = 0;
	s64 n;

	while ((n = xl_conn_recv(p.h[1].e, conn, in, sizeof in, p.now)) > 0) {
		u64 at = kind == XLANE_KIND_STREAM ? from + got : 0;

		CHECK(!memcmp(in, data + at, (u64)n));
		got += (u64)n;
	}
	CHECK(n == -EAGAIN);
	return got;
}

static bool told_writable(const struct host *h, u32 conn)
{
	struct xl_event ev[16];
	bool told = false;
	u32 n;

	while ((n = xl_engine_events(h->e, ev, 16)))
		for (u32 i = 0; i < n; i++)
			told = told || (ev[i].index == conn && ev[i].bits & XL_EVENT_WRITABLE);
	return told;
}

static void few_frames(u8 kind, u64 bytes, const struct xl_engine_config *like)
{
	struct joined j;
	u64 total = 0;

	pair_open(&p, like);
	j = pair_join(&p, kind);
	for (u32 left = 0; left < 40; left++) {
		u64 taken = 0;
		s64 n;

		told_writable(&p.h[0], j.a);
		hold_frames(&p.h[0], left);
		while ((n = xl_conn_send(p.h[0].e, j.a, kind == XLANE_KIND_STREAM ? data + total + taken : data, bytes, p.now)) > 0)
			taken += (u64)n;
		CHECK(n == -EAGAIN);
		pair_check(&p);
		drought(1 * XL_MS);
		give_frames(&p.h[0]);
		pair_run(&p, 300 * XL_MS);
		pair_check(&p);
		if (kind == XLANE_KIND_DATAGRAM) /* those that were sent meanwhile may be lost */
			CHECK(read_all(j.b, kind, 0) <= taken);
		else
			CHECK(read_all(j.b, kind, total) == taken);
		total += taken;
		CHECK(told_writable(&p.h[0], j.a));
	}
	CHECK(total >= bytes);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_few_frames(void **state)
{
	static const struct xl_engine_config small = { .blocks = 512 },
		large = { .blocks = 512, .max_packet = 9000, .segs_max = 3 };

	(void)state;
	fill_data(2 << 20, 5);
	for (u8 kind = XLANE_KIND_STREAM; kind <= XLANE_KIND_DATAGRAM; kind++) {
		few_frames(kind, 3000, &small);
		few_frames(kind, 30000, &small);
		few_frames(kind, 100, &large);
		few_frames(kind, 30000, &large);
	}
}

static void test_large_message_with_few_frames(void **state)
{
	struct joined j;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 1024, .max_packet = 9000, .segs_max = 3 });
	j = pair_join(&p, XLANE_KIND_UNORDERED);
	fill_data(LARGE, 6);
	for (u32 left = 0; left < 24; left++) {
		int begun;

		hold_frames(&p.h[0], left);
		begun = xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now);
		CHECK(begun == 0 || begun == -EAGAIN);
		drought(500 * XL_US);
		give_frames(&p.h[0]);
		CHECK(begun == 0 || xl_conn_large_begin(p.h[0].e, j.a, LARGE, p.now) == 0);
		pair_run(&p, 20 * XL_MS);
		hold_frames(&p.h[0], left);
		for (u32 i = 0; i < 20; i++) {
			feed(&p, j.a, LARGE);
			drought(100 * XL_US);
		}
		give_frames(&p.h[0]);
		for (u32 i = 0; !feed(&p, j.a, LARGE); i++) {
			CHECK(i < 1000);
			pair_run(&p, 1 * XL_MS);
		}
		pair_run(&p, 100 * XL_MS);
		CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == LARGE && !memcmp(in, data, LARGE));
	}
	bystander_lives(&p);
	pair_close(&p);
}

/* A call, an end, an abort, a datagram's answer: each is said when there is a frame again. */
static void test_no_frame_for_control(void **state)
{
	struct joined s, m;
	u32 c;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	s = pair_join(&p, XLANE_KIND_STREAM);
	m = pair_join(&p, XLANE_KIND_MESSAGE);
	hold_frames(&p.h[0], 0);
	c = pair_connect(&p, PORT, XLANE_KIND_STREAM);
	CHECK(xl_conn_shutdown(p.h[0].e, s.a, p.now) == 0);
	xl_conn_abort(p.h[0].e, m.a, XLANE_WIRE_CANCELLED, p.now);
	drought(5 * XL_MS);
	CHECK(state_is(&p.h[0], c, "calling") && state_is(&p.h[1], s.b, "open"));
	give_frames(&p.h[0]);
	pair_run(&p, 20 * XL_MS);
	CHECK(state_is(&p.h[0], c, "open") && state_is(&p.h[1], s.b, "remote-shut"));
	CHECK(info_of(&p.h[1], m.b).error == -ECONNRESET);
	bystander_lives(&p);
	pair_close(&p);
}

/* The link's MTU falls while there are hardly any frames: what was cut for larger packets is cut again as frames come. */
static void test_cutting_again_with_few_frames(void **state)
{
	(void)state;
	fill_data(2 << 20, 8);
	for (u8 kind = XLANE_KIND_STREAM; kind <= XLANE_KIND_UNORDERED; kind++) {
		for (u32 left = 0; left < 24; left += 1 + left / 8) {
			u64 taken = 0, got = 0;
			struct joined j;
			s64 n;

			pair_open(&p, &(struct xl_engine_config){ .blocks = 512, .max_packet = 9000, .segs_max = 3 });
			j = pair_join(&p, kind);
			for (u32 i = 0; i < 4; i++) {
				n = xl_conn_send(p.h[0].e, j.a, kind == XLANE_KIND_STREAM ? data + taken : data, 20000, p.now);
				CHECK(n == 20000);
				taken += 20000;
			}
			hold_frames(&p.h[0], left);
			CHECK(xl_engine_set_max_packet(p.h[0].e, 600, p.now) == 0);
			drought(2 * XL_MS);
			give_frames(&p.h[0]);
			for (u32 i = 0; i < 100 && got < taken; i++) {
				pair_run(&p, 20 * XL_MS);
				got += read_all(j.b, kind, got);
			}
			CHECK(got == taken);
			bystander_lives(&p);
			pair_close(&p);
		}
	}
}

/* --- sent packets ---------------------------------------------------------------------------------------- */
static void test_few_sent_packets(void **state)
{
	struct xl_engine *e;
	u64 total = 0;
	u8 to;

	(void)state;
	fill_data(2 << 20, 7);
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	e = p.h[0].e;
	for (u32 left = 0; left < 6; left++) {
		struct xl_list away = XL_LIST_EMPTY;
		u32 packets = 0;

		CHECK(xl_conn_send(e, p.a, data + total, 20000, p.now) == 20000);
		while (e->sent_free.count > left)
			xl_list_append(&e->l_sent, &away, xl_list_pop(&e->l_sent, &e->sent_free));
		for (; packets < 100 && host_output(&p.h[0], &r, &to, p.now); packets++)
			;
		CHECK(packets <= left + 1 && e->sent_free.count == 0);
		while (away.count)
			xl_list_append(&e->l_sent, &e->sent_free, xl_list_pop(&e->l_sent, &away));
		pair_check(&p);
		pair_run(&p, 300 * XL_MS);
		CHECK(read_all(p.b, XLANE_KIND_STREAM, total) == 20000);
		total += 20000;
	}
	bystander_lives(&p);
	pair_close(&p);
}

/* --- peers, answers, flows -------------------------------------------------------------------------------- */
/* Who is idle for longest is forgotten; when none is idle, a newcomer is not served. */
static void test_few_peers(void **state)
{
	struct peer x;
	u32 at = 0;
	struct xl_peer_info info[8];

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512, .peers_max = 3 });
	for (u8 address = 3; address < 20; address++) {
		x = peer_open(&p, address, 100, XLANE_KIND_STREAM, 1 << 20);
		xl_conn_abort(p.h[1].e, x.conn, XLANE_WIRE_CANCELLED, p.now);
		pair_run(&p, 2 * XL_S);
		pair_check(&p);
		at = 0;
		CHECK(xl_engine_peer_list(p.h[1].e, &at, info, 8) <= 3);
	}
	/* The last ones are known still, by their path and by their name. */
	x = peer_open(&p, 19, 101, XLANE_KIND_STREAM, 1 << 20);
	x = peer_open(&p, 18, 101, XLANE_KIND_STREAM, 1 << 20);
	pair_check(&p);
	x = peer_new(3, 100);
	raw_init(&x, &r, XLANE_KIND_STREAM, 1 << 20);
	raw_init_end(&r);
	peer_send(&p, &x, &r);
	CHECK(!peer_hears(&p, &x, &r) || (r.b[0] & 15) != 2); /* no ACCEPT */
	bystander_lives(&p);
	pair_close(&p);
}

/* Packets for connections that nobody knows, faster than they are answered: the newest are. */
static void test_answers_without_state(void **state)
{
	struct peer x = peer_new(3, 100);
	u64 first = x.next;
	u32 n = 0;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	for (u32 i = 0; i < XL_REPLIES_MAX + 8; i++) {
		raw_outer(&r, 0, 3, 0x4200000000000000ull | i, x.next);
		raw_ext(&r, x.node, NODE(2), x.id);
		raw_record(&r, 0x13, 0, 0);
		raw_record(&r, 0, 0, 60);
		raw_fill(&r, 0, 60);
		raw_seal(&r);
		peer_send(&p, &x, &r);
	}
	for (; peer_hears(&p, &x, &r); n++) {
		const u8 *body = r.b + 20 + 28;

		CHECK((r.b[0] & 15) == 4);
		CHECK(xl_get64(r.b + 4) == x.id && body);
	}
	CHECK(n == XL_REPLIES_MAX && x.next == first + XL_REPLIES_MAX + 8);
	bystander_lives(&p);
	pair_close(&p);
}

/* More connections than frames send something, one after the other: those at rest for longest begin anew. */
static void test_few_flows(void **state)
{
	u32 n = 1100, conn[1100];

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 8192, .conns_max = 1200 });
	for (u32 i = 0; i < n; i++) {
		u32 b;

		conn[i] = pair_connect(&p, PORT, XLANE_KIND_STREAM);
		pair_exchange(&p);
		CHECK(xl_engine_accept(p.h[1].e, p.listener, 5, &b) == 0);
		CHECK(xl_conn_send(p.h[0].e, conn[i], "x", 1, p.now) == 1);
		pair_run(&p, 1 * XL_MS);
		CHECK(xl_conn_recv(p.h[1].e, b, in, 10, p.now) == 1);
	}
	pair_check(&p);
	CHECK(count_of(&p.h[0], XL_C_FLOW_FORGOTTEN) >= n - 1024);
	CHECK(xl_conn_send(p.h[0].e, conn[0], "y", 1, p.now) == 1);
	pair_run(&p, 1 * XL_MS);
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_frames), cmocka_unit_test(test_large_message_with_few_frames),
		cmocka_unit_test(test_no_frame_for_control), cmocka_unit_test(test_cutting_again_with_few_frames),
		cmocka_unit_test(test_few_sent_packets),
		cmocka_unit_test(test_few_peers), cmocka_unit_test(test_answers_without_state),
		cmocka_unit_test(test_few_flows),
	};

	return RUN_TAP(tests);
}
