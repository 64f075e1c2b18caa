/* SPDX-License-Identifier: BSD-2-Clause */
/* What each call of the program's side refuses, and the edge of every bound at which it does. */
#include "engine_broken.h"
#include "engine_large.h"

#include "engine/cc.h"

static struct raw r;
static struct pair p;
static u8 data[XLANE_SEND_BUFFER_BYTES], in[XLANE_SEND_BUFFER_BYTES];

static void run_out(u64 ns) { pair_run(&p, ns); pair_check(&p); }

/* --- configurations ------------------------------------------------------------------------------------ */
static void test_configs(void **state)
{
	struct xl_engine_config good;
	struct host h;

	(void)state;
	host_open(&h, 1, &(struct xl_engine_config){ .blocks = 64 });
	good = h.cfg;
	good.recv_window_bytes = 0;
#define REFUSED(change) do { \
	struct xl_engine_config c = good; \
	change; \
	if (xl_engine_init(h.memory, &c, START_NS)) \
		fail_msg("line %d: %s: taken", __LINE__, #change); \
} while (0)
#define TAKEN(change) do { \
	struct xl_engine_config c = good; \
	void *memory; \
	change; \
	memory = aligned_alloc(64, (xl_engine_bytes(&c) + 63) / 64 * 64); \
	memset(memory, 0, xl_engine_bytes(&c)); \
	if (!xl_engine_init(memory, &c, START_NS)) \
		fail_msg("line %d: %s: refused", __LINE__, #change); \
	CHECK(!xl_engine_check(memory)); \
	free(memory); \
} while (0)
	REFUSED(c.frames = NULL);
	REFUSED(c.node_id = 0);
	REFUSED(c.conns_max = 0);
	REFUSED(c.conns_max = XLANE_CONNS_MAX + 1);
	REFUSED(c.peers_max = 0);
	REFUSED(c.blocks = XLANE_BLOCKS_MIN - 1);
	REFUSED(c.tx_frames_max = 0);
	REFUSED(c.segs_max = 0);
	REFUSED(c.segs_max = XLANE_PACKET_SEGS_MAX + 1);
	REFUSED(c.max_packet = XLANE_MTU_MIN - 1);
	REFUSED((c.max_packet = XLANE_MTU_MAX + 1, c.segs_max = XLANE_PACKET_SEGS_MAX));
	REFUSED(c.max_packet = XLANE_FRAME_BYTES - XLANE_TX_HEADROOM_BYTES + 1);
	REFUSED((c.workers = XLANE_WORKERS_MAX + 1, c.worker = 1));
	REFUSED((c.workers = 2, c.worker = 2));
	REFUSED(c.worker = 1);
	REFUSED(c.congestion = XL_CC_ALGORITHMS + 1);
	REFUSED(c.recv_window_bytes = XLANE_RECV_WINDOW_MIN_BYTES - 1);
	REFUSED(c.recv_window_bytes = 2 * XLANE_RECV_WINDOW_BYTES + 1);
	TAKEN((c.conns_max = c.peers_max = c.tx_frames_max = 1, c.blocks = XLANE_BLOCKS_MIN));
	TAKEN(c.max_packet = XLANE_MTU_MIN);
	TAKEN((c.max_packet = XLANE_MTU_MAX, c.segs_max = 3));
	TAKEN(c.max_packet = XLANE_FRAME_BYTES - XLANE_TX_HEADROOM_BYTES);
	TAKEN((c.workers = XLANE_WORKERS_MAX, c.worker = XLANE_WORKERS_MAX - 1));
	TAKEN(c.recv_window_bytes = 2 * XLANE_RECV_WINDOW_BYTES);
	TAKEN((c.keepalive_ns = XL_S, c.peer_death_ns = 3 * XL_S, c.ack_delay_ns = 1, c.linger_ns_min = 1, c.send_buffer_bytes = 65536));
	h.f.frame_bytes = 2047;
	REFUSED((void)0);
	h.f.frame_bytes = XLANE_FRAME_BYTES;
	h.e = xl_engine_init(h.memory, &h.cfg, START_NS);
	host_close(&h);
}

