/* SPDX-License-Identifier: BSD-2-Clause */
/* Two workers with the real engine over joined memory drivers, in virtual time: echo, close, and where frames are. */
#include "unit.h"

#include <errno.h>

#include "drv/memory.h"
#include "wire/ether.h"
#include "worker/worker.h"

#define FRAMES 512
#define MTU 1500
#define STEP_NS (10 * XL_US)
#define STEPS_MAX 2000000
#define PORT 7
#define DATA_BYTES 300000

struct end {
	void *mem, *tables, *engine_mem;
	struct xl_frames frames;
	struct xl_drv *drv;
	struct xl_engine *engine;
	struct xl_worker worker;
};
struct pair { struct end a, b; u64 now; };

static void open_end(struct end *e, u8 id, u32 ring, const u16 vlan[2], u64 now)
{
	struct xl_drv_memory_config d = {
		.frames = &e->frames, .ring_size = ring, .mtu = MTU, .segs_max = 1, .mac = { 2, 0, 0, 0, 0, id },
	};
	struct xl_engine_config c = {
		.frames = &e->frames, .node_id = id, .incarnation = 1, .seed = id, .first_number = XL_NONE64,
		.max_packet = MTU, .segs_max = 1, .tx_frames_max = xl_worker_tx_data_frames(FRAMES), .conns_max = 16,
		.peers_max = 4, .blocks = 1024,
	};

	e->mem = aligned_alloc(XLANE_FRAME_BYTES, FRAMES * XLANE_FRAME_BYTES);
	e->tables = malloc(xl_frames_table_bytes(FRAMES));
	assert_non_null(e->mem);
	assert_non_null(e->tables);
	xl_frames_init(&e->frames, e->mem, XLANE_FRAME_BYTES, FRAMES, e->tables);
	assert_int_equal(xl_drv_memory_open(&d, &e->drv), 0);
	assert_int_equal(xl_link_init(&e->worker.link, e->drv->mac, XLANE_ETHERTYPE_DEFAULT, vlan), 0);
	c.max_packet -= xl_link_tag_bytes(&e->worker.link);
	e->engine_mem = aligned_alloc(64, (xl_engine_bytes(&c) + 63) & ~(size_t)63);
	assert_non_null(e->engine_mem);
	memset(e->engine_mem, 0, xl_engine_bytes(&c));
	e->engine = xl_engine_init(e->engine_mem, &c, now);
	assert_non_null(e->engine);
	xl_worker_init(&e->worker, e->drv, &e->frames, e->engine);
}

static void close_end(struct end *e)
{
	e->drv->ops->close(e->drv);
	assert_true(xl_frames_census_ok(&e->frames));
	assert_int_equal(e->frames.census[XL_FRAME_FREE], FRAMES);
	free(e->mem);
	free(e->tables);
	free(e->engine_mem);
}

static void open_pair(struct pair *p, u32 ring, const u16 vlan[2])
{
	memset(p, 0, sizeof *p);
	p->now = 5 * XL_S;
	open_end(&p->a, 0xa, ring, vlan, p->now);
	open_end(&p->b, 0xb, ring, vlan, p->now);
	xl_drv_memory_join(p->a.drv, p->b.drv);
}

static void close_pair(struct pair *p)
{
	close_end(&p->a);
	close_end(&p->b);
}

/* Received frames never stay with the worker, and what is not free or with the driver is held for sending. */
static void check(const struct end *e)
{
	CHECK(xl_frames_census_ok(&e->frames));
	CHECK(e->frames.census[XL_FRAME_RX] == 0);
	CHECK(xl_engine_check(e->engine) == NULL);
}

static void step(struct pair *p)
{
	p->now += STEP_NS;
	CHECK(xl_worker_round(&p->a.worker, p->now) >= 0);
	CHECK(xl_worker_round(&p->b.worker, p->now) >= 0);
}

/* The server's end: what comes goes back; at the end of the stream it closes. Returns false when that is done. */
static bool echo(struct pair *p, u32 conn)
{
	struct xl_engine *e = p->b.engine;
	const u8 *data;
	u64 left;
	s64 n = xl_conn_peek(e, conn, &data, &left);

	if (n == -ENODATA || n == 0) {
		xl_conn_close(e, conn, p->now);
		return false;
	}
	if (n == -EAGAIN)
		return true;
	CHECK(n > 0);
	n = xl_conn_send(e, conn, data, (u64)n, p->now);
	CHECK(n > 0 || n == -EAGAIN);
	if (n > 0)
		xl_conn_consume(e, conn, (u64)n, p->now);
	return true;
}

