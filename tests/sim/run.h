/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.h - many seeds, in child processes: one that crashes or never returns is a failure of its seed, not the end.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "world.h"

/* Marks of a report: the engine's counters, the driver's, the link's, then enum sim_mark. */
#define SIM_REACHED_LINK (XL_ENGINE_COUNTER_COUNT + XL_DRV_COUNTER_COUNT)
#define SIM_REACHED_MARKS (SIM_REACHED_LINK + XL_LINK_COUNTER_COUNT)
#define SIM_REACHED_COUNT (SIM_REACHED_MARKS + SIM_MARK_COUNT)
#define SIM_REACHED_WORDS ((SIM_REACHED_COUNT + 63) / 64)

enum sim_result_state { SIM_RESULT_NONE, SIM_RESULT_RUNNING, SIM_RESULT_DONE };

struct sim_result {
	u64 seed, hash, virtual_ns, events, bytes, messages, connections;
	u64 reached[SIM_REACHED_WORDS];
	struct sim_failure failure;
	u8 state;
};

#define SIM_BATCH_MAX 1000
/* Processor time that one seed may take before it counts as hanging. */
#define SIM_SEED_CPU_S_MAX 30

/* Run one seed in this process. */
void sim_run_one(const struct sim_world_options *o, struct sim_result *out);
/* Results shared with children: SIM_BATCH_MAX of them. */
struct sim_result *sim_run_results(void);
/* Run seeds first..first+count-1 (at most SIM_BATCH_MAX) in `jobs` children; results[i] is that of seed first + i. */
void sim_run_batch(struct sim_result *results, u64 first, u32 count, u32 jobs, enum sim_canary canary);

#define SIM_PCAP_DIRECTORY "build/sim"
/* Run the seed again, in a child, and write its packets to SIM_PCAP_DIRECTORY/seed-S.pcap. False: that could not be. */
bool sim_run_pcap(u64 seed);

static inline bool sim_result_failed(const struct sim_result *r) { return r->failure.invariant[0]; }

#endif
