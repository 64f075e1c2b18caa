/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loss.h - which packets are taken for lost, and what follows from it (RFC 9002, 6.1 and 7.6; RFC 8985, 6.2).
 *
 * An episode begins with the loss for which the window was reduced, and ends with the next such one. When all that was
 * taken for lost in it is acknowledged after all, there was none, and the reduction is undone.
 */
#ifndef XL_LOSS_H
#define XL_LOSS_H

#include "core.h"

/* Take for lost what is far enough behind the largest acknowledged, by count or by time; c->loss_time_ns says when the
 * next may be. Steps: what is lost or given up as lost, and one. */
void xl_loss_detect(struct xl_engine *e, struct xl_conn *c);
/* s, taken for lost, was acknowledged after all. */
void xl_loss_mistaken(struct xl_engine *e, struct xl_conn *c, const struct xl_sent *s);
/* Forget what was taken for lost so long ago that no ACK of it is expected any more; and when all of it will be. */
void xl_loss_expire(struct xl_engine *e, struct xl_conn *c);
u64 xl_loss_kept_until(const struct xl_engine *e, const struct xl_conn *c);
/* How many packets taken for lost a connection remembers, so that they do not take the places of what it sends. */
static inline u32 xl_loss_kept(const struct xl_engine *e) { return (u32)xl_min(XL_LOST_KEPT, e->sents_per_conn / 2); }

#endif