/* Send the pattern, take it back, compare; ends when both streams have. */
static void exchange(struct pair *p, u32 conn, u32 listener)
{
	static u8 out[DATA_BYTES], in[DATA_BYTES + 1];
	u64 sent = 0, got = 0;
	u32 peer = XL_NONE;
	bool over = false, served = false;
	struct xl_prng r;

	xl_prng_seed(&r, 7);
	fill_random(&r, out, sizeof out);
	for (u32 i = 0; !(over && served); i++) {
		s64 n;

		CHECK(i < STEPS_MAX);
		if (sent < sizeof out) {
			n = xl_conn_send(p->a.engine, conn, out + sent, sizeof out - sent, p->now);
			CHECK(n > 0 || n == -EAGAIN);
			sent += n > 0 ? (u64)n : 0;
			if (sent == sizeof out)
				CHECK(xl_conn_shutdown(p->a.engine, conn, p->now) == 0);
		}
		if (!over) {
			n = xl_conn_recv(p->a.engine, conn, in + got, sizeof in - got, p->now);
			CHECK(n >= 0 || n == -EAGAIN);
			got += n > 0 ? (u64)n : 0;
			over = n == 0;
		}
		if (peer == XL_NONE && xl_engine_accept(p->b.engine, listener, 0, &peer))
			peer = XL_NONE;
		else if (!served)
			served = !echo(p, peer);
		step(p);
		if (i % 64 == 0) {
			check(&p->a);
			check(&p->b);
		}
	}
	CHECK(got == sizeof out && !memcmp(in, out, sizeof out));
	xl_conn_close(p->a.engine, conn, p->now);
}

static void run_echo(u32 ring, const u16 vlan[2])
{
	static const u8 mac_b[6] = { 2, 0, 0, 0, 0, 0xb };
	struct xl_connect how = { .port = PORT, .kind = XLANE_KIND_STREAM };
	struct pair p;
	u32 conn;
	int listener;

	open_pair(&p, ring, vlan);
	listener = xl_engine_listen(p.b.engine, PORT, XLANE_KIND_STREAM, 4, 0);
	assert_true(listener >= 0);
	xl_link_path(&p.a.worker.link, mac_b, &how.path);
	assert_int_equal(xl_engine_connect(p.a.engine, &how, p.now, &conn), 0);
	exchange(&p, conn, (u32)listener);
	for (u32 i = 0; xl_engine_conns(p.a.engine) || xl_engine_conns(p.b.engine); i++) {
		CHECK(i < STEPS_MAX);
		step(&p);
	}
	/* completions of the very last packets */
	for (u32 i = 0; i < 8; i++)
		step(&p);
	/* quiet: every frame is free or with the driver to receive into */
	for (struct end *e = &p.a; e; e = e == &p.a ? &p.b : NULL) {
		check(e);
		assert_int_equal(e->frames.census[XL_FRAME_FREE] + e->frames.census[XL_FRAME_FILL], FRAMES);
		assert_true(e->frames.census[XL_FRAME_FREE] >= e->worker.tx_reserve);
		for (u32 c = 0; c < XL_LINK_COUNTER_COUNT; c++)
			assert_int_equal(e->worker.link.counters[c], 0);
	}
	close_pair(&p);
}

static void test_echo(void **state)
{
	(void)state;
	run_echo(256, (const u16[2]){ 0, 0 });
}

static void test_echo_vlan(void **state)
{
	(void)state;
	run_echo(256, (const u16[2]){ XL_LINK_VLAN_AD | 100, 7 });
}

/* Rings of two frames: the worker stalls and goes on all the time, and packets are lost at the receiver. */
static void test_echo_tiny_rings(void **state)
{
	(void)state;
	run_echo(2, (const u16[2]){ 0, 0 });
}

/* A program that is closed in the middle: nothing of it stays but what close brings home. */
static void test_close_in_the_middle(void **state)
{
	static const u8 mac_b[6] = { 2, 0, 0, 0, 0, 0xb };
	static u8 data[100000];
	struct xl_connect how = { .port = PORT, .kind = XLANE_KIND_STREAM };
	struct pair p;
	u32 conn;

	(void)state;
	open_pair(&p, 64, (const u16[2]){ 0, 0 });
	assert_true(xl_engine_listen(p.b.engine, PORT, XLANE_KIND_STREAM, 4, 0) >= 0);
	xl_link_path(&p.a.worker.link, mac_b, &how.path);
	assert_int_equal(xl_engine_connect(p.a.engine, &how, p.now, &conn), 0);
	for (u32 i = 0; i < 20; i++) {
		xl_conn_send(p.a.engine, conn, data, sizeof data, p.now);
		step(&p);
	}
	xl_conn_abort(p.a.engine, conn, XLANE_WIRE_CANCELLED, p.now);
	for (u32 i = 0; xl_engine_conns(p.a.engine) || xl_engine_conns(p.b.engine); i++) {
		CHECK(i < STEPS_MAX);
		step(&p);
	}
	for (u32 i = 0; i < 8; i++)
		step(&p);
	check(&p.a);
	check(&p.b);
	close_pair(&p);
}

