/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile.h - a third station that has valid connections and abuses them. It speaks by grammar, valid first and then
 * mutated, in bytes made here from docs/PROTOCOL.md, not by user/wire. Nothing that it does may harm another connection:
 * no oracle is told of it but for its own.
 */
#ifndef SIM_HOSTILE_H
#define SIM_HOSTILE_H

#include "../../user/base/prng.h"
#include "../../user/base/types.h"

struct sim_world;

#define SIM_HOSTILE_CONNS 4        /* of one world */
#define SIM_HOSTILE_STEPS 60       /* of one connection */
#define SIM_HOSTILE_BURST 320      /* packets of the longest step: more gaps than a receiver remembers */

struct sim_hostile_conn {
	u64 id, remote_id;         /* its own, the victim's: 0 until it has answered */
	u64 number, first, seen;   /* its next packet number; the first and the largest that came */
	u64 offset;                /* its next byte, as long as it is honest */
	u64 message, datagram;
	u32 steps;
	u8 station, kind;
};

struct sim_hostile {
	struct sim_world *world;
	struct xl_prng prng;
	u64 node;
	struct sim_hostile_conn conn[SIM_HOSTILE_CONNS];
	u32 conns;
	u32 said;                  /* packets of this step */
};

void sim_hostile_init(struct sim_hostile *h, struct sim_world *w);
/* Call the station of `unit`; what follows comes by itself. */
void sim_hostile_call(struct sim_hostile *h, u32 unit);
/* The next thing that connection `conn` does. */
void sim_hostile_step(struct sim_hostile *h, u32 conn);
/* A link frame is addressed to it: it takes part in handshakes, and knows what to acknowledge. */
void sim_hostile_arrive(struct sim_hostile *h, const u8 *frame, u32 bytes);
/* Is this its address? */
bool sim_hostile_is(const u8 mac[6]);

#endif