/* --- listening ------------------------------------------------------------------------------------------- */
static void test_listen(void **state)
{
	struct xl_engine *e;
	struct host h;

	(void)state;
	host_open(&h, 1, &(struct xl_engine_config){ .blocks = 64 });
	e = h.e;
	CHECK(xl_engine_listen(e, 80, 0, 1, 0) == -EINVAL);
	CHECK(xl_engine_listen(e, 80, XLANE_KIND_DATAGRAM + 1, 1, 0) == -EINVAL);
	CHECK(xl_engine_listen(e, 0, XLANE_KIND_STREAM, 1, 0) == -EINVAL);
	CHECK(xl_engine_listen(e, 80, XLANE_KIND_STREAM, 0, 0) == -EINVAL);
	CHECK(xl_engine_listen(e, 80, XLANE_KIND_STREAM, XLANE_BACKLOG_MAX + 1, 0) == -EINVAL);
	for (int i = 0; i < XLANE_LISTENERS_MAX; i++)
		CHECK(xl_engine_listen(e, (u16)(1 + i), XLANE_KIND_STREAM, XLANE_BACKLOG_MAX, 0) == i);
	CHECK(xl_engine_listen(e, 7, XLANE_KIND_MESSAGE, 1, 0) == -EADDRINUSE);
	CHECK(xl_engine_listen(e, 60000, XLANE_KIND_STREAM, 1, 0) == -ENOSPC);
	xl_engine_unlisten(e, 500, START_NS);
	CHECK(xl_engine_listen(e, 7, XLANE_KIND_STREAM, 1, 0) == -EADDRINUSE);
	CHECK(xl_engine_listen(e, 60000, XLANE_KIND_STREAM, 1, 0) == 500);
	CHECK(xl_engine_listen(e, 501, XLANE_KIND_STREAM, 1, 0) == -ENOSPC);
	host_close(&h);
}

/* Of all that hang on a listener: half-open, established, ended before it was accepted; and one of another listener. */
static void test_unlisten(void **state)
{
	struct peer half = peer_new(5, 100), ready = peer_new(6, 100);
	u32 a, b, other, conns;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	conns = xl_engine_conns(p.h[1].e);
	a = pair_connect(&p, PORT, XLANE_KIND_STREAM);
	other = pair_connect(&p, PORT_OF(XLANE_KIND_MESSAGE), XLANE_KIND_MESSAGE);
	pair_exchange(&p);
	raw_init(&half, &r, XLANE_KIND_STREAM, 1 << 20);
	raw_init_end(&r);
	peer_send(&p, &half, &r);
	raw_init(&ready, &r, XLANE_KIND_STREAM, 1 << 20);
	raw_init_end(&r);
	peer_send(&p, &ready, &r);
	CHECK(xl_engine_conns(p.h[1].e) == conns + 4);
	xl_engine_unlisten(p.h[1].e, p.listener, p.now);
	pair_check(&p);
	run_out(5 * XL_MS);
	CHECK(info_of(&p.h[0], a).error && !info_of(&p.h[0], other).error);
	CHECK(xl_engine_accept(p.h[1].e, p.listener_of[XLANE_KIND_MESSAGE], 1, &b) == 0);
	run_out(20 * XL_S);
	CHECK(xl_engine_conns(p.h[1].e) == conns + 1);
	CHECK(xl_engine_listen(p.h[1].e, PORT, XLANE_KIND_STREAM, 4, 0) == (int)p.listener);
	bystander_lives(&p);
	pair_close(&p);
}

/* Both ends are through before the program looks. */
static struct joined ended(void)
{
	struct joined j = { .a = pair_connect(&p, PORT, XLANE_KIND_STREAM) };

	pair_exchange(&p);
	CHECK(xl_conn_send(p.h[0].e, j.a, "x", 1, p.now) == 1);
	xl_conn_close(p.h[0].e, j.a, p.now);
	run_out(1 * XL_MS);
	return j;
}

