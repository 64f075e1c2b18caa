/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h - what is wrong with the network where a station sends into it: loss, bursts, duplication, reordering, delay, jitter, corruption,
 * a rate with a finite queue, partition and black hole; behind it the other station, or a switch (net.h). Packets in flight are copies; no frame of a pool is kept.
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "../../user/base/prng.h"
#include "../../user/base/types.h"

struct sim_world;

#define SIM_LINK_HELD_MAX 512
#define SIM_LINK_HOLD_NS_MAX (50 * XL_MS)   /* a packet held back goes on then, whatever passes */

struct sim_held { u8 *data; u32 bytes, passes; u64 id; };

struct sim_link {
	struct sim_world *world;
	u32 from;                        /* station that sends */
	struct xl_prng prng;
	bool in_burst;
	u64 free_ns;                     /* slow link: when what is queued has gone */
	u64 cut_until_ns, hole_until_ns, narrow_until_ns;
	u32 narrow_bytes;                /* frames larger than this do not pass until then */
	struct sim_held held[SIM_LINK_HELD_MAX];
	u32 held_count;
	u64 held_ids;
	u64 packets;
};

void sim_link_init(struct sim_link *l, struct sim_world *w, u32 from);
/* A whole link frame leaves the host. */
void sim_link_send(struct sim_link *l, const u8 *data, u32 bytes);
/* The packet held back under `id` has waited long enough; one that has gone already is no error. */
void sim_link_release(struct sim_link *l, u64 id);
/* Let everything that is held back go: the storm is over. */
void sim_link_heal(struct sim_link *l);
void sim_link_free(struct sim_link *l);

#endif
