/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread.h - one worker of one interface, with the thread that turns it: driver, engine, channels.
 *
 * The control thread makes the parts, starts the thread, talks to it through an inbox, stops it, takes the parts apart.
 * In between the parts are the thread's alone. Guarantee: the thread asks its inbox once a round and never waits for
 * anybody; once its device is gone its clients see the hang-up, and it serves its inbox only.
 */
#ifndef XL_DAEMON_THREAD_H
#define XL_DAEMON_THREAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "../drv/drv.h"
#include "../worker/wait.h"
#include "../worker/worker.h"
#include "channels.h"
#include "inbox.h"
#include "snapshot.h"

/* After a stop the thread goes on until its peers are told, this long at most. */
#define XL_THREAD_STOP_NS (500 * XL_MS)
/* Messages under way to or from one thread at most: each client's channel and its end, a snapshot, a stop. */
#define XL_THREAD_SLOTS 4096
_Static_assert(2 * XLANE_CLIENTS_MAX + 4 < XL_THREAD_SLOTS, "an inbox is never full");

enum xl_thread_message {   /* to the thread */
	XL_THREAD_ADD,        /* struct xl_channel: a client's, now the thread's */
	XL_THREAD_SNAPSHOT,   /* struct xl_snapshot: to be filled */
	XL_THREAD_DROP,       /* a client's number: its channel is to come back */
	XL_THREAD_STOP,
};
enum xl_thread_report {    /* from it */
	XL_THREAD_GONE,       /* struct xl_channel: its client is gone, or must go */
	XL_THREAD_SNAPSHOT_DONE,
	XL_THREAD_DOWN,       /* its device is gone, and with it all channels */
	XL_THREAD_STOPPED,
};

struct xl_thread_config {
	const char *interface;
	u32 worker, workers;
	s32 core;                    /* to pin to; -1: none */
	enum xl_wait_mode wait;
	u64 spin_ns;
	u16 ethertype, vlan[XLANE_VLAN_TAGS_MAX];
	u32 connections, blocks;
	u64 keepalive_ns, peer_death_ns;
	bool no_crc;
	u8 congestion;
	u64 node, incarnation;
};

struct xl_thread {
	/* control thread */
	struct xl_thread_config config;
	pthread_t id;
	bool running;
	bool stopped;                /* it has reported so */
	struct xl_snapshot *lent;    /* with the thread, to be filled */
	bool late;                   /* and nobody waits for it any more */
	size_t engine_bytes;
	/* between the two */
	struct xl_inbox in, out;
	_Atomic u64 beat_ns;         /* start of its latest round */
	/* the thread's, while it runs */
	struct xl_frames frames;
	void *tables, *engine_mem;
	struct xl_worker worker;
	struct xl_channels *channels;
	struct xl_wait wait;
	struct xl_worker_figures figures;
	struct xl_snapshot *filling;
	bool down, stopping;
	u64 stop_until_ns;
};

/* Everything but starting: `drv` and t->frames (made by the caller, before) are the worker's from here on until close;
 * `ports` is shared by the workers of the interface. The thread is zeroed but for frames, tables and config. On failure
 * xl_thread_close. */
int xl_thread_open(struct xl_thread *t, struct xl_drv *drv, struct xl_ports *ports, char *why, size_t why_bytes);
int xl_thread_start(struct xl_thread *t);
/* Control thread, to a running one. Each message's pointer comes back by a report. */
void xl_thread_post(struct xl_thread *t, enum xl_thread_message m, void *p);
/* A client is given up: its channel comes back, if it is not on its way already. */
void xl_thread_drop(struct xl_thread *t, u32 client);
/* Next report; false: none. */
bool xl_thread_report(struct xl_thread *t, u32 *kind, void **p);
/* Wait for the end of a thread that was told to stop. -ETIMEDOUT: it did not end; nothing of it may be taken apart. */
int xl_thread_join(struct xl_thread *t, u64 until_realtime_ns);
/* Not running: free all but frames and tables. Channels must have come back. Fine on zeroed memory. */
void xl_thread_close(struct xl_thread *t);

#endif