static void test_accept_what_ended(void **state)
{
	struct xl_event ev[8];
	struct joined j;
	u32 conns;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	conns = xl_engine_conns(p.h[1].e);
	CHECK(xl_engine_accept(p.h[1].e, p.listener, 1, &j.b) == -EAGAIN);
	ended();
	CHECK(xl_engine_events(p.h[1].e, ev, 8) >= 1);
	CHECK(xl_engine_accept(p.h[1].e, p.listener, 8, &j.b) == 0);
	CHECK(xl_engine_events(p.h[1].e, ev, 8) == 1 && ev[0].user == 8 && ev[0].bits & XL_EVENT_READABLE);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, 10, p.now) == 1 && xl_conn_recv(p.h[1].e, j.b, in, 10, p.now) == 0);
	xl_conn_close(p.h[1].e, j.b, p.now);
	/* Another one waits while the listener goes. */
	ended();
	xl_engine_unlisten(p.h[1].e, p.listener, p.now);
	run_out(20 * XL_S);
	CHECK(xl_engine_conns(p.h[1].e) == conns);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- connecting ------------------------------------------------------------------------------------------ */
static int try_connect(struct host *h, struct xl_connect how)
{
	u32 c = 77;
	int e = xl_engine_connect(h->e, &how, START_NS, &c);

	CHECK((e == 0) == (c != 77));
	return e;
}

/* A call of a stream to port 80 of host 2, but for `change`. */
#define HOW(change) ({ \
	struct xl_connect how = { .path = path_of(1, 2), .port = 80, .kind = XLANE_KIND_STREAM }; \
	how change; \
	how; \
})

static void test_connect(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, 1, &(struct xl_engine_config){ .blocks = 64, .conns_max = 3, .peers_max = 2 });
	CHECK(try_connect(&h, HOW(.kind = 0)) == -EINVAL);
	CHECK(try_connect(&h, HOW(.kind = XLANE_KIND_DATAGRAM + 1)) == -EINVAL);
	CHECK(try_connect(&h, HOW(.port = 0)) == -EINVAL);
	CHECK(try_connect(&h, HOW(.local_port = 5)) == 0);
	CHECK(try_connect(&h, HOW(.local_port = 5)) == -EADDRINUSE);
	CHECK(try_connect(&h, HOW(.path = path_of(1, 3))) == 0);
	CHECK(try_connect(&h, HOW(.path = path_of(1, 4))) == -ENOSPC); /* peers */
	CHECK(try_connect(&h, HOW(.local_port = 6)) == 0);
	CHECK(try_connect(&h, HOW(.local_port = 7)) == -ENOSPC); /* connections */
	host_close(&h);
}

/* All ephemeral ports to one place; those to another are free still. */
static void test_ephemeral_ports(void **state)
{
	u32 range = XLANE_EPHEMERAL_PORT_LAST - XLANE_EPHEMERAL_PORT_FIRST + 1;
	struct host h;
	u8 seen[65536] = { 0 };

	(void)state;
	host_open(&h, 1, &(struct xl_engine_config){ .blocks = 64, .conns_max = range + 2 });
	for (u32 i = 0; i < range; i++) {
		struct xl_connect how = HOW(.user = i);
		u32 c;

		CHECK(xl_engine_connect(h.e, &how, START_NS, &c) == 0);
		CHECK(!seen[info_of(&h, c).local_port]++ && info_of(&h, c).local_port >= XLANE_EPHEMERAL_PORT_FIRST);
	}
	CHECK(try_connect(&h, HOW(.user = 1)) == -EADDRNOTAVAIL);
	CHECK(try_connect(&h, HOW(.local_port = 5)) == 0);
	CHECK(try_connect(&h, HOW(.port = 81)) == 0);
	host_close(&h);
}

