/* SPDX-License-Identifier: BSD-2-Clause */
/* test_snapshot.c - a snapshot of a worker with more connections than one call lists, and with too little room for them. */
#include <errno.h>
#include <sys/mman.h>

#include "unit.h"
#include "daemon/snapshot.h"
#include "drv/memory.h"

#define FRAMES 512
#define MTU 1500
#define NOW (5 * XL_S)

struct world {
	void *mem, *tables, *engine_mem;
	size_t engine_bytes;
	struct xl_frames frames;
	struct xl_drv *drv;
	struct xl_engine *engine;
	struct xl_worker worker;
};

static void world_open(struct world *w, u32 conns)
{
	static const u16 vlan[2];
	struct xl_drv_memory_config d = { .frames = &w->frames, .ring_size = 64, .mtu = MTU, .segs_max = 1,
					  .mac = { 2, 0, 0, 0, 0, 1 } };
	struct xl_engine_config c = { .frames = &w->frames, .node_id = 1, .incarnation = 1, .seed = 1,
		.first_number = XL_NONE64, .max_packet = MTU, .segs_max = 1, .tx_frames_max = xl_worker_tx_data_frames(FRAMES),
		.conns_max = conns, .peers_max = 4,
		/* of address space: a page is there when it is touched */
		.blocks = 8192 + 2 * conns * XLANE_BLOCKS_MIN, .recv_window_bytes = XLANE_RECV_WINDOW_MIN_BYTES };

	memset(w, 0, sizeof *w);
	w->mem = aligned_alloc(XLANE_FRAME_BYTES, FRAMES * XLANE_FRAME_BYTES);
	w->tables = malloc(xl_frames_table_bytes(FRAMES));
	xl_frames_init(&w->frames, w->mem, XLANE_FRAME_BYTES, FRAMES, w->tables);
	assert_int_equal(xl_drv_memory_open(&d, &w->drv), 0);
	assert_int_equal(xl_link_init(&w->worker.link, w->drv->mac, XLANE_ETHERTYPE_DEFAULT, vlan), 0);
	w->engine_bytes = xl_engine_bytes(&c);
	w->engine_mem = mmap(NULL, w->engine_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(w->engine_mem != MAP_FAILED);
	w->engine = xl_engine_init(w->engine_mem, &c, NOW);
	assert_non_null(w->engine);
	xl_worker_init(&w->worker, w->drv, &w->frames, w->engine);
}

static void world_close(struct world *w)
{
	w->drv->ops->close(w->drv);
	free(w->mem);
	free(w->tables);
	munmap(w->engine_mem, w->engine_bytes);
}

/* Calls to port 1, 2, 3... of station 2: they never get an answer. */
static void call(struct world *w, u32 n)
{
	static const u8 mac[6] = { 2, 0, 0, 0, 0, 2 };

	for (u32 i = 0; i < n; i++) {
		struct xl_connect how = { .port = (u16)(i + 1), .kind = XLANE_KIND_STREAM };
		u32 conn;

		xl_link_path(&w->worker.link, mac, &how.path);
		assert_int_equal(xl_engine_connect(w->engine, &how, NOW, &conn), 0);
	}
}

/* Fill it whole; the calls that it took. */
static u32 fill(struct world *w, struct xl_snapshot *s)
{
	const struct xl_worker_figures f = { .rounds = 3, .tid = 9, .core = 1 };
	u32 calls = 1;

	for (; !xl_snapshot_fill(s, &w->worker, NULL, &f, NOW + calls); calls++)
		CHECK(calls < 100 && !s->done);
	CHECK(s->done);
	return calls;
}

static void takes_counters(void **state)
{
	struct xl_snapshot *s;
	struct world w;

	(void)state;
	world_open(&w, 16);
	w.drv->counters[XL_DRV_RX_PACKETS] = 5;
	w.worker.link.counters[XL_LINK_RX_OWN] = 6;
	call(&w, 3);
	assert_int_equal(xl_snapshot_open(XL_SNAPSHOT_CENSUS, 16, 4, &s), 0);
	assert_null(s->conns);
	assert_int_equal(fill(&w, s), 1);
	assert_int_equal(s->now_ns, NOW + 1);
	assert_int_equal(s->figures.rounds, 3);
	assert_int_equal(s->drv[XL_DRV_RX_PACKETS], 5);
	assert_int_equal(s->link[XL_LINK_RX_OWN], 6);
	assert_int_equal(s->conns_held, 3);
	assert_int_equal(s->conns_count + s->conns_unlisted + s->peers_count + s->peers_unlisted, 0);
	assert_int_equal(s->frames_own, FRAMES);
	assert_int_equal(s->census[XL_FRAME_FREE] + s->census[XL_FRAME_FILL], FRAMES);
	assert_int_equal(s->ring_fill, s->census[XL_FRAME_FILL]);
	assert_true(s->census_ok);
	w.frames.census[XL_FRAME_FREE]--;
	xl_snapshot_reset(s);
	fill(&w, s);
	assert_false(s->census_ok);
	w.frames.census[XL_FRAME_FREE]++;
	xl_snapshot_close(s);
	world_close(&w);
}

static void lists_in_steps(void **state)
{
	const u32 conns = 2 * XL_SNAPSHOT_STEP + 100;
	u8 *met = calloc(conns + 1, 1);
	struct xl_snapshot *s;
	struct world w;

	(void)state;
	world_open(&w, conns);
	call(&w, conns);
	assert_int_equal(xl_snapshot_open(XL_SNAPSHOT_CONNS | XL_SNAPSHOT_PEERS, conns, 4, &s), 0);
	assert_in_range(fill(&w, s), 3, 4);
	assert_int_equal(s->conns_count, conns);
	assert_int_equal(s->conns_unlisted, 0);
	for (u32 i = 0; i < conns; i++) {
		CHECK(s->conns[i].info.remote_port && s->conns[i].info.remote_port <= conns);
		CHECK(!met[s->conns[i].info.remote_port]++);
		CHECK(!s->conns[i].client);
	}
	assert_int_equal(s->peers_count, 1);
	assert_int_equal(s->peers[0].conns, conns);
	assert_int_equal(s->peers[0].path.remote[5], 2);
	xl_snapshot_close(s);
	world_close(&w);
	free(met);
}

static void tells_what_it_left_out(void **state)
{
	struct xl_snapshot *s;
	struct world w;

	(void)state;
	world_open(&w, 64);
	call(&w, 10);
	assert_int_equal(xl_snapshot_open(XL_SNAPSHOT_CONNS | XL_SNAPSHOT_PEERS, 4, 0, &s), 0);
	fill(&w, s);
	assert_int_equal(s->conns_count, 4);
	assert_int_equal(s->conns_unlisted, 6);
	assert_int_equal(s->peers_count, 0);
	assert_int_equal(s->peers_unlisted, 1);
	xl_snapshot_close(s);
	xl_snapshot_close(NULL);
	world_close(&w);
}

static void has_bounded_room(void **state)
{
	struct xl_snapshot *s;

	(void)state;
	assert_int_equal(xl_snapshot_open(XL_SNAPSHOT_CONNS, XLANE_CONNS_MAX, 1, &s), 0);
	assert_int_equal(s->conns_room, XLANE_FIGURES_CONNS_MAX);
	assert_int_equal(s->peers_room, 0);
	xl_snapshot_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_counters), cmocka_unit_test(lists_in_steps),
		cmocka_unit_test(tells_what_it_left_out), cmocka_unit_test(has_bounded_room),
	};

	return RUN_TAP(tests);
}
