/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moving.h - a bucket of a host moves from one of its workers to another while its connections live. It is frozen: they
 * send nothing, and what comes for them is held. The old worker reads its ring up to where it was then (the drain marker)
 * and gives what is for the bucket to the others that are held. Then every connection goes over, or none: if the driver
 * has frames of one they are tried again later, SIM_MOVING_TRIES times; if the new worker has no room the bucket stays.
 * The table is written (which takes `span_ns`), what was held arrives in its order, and the bucket is thawed.
 *
 *   one-engine     a connection is in one engine of its host, the one that gets its packets
 */
#ifndef SIM_MOVING_H
#define SIM_MOVING_H

#include "../../user/drv/drv.h"

struct sim_action;
struct sim_waiting;
struct sim_host;
struct sim_station;
struct sim_world;

#define SIM_MOVING_TRIES 200
#define SIM_MOVING_RETRY_NS (20 * XL_US)

struct sim_waiting_list { struct sim_waiting *first, **end; };

/* What it begins with, when it does not begin at once; the bucket is that of the packet. */
enum sim_moving_armed { SIM_MOVING_UNARMED, SIM_MOVING_ARRIVES, SIM_MOVING_LEAVES };

struct sim_moving {
	bool active, drained;
	enum sim_moving_armed armed;
	u32 next_random;
	u64 next_span_ns;
	u8 bucket;
	u32 from, to, tries;             /* units */
	u64 not_before_ns;               /* the table takes its time */
	struct sim_waiting_list ring, held; /* what the old worker had in its ring; what came later */
};

/* A bucket of the station begins to move: one with a connection of the action's unit, if it has any, or that of the next
 * packet. */
void sim_moving_start(struct sim_world *w, const struct sim_action *a);
/* A packet for the bucket has been put into the ring of its worker, or its worker has put one into its driver's. */
void sim_moving_packet(struct sim_station *s, u8 bucket, enum sim_moving_armed what);
/* After a turn of the old worker. */
void sim_moving_step(struct sim_host *h);
/* A link frame arrives for a bucket. True: it is held. */
bool sim_moving_holds(struct sim_station *s, u8 bucket, const u8 *data, u32 bytes);
/* Packets that the driver of h has given: those for the bucket that moves are taken out. Returns how many are left. */
u32 sim_moving_divert(struct sim_host *h, struct xl_packet *packets, u32 n, bool drained);
/* The station has crashed, or the world ends. */
void sim_moving_drop(struct sim_station *s);
void sim_moving_check(struct sim_host *h);

#endif
