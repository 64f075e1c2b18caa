/* SPDX-License-Identifier: BSD-2-Clause */
#include "embedded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "../base/prng.h"

static struct xl_embedded *embedded(struct xl_backend *b)
{
	return (struct xl_embedded *)b;
}

static struct xl_engine *engine(const struct xl_backend *b)
{
	return ((const struct xl_embedded *)b)->engine;
}

/* --- the worker --------------------------------------------------------------------------- */
static int run(struct xl_backend *b)
{
	return xl_worker_run(&embedded(b)->worker);
}

static bool turn(struct xl_backend *b, u64 now_ns)
{
	struct xl_worker *w = &embedded(b)->worker;

	if (now_ns - w->ran_ns < XL_BACKEND_TURN_NS)
		return false;
	xl_worker_round(w, now_ns);
	return true;
}

static void flush(struct xl_backend *b, u64 now_ns)
{
	xl_worker_send(&embedded(b)->worker, now_ns);
}

static u32 events(struct xl_backend *b, struct xl_event *out, u32 max)
{
	return xl_engine_events(engine(b), out, max);
}

static u64 ran_ns(const struct xl_backend *b)
{
	return ((const struct xl_embedded *)b)->worker.ran_ns;
}

static u64 deadline(const struct xl_backend *b)
{
	return xl_worker_deadline(&((const struct xl_embedded *)b)->worker);
}

static u32 conns(const struct xl_backend *b)
{
	return xl_engine_conns(engine(b));
}

/* --- connections --------------------------------------------------------------------------- */
static int do_listen(struct xl_backend *b, u16 port, u8 kind, u32 backlog, u64 user, u32 *listener)
{
	int got = xl_engine_listen(engine(b), port, kind, backlog, user);

	if (got < 0)
		return got;
	*listener = (u32)got;
	return 0;
}

static void unlisten(struct xl_backend *b, u32 listener, u64 now_ns)
{
	xl_engine_unlisten(engine(b), listener, now_ns);
}

static int do_accept(struct xl_backend *b, u32 listener, u64 user, u32 *conn)
{
	return xl_engine_accept(engine(b), listener, user, conn);
}

static int do_connect(struct xl_backend *b, const u8 mac[6], u16 port, u8 kind, u64 user, u64 now_ns, u32 *conn)
{
	struct xl_connect how = { .port = port, .kind = kind, .user = user };

	xl_link_path(&embedded(b)->worker.link, mac, &how.path);
	return xl_engine_connect(engine(b), &how, now_ns, conn);
}

static s64 do_send(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	return xl_conn_send(engine(b), conn, data, bytes, now_ns);
}

static int large_begin(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	return xl_conn_large_begin(engine(b), conn, bytes, now_ns);
}

static s64 large_more(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	return xl_conn_large_more(engine(b), conn, data, bytes, now_ns);
}

static s64 do_recv(struct xl_backend *b, u32 conn, void *data, u64 bytes, u64 now_ns)
{
	return xl_conn_recv(engine(b), conn, data, bytes, now_ns);
}

static s64 peek(struct xl_backend *b, u32 conn, const u8 **data, u64 *left)
{
	return xl_conn_peek(engine(b), conn, data, left);
}

static void consume(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	xl_conn_consume(engine(b), conn, bytes, now_ns);
}

static s64 readable(const struct xl_backend *b, u32 conn)
{
	return xl_conn_readable(engine(b), conn);
}

static u64 writable(const struct xl_backend *b, u32 conn)
{
	return xl_conn_writable(engine(b), conn);
}

static u64 message_max(const struct xl_backend *b, u32 conn)
{
	return xl_conn_message_max(engine(b), conn);
}

static int do_shutdown(struct xl_backend *b, u32 conn, u64 now_ns)
{
	return xl_conn_shutdown(engine(b), conn, now_ns);
}

static void do_close(struct xl_backend *b, u32 conn, u64 now_ns)
{
	xl_conn_close(engine(b), conn, now_ns);
}

static void do_abort(struct xl_backend *b, u32 conn, u64 now_ns)
{
	xl_conn_abort(engine(b), conn, XLANE_WIRE_CANCELLED, now_ns);
}

static int info(struct xl_backend *b, u32 conn, struct xl_conn_info *out)
{
	xl_conn_info(engine(b), conn, out);
	return 0;
}

static int error_of(const struct xl_backend *b, u32 conn)
{
	struct xl_conn_info i;

	xl_conn_info(engine(b), conn, &i);
	return i.error;
}

static void peer(const struct xl_backend *b, u32 conn, u8 mac[6], u16 *port)
{
	struct xl_conn_info i;

	xl_conn_info(engine(b), conn, &i);
	memcpy(mac, i.path.remote, 6);
	*port = i.remote_port;
}

static int set(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 value)
{
	return xl_conn_set(engine(b), conn, option, value);
}

static int get(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 *value)
{
	*value = xl_conn_get(engine(b), conn, option);
	return 0;
}

static u64 message_id(const struct xl_backend *b, u32 conn) { return xl_conn_message_id(engine(b), conn); }

static int cancel(struct xl_backend *b, u32 conn, u64 message, u64 now_ns)
{
	return xl_conn_cancel(engine(b), conn, message, now_ns);
}

/* --- life ----------------------------------------------------------------------------------- */
/* Data of connections that were still closing when the time was up: nobody will send it any more. */
static void reclaim(struct xl_frames *f)
{
	for (u32 i = 0; i < f->count; i++)
		if (f->owner[i] == XL_FRAME_QUEUED || f->owner[i] == XL_FRAME_INFLIGHT)
			xl_frames_move(f, i, f->owner[i], XL_FRAME_FREE);
}

