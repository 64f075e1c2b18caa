/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program.h - the program of one host: it listens, calls, accepts, sends and reads at random pace, half-closes, closes
 * and aborts. It acts on events alone (and on its own pace), so an event that is not told shows as a connection that
 * never ends.
 */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

#include "../../user/base/prng.h"
#include "../../user/engine/engine.h"
#include "actor.h"
#include "oracle.h"

struct sim_world;

#define SIM_PORT_FIRST 100             /* the stream port; those of the other kinds follow */
#define SIM_PORT_REUSED 5000           /* a local port that several calls use one after the other */
#define SIM_PORTS 4                    /* listeners: a port for each kind */

struct sim_program {
	struct sim_world *world;
	u32 host;
	struct xl_prng prng;
	struct sim_actor actor[SIM_ENDS_MAX];
	u32 actors;            /* of them, those whose end is over do nothing */
	u32 listener[SIM_PORTS];      /* XL_NONE: not listening */
	bool accepting[SIM_PORTS];    /* there may be one to accept */
	u64 accept_at_ns, listen_at_ns;
	u16 next_port;
	u64 worked;            /* raised with everything done: tells idle turns from busy ones */
};

void sim_program_start(struct sim_program *p, struct sim_world *w, u32 host);
/* The host has lost its state: nothing of this program lives on but its record. */
void sim_program_lost(struct sim_program *p);
/* Listen (again). */
void sim_program_listen(struct sim_program *p);
/* Stop listening until again_ns (virtual time). */
void sim_program_unlisten(struct sim_program *p, u64 now_ns, u64 again_ns);
/* Start a connection: number `plan` of the seed's plans, to station `to`. Returns its end, or XL_NONE when the engine could not. */
u32 sim_program_call(struct sim_program *p, u32 plan, u32 to, u16 port, u16 local_port, u64 now_ns);
/* Take events, then send and read what can be. now_ns is the host's clock; paces are in virtual time. */
void sim_program_run(struct sim_program *p, u64 now_ns);
/* Virtual time at which it wants to run again, XL_NEVER. */
u64 sim_program_deadline(const struct sim_program *p);
/* The storm is over: no pace any more, the dead read, the tainted are aborted. */
void sim_program_heal(struct sim_program *p);
/* All ends of this host are over. */
bool sim_program_over(const struct sim_program *p);
/* Canary: abort a connection without a word to the oracle. False: there is none to abort yet. */
bool sim_program_kill(struct sim_program *p, u64 now_ns);
/* A connection has moved to another worker, with what the program does with it, if it is the program's. */
void sim_program_follow(struct sim_program *p, u32 conn, struct sim_program *to, u32 there);
/* Export one of its connections and import it again. */
void sim_program_move(struct sim_program *p, u64 now_ns);

#endif
