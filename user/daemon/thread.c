// SPDX-License-Identifier: BSD-2-Clause
/* thread.c - the parts of a worker: making, starting, stopping, taking apart. Its loop is in turn.c. */
#include "thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "../drv/why.h"
#include "turn.h"

static int open_engine(struct xl_thread *t, struct xl_drv *drv, char *why, size_t why_bytes)
{
	const struct xl_thread_config *c = &t->config;
	struct xl_engine_config e = {
		.frames = &t->frames, .node_id = c->node, .incarnation = c->incarnation, .first_number = XL_NONE64,
		.max_packet = drv->mtu - xl_link_tag_bytes(&t->worker.link), .segs_max = drv->segs_max,
		.tx_frames_max = xl_worker_tx_data_frames(t->frames.own), .conns_max = c->connections,
		.peers_max = XLANE_PEERS_DEFAULT, .blocks = c->blocks, .workers = c->workers, .worker = c->worker,
		.keepalive_ns = c->keepalive_ns, .peer_death_ns = c->peer_death_ns, .no_crc = c->no_crc,
		.congestion = c->congestion,
	};

	if (getrandom(&e.seed, sizeof e.seed, 0) != sizeof e.seed)
		return xl_why(-errno, why, why_bytes, "no randomness from the kernel: %s", strerror(errno));
	t->engine_bytes = xl_engine_bytes(&e);
	t->engine_mem =
		mmap(NULL, t->engine_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (t->engine_mem == MAP_FAILED) {
		t->engine_mem = NULL;
		return xl_why(-ENOMEM, why, why_bytes,
			      "no memory: an engine needs %zu MiB; lower recv_memory_mib or connections",
			      t->engine_bytes >> 20);
	}
	t->worker.engine = xl_engine_init(t->engine_mem, &e, xl_worker_clock());
	if (!t->worker.engine)
		return xl_why(-EINVAL, why, why_bytes,
			      "the engine refuses the configuration (MTU %u, %u frames, %u connections)", drv->mtu,
			      t->frames.own, c->connections);
	return 0;
}

static int open_wait(struct xl_thread *t, char *why, size_t why_bytes)
{
	const struct xl_wait_source sources[] = {
		xl_wait_drv(t->worker.drv),
		{ xl_channels_fds, xl_channels_arm, t->channels },
		{ xl_inbox_fds, xl_inbox_arm, &t->in },
	};
	int err = xl_wait_init(&t->wait, t->config.wait, t->config.spin_ns, sources, XL_ARRAY_SIZE(sources));

	return err ? xl_why(err, why, why_bytes, "no descriptor to wait on: %s", strerror(-err)) : 0;
}

int xl_thread_open(struct xl_thread *t, struct xl_drv *drv, struct xl_ports *ports, char *why, size_t why_bytes)
{
	const struct xl_thread_config *c = &t->config;
	int err = xl_link_init(&t->worker.link, drv->mac, c->ethertype, c->vlan);

	if (err)
		return xl_why(err, why, why_bytes, "VLAN ids are 1..4094, the outer first");
	err = open_engine(t, drv, why, why_bytes);
	if (err)
		return err;
	xl_worker_init(&t->worker, drv, &t->frames, t->worker.engine);
	err = xl_inbox_open(&t->in, XL_THREAD_SLOTS);
	if (!err)
		err = xl_inbox_open(&t->out, XL_THREAD_SLOTS);
	if (!err)
		err = xl_channels_open(&t->worker, c->worker, c->workers, ports, &t->channels);
	if (err)
		return xl_why(err, why, why_bytes, "a worker can not be made: %s", strerror(-err));
	/* the control thread is always rung: it sleeps on many things */
	atomic_store(&t->out.asleep, true);
	return open_wait(t, why, why_bytes);
}

static void name_thread(const struct xl_thread *t)
{
	char name[16];

	snprintf(name, sizeof name, "%.10s/%u", t->config.interface, t->config.worker);
	pthread_setname_np(t->id, name);
}

int xl_thread_start(struct xl_thread *t)
{
	sigset_t all, before;
	int err;

	/* signals are the control thread's */
	sigfillset(&all);
	sigdelset(&all, SIGBUS);   /* torn.h */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&t->id, NULL, xl_turn_run, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return -err;
	t->running = true;
	name_thread(t);
	if (t->config.core >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((u32)t->config.core, &set);
		err = pthread_setaffinity_np(t->id, sizeof set, &set);
	}
	return -err;
}

void xl_thread_post(struct xl_thread *t, enum xl_thread_message m, void *p)
{
	xl_inbox_post(&t->in, m, p);
}

void xl_thread_drop(struct xl_thread *t, u32 client)
{
	xl_inbox_post(&t->in, XL_THREAD_DROP, (void *)((uintptr_t)client * XL_INBOX_KINDS));
}

bool xl_thread_report(struct xl_thread *t, u32 *kind, void **p)
{
	return xl_inbox_take(&t->out, kind, p);
}

int xl_thread_join(struct xl_thread *t, u64 until_realtime_ns)
{
	const struct timespec until = { (time_t)(until_realtime_ns / XL_S), (long)(until_realtime_ns % XL_S) };
	int err = t->running ? pthread_timedjoin_np(t->id, NULL, &until) : 0;

	if (!err)
		t->running = false;
	return -err;
}

void xl_thread_close(struct xl_thread *t)
{
	xl_wait_close(&t->wait);
	if (t->channels)
		xl_channels_close(t->channels);
	xl_inbox_close(&t->in);
	xl_inbox_close(&t->out);
	if (t->engine_mem)
		munmap(t->engine_mem, t->engine_bytes);
	t->channels = NULL;
	t->engine_mem = NULL;
}
