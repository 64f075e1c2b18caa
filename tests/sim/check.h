/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - the invariants of every step. Each has a name, which a failing seed prints:
 *
 *   prefix         what a program received is what the other sent (oracle.h)
 *   engine         the engine's own recount
 *   in-flight, window, credit, answers, memory    turn.h
 *   one-engine     moving.h
 *   census         every frame has one owner, and the counts add up to the pool
 *   armed          data is outstanding, so a deadline is set
 *   livelock       a host ran very often without time passing, or without anything to do
 *   packet-size    no packet is larger than what its receiver said it takes
 *   event          no event for a connection that the program has let go of
 *   api            a call returned what its contract excludes
 *   false-abort    a connection ended with an error that nothing in this world is a reason for
 *   progress       after the storm no long time passes in which no program does anything, until all are through
 *   completion     after the storm every connection ends within its bound
 *   agreement      both ends tell the same story
 *   frames-home    at the end the engine holds no connection and no frame
 *   determinism    the same seed gives the same hash (run.h)
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "../../user/base/types.h"

struct sim_host;
struct sim_world;

#define SIM_RUNS_AT_ONE_TIME_MAX 2000
#define SIM_CHECK_EVERY 16          /* turns of a host, of which one is followed by a recount of everything */
#define SIM_RUNS_IDLE_MAX 50000
#define SIM_EVENTS_MAX 20000000ull   /* of one seed */

/* After each turn of a host. `worked`: it received, sent, or its program did something. */
void sim_check_step(struct sim_host *h, bool worked);
/* After a packet has left: `bytes` of packet (outer header to tag), sent to a host that takes `max`. */
void sim_check_packet(struct sim_world *w, u32 bytes, u32 max);
/* When all programs are through, or the bound has passed. */
void sim_check_end(struct sim_world *w);

#endif
