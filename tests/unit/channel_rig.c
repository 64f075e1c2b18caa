/* SPDX-License-Identifier: BSD-2-Clause */
#include "channel_rig.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <xlane/xlane.h>

#include "channel/control.h"
#include "drv/memory.h"

#define FRAMES 2048
#define MTU 9000
#define PATIENCE_NS (60 * XL_S)

const u8 rig_mac[2][6] = { { 2, 0, 0, 0, 0, 0xa }, { 2, 0, 0, 0, 0, 0xb } };

/* --- workers -------------------------------------------------------------------------------- */
static void open_worker(struct rig *r, u32 host, u32 w)
{
	struct rig_worker *e = &r->host[host].w[w];
	struct xl_drv_memory_config d = { .frames = &e->frames, .ring_size = 512, .mtu = MTU, .segs_max = 4 };
	struct xl_engine_config c = {
		.frames = &e->frames, .node_id = host + 1, .incarnation = 1, .seed = 10 * host + w + 1,
		.first_number = XL_NONE64, .max_packet = MTU, .segs_max = 4,
		.tx_frames_max = xl_worker_tx_data_frames(FRAMES), .conns_max = 256, .peers_max = 4, .blocks = 16384,
		.workers = r->workers, .worker = w,
	};
	static const u16 vlan[2];

	memcpy(d.mac, rig_mac[host], 6);
	e->mem = aligned_alloc(XLANE_FRAME_BYTES, FRAMES * XLANE_FRAME_BYTES);
	e->tables = malloc(xl_frames_table_bytes(FRAMES));
	CHECK(e->mem && e->tables);
	xl_frames_init(&e->frames, e->mem, XLANE_FRAME_BYTES, FRAMES, e->tables);
	CHECK(!xl_drv_memory_open(&d, &e->drv));
	CHECK(!xl_link_init(&e->worker.link, e->drv->mac, XLANE_ETHERTYPE_DEFAULT, vlan));
	e->engine_mem = aligned_alloc(64, (xl_engine_bytes(&c) + 63) & ~(size_t)63);
	CHECK(e->engine_mem);
	memset(e->engine_mem, 0, xl_engine_bytes(&c));
	e->engine = xl_engine_init(e->engine_mem, &c, xl_worker_clock());
	CHECK(e->engine);
	xl_worker_init(&e->worker, e->drv, &e->frames, e->engine);
	CHECK(!xl_channels_open(&e->worker, w, r->workers, r->host[host].ports, &e->channels));
}

static void close_worker(struct rig_worker *e)
{
	e->drv->ops->close(e->drv);
	CHECK(xl_frames_census_ok(&e->frames));
	free(e->mem);
	free(e->tables);
	free(e->engine_mem);
}

static void free_gone(struct rig_host *h, struct rig_worker *e)
{
	struct xl_channel *ch;

	while ((ch = xl_channels_gone(e->channels))) {
		xl_ports_drop(h->ports, xl_channel_config_of(ch)->client);
		xl_channel_free(ch);
	}
}

static u32 turn(struct rig_host *h, struct rig_worker *e)
{
	u64 now = xl_worker_clock();
	int n = xl_worker_round(&e->worker, now);
	u32 work;

	CHECK(n >= 0);
	work = xl_channels_run(e->channels, now);
	xl_worker_send(&e->worker, now);
	free_gone(h, e);
	return work + (u32)n;
}

/* --- the control socket ----------------------------------------------------------------------- */
static void open_control(struct rig_host *h, u32 host)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(h->path, sizeof h->path, "/tmp/channel_rig.%d.%u", (int)getpid(), host);
	strcpy(a.sun_path, h->path);
	unlink(h->path);
	h->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(h->listener >= 0 && !bind(h->listener, (struct sockaddr *)&a, sizeof a) && !listen(h->listener, 16));
}

