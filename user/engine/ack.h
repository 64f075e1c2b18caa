/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ack.h - what a connection has received, and when it says so (RFC 9000, 13.2).
 *
 * At once on whatever looks like loss; else once for several packets, and for the more the faster they come, but never
 * later than ACK_DELAY after the first. Numbers that the peer knows us to have are forgotten after a while (RFC 9000,
 * 13.2.4), so that gaps which never close (lost, or skipped by the peer) are not told of for ever.
 */
#ifndef XL_ENGINE_ACK_H
#define XL_ENGINE_ACK_H

#include "core.h"

/* The ranges below the newest, or NULL. */
struct xl_ack_range *xl_ack_table(struct xl_engine *e, const struct xl_conn *c);
/* The number was received already, or is too old to tell: counted; the packet is to be dropped. */
bool xl_ack_seen(struct xl_engine *e, const struct xl_conn *c, u64 number);
/* It was received now. */
void xl_ack_remember(struct xl_engine *e, struct xl_conn *c, u64 number);
/* The packet asks for an ACK. */
void xl_ack_owe(struct xl_engine *e, struct xl_conn *c, bool in_order);
/* It has been held back for as long as may be. */
void xl_ack_timeout(struct xl_engine *e, struct xl_conn *c);
/* Packet `number` goes out with an ACK; `eliciting`: we shall hear whether it arrived. */
void xl_ack_sent(struct xl_conn *c, u64 number, bool eliciting);
/* Packet c->told_number arrived at the peer. */
void xl_ack_arrived(struct xl_engine *e, struct xl_conn *c);

#endif