/* Of several workers each takes the calls of its own buckets only. */
static void test_ports_of_others(void **state)
{
	u32 taken = 0, not = 0;
	struct host h;

	(void)state;
	host_open(&h, 1, &(struct xl_engine_config){ .blocks = 64, .workers = 4, .worker = 3 });
	for (u16 port = 1; port <= 60; port++) {
		int e = try_connect(&h, HOW(.local_port = port));

		CHECK(e == 0 || e == -EADDRNOTAVAIL);
		taken += e == 0;
		not += e != 0;
	}
	CHECK(taken > 5 && not > 20);
	host_close(&h);
}

/* --- sending --------------------------------------------------------------------------------------------- */
static void test_send_refused(void **state)
{
	struct joined s, m;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	s = pair_join(&p, XLANE_KIND_STREAM);
	m = pair_join(&p, XLANE_KIND_MESSAGE);
	CHECK(xl_conn_send(p.h[0].e, s.a, data, 0, p.now) == 0);
	CHECK(xl_conn_message_max(p.h[0].e, s.a) == 0);
	CHECK(xl_conn_large_begin(p.h[0].e, s.a, 1 << 20, p.now) == -EINVAL);
	CHECK(xl_conn_large_begin(p.h[0].e, m.a, XLANE_MESSAGE_SMALL_MAX_BYTES, p.now) == -EINVAL);
	CHECK(xl_conn_large_begin(p.h[0].e, m.a, XLANE_MESSAGE_MAX_BYTES + 1, p.now) == -EMSGSIZE);
	CHECK(xl_conn_large_begin(p.h[0].e, m.a, xl_conn_message_max(p.h[0].e, m.a) + 1, p.now) == -EMSGSIZE);
	CHECK(xl_conn_large_more(p.h[0].e, m.a, data, 1, p.now) == -EINVAL && xl_conn_large_left(p.h[0].e, m.a) == 0);
	CHECK(xl_conn_send(p.h[0].e, m.a, data, XLANE_MESSAGE_SMALL_MAX_BYTES + 1, p.now) == -EMSGSIZE);
	CHECK(xl_conn_large_begin(p.h[0].e, m.a, 100000, p.now) == 0);
	CHECK(xl_conn_large_begin(p.h[0].e, m.a, 100000, p.now) == -EAGAIN);
	CHECK(xl_conn_large_more(p.h[0].e, m.a, data, 0, p.now) == -EINVAL);
	CHECK(xl_conn_large_more(p.h[0].e, m.a, data, 100001, p.now) == -EINVAL);
	CHECK(xl_conn_large_more(p.h[0].e, m.a, data, 1, p.now) == -EAGAIN); /* not granted yet */
	CHECK(xl_conn_shutdown(p.h[0].e, m.a, p.now) == 0 && xl_conn_shutdown(p.h[0].e, s.a, p.now) == 0);
	CHECK(xl_conn_large_begin(p.h[0].e, m.a, 100000, p.now) == -EPIPE);
	CHECK(xl_conn_send(p.h[0].e, m.a, data, 1, p.now) == -EPIPE && xl_conn_send(p.h[0].e, s.a, data, 1, p.now) == -EPIPE);
	CHECK(xl_conn_writable(p.h[0].e, s.a) == 0);
	xl_conn_abort(p.h[1].e, m.b, XLANE_WIRE_CANCELLED, p.now);
	run_out(1 * XL_MS);
	CHECK(xl_conn_large_begin(p.h[0].e, m.a, 100000, p.now) == -ECONNRESET);
	CHECK(xl_conn_large_more(p.h[0].e, m.a, data, 1, p.now) == -ECONNRESET);
	CHECK(xl_conn_send(p.h[0].e, m.a, data, 1, p.now) == -ECONNRESET && xl_conn_writable(p.h[0].e, m.a) == 0);
	CHECK(xl_conn_shutdown(p.h[0].e, m.a, p.now) == -ECONNRESET);
	bystander_lives(&p);
	pair_close(&p);
}

