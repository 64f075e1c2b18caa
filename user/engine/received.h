/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * received.h - which packet numbers were received: to drop duplicates, and to make ACK records from.
 *
 * Remembers the newest XLANE_ACK_RANGES_KEPT ranges. Guarantee: a number is NEW at most once, ever; what is forgotten
 * counts as OLD. The newest range is held inline; a table is needed only while there are gaps, so the many connections
 * without loss need none.
 */
#ifndef XL_RECEIVED_H
#define XL_RECEIVED_H

#include "../wire/ack.h"

#define XL_RECEIVED_TABLE (XLANE_ACK_RANGES_KEPT - 1)

struct xl_received {
	struct xl_ack_range newest;
	u64 floor;        /* numbers below it are OLD: it rises when a range is forgotten */
	u32 count;        /* ranges, the newest included; the others are table[0..count-1), newest first */
	bool any;         /* something was received: count >= 1 */
};

enum xl_received_verdict {
	XL_RECEIVED_NEW,
	XL_RECEIVED_DUPLICATE,
	XL_RECEIVED_OLD,         /* below what is remembered: nobody knows whether it came before; drop it */
	XL_RECEIVED_NEED_TABLE,  /* nothing changed: call again with a table */
};

void xl_received_init(struct xl_received *r);
/* Note that `number` arrived. `table`: XL_RECEIVED_TABLE ranges, contents kept between calls while count > 1; may be
 * NULL while count <= 1. When all ranges are in use a new one pushes out the oldest; a number that would itself be the
 * oldest is OLD then. Only NEW changes anything. */
enum xl_received_verdict xl_received_add(struct xl_received *r, struct xl_ack_range *table, u64 number);
/* What xl_received_add would say (NEW also where it needs a table), without changing anything. */
enum xl_received_verdict xl_received_look(const struct xl_received *r, const struct xl_ack_range *table, u64 number);
/* out->count and out->range[] get the newest min(count, max, XLANE_ACK_RANGES_SENT) ranges; count 0 when nothing was
 * received. The delays are left alone. */
void xl_received_ack(const struct xl_received *r, const struct xl_ack_range *table, u32 max, struct xl_ack *out);
/* Forget ranges that end below `below`, never the newest: what comes below the last one kept is OLD from then on. */
void xl_received_forget(struct xl_received *r, const struct xl_ack_range *table, u64 below);
/* Forget all ranges but the newest, without the table: what is below it is OLD from now on. */
void xl_received_newest(struct xl_received *r);
/* The same; then `number`, which is NEW, is the newest range if it is above that, else OLD. */
void xl_received_restart(struct xl_received *r, u64 number);
/* At most one range: the table, if there is one, can be given back. */
static inline bool xl_received_single(const struct xl_received *r) { return r->count <= 1; }

#endif
