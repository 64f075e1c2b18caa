/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * persist.h - a sender that stands at its credit, or waits for a grant, with nothing in flight asks again: should what the
 * receiver gave be lost without anybody knowing, nothing else would ever move (RFC 9293, 3.8.6.1). BLOCKED is sent after a
 * probe timeout, and again after twice the time before, at most XL_PERSIST_MAX_NS, for ever while the peer acknowledges it;
 * when it does not, the probes of recovery.c and its bound take over.
 */
#ifndef XL_PERSIST_H
#define XL_PERSIST_H

#include "core.h"

/* Nothing can be sent and nothing is in flight; only the peer can change that. */
bool xl_persist_stands(const struct xl_engine *e, const struct xl_conn *c);
/* After each turn: set or clear c->persist_ns. */
void xl_persist_look(const struct xl_engine *e, struct xl_conn *c);
/* c->persist_ns is over. */
void xl_persist_timeout(struct xl_engine *e, struct xl_conn *c);
/* The peer took something, or lets more come. */
static inline void xl_persist_moved(struct xl_conn *c) { c->persist_count = 0; }

/*
 * A receiver that has no memory for our data does not acknowledge it, but it answers the PINGs of the probes. When it has
 * done so XL_PERSIST_PATIENCE times in a row, the probe timeout is doubled each time as if nobody had answered; a CREDIT
 * that allows nothing new ends that (K-10).
 */
static inline void xl_persist_unheeded(struct xl_conn *c)
{
	if (c->pto_count && c->flight.count + c->again.count && c->persist_count < XL_PERSIST_BACKOFF_MAX)
		c->persist_count++;
}

static inline u32 xl_persist_doublings(const struct xl_conn *c)
{
	return c->persist_count > XL_PERSIST_PATIENCE ? c->persist_count - XL_PERSIST_PATIENCE : 0;
}

static inline void xl_persist_again(struct xl_conn *c)
{
	if (c->flight.count + c->again.count)
		c->persist_count = c->pto_count = 0;
}

#endif
