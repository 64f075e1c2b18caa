/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.h - what is going to happen in virtual time: a binary heap ordered by (time, sequence).
 *
 * Guarantee: events of one time come out in the order in which they were put in, so a run depends on its seed alone.
 */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include "../../user/base/types.h"

enum sim_event_kind {
	SIM_EVENT_ARRIVE,   /* a packet reaches station `host`: `bytes` of `data`, which the event owns */
	SIM_EVENT_RUN,      /* a wake-up of unit `host`; stale when the host has asked for another time since */
	SIM_EVENT_RELEASE,  /* the longest time that the link of station `host` may hold slot `arg` back is over */
	SIM_EVENT_ACTION,   /* number `arg` of the seed's actions */
	SIM_EVENT_CALL,     /* number `arg` of the seed's connections is started */
	SIM_EVENT_HEAL,     /* faults stop */
	SIM_EVENT_HOSTILE,  /* connection `arg` of the hostile station does something (hostile.h) */
	SIM_EVENT_EDGE,     /* a frame leaves station `host` for the switch: `bytes` of `data` */
	SIM_EVENT_HOP,      /* a frame, `bytes` of `data`, reaches the end of link `arg` (net.h) */
};

struct sim_event {
	u64 time_ns, sequence;
	u8 *data;
	u32 bytes, arg;
	u8 kind, host;
};

struct sim_events {
	struct sim_event *heap;
	u32 count, room;
	u32 arrivals;       /* of them, packets in flight */
	u64 sequence;
};

void sim_events_put(struct sim_events *q, struct sim_event e);
/* False when nothing is left. */
bool sim_events_take(struct sim_events *q, struct sim_event *out);
/* Free everything, the packets too. */
void sim_events_clear(struct sim_events *q);

/* malloc that ends the program instead of returning NULL. */
void *sim_alloc(size_t bytes);

#endif