static void attach(struct rig *r, struct rig_host *h, int fd, const struct xl_control_request *q)
{
	struct xl_channel_config c = {
		.client = ++h->client, .slots = q->slots ? q->slots : XLANE_CHANNEL_SLOTS_DEFAULT,
		.ring_bytes = q->ring_bytes ? q->ring_bytes : XLANE_CHANNEL_RING_DEFAULT_BYTES,
	};
	struct xl_control_answer a = {
		.magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION, .client = c.client, .workers = r->workers,
		.slots = c.slots, .ring_bytes = c.ring_bytes, .mtu = MTU, .interface = "rig", .driver = "memory",
	};
	struct xl_channel *ch[RIG_WORKERS_MAX];
	int fds[2 * RIG_WORKERS_MAX];

	memcpy(a.mac, rig_mac[h - r->host], 6);
	for (c.worker = 0; c.worker < r->workers; c.worker++)
		CHECK(!xl_channel_make(&c, &ch[c.worker], &fds[2 * c.worker], &fds[2 * c.worker + 1]));
	for (u32 w = 0; w < r->workers; w++)
		xl_channels_add(h->w[w].channels, ch[w], xl_worker_clock());
	CHECK(!xl_control_answer(fd, &a, fds, 2 * r->workers));
	for (u32 i = 0; i < 2 * r->workers; i++)
		close(fds[i]);
}

static void serve_control(struct rig *r, struct rig_host *h)
{
	struct xl_control_request q;
	int fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		CHECK(h->ncontrols < RIG_CONTROLS_MAX);
		h->controls[h->ncontrols++] = fd;
	}
	for (u32 i = 0; i < h->ncontrols; i++) {
		int got = xl_control_take(h->controls[i], &q);

		if (got == 1) {
			attach(r, h, h->controls[i], &q);
		} else if (got != -EAGAIN) {
			close(h->controls[i]);
			h->controls[i--] = h->controls[--h->ncontrols];
		}
	}
}

/* --- the thread --------------------------------------------------------------------------------- */
static u32 all_turn(struct rig *r)
{
	u32 work = 0;

	for (u32 h = 0; h < 2; h++) {
		serve_control(r, &r->host[h]);
		for (u32 w = 0; w < r->workers; w++)
			work += turn(&r->host[h], &r->host[h].w[w]);
	}
	return work;
}

static bool arm_all(struct rig *r, bool sleep)
{
	bool idle = true;

	for (u32 h = 0; h < 2; h++)
		for (u32 w = 0; w < r->workers; w++)
			idle &= !xl_channels_arm(r->host[h].w[w].channels, sleep);
	return idle;
}

static u64 next_deadline(struct rig *r)
{
	u64 t = XL_NEVER;

	for (u32 h = 0; h < 2; h++)
		for (u32 w = 0; w < r->workers; w++)
			t = xl_min(t, xl_min(xl_worker_deadline(&r->host[h].w[w].worker),
					     xl_channels_deadline(r->host[h].w[w].channels)));
	return t;
}

static void sleep_all(struct rig *r)
{
	struct pollfd p[1 + 2 * (1 + RIG_CONTROLS_MAX + RIG_WORKERS_MAX)];
	u64 until = next_deadline(r), now = xl_worker_clock(), left = until > now ? until - now : 0;
	struct timespec t = { .tv_sec = (time_t)xl_min(left / XL_S, 1), .tv_nsec = (long)(left % XL_S) };
	u32 n = 0;
	int fd;

	if (left && arm_all(r, true)) {
		p[n++] = (struct pollfd){ r->wake_fd, POLLIN, 0 };
		for (u32 h = 0; h < 2; h++) {
			p[n++] = (struct pollfd){ r->host[h].listener, POLLIN, 0 };
			for (u32 i = 0; i < r->host[h].ncontrols; i++)
				p[n++] = (struct pollfd){ r->host[h].controls[i], POLLIN, 0 };
			for (u32 w = 0; w < r->workers; w++)
				if (xl_channels_fds(r->host[h].w[w].channels, &fd, 1))
					p[n++] = (struct pollfd){ fd, POLLIN, 0 };
		}
		pthread_mutex_unlock(&r->lock);
		ppoll(p, n, &t, NULL);
		pthread_mutex_lock(&r->lock);
	}
	arm_all(r, false);
}

