/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recovery.h - sent packets: remembered, acknowledged, taken for lost, probed for (RFC 9002, sections 6 and A).
 *
 * Numbers never repeat, so an acknowledgement always tells which transmission it is for. A packet taken for lost stays in
 * the list for a while: when it is acknowledged after all, the thresholds are raised by that evidence.
 */
#ifndef XL_RECOVERY_H
#define XL_RECOVERY_H

#include "../wire/ack.h"
#include "core.h"

/* Remember a packet that asks for an ACK. The caller saw xl_recovery_room(e). */
void xl_recovery_sent(struct xl_engine *e, struct xl_conn *c, u64 number, u32 txbuf, u32 bytes, u8 control);
static inline bool xl_recovery_room(const struct xl_engine *e) { return e->sent_free.count > 0; }
/* The connection has as many sent packets as it may: it sends only ACKs until some are acknowledged, or it is given up. */
static inline bool xl_recovery_full(const struct xl_engine *e, const struct xl_conn *c)
{
	return c->sent.count >= e->sents_per_conn;
}
/* An ACK record of a valid packet. */
void xl_recovery_ack(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a);
/* When the next loss or probe decision is due; XL_NEVER: nothing in flight. */
u64 xl_recovery_deadline(const struct xl_engine *e, const struct xl_conn *c);
/* That time has come. */
void xl_recovery_timeout(struct xl_engine *e, struct xl_conn *c);
/* The peer says that it ended gracefully: everything up to our end has arrived there. */
void xl_recovery_all_received(struct xl_engine *e, struct xl_conn *c);
/* Forget everything sent. */
void xl_recovery_clear(struct xl_engine *e, struct xl_conn *c);

#endif
