/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.h - what a connection that sends data knows of the way its data takes: window, pace, losses in a row, skipped
 * numbers. Idle connections have none, so that many of them are cheap.
 *
 * Guarantee: a connection that holds data (c->buffered) has a flow, and keeps it. One that holds none any more keeps its
 * flow, at rest, until the pool is used up and it is the one at rest for longest: it goes on like a new one then, as if it
 * had been idle for very long (RFC 5681, 4.1). There are as many flows as frames, or as connections if these are fewer, and
 * whoever holds data holds a frame: so there always is one to be had. O(1).
 */
#ifndef XL_FLOW_H
#define XL_FLOW_H

#include "core.h"

/* How many an engine needs. */
static inline u32 xl_flow_count(const struct xl_engine_config *c) { return (u32)xl_min(c->conns_max, c->frames->count); }

/* NULL: it has none. */
static inline struct xl_flow *xl_flow_of(const struct xl_engine *e, const struct xl_conn *c)
{
	return c->flow == XL_NONE ? NULL : &e->flows[c->flow];
}

/* The flow of c, a new one if it has none: of a connection without data it is at rest. */
struct xl_flow *xl_flow_need(struct xl_engine *e, struct xl_conn *c);
/* c holds data from now on; and holds none any more. */
void xl_flow_hold(struct xl_engine *e, struct xl_conn *c);
void xl_flow_rest(struct xl_engine *e, struct xl_conn *c);
/* c goes: its flow is free. c->buffered still says whether it was at rest. */
void xl_flow_leave(struct xl_engine *e, struct xl_conn *c);
/* The congestion control by which c sends, or would begin to. */
struct xl_cc xl_flow_cc(const struct xl_engine *e, const struct xl_conn *c);

#endif
