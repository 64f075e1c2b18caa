/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.h - what two programs do with one connection: a stream of bytes, questions and answers, blocks in rounds with
 * others, or messages. Content is a pure function of the flow, its attempt and the offset, and every byte is compared.
 */
#ifndef SIM_FLOW_H
#define SIM_FLOW_H

#include "../../user/base/types.h"
#include "record.h"

struct sim_scene;

enum sim_flow_kind {
	SIM_FLOW_BULK,       /* `total` bytes from caller to called */
	SIM_FLOW_ASK,        /* `total` messages of `bytes`, each answered by one of `answer_bytes` before the next */
	SIM_FLOW_BLOCKS,     /* as a stream: one block of `bytes` in each round of the scene */
	SIM_FLOW_MESSAGES,   /* `total` messages of 0..`bytes` bytes */
};

struct sim_flow_plan {
	u8 kind;
	u32 from, to;            /* stations */
	u64 start_ns;
	u64 stop_ns;             /* nothing new is sent from then on; 0: only `total` counts */
	u64 total;               /* 0: without end, up to stop_ns */
	u32 bytes, answer_bytes;
	u64 think_ns;            /* between an answer and the next question */
	bool persistent;         /* told that the connection is lost, it calls again and starts all over */
};

enum sim_side { SIM_CALLER, SIM_CALLED, SIM_SIDES };

struct sim_flow_end {
	u32 conn;                /* XL_NONE: none */
	u64 user;                /* of its events; those of an earlier attempt have another */
	u64 sent, got;           /* bytes, or messages */
	u64 bytes;               /* got, in bytes */
	bool ended;              /* read to its end */
	bool shut;
};

enum sim_flow_state { SIM_FLOW_IDLE, SIM_FLOW_CALLING, SIM_FLOW_OPEN, SIM_FLOW_OVER };

struct sim_flow {
	struct sim_flow_plan plan;
	u32 index;
	u8 state;
	u32 attempt;
	struct sim_flow_end end[SIM_SIDES];
	u64 started_ns, opened_ns, over_ns;
	u64 next_ns;             /* of the next question */
	u64 asked_ns;            /* when the question under way was sent; 0: there is none */
	u64 told;                /* times that the caller was told that its connection is lost */
	struct sim_times answers;/* ASK: from question to answer */
};

/* Rounds of blocks: all flows of that kind send one at once, and again when all have arrived. */
struct sim_rounds {
	u32 flows;               /* that take part */
	u32 left, done, arrived;
	u64 pause_ns, began_ns;
	struct sim_times whole;  /* of each round */
	struct sim_times block;  /* of each block */
};

/* Returns its index. */
u32 sim_flow_add(struct sim_scene *s, const struct sim_flow_plan *p);
/* Begin or go on: its start, a question, or a block is due. */
void sim_flow_due(struct sim_scene *s, u32 flow);
/* Both ends do what can be done at `station`. */
void sim_flow_event(struct sim_scene *s, u32 station, u64 user, u32 bits, u64 clock_ns);
void sim_flow_accept(struct sim_scene *s, u32 station, int listener, u64 clock_ns);
/* The station has lost everything. */
void sim_flow_lost(struct sim_scene *s, struct sim_flow *f, u32 station);
/* The sender's figures now, into a sample. */
void sim_flow_sample(struct sim_scene *s, const struct sim_flow *f, struct sim_sample *out);
/* Start `count` rounds when all flows of blocks are open. */
void sim_rounds_start(struct sim_scene *s, u32 count, u64 pause_ns);

#endif
