/* SPDX-License-Identifier: BSD-2-Clause */
#include "context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "../base/prng.h"
#include "config.h"
#include "errors.h"

static int syslog_level(int level)
{
	static const int of[] = { [XL_LOG_ERROR] = 3, [XL_LOG_WARNING] = 4, [XL_LOG_INFO] = 6, [XL_LOG_DEBUG] = 7 };

	return of[level];
}

static void log_line(int level, const char *line, void *arg)
{
	xlane *x = arg;

	if (x->log_line)
		x->log_line(syslog_level(level), line, x->log_arg);
	else if (level <= XL_LOG_WARNING)
		fprintf(stderr, "xlane: %s\n", line);
}

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

static int open_engine(xlane *x, const struct xlane_config *c, char *why, size_t why_bytes)
{
	const struct xl_drv *d = x->device.drv;
	struct xl_engine_config e = {
		.frames = &x->device.frames,
		.incarnation = realtime_ns(),
		.first_number = XL_NONE64,
		.max_packet = d->mtu - xl_link_tag_bytes(&x->worker.link),
		.segs_max = d->segs_max,
		.tx_frames_max = xl_worker_tx_data_frames(x->device.frames.count),
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
	x->engine_bytes = xl_engine_bytes(&e);
	mem = mmap(NULL, x->engine_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		snprintf(why, why_bytes, "no memory: the engine needs %zu MiB; use a smaller recv_memory_kib or conns",
			 x->engine_bytes >> 20);
		return -ENOMEM;
	}
	x->engine_mem = mem;
	x->engine = xl_engine_init(mem, &e, xl_worker_clock());
	if (!x->engine) {
		snprintf(why, why_bytes, "the engine refuses the configuration (MTU %u, %u frames, %u connections)",
			 d->mtu, x->device.frames.count, e.conns_max);
		return -EINVAL;
	}
	err = xl_handles_init(&x->handles, e.conns_max + XLANE_LISTENERS_MAX);
	if (err)
		snprintf(why, why_bytes, "no memory for %u connections", e.conns_max);
	return err;
}

/* Everything in the order of need; the demultiplexer last, as from then on packets arrive. */
static int open_parts(xlane *x, const struct xlane_config *c, char *why, size_t why_bytes)
{
	static const enum xl_wait_mode mode[] = {
		[XLANE_WAIT_ADAPTIVE] = XL_WAIT_ADAPTIVE,
		[XLANE_WAIT_SPIN] = XL_WAIT_SPIN,
		[XLANE_WAIT_SLEEP] = XL_WAIT_SLEEP,
	};
	struct xl_wait_source source;
	int err = xl_device_open(&x->device, c, &x->log, why, why_bytes);

	if (err)
		return err;
	err = xl_link_init(&x->worker.link, x->device.drv->mac, c->ethertype, c->vlan);
	if (err) {
		snprintf(why, why_bytes, "VLAN ids are 1..4094, the outer first");
		return err;
	}
	err = open_engine(x, c, why, why_bytes);
	if (err)
		return err;
	xl_worker_init(&x->worker, x->device.drv, &x->device.frames, x->engine);
	source = xl_wait_drv(x->device.drv);
	err = xl_wait_init(&x->wait, mode[c->wait], c->spin_us * XL_US, &source, 1);
	if (err) {
		snprintf(why, why_bytes, "no descriptor to wait on: %s", strerror(-err));
		return err;
	}
	xl_device_text(&x->device, x->driver_text, sizeof x->driver_text);
	return xl_device_join(&x->device, why, why_bytes);
}

static void close_parts(xlane *x)
{
	xl_wait_close(&x->wait);
	xl_device_close(&x->device, &x->log);
	xl_handles_destroy(&x->handles);
	if (x->engine_mem)
		munmap(x->engine_mem, x->engine_bytes);
	free(x);
}

int xlane_open(const struct xlane_config *config, xlane **out)
{
	char why[XL_LAST_ERROR_BYTES] = "";
	struct xlane_config c;
	xlane *x;
	int err;

	*out = NULL;
	err = xl_config_take(config, &c, why, sizeof why);
	if (err)
		return xl_last_error_set(err, why);
	x = aligned_alloc(64, (sizeof *x + 63) / 64 * 64);
	if (!x)
		return xl_last_error_set(-ENOMEM, "no memory for a context");
	memset(x, 0, sizeof *x);
	x->log = (struct xl_log){ .line = log_line, .arg = x };
	x->log_line = c.log;
	x->log_arg = c.log_arg;
	err = xl_guard_init(&x->guard);
	if (!err)
		err = open_parts(x, &c, why, sizeof why);
	if (err) {
		close_parts(x);
		return xl_last_error_set(err, why);
	}
	*out = x;
	return 0;
}

/* Connections that the program still has are reset; they and those already closing get their time. */
static void linger(xlane *x, int linger_ms)
{
	XL_PATIENCE(p);
	u64 now = xl_worker_clock();

	p = xl_patience(linger_ms);
	for (u32 i = 0; i < x->handles.size; i++) {
		struct xl_handle *h = x->handles.slot[i];

		if (!h)
			continue;
		if (h->is_listener)
			xl_engine_unlisten(x->engine, h->index, now);
		else
			xl_conn_abort(x->engine, h->index, XLANE_WIRE_CANCELLED, now);
		xl_handle_release(&x->handles, h);
	}
	xl_context_run(x);
	while (xl_engine_conns(x->engine)) {
		int err = xl_context_step(x, &p);

		if (err && err != -EINTR)
			break;
	}
}

/* Data of connections that were still closing when the time was up: nobody will send it any more. */
static void reclaim(struct xl_frames *f)
{
	for (u32 i = 0; i < f->count; i++)
		if (f->owner[i] == XL_FRAME_QUEUED || f->owner[i] == XL_FRAME_INFLIGHT)
			xl_frames_move(f, i, f->owner[i], XL_FRAME_FREE);
}

void xlane_close(xlane *x, int linger_ms)
{
	if (!x || xl_guard_check(&x->guard))
		return;
	linger(x, linger_ms);
	if (xl_engine_conns(x->engine))
		reclaim(&x->device.frames);
	close_parts(x);
}

struct xl_patience xl_patience(int timeout_ms)
{
	struct xl_patience p = { .until_ns = XL_NEVER };

	if (timeout_ms == 0)
		p.until_ns = 0;
	else if (timeout_ms > 0)
		p.until_ns = xl_worker_clock() + (u64)timeout_ms * XL_MS;
	return p;
}

void xl_patience_end(struct xl_patience *p)
{
	if (p->wait)
		xl_wait_end(p->wait);
}

static void take_events(xlane *x)
{
	struct xl_event ev[XLANE_BATCH_MAX];
	u32 n;

	_Static_assert((int)XL_EVENT_READABLE == (int)XLANE_READY_READ &&
		       (int)XL_EVENT_WRITABLE == (int)XLANE_READY_WRITE &&
		       (int)XL_EVENT_OPEN == (int)XLANE_READY_OPEN &&
		       (int)XL_EVENT_CLOSED == (int)XLANE_READY_CLOSED &&
		       (int)XL_EVENT_ACCEPT == (int)XLANE_READY_ACCEPT, "the engine's bits are the program's");
	do {
		n = xl_engine_events(x->engine, ev, XLANE_BATCH_MAX);
		for (u32 i = 0; i < n; i++) {
			struct xl_handle *h = xl_handle_find(&x->handles, ev[i].user);
			struct xlane_conn *c = (struct xlane_conn *)h;

			if (!h)
				continue;
			if (!h->is_listener) {
				c->open |= !!(ev[i].bits & XL_EVENT_OPEN);
				c->closed |= !!(ev[i].bits & XL_EVENT_CLOSED);
			}
			xl_handle_notify(&x->handles, h, ev[i].bits);
		}
		x->events += n;
	} while (n == XLANE_BATCH_MAX);
}

int xl_context_run(xlane *x)
{
	int n;

	xl_wait_woken(&x->wait);
	n = xl_worker_run(&x->worker);
	take_events(x);
	xl_wait_note(&x->wait, n > 0 ? (u32)n : 0, x->worker.ran_ns);
	return n;
}

void xl_context_turn(xlane *x, u64 now_ns)
{
	if (now_ns - x->worker.ran_ns < XL_CONTEXT_TURN_NS)
		return;
	xl_worker_round(&x->worker, now_ns);
	take_events(x);
}

int xl_context_step(xlane *x, struct xl_patience *p)
{
	const u32 conns = xl_engine_conns(x->engine);
	const u64 events = x->events;
	int n;

	if (p->over)
		return -EAGAIN;
	n = xl_context_run(x);
	if (n < 0)
		return n;
	if (p->until_ns <= x->worker.ran_ns) {
		p->over = true;
		return 0;
	}
	p->wait = &x->wait;
	/* a timer, too, may have changed what the caller waits for */
	if (n || x->events != events || xl_engine_conns(x->engine) != conns)
		return xl_wait_turn(&x->wait, x->worker.ran_ns);
	if (xl_wait_spins(&x->wait, x->worker.ran_ns)) {
		xl_wait_spin(&x->wait);
		return xl_wait_turn(&x->wait, x->worker.ran_ns);
	}
	return xl_wait_sleep(&x->wait, xl_min(xl_worker_deadline(&x->worker), p->until_ns), x->worker.ran_ns);
}

int xlane_fd(xlane *x)
{
	int err = xl_guard_check(&x->guard);

	return err ? err : xl_wait_fd(&x->wait);
}

uint64_t xlane_prepare_wait(xlane *x)
{
	if (xl_guard_check(&x->guard) || x->events != x->events_told || x->worker.error)
		return 0;
	return xl_wait_prepare(&x->wait, xl_worker_deadline(&x->worker), xl_worker_clock());
}

int xlane_progress(xlane *x)
{
	int n = xl_guard_check(&x->guard);

	if (n)
		return n;
	n = xl_context_run(x);
	x->events_told = x->events;
	return n;
}