/* Before the peer has answered, only the own limits are known. */
static void test_send_before_the_answer(void **state)
{
	u32 c;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	c = pair_connect(&p, PORT_OF(XLANE_KIND_MESSAGE), XLANE_KIND_MESSAGE);
	CHECK(xl_conn_message_max(p.h[0].e, c) == XLANE_MESSAGE_SMALL_MAX_BYTES);
	CHECK(xl_conn_large_begin(p.h[0].e, c, 1 << 20, p.now) == -EAGAIN);
	CHECK(xl_conn_send(p.h[0].e, c, "early", 5, p.now) == 5);
	run_out(1 * XL_MS);
	CHECK(xl_conn_message_max(p.h[0].e, c) > XLANE_MESSAGE_SMALL_MAX_BYTES);
	/* The end may be queued before there is an answer, too. */
	c = pair_connect(&p, PORT_OF(XLANE_KIND_MESSAGE), XLANE_KIND_MESSAGE);
	CHECK(xl_conn_send(p.h[0].e, c, "early", 5, p.now) == 5 && xl_conn_shutdown(p.h[0].e, c, p.now) == 0);
	CHECK(state_is(&p.h[0], c, "calling") && xl_conn_writable(p.h[0].e, c) == 0);
	CHECK(xl_conn_large_begin(p.h[0].e, c, 1 << 20, p.now) == -EPIPE && xl_conn_send(p.h[0].e, c, "late", 4, p.now) == -EPIPE);
	run_out(1 * XL_MS);
	CHECK(state_is(&p.h[0], c, "local-done"));
	pair_close(&p);
}

/* A peer that takes no large messages, and one that says nothing about it. */
static void test_peers_message_max(void **state)
{
	struct peer x, y;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	x = peer_open_max(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20, XLANE_MESSAGE_SMALL_MAX_BYTES);
	y = peer_open_max(&p, 4, 100, XLANE_KIND_MESSAGE, 1 << 20, 0);
	for (u32 i = 0; i < 2; i++) {
		u32 conn = i ? y.conn : x.conn;

		CHECK(xl_conn_message_max(p.h[1].e, conn) == XLANE_MESSAGE_SMALL_MAX_BYTES);
		CHECK(xl_conn_send(p.h[1].e, conn, data, XLANE_MESSAGE_SMALL_MAX_BYTES + 1, p.now) == -EMSGSIZE);
		CHECK(xl_conn_send(p.h[1].e, conn, data, XLANE_MESSAGE_SMALL_MAX_BYTES, p.now) == XLANE_MESSAGE_SMALL_MAX_BYTES);
		CHECK(xl_conn_large_begin(p.h[1].e, conn, XLANE_MESSAGE_SMALL_MAX_BYTES + 1, p.now) == -EMSGSIZE);
	}
	pair_check(&p);
	pair_close(&p);
}

/* --- who hears ------------------------------------------------------------------------------------------- */
static u32 told_anew(struct host *h, u32 conn)
{
	struct xl_event ev[16];

	while (xl_engine_events(h->e, ev, 16))
		;
	xl_conn_set_user(h->e, conn, 4711);
	if (xl_engine_events(h->e, ev, 16) != 1)
		return 0;
	CHECK(ev[0].index == conn && ev[0].user == 4711);
	return ev[0].bits;
}

