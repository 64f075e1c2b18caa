/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recovery.h - sent packets: remembered and acknowledged (RFC 9002, A). Taken for lost: loss.h. Timeouts: probe.h.
 *
 * Numbers never repeat, so an acknowledgement always tells which transmission it is for. A packet taken for lost moves to
 * a list of its own, where it stays for a while: when it is acknowledged after all, the verdict was wrong, and the
 * thresholds are raised by that evidence.
 *
 * Work for one ACK: a step for each packet that it acknowledges or makes lost, and besides them at most as many as the
 * reordering threshold lets lie below the largest acknowledged, and as are remembered as lost (XL_REORDER_PACKETS_MAX,
 * XL_LOST_KEPT), whatever its ranges are. XL_C_ACK_STEPS counts them.
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
	return c->sent.count + c->lost.count >= e->sents_per_conn;
}
/* Forget sent packet i, which is on c->sent or c->lost. */
void xl_recovery_forget(struct xl_engine *e, struct xl_conn *c, u32 i);
/* The buffer that this transmission carried, if it is not acknowledged yet, else NULL. */
struct xl_txbuf *xl_recovery_carried(const struct xl_engine *e, const struct xl_conn *c, const struct xl_sent *s);
/* Make room for one more: by a packet taken for lost, which is only kept to learn that it was not, or for a probe by the
 * oldest in flight, whose data is sent again. False: neither. */
bool xl_recovery_spare(struct xl_engine *e, struct xl_conn *c);
/* An ACK record of a valid packet. */
void xl_recovery_ack(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a);
/* The end is acknowledged, and so may be everything before it: the connection may move on. */
void xl_recovery_look_for_end(struct xl_engine *e, struct xl_conn *c);
/* Nobody has answered for long: transmissions that newer ones of the same data stand for, and PINGs, are forgotten, so that
 * one silent peer does not take the memory that all connections have for sent packets. */
void xl_recovery_thin(struct xl_engine *e, struct xl_conn *c);
/* The peer says that it ended gracefully: everything up to our end has arrived there. */
void xl_recovery_all_received(struct xl_engine *e, struct xl_conn *c);
/* Forget everything sent. */
void xl_recovery_clear(struct xl_engine *e, struct xl_conn *c);

#endif
