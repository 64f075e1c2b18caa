/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot.h - the figures of one worker at one instant, for whoever asks the daemon.
 *
 * The control thread makes a snapshot, hands it to the worker's thread, which fills it between two rounds, and gets it
 * back to print (figures.h). Nothing here is shared while it is filled. Filling allocates nothing, makes no system call
 * but the driver's own for its kernel counters, and lists at most XL_SNAPSHOT_STEP connections and peers at a time.
 */
#ifndef XL_SNAPSHOT_H
#define XL_SNAPSHOT_H

#include "../engine/engine.h"
#include "../worker/worker.h"
#include "channels.h"

/* Connections, and peers, that one call of xl_snapshot_fill lists. */
#define XL_SNAPSHOT_STEP 256

/* Kept by the thread of the worker, and only by it. */
struct xl_worker_figures {
	u64 started_ns;      /* CLOCK_MONOTONIC, as all times here */
	u64 rounds;          /* turns of its loop */
	u64 sleeps;          /* times it went to sleep in the kernel */
	u64 wakes;           /* of these, ended by something else than its own deadline */
	u64 busy_ns;         /* awake with work */
	u64 idle_ns;         /* spinning without work, or asleep */
	u32 tid;             /* of its thread; 0 unknown */
	s32 core;            /* that it is pinned to; -1: none */
};

/* What is wanted besides counters; each costs time of the worker. */
enum xl_snapshot_want {
	XL_SNAPSHOT_CENSUS = 1,   /* recount the frames */
	XL_SNAPSHOT_CONNS = 2,
	XL_SNAPSHOT_PEERS = 4,
};

struct xl_snapshot_conn {
	u32 index;                /* the engine's */
	u32 client, uid, pid;     /* 0s: nobody's any more */
	struct xl_conn_info info;
};

struct xl_snapshot {
	u32 want;                 /* enum xl_snapshot_want bits */
	u32 conns_room, peers_room;
	bool begun, done;
	u32 conn_at, peer_at;     /* where the next call goes on, XL_NONE: through */

	u64 now_ns;               /* when it was begun */
	struct xl_worker_figures figures;
	int error;                /* of the worker: negative errno once its device is gone; 0 */
	bool stalled;             /* packets to send, and no room for them */
	u32 channels;             /* clients */
	u32 conns_held;           /* connections of the engine, lingering ones too */
	u32 tx_room;              /* packets of one frame that the driver would take now */
	u32 ring_fill, ring_tx;   /* frames with the driver: to receive into, to be sent */
	u32 frames_own;
	u32 census[XL_FRAME_OWNER_COUNT];
	bool census_ok;           /* true also when it was not wanted */
	u64 drv[XL_DRV_COUNTER_COUNT], link[XL_LINK_COUNTER_COUNT], engine[XL_ENGINE_COUNTER_COUNT];
	u64 channel[XL_CHANNEL_COUNTER_COUNT];
	u32 conns_count, peers_count;            /* listed */
	u32 conns_unlisted, peers_unlisted;      /* found when the room was full */
	struct xl_snapshot_conn *conns;          /* [conns_room] */
	struct xl_peer_info *peers;              /* [peers_room] */
};

/* --- control thread ----------------------------------------------------------------------- */
/* Room for as many connections and peers as the worker may have, XLANE_FIGURES_CONNS_MAX and _PEERS_MAX at most, for
 * those that are wanted; pages are touched only when they are filled. -ENOMEM. */
int xl_snapshot_open(u32 want, u32 conns_max, u32 peers_max, struct xl_snapshot **out);
/* NULL is fine. */
void xl_snapshot_close(struct xl_snapshot *s);
/* To be filled again from the start, with the same room. */
void xl_snapshot_reset(struct xl_snapshot *s);

/* --- worker thread ------------------------------------------------------------------------ */
/* Fill it, or go on with it. True: it is whole, to be given back. False: lists go on, call again after the next round;
 * what opens or closes in between may or may not be in them, and nothing is in them twice. `ch` may be NULL. */
bool xl_snapshot_fill(struct xl_snapshot *s, const struct xl_worker *w, const struct xl_channels *ch,
		      const struct xl_worker_figures *f, u64 now_ns);

#endif
