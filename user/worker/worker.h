/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker.h - one worker: a driver, a frame pool, a link and an engine, turned by one thread.
 *
 * Guarantees: each frame has one owner at every return; a round handles at most XLANE_BATCH_MAX received packets, so
 * timers and sending are never starved by receiving; frames for sending are reserved, so that a flood of received
 * packets can not keep the worker from answering. One clock reading a round. Nothing here sleeps (see wait.h).
 */
#ifndef XL_WORKER_H
#define XL_WORKER_H

#include "../drv/drv.h"
#include "../engine/engine.h"
#include "link.h"

/* Half of the pool is for sending; of it, this many frames are for packets without program data (ACKs, handshakes). */
#define XL_WORKER_CONTROL_FRAMES 64
_Static_assert(XLANE_FRAMES_MIN / 2 >= 2 * XL_WORKER_CONTROL_FRAMES, "the smallest pool can send data and control");

/* xl_worker_run gives the thread back after this many rounds, even when there is more to do. */
#define XL_WORKER_ROUNDS_MAX 16
/* A worker with packets to send and no room in the TX ring, or no free frame, looks again after this long: nothing
 * wakes it for a completion. */
#define XL_WORKER_RETRY_NS (20 * XL_US)

struct xl_worker {
	struct xl_drv *drv;
	struct xl_frames *frames;
	struct xl_engine *engine;
	struct xl_link_layer link;
	u32 tx_reserve;      /* frames that sending may always have */
	u32 mtu;             /* of the driver, when the engine was last told */
	int error;           /* negative errno once the device is gone; 0 */
	bool stalled;        /* the engine has packets that the driver or the pool has no room for */
	u64 ran_ns;          /* time of the last round */
	u64 drained_ns;      /* time of the last look that left nothing received behind: later packets have come after it */
	struct xl_packet packets[XLANE_BATCH_MAX];
};

/* Frames of a pool of `frames` that are reserved for sending, and how many of those the engine may fill with data. */
u32 xl_worker_tx_reserve(u32 frames);
u32 xl_worker_tx_data_frames(u32 frames);

/* The parts outlive the worker; xl_link_init has made the link before. Gives the driver frames to receive into. */
void xl_worker_init(struct xl_worker *w, struct xl_drv *drv, struct xl_frames *frames, struct xl_engine *engine);
/* The driver's MTU may change at any time: the engine follows, as far as the config it was made with lets it. */
/* One round at time now_ns (CLOCK_MONOTONIC): completions, receive, timers, send, refill. Returns packets received and
 * sent and frames completed (0: nothing to do), or w->error. */
int xl_worker_round(struct xl_worker *w, u64 now_ns);
/* Rounds until one finds nothing to do or XL_WORKER_ROUNDS_MAX. Returns their sum, or an error. */
int xl_worker_run(struct xl_worker *w);
/* Only the sending part of a round: what the program has just handed to the engine goes out at once. */
u32 xl_worker_send(struct xl_worker *w, u64 now_ns);
/* When the worker next needs a round without anything arriving: CLOCK_MONOTONIC ns, or XL_NEVER. <= now: at once. */
u64 xl_worker_deadline(const struct xl_worker *w);
/* The clock of all of this: CLOCK_MONOTONIC, ns. */
u64 xl_worker_clock(void);

#endif
