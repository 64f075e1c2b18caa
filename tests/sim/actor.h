/* SPDX-License-Identifier: BSD-2-Clause */
/* actor.h - what a program does with one end of a connection: how fast it sends and reads, and how it ends. */
#ifndef SIM_ACTOR_H
#define SIM_ACTOR_H

#include <xlane/limits.h>

#include "faults.h"

#include "../../user/base/types.h"

struct sim_program;

#define SIM_PIECE_BYTES_MAX XLANE_MESSAGE_SMALL_MAX_BYTES   /* one send or receive of a stream */

enum sim_ending {
	SIM_ENDING_WAIT,       /* shut down, read to the end, wait for the engine to say closed, close */
	SIM_ENDING_CLOSE,      /* shut down, read to the end, close */
	SIM_ENDING_AT_ONCE,    /* close as soon as all is queued, whatever still arrives */
	SIM_ENDING_ABORT,      /* abort at some point */
	SIM_ENDINGS
};

struct sim_actor {             /* what a program does with one end */
	u32 end;               /* index in the oracle */
	u32 conn;              /* index in the engine */
	u64 total;             /* bytes or messages to send */
	u64 abort_at;          /* after so many */
	u64 large, large_fed;  /* the large message that is being given, XL_NONE64: none; bytes of it given */
	u64 write_pace_ns, read_pace_ns, write_at_ns, read_at_ns;
	u32 chunk_max, read_max;
	u8 ending;
	bool dead;             /* reads nothing until the storm is over */
	bool hoards;           /* gives nothing of a large message until the storm is over */
	bool peeks;            /* reads by loan */
	bool can_read, can_write, closed, failed;
	bool told_anew;        /* it has another name since: all that is so is told once more */
};

/* Draw what the program does with `a`, whose end and conn are set. */
void sim_actor_draw(struct sim_program *p, struct sim_actor *a);
/* Send, read and end what can be, now. now_ns is the host's clock. */
void sim_actor_run(struct sim_program *p, struct sim_actor *a, u64 now_ns);
/* The engine says that the connection has ended. */
void sim_actor_closed(struct sim_program *p, struct sim_actor *a);
void sim_actor_abort(struct sim_program *p, struct sim_actor *a, u64 now_ns);
/* Virtual time at which its pace lets it go on, XL_NEVER. */
u64 sim_actor_deadline(const struct sim_program *p, const struct sim_actor *a);

#endif