static void destroy(struct xl_backend *b)
{
	struct xl_embedded *m = embedded(b);

	if (m->engine && xl_engine_conns(m->engine))
		reclaim(&m->device.frames);
	xl_device_close(&m->device, m->log);
	if (m->engine_mem)
		munmap(m->engine_mem, m->engine_bytes);
	free(m);
}

static const struct xl_backend_ops ops = {
	.name = "embedded", .run = run, .turn = turn, .flush = flush, .events = events, .ran_ns = ran_ns,
	.deadline = deadline, .conns = conns, .listen = do_listen, .unlisten = unlisten, .accept = do_accept,
	.connect = do_connect, .send = do_send, .large_begin = large_begin, .large_more = large_more, .recv = do_recv,
	.peek = peek, .consume = consume, .readable = readable, .writable = writable, .message_max = message_max,
	.shutdown = do_shutdown, .close = do_close, .abort = do_abort, .error = error_of, .peer = peer, .info = info,
	.set = set, .get = get, .message_id = message_id, .cancel = cancel, .counters = xl_embedded_counters, .census = xl_embedded_census, .destroy = destroy,
};

/* Node id and seed: from the kernel, or from the configured seed and the MAC: two hosts with one seed must differ. */
static int draw_ids(const struct xlane_config *c, const u8 mac[6], struct xl_engine_config *e)
{
	u64 random[2] = { 0, 0 };
	struct xl_prng prng;

	if (c->seed) {
		memcpy(&random[0], mac, 6);
		xl_prng_seed(&prng, c->seed ^ random[0] << 16);
		random[0] = xl_prng_u64(&prng);
		random[1] = xl_prng_u64(&prng);
	} else if (getrandom(random, sizeof random, 0) != sizeof random) {
		return -errno;
	}
	e->node_id = random[0] ? random[0] : 1;
	e->seed = random[1];
	return 0;
}

static u64 realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (u64)t.tv_sec * XL_S + (u64)t.tv_nsec;
}

static int open_engine(struct xl_embedded *m, const struct xlane_config *c, char *why, size_t why_bytes)
{
	const struct xl_drv *d = m->device.drv;
	struct xl_engine_config e = {
		.frames = &m->device.frames,
		.incarnation = realtime_ns(),
		.first_number = XL_NONE64,
		.max_packet = d->mtu - xl_link_tag_bytes(&m->worker.link),
		.segs_max = d->segs_max,
		.tx_frames_max = xl_worker_tx_data_frames(m->device.frames.count),
		.conns_max = c->conns ? c->conns : XLANE_CONNS_DEFAULT,
		.peers_max = XLANE_PEERS_DEFAULT,
		.blocks = c->recv_memory_kib ? c->recv_memory_kib / (XLANE_BLOCK_BYTES / 1024) : XLANE_BLOCKS_DEFAULT,
		.keepalive_ns = c->keepalive_ms * XL_MS,
		.peer_death_ns = c->peer_death_ms * XL_MS,
		.no_crc = c->no_crc,
	};
	void *mem;
	int err = draw_ids(c, d->mac, &e);

	if (err) {
		snprintf(why, why_bytes, "no randomness from the kernel: %s", strerror(-err));
		return err;
	}
	m->engine_bytes = xl_engine_bytes(&e);
	mem = mmap(NULL, m->engine_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		snprintf(why, why_bytes, "no memory: the engine needs %zu MiB; use a smaller recv_memory_kib or conns",
			 m->engine_bytes >> 20);
		return -ENOMEM;
	}
	m->engine_mem = mem;
	m->engine = xl_engine_init(mem, &e, xl_worker_clock());
	if (!m->engine) {
		snprintf(why, why_bytes, "the engine refuses the configuration (MTU %u, %u frames, %u connections)",
			 d->mtu, m->device.frames.count, e.conns_max);
		return -EINVAL;
	}
	m->b.conns_max = e.conns_max + XLANE_LISTENERS_MAX;
	return 0;
}

/* Everything in the order of need; the demultiplexer last, as from then on packets arrive. */
static int open_parts(struct xl_embedded *m, const struct xlane_config *c, char *why, size_t why_bytes)
{
	int err = xl_device_open(&m->device, c, m->log, why, why_bytes);

	if (err)
		return err;
	err = xl_link_init(&m->worker.link, m->device.drv->mac, c->ethertype, c->vlan);
	if (err) {
		snprintf(why, why_bytes, "VLAN ids are 1..4094, the outer first");
		return err;
	}
	err = open_engine(m, c, why, why_bytes);
	if (err)
		return err;
	xl_worker_init(&m->worker, m->device.drv, &m->device.frames, m->engine);
	m->b.ops = &ops;
	m->b.source = xl_wait_drv(m->device.drv);
	m->b.spin_ns = c->spin_us * XL_US;
	m->b.send_whole_bytes = XLANE_MESSAGE_SMALL_MAX_BYTES;
	m->b.mtu = m->device.drv->mtu;
	memcpy(m->b.mac, m->device.drv->mac, sizeof m->b.mac);
	xl_device_text(&m->device, m->b.text, sizeof m->b.text);
	return xl_device_join(&m->device, why, why_bytes);
}

int xl_embedded_open(const struct xlane_config *c, const struct xl_log *log, struct xl_backend **out, char *why,
		     size_t why_bytes)
{
	struct xl_embedded *m = aligned_alloc(64, (sizeof *m + 63) / 64 * 64);
	int err;

	if (!m) {
		snprintf(why, why_bytes, "no memory for a context");
		return -ENOMEM;
	}
	memset(m, 0, sizeof *m);
	m->log = log;
	err = open_parts(m, c, why, why_bytes);
	if (err) {
		destroy(&m->b);
		return err;
	}
	*out = &m->b;
	return 0;
}
