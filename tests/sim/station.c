/* SPDX-License-Identifier: BSD-2-Clause */
#include "station.h"

#include <string.h>
#include <xlane/wire.h>

#include "../../user/wire/ether.h"
#include "world.h"

void sim_station_init(struct sim_station *s, struct sim_world *w, u32 index)
{
	memset(s, 0, sizeof *s);
	s->world = w;
	s->index = index;
	s->first = w->faults.first[index];
	s->units = w->faults.workers[index];
	s->node_id = xl_prng_u64(&w->prng) | 1;
	s->boots = 1;
	sim_net_mac(index, 0, s->mac);
	for (u32 i = 0; i < XLANE_BUCKETS; i++)
		s->worker_of[i] = (u8)(i % s->units);
}

void sim_station_crash(struct sim_station *s, u64 up_at_ns)
{
	struct sim_world *w = s->world;

	for (u32 i = 0; i < s->units; i++)
		if (!w->host[s->first + i].engine)
			return;                /* it is down already */
	for (u32 i = 0; i < s->units; i++)
		sim_host_crash(&w->host[s->first + i], up_at_ns);
	sim_moving_drop(s);
	for (u32 i = 0; i < XLANE_BUCKETS; i++)
		s->worker_of[i] = (u8)(i % s->units);
	s->boots++;
	s->booted_ns = w->now_ns;
	if (xl_prng_chance(&w->prng, 300000)) {
		sim_net_mac(s->index, ++s->mac[4], s->mac);
		sim_world_mark(w, SIM_MARK_HOST_MOVED);
	}
}

struct sim_host *sim_station_unit(const struct sim_station *s, const u8 *outer)
{
	return &s->world->host[s->first + s->worker_of[outer[4]]];
}

const struct sim_station *sim_station_of(const struct sim_world *w, const u8 *frame)
{
	u32 index = frame[5] - 1u;

	return &w->station[index < w->stations ? index : 0];
}

void sim_station_arrive(struct sim_station *s, const u8 *data, u32 bytes)
{
	struct sim_world *w = s->world;
	u32 at = XL_ETHER_BYTES + w->faults.vlan_tags * XL_VLAN_BYTES;

	if (w->now_ns < s->cut_until_ns) {
		sim_world_mark(w, SIM_MARK_PARTITIONED);
		return;
	}
	if (at + XLANE_OUTER_BYTES > bytes) { /* what has no bucket goes to anyone */
		sim_host_arrive(&w->host[s->first], data, bytes);
	} else if (!sim_moving_holds(s, data[at + 4], data, bytes)) {
		sim_host_arrive(sim_station_unit(s, data + at), data, bytes);
		sim_moving_packet(s, data[at + 4], SIM_MOVING_ARRIVES);
	}
}