static void *thread(void *arg)
{
	struct rig *r = arg;
	u32 idle = 0;

	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		idle = all_turn(r) ? 0 : idle + 1;
		if (r->kill_host) {
			struct rig_host *h = &r->host[r->kill_host - 1];

			for (u32 w = 0; w < r->workers; w++)
				xl_channels_stop(h->w[w].channels, xl_worker_clock());
			r->kill_host = 0;
		}
		if (idle > 8) {
			sleep_all(r);
		} else {
			pthread_mutex_unlock(&r->lock);
			sched_yield();
			pthread_mutex_lock(&r->lock);
		}
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* --- for tests ---------------------------------------------------------------------------------- */
void rig_open(struct rig *r, u32 workers)
{
	memset(r, 0, sizeof *r);
	r->workers = workers;
	for (u32 h = 0; h < 2; h++) {
		CHECK(!xl_ports_open(0, 64, &r->host[h].ports));
		open_control(&r->host[h], h);
		for (u32 w = 0; w < workers; w++)
			open_worker(r, h, w);
	}
	for (u32 w = 0; w < workers; w++)
		xl_drv_memory_join(r->host[0].w[w].drv, r->host[1].w[w].drv);
	r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&r->lock, NULL);
	CHECK(!pthread_create(&r->thread, NULL, thread, r));
}

static void kick(struct rig *r)
{
	CHECK(!eventfd_write(r->wake_fd, 1));
}

void rig_close(struct rig *r)
{
	rig_lock(r);
	r->stop = true;
	rig_unlock(r);
	kick(r);
	pthread_join(r->thread, NULL);
	for (u32 h = 0; h < 2; h++) {
		struct rig_host *host = &r->host[h];

		for (u32 w = 0; w < r->workers; w++) {
			struct rig_worker *e = &host->w[w];

			CHECK(xl_engine_check(e->engine) == NULL);
			xl_channels_stop(e->channels, xl_worker_clock());
			free_gone(host, e);
			xl_channels_close(e->channels);
		}
	}
	for (u32 h = 0; h < 2; h++) {
		for (u32 w = 0; w < r->workers; w++)
			close_worker(&r->host[h].w[w]);
		while (r->host[h].ncontrols)
			close(r->host[h].controls[--r->host[h].ncontrols]);
		close(r->host[h].listener);
		unlink(r->host[h].path);
		xl_ports_close(r->host[h].ports);
	}
	close(r->wake_fd);
	pthread_mutex_destroy(&r->lock);
}

struct xl_backend *rig_attach(struct rig *r, u32 host, u32 slots, u32 ring_kib)
{
	struct xlane_config c;
	struct xl_backend *b;
	char why[256] = "";

	xlane_config_init(&c);
	c.spin_us = 50;
	c.socket = r->host[host].path;
	c.conns = slots;
	c.channel_kib = ring_kib;
	if (xl_remote_open(&c, NULL, &b, why, sizeof why))
		fail_msg("%s", why);
	return b;
}

void rig_leave(struct xl_backend *b)
{
	b->ops->destroy(b);
}

void rig_lock(struct rig *r)
{
	pthread_mutex_lock(&r->lock);
}

void rig_unlock(struct rig *r)
{
	pthread_mutex_unlock(&r->lock);
}

u64 rig_counter(struct rig *r, u32 host, enum xl_channel_counter c)
{
	u64 sum = 0;

	rig_lock(r);
	for (u32 w = 0; w < r->workers; w++)
		sum += xl_channels_counters(r->host[host].w[w].channels)[c];
	rig_unlock(r);
	return sum;
}

u32 rig_channels(struct rig *r, u32 host)
{
	u32 sum = 0;

	rig_lock(r);
	for (u32 w = 0; w < r->workers; w++)
		sum += xl_channels_count(r->host[host].w[w].channels);
	rig_unlock(r);
	return sum;
}

