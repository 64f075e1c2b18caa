/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel_rig.h - two hosts with daemons in one process: workers with the real engine over memory drivers, their
 * channels, and a control socket each. One thread turns all of that, and sleeps when nothing is to be done. Tests are
 * the clients.
 *
 * Worker w of one host is joined to worker w of the other: buckets are shared by remainder, so every connection finds
 * its own.
 */
#ifndef TESTS_CHANNEL_RIG_H
#define TESTS_CHANNEL_RIG_H

#include <pthread.h>

#include "channel/bits.h"
#include "channel/layout.h"
#include "daemon/channels.h"
#include "daemon/ports.h"
#include "lib/backend.h"
#include "unit.h"

#define RIG_WORKERS_MAX 2
#define RIG_CONTROLS_MAX 64

struct rig_worker {
	void *mem, *tables, *engine_mem;
	struct xl_frames frames;
	struct xl_drv *drv;
	struct xl_engine *engine;
	struct xl_worker worker;
	struct xl_channels *channels;
};

struct rig_host {
	struct rig_worker w[RIG_WORKERS_MAX];
	struct xl_ports *ports;
	int listener, controls[RIG_CONTROLS_MAX];
	u32 ncontrols, client;
	char path[64];
};

struct rig {
	struct rig_host host[2];
	u32 workers;
	int wake_fd;
	bool stop;
	u32 kill_host;               /* 1 + the host whose channels are to be stopped */
	pthread_mutex_t lock;        /* the thread holds it but while it sleeps */
	pthread_t thread;
};

void rig_open(struct rig *r, u32 workers);
/* Every client is gone; every frame comes home. */
void rig_close(struct rig *r);
/* A client of the host's daemon. */
struct xl_backend *rig_attach(struct rig *r, u32 host, u32 slots, u32 ring_kib);
void rig_leave(struct xl_backend *b);
/* Sum over the host's workers. */
u64 rig_counter(struct rig *r, u32 host, enum xl_channel_counter c);
/* Channels and connections that the host still has. */
u32 rig_channels(struct rig *r, u32 host);
u32 rig_conns(struct rig *r, u32 host);
/* Stop the daemon of one host as if it died. */
void rig_kill(struct rig *r, u32 host);
/* Keep the thread out, to look or to change; and let it in again. */
void rig_lock(struct rig *r);
void rig_unlock(struct rig *r);
/* A client without the library: the memory itself. One worker. */
struct rig_raw { struct xl_layout map; int control, socket; u64 command_tail, reply_head, tag; };
void rig_raw_open(struct rig *r, u32 host, u32 slots, u32 ring_bytes, struct rig_raw *out);
void rig_raw_close(struct rig_raw *c);
/* Wake the worker if it sleeps. */
void rig_raw_ring(struct rig_raw *c);
/* Publish `sent` of a slot. */
void rig_raw_sent(struct rig_raw *c, u32 slot, u64 sent);
/* A command, and a question behind it, so that a quiet command is known to be done: the error of the first. */
int rig_raw_do(struct rig_raw *c, struct xlane_command q, struct xlane_reply *reply);
/* The client's own wait: run, and sleep when nothing was done. */
void rig_wait(struct xl_backend *b);
/* Poll until `done` says so; the test fails after a minute. */
void rig_until(bool (*done)(void *arg), void *arg);
extern const u8 rig_mac[2][6];

#endif
