/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turn.h - what one turn of a host may do to its connections: invariants of check.h that cost little, looked at after each.
 *
 *   in-flight   bytes and packets in flight equal a recount
 *   window      bytes in flight grow past the congestion window by probes and control packets alone
 *   credit      no data is sent past what its receiver has given credit for (looked at when a packet leaves)
 *   answers     packets without program data are bounded by what came in, and by the connections there are
 *   memory      the engine writes nothing behind the memory that xl_engine_bytes asked for
 */
#ifndef SIM_TURN_H
#define SIM_TURN_H

#include "../../user/base/types.h"

struct sim_host;
struct sim_world;

#define SIM_ANSWERS_PER_PACKET 2    /* packets without program data, for each that came in during the turn */
#define SIM_ANSWERS_PER_CONN 4      /* and for each connection: timers, and what its program does */
#define SIM_ANSWERS_PER_TURN 48     /* and besides: answers without state that were waiting, connections just ended */
#define SIM_GUARD_BYTES 64          /* behind an engine's memory */
#define SIM_GUARD 0xa5

/* What a connection looked like after the turn before. */
struct sim_seen { u64 id, inflight, ptos, sent; u32 probes; };

struct sim_turn {
	struct sim_seen *seen;      /* for each connection of the engine */
	u32 conns, used;            /* and how many are in use */
	u64 in, bare;               /* packets in, and those out without program data, before this turn */
	u64 probed;                 /* probes of the path for its largest packet, before this turn */
};

/* The host's engine is new. */
void sim_turn_start(struct sim_host *h);
void sim_turn_end(struct sim_host *h);
void sim_turn_check(struct sim_host *h);
/* A packet (outer header first) leaves for the engine of `to`. */
void sim_turn_packet(struct sim_world *w, struct sim_host *to, const u8 *outer, u32 bytes);

#endif