u32 rig_conns(struct rig *r, u32 host)
{
	u32 sum = 0;

	rig_lock(r);
	for (u32 w = 0; w < r->workers; w++)
		sum += xl_engine_conns(r->host[host].w[w].engine);
	rig_unlock(r);
	return sum;
}

void rig_kill(struct rig *r, u32 host)
{
	rig_lock(r);
	r->kill_host = host + 1;
	rig_unlock(r);
	kick(r);
}

void rig_wait(struct xl_backend *b)
{
	struct pollfd p = { .events = POLLIN };

	if (b->ops->run(b))
		return;
	if (!b->source.fds(b->source.arg, &p.fd, 1))
		return;
	if (!b->source.arm(b->source.arg, true))
		CHECK(poll(&p, 1, 60000) != 0);
	b->source.arm(b->source.arg, false);
}

void rig_until(bool (*done)(void *arg), void *arg)
{
	u64 end = xl_worker_clock() + PATIENCE_NS;

	while (!done(arg)) {
		CHECK(xl_worker_clock() < end);
		sched_yield();
	}
}

/* --- a client without the library ---------------------------------------------------------------- */
void rig_raw_open(struct rig *r, u32 host, u32 slots, u32 ring_bytes, struct rig_raw *out)
{
	struct xl_control_request q = { .magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION,
		.op = XL_CONTROL_ATTACH, .slots = slots, .ring_bytes = ring_bytes };
	struct xl_control_answer a;
	int fds[XL_CONTROL_FDS_MAX];
	char why[XL_CONTROL_WHY_BYTES];
	void *base;
	u32 n;

	memset(out, 0, sizeof *out);
	CHECK(!xl_control_connect(r->host[host].path, &out->control, why, sizeof why));
	CHECK(!xl_control_ask(out->control, &q, &a, fds, &n, why, sizeof why) && n == 2);
	base = mmap(NULL, xl_layout_bytes(slots, ring_bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
	CHECK(base != MAP_FAILED && !xl_layout_init(&out->map, base, slots, ring_bytes));
	/* the size is sealed */
	CHECK(ftruncate(fds[0], 4096) < 0 && errno == EPERM);
	close(fds[0]);
	out->socket = fds[1];
}

void rig_raw_close(struct rig_raw *c)
{
	close(c->socket);
	close(c->control);
	munmap(c->map.head, c->map.bytes);
}

void rig_raw_ring(struct rig_raw *c)
{
	if (xl_sleep_take(&c->map.head->worker_asleep))
		(void)!send(c->socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void rig_raw_sent(struct rig_raw *c, u32 slot, u64 sent)
{
	atomic_store(&c->map.slot[slot].client.sent, sent);
	xl_bits_set(c->map.words->dirty, &c->map.head->dirty_summary, slot);
	rig_raw_ring(c);
}

static void put_command(struct rig_raw *c, struct xlane_command *q)
{
	q->tag = ++c->tag;
	memcpy(&c->map.commands[c->command_tail++ % XLANE_CHANNEL_COMMANDS], q, sizeof *q);
	atomic_store(&c->map.head->command_tail, c->command_tail);
}

int rig_raw_do(struct rig_raw *c, struct xlane_command q, struct xlane_reply *reply)
{
	struct xlane_command fence = { .op = XLANE_COMMAND_UNLISTEN, .slot = XLANE_CHANNEL_LISTENERS_MAX };
	struct xlane_reply got;
	int err = 0;

	put_command(c, &q);
	put_command(c, &fence);
	rig_raw_ring(c);
	do {
		while (atomic_load(&c->map.head->reply_tail) == c->reply_head)
			sched_yield();
		memcpy(&got, &c->map.replies[c->reply_head++ % XLANE_CHANNEL_COMMANDS], sizeof got);
		atomic_store(&c->map.head->reply_head, c->reply_head);
		if (got.tag != fence.tag) {
			CHECK(got.tag == q.tag && got.op == q.op && got.slot == q.slot);
			err = got.error;
			if (reply)
				*reply = got;
		}
	} while (got.tag != fence.tag);
	return err;
}
