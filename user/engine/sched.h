/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched.h - whose turn it is to send: deficit round robin (Shreedhar, Varghese 1995) with two lists (RFC 8290, 4.1).
 *
 * Guarantees: connections that always have data get the same bytes, whatever their packets' size, within a quantum and a
 * packet. One that had nothing to send is `fresh`: it goes before the others, for a quantum at most, then behind them; and
 * after it has sent data so, it waits for its place among the others before it can be fresh again, so fresh ones delay a
 * round but do not stop it. One that owes only an ACK or control records goes with the fresh at once: its packets are not
 * counted, what it receives bounds them. A connection that can send nothing is on neither list. All operations are O(1);
 * what is on a list has a deficit above 0, so nobody is looked at twice in a row without a packet.
 */
#ifndef XL_SCHED_H
#define XL_SCHED_H

#include "core.h"

/* Output has something to do for c. */
void xl_sched_join(struct xl_engine *e, struct xl_conn *c);
void xl_sched_leave(struct xl_engine *e, struct xl_conn *c);
/* Whose turn it is; XL_NONE: nobody's. */
static inline u32 xl_sched_next(const struct xl_engine *e)
{
	return e->fresh.head != XL_NONE ? e->fresh.head : e->active.head;
}
/* A packet of data of so many bytes went. */
static inline void xl_sched_charge(struct xl_conn *c, u32 bytes) { c->deficit -= (s32)bytes; }
/* The connection has sent what its turn allows: a quantum more, behind the others. */
void xl_sched_spent(struct xl_engine *e, struct xl_conn *c);
/* There was no frame for its packet: behind the others with what is left. */
void xl_sched_starved(struct xl_engine *e, struct xl_conn *c);
/* It has nothing that may be sent. */
void xl_sched_idle(struct xl_engine *e, struct xl_conn *c);

#endif
