/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - a host of a scenario: the production worker, engine and in-memory driver, at a network of net.h.
 *
 * Its network card is as a real one: a TX ring of finite depth whose packets leave at the pace of the link, and whose
 * frames come back when they have left. The worker polls: it looks at an arrival after at most poll_ns.
 */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include "../../user/drv/drv.h"
#include "../../user/engine/engine.h"
#include "../../user/worker/worker.h"

struct sim_scene;

struct sim_machine_sizes {               /* 0: what the text says */
	u32 frames;                      /* 4096 */
	u32 ring;                        /* of the network card, each in frames; XLANE_RING_SIZE_DEFAULT */
	u32 mtu;                         /* 1500 */
	u32 conns;                       /* 64 */
	u32 blocks;                      /* XLANE_BLOCKS_DEFAULT */
	u32 recv_window_bytes;           /* the engine's */
	u64 poll_ns;                     /* 2 us */
	u64 keepalive_ns, peer_death_ns; /* the engine's */
	u64 first_number;                /* 0: random */
};

struct sim_machine {
	struct sim_scene *scene;
	u32 index;
	u8 mac[6];                       /* as its own worker knows it */
	u8 wire_mac[6];                  /* as the network knows it: another after sim_machine_move */
	u64 node_id, boots;
	struct sim_machine_sizes sizes;
	struct xl_frames frames;
	void *frame_mem, *frame_tables, *engine_mem;
	size_t engine_bytes;
	struct xl_drv *drv;
	const struct xl_drv_ops *inner_ops;
	struct xl_drv_ops ops;           /* the driver's, with the card's ring behind it */
	u64 *leaves_ns;                  /* ring [frames]: when each frame given to the card will have left */
	u32 leaves_head, leaves_count;
	struct xl_engine *engine;        /* NULL: down */
	struct xl_engine_config config;
	struct xl_worker *worker;
	int listener[2];                 /* for streams, for messages */
	u64 run_at_ns;                   /* the wake-up that counts; XL_NEVER: none */
	u64 up_at_ns;                    /* while it is down */
	u64 turns;
	u64 lost;                        /* frames that found no room to be received into */
};

#define SIM_MACHINE_PORT 7               /* listens there for streams, and at the next port for messages */
#define SIM_MACHINE_LISTENERS UINT64_MAX /* `user` of the listener for messages; of that for streams: one less */

void sim_machine_init(struct sim_machine *h, struct sim_scene *scene, u32 index, const struct sim_machine_sizes *sizes);
/* Make pool, driver, worker and engine, and listen. */
void sim_machine_boot(struct sim_machine *h);
/* Lose everything, and boot again at up_at_ns. */
void sim_machine_crash(struct sim_machine *h, u64 up_at_ns);
/* Its address on the network changes, as when a machine moves to other hardware; what comes to the old one is
 * lost. */
void sim_machine_move(struct sim_machine *h);
void sim_machine_arrive(struct sim_machine *h, const u8 *data, u32 bytes);
/* One turn: the worker's round, the programs, what they have to send. Asks for its next wake-up itself. */
void sim_machine_run(struct sim_machine *h);
/* Ask to be run at `time_ns` or earlier. */
void sim_machine_wake(struct sim_machine *h, u64 time_ns);
/* CLOCK_MONOTONIC of the host: each has its own. */
u64 sim_machine_clock(const struct sim_machine *h);
/* No connection, and every frame free or waiting to be received into. */
bool sim_machine_quiet(const struct sim_machine *h);
void sim_machine_free(struct sim_machine *h);

#endif