static void test_told_anew(void **state)
{
	struct joined j, k;
	u32 c;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	c = pair_connect(&p, PORT, XLANE_KIND_STREAM);
	CHECK(told_anew(&p.h[0], c) == XL_EVENT_WRITABLE); /* calling: it may send already */
	pair_exchange(&p);
	CHECK(xl_engine_accept(p.h[1].e, p.listener, 5, &c) == 0);
	j = pair_join(&p, XLANE_KIND_STREAM);
	CHECK(told_anew(&p.h[0], j.a) == (XL_EVENT_OPEN | XL_EVENT_WRITABLE));
	CHECK(xl_conn_send(p.h[0].e, j.a, data, sizeof data, p.now) > 0);
	CHECK(xl_conn_send(p.h[0].e, j.a, data, sizeof data, p.now) == -EAGAIN);
	CHECK(told_anew(&p.h[0], j.a) == XL_EVENT_OPEN);
	run_out(1 * XL_MS);
	CHECK(told_anew(&p.h[1], j.b) == (XL_EVENT_OPEN | XL_EVENT_WRITABLE | XL_EVENT_READABLE));
	xl_conn_abort(p.h[0].e, j.a, XLANE_WIRE_CANCELLED, p.now);
	run_out(1 * XL_MS);
	CHECK(told_anew(&p.h[1], j.b) & XL_EVENT_CLOSED);
	/* Both ended gracefully, and nobody has let go. */
	k = pair_join(&p, XLANE_KIND_STREAM);
	CHECK(xl_conn_shutdown(p.h[0].e, k.a, p.now) == 0 && xl_conn_shutdown(p.h[1].e, k.b, p.now) == 0);
	run_out(1 * XL_MS);
	CHECK(told_anew(&p.h[0], k.a) & XL_EVENT_CLOSED);
	CHECK(told_anew(&p.h[1], k.b) & XL_EVENT_READABLE);
	run_out(15 * XL_S);
	CHECK(told_anew(&p.h[0], k.a) & XL_EVENT_CLOSED);
	pair_close(&p);
}

static void test_settings_out_of_range(void **state)
{
	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512 });
	CHECK(xl_conn_set(p.h[0].e, p.a, XL_CONN_OPTIONS, 1) == -EINVAL && xl_conn_get(p.h[0].e, p.a, XL_CONN_OPTIONS) == 0);
	CHECK(xl_conn_get(p.h[0].e, p.a, (enum xl_conn_option)99) == 0);
	CHECK(xl_conn_set(p.h[0].e, p.a, XL_CONN_DEADLINE_US, 5) == -EINVAL); /* a stream */
	CHECK(xl_conn_set(p.h[0].e, p.a, XL_CONN_CONGESTION, XL_CONGESTION_DEFAULT) == 0);
	CHECK(xl_conn_get(p.h[0].e, p.a, XL_CONN_CONGESTION) == XL_CC_DEFAULT + 1);
	pair_close(&p);
}

/* --- names ----------------------------------------------------------------------------------------------- */
static void test_names(void **state)
{
	(void)state;
	for (u32 i = 0; i < XL_ENGINE_COUNTER_COUNT; i++)
		CHECK(strlen(xl_engine_counter_name(i)) > 1 && strlen(xl_engine_counter_text(i)) > 1);
	assert_string_equal(xl_engine_counter_name(XL_ENGINE_COUNTER_COUNT), "?");
	assert_string_equal(xl_engine_counter_text(XL_ENGINE_COUNTER_COUNT), "?");
	for (u8 i = 0; i < XL_STATE_COUNT; i++)
		CHECK(strlen(xl_conn_state_name(i)) > 1);
	assert_string_equal(xl_conn_state_name(XL_STATE_COUNT), "?");
	for (u8 i = XL_CONGESTION_DELAY; i <= XL_CONGESTION_NEWRENO; i++)
		CHECK(strlen(xl_conn_congestion_name(i)) > 1);
	CHECK(xl_wire_error_text(XLANE_WIRE_REFUSED) != NULL);
	assert_string_equal(xl_wire_error_text(UINT32_MAX), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_configs), cmocka_unit_test(test_listen), cmocka_unit_test(test_unlisten),
		cmocka_unit_test(test_accept_what_ended), cmocka_unit_test(test_connect),
		cmocka_unit_test(test_ephemeral_ports), cmocka_unit_test(test_ports_of_others),
		cmocka_unit_test(test_send_refused), cmocka_unit_test(test_send_before_the_answer),
		cmocka_unit_test(test_peers_message_max), cmocka_unit_test(test_told_anew),
		cmocka_unit_test(test_settings_out_of_range), cmocka_unit_test(test_names),
	};

	return RUN_TAP(tests);
}
