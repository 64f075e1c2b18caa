/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * station.h - what has one address on the link: a host, with one worker or with several. They share address, node id,
 * incarnation and clock, and crash together; what arrives goes to the worker that serves the packet's bucket, as the
 * kernel's program does it. Each worker is a unit (host.h) with a pool and a program of its own.
 */
#ifndef SIM_STATION_H
#define SIM_STATION_H

#include <xlane/limits.h>

#include "../../user/base/types.h"
#include "moving.h"

struct sim_host;
struct sim_world;

struct sim_station {
	struct sim_world *world;
	u32 index, first, units;
	u8 mac[6];
	u64 node_id, boots, booted_ns;
	s64 clock_offset_ns;             /* jumps so far */
	u64 cut_until_ns;                /* nothing arrives until then */
	u8 worker_of[XLANE_BUCKETS];     /* counted from the first */
	struct sim_moving moving;        /* a bucket on its way from one to another */
};

void sim_station_init(struct sim_station *s, struct sim_world *w, u32 index);
/* All its workers lose everything; at `up_at_ns` they boot again, perhaps with another address. */
void sim_station_crash(struct sim_station *s, u64 up_at_ns);
/* A link frame arrives. */
void sim_station_arrive(struct sim_station *s, const u8 *data, u32 bytes);
/* The unit that a packet (outer header first, whole) is for. */
struct sim_host *sim_station_unit(const struct sim_station *s, const u8 *outer);
/* The station that a link frame is addressed to; the first one when there is none. */
const struct sim_station *sim_station_of(const struct sim_world *w, const u8 *frame);

#endif
