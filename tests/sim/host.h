/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.h - one unit, which is a host or one worker of it (station.h): frame pool, in-memory driver, worker and engine, all
 * of them the production code, and what can happen to it: it pauses, crashes, starts again, its completions are held back,
 * its frames are taken away.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "../../user/drv/drv.h"
#include "../../user/engine/engine.h"
#include "../../user/worker/worker.h"
#include "pools.h"
#include "turn.h"

struct sim_world;

struct sim_host {
	struct sim_world *world;
	u32 index;
	struct sim_station *station;     /* whose worker it is */
	struct xl_frames frames;
	void *frame_mem, *frame_tables, *engine_mem;
	size_t engine_map_bytes;
	struct xl_drv *drv;
	const struct xl_drv_ops *inner_ops;
	struct xl_drv_ops ops;           /* the driver's, with a complete that can hold back */
	struct xl_engine *engine;        /* NULL: down */
	struct xl_engine_config config;
	struct xl_worker *worker;
	u32 *stolen;                     /* frames taken away */
	u32 stolen_count;
	u64 paused_until_ns, held_until_ns, starved_until_ns, up_at_ns;
	u64 run_at_ns;                   /* the wake-up that counts; XL_NEVER: none */
	u64 last_run_ns;
	u64 turns;
	u32 largest;                     /* packet that it may ever send in this life */
	bool shaken;                     /* a fault has touched it: the next turn is followed by every check there is */
	struct sim_turn turn;
	struct sim_pools pools;
	u8 *guard;                       /* SIM_GUARD_BYTES behind the engine's memory, which nobody writes */
	bool arrived;                    /* something came since the last turn */
	u32 runs_now, runs_idle;         /* at this very time; in a row without any work */
	u64 counters[XL_ENGINE_COUNTER_COUNT];   /* of engines that are gone */
	u64 drv_counters[XL_DRV_COUNTER_COUNT];
	u64 link_counters[XL_LINK_COUNTER_COUNT];
};

void sim_host_init(struct sim_host *h, struct sim_world *w, u32 index);
/* Make pool, driver, worker and engine, and let the program listen. */
void sim_host_boot(struct sim_host *h);
/* Lose everything. `up_at_ns`: when it boots again (sim_station_crash). */
void sim_host_crash(struct sim_host *h, u64 up_at_ns);
/* A link frame arrives. */
void sim_host_arrive(struct sim_host *h, const u8 *data, u32 bytes);
/* One turn: the worker's round, the program, what it has to send; then the checks. Asks for its next wake-up itself. */
void sim_host_run(struct sim_host *h);
/* Ask to be run at `time_ns` or earlier. */
void sim_host_wake(struct sim_host *h, u64 time_ns);
/* Take all free frames away until `until_ns`. */
void sim_host_starve(struct sim_host *h, u64 until_ns);
/* The MTU of its link is `mtu` now. False: the engine, which must, has refused it. */
bool sim_host_mtu(struct sim_host *h, u32 mtu);
/* Nothing is left: no connection, and all frames are free or wait to be received into. */
bool sim_host_quiet(const struct sim_host *h);
void sim_host_free(struct sim_host *h);

#endif
