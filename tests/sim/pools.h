/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pools.h - what an engine takes from its pools is gone for a while: entries of sent packets, connections, peers, receive
 * memory not promised yet. (Frames: sim_host_starve.) While they are gone the engine must refuse or wait, never break.
 */
#ifndef SIM_POOLS_H
#define SIM_POOLS_H

#include "../../user/base/list.h"
#include "../../user/base/types.h"

struct sim_host;
struct xl_engine;

enum sim_pool { SIM_POOL_SENTS, SIM_POOL_CONNS, SIM_POOL_PEERS, SIM_POOL_BLOCKS, SIM_POOLS };

struct sim_pools {
	struct xl_list sents, conns, peers;   /* taken away */
	u32 blocks;                           /* promised to nobody */
	u64 until_ns;                         /* 0: nothing is taken away */
};

/* Take all that is free in one pool away, until `until_ns`. */
void sim_pools_empty(struct sim_host *h, enum sim_pool pool, u64 until_ns);
void sim_pools_restore(struct sim_host *h);
/* Every invariant of the engine, what is taken away counted as free. */
const char *sim_pools_check(struct sim_host *h);

#endif