/* Frames that are not for the engine are counted and their frames free again at once, batch after batch. */
static void test_foreign_flood(void **state)
{
	struct xl_ether h = {
		.destination = { 2, 0, 0, 0, 0, 0xc }, .source = { 2, 0, 0, 0, 0, 0xd }, .ethertype = 0x88b5,
	};
	u8 frame[64] = { 0 };
	struct pair p;

	(void)state;
	open_pair(&p, 64, (const u16[2]){ 0, 0 });
	xl_ether_emit(frame, &h);
	for (u32 i = 0; i < 4 * FRAMES; i++) {
		assert_int_equal(xl_drv_memory_inject(p.a.drv, frame, sizeof frame, 0, p.now), 0);
		if (i % 32 == 31)
			step(&p);
	}
	assert_int_equal(p.a.worker.link.counters[XL_LINK_RX_OTHER_MAC], 4 * FRAMES);
	assert_int_equal(xl_engine_counters(p.a.engine)[XL_C_PACKETS_IN], 0);
	check(&p.a);
	assert_true(p.a.frames.census[XL_FRAME_FREE] >= p.a.worker.tx_reserve);
	close_pair(&p);
}

static void test_reserve(void **state)
{
	struct pair p;

	(void)state;
	/* the driver would take every frame of the pool */
	open_pair(&p, XL_MEMORY_RING_MAX, (const u16[2]){ 0, 0 });
	assert_int_equal(p.a.frames.census[XL_FRAME_FREE], xl_worker_tx_reserve(FRAMES));
	assert_int_equal(p.a.frames.census[XL_FRAME_FILL], FRAMES - xl_worker_tx_reserve(FRAMES));
	assert_true(xl_worker_tx_data_frames(FRAMES) + XL_WORKER_CONTROL_FRAMES <= xl_worker_tx_reserve(FRAMES));
	close_pair(&p);
}

static int rx_gone(struct xl_drv *d, struct xl_packet *packets, u32 max, u64 now_ns)
{
	(void)d;
	(void)packets;
	(void)max;
	(void)now_ns;
	return -ENXIO;
}

static void test_device_gone(void **state)
{
	struct xl_drv_ops gone;
	struct pair p;

	(void)state;
	open_pair(&p, 64, (const u16[2]){ 0, 0 });
	gone = *p.a.drv->ops;
	gone.rx = rx_gone;
	p.a.drv->ops = &gone;
	assert_int_equal(xl_worker_round(&p.a.worker, p.now + 1), -ENETDOWN);
	assert_int_equal(xl_worker_round(&p.a.worker, p.now + 2), -ENETDOWN);
	assert_int_equal(xl_worker_run(&p.a.worker), -ENETDOWN);
	close_pair(&p);
}

static u32 no_room(struct xl_drv *d, u32 segs)
{
	(void)d;
	(void)segs;
	return 0;
}

/* With packets to send and no room, the worker asks to be called soon, not at once; with room again they go. */
static void test_stall(void **state)
{
	static const u8 mac_b[6] = { 2, 0, 0, 0, 0, 0xb };
	struct xl_connect how = { .port = PORT, .kind = XLANE_KIND_STREAM };
	const struct xl_drv_ops *open;
	struct xl_drv_ops full;
	struct pair p;
	u32 conn;

	(void)state;
	open_pair(&p, 64, (const u16[2]){ 0, 0 });
	open = p.a.drv->ops;
	full = *open;
	full.tx_room = no_room;
	p.a.drv->ops = &full;
	xl_link_path(&p.a.worker.link, mac_b, &how.path);
	assert_int_equal(xl_engine_connect(p.a.engine, &how, p.now, &conn), 0);
	assert_true(xl_worker_deadline(&p.a.worker) <= p.now);
	assert_int_equal(xl_worker_round(&p.a.worker, p.now), 0);
	assert_int_equal(xl_worker_deadline(&p.a.worker), p.now + XL_WORKER_RETRY_NS);
	p.a.drv->ops = open;
	assert_int_equal(xl_worker_send(&p.a.worker, p.now), 1);
	assert_true(xl_worker_deadline(&p.a.worker) > p.now);
	xl_conn_abort(p.a.engine, conn, XLANE_WIRE_CANCELLED, p.now);
	for (u32 i = 0; xl_engine_conns(p.a.engine); i++) {
		CHECK(i < STEPS_MAX);
		step(&p);
	}
	for (u32 i = 0; i < 8; i++)
		step(&p);
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_echo_vlan),
		cmocka_unit_test(test_echo_tiny_rings),
		cmocka_unit_test(test_close_in_the_middle),
		cmocka_unit_test(test_foreign_flood),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_device_gone),
		cmocka_unit_test(test_stall),
	};

	return RUN_TAP(tests);
}
