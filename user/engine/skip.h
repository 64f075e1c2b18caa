/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skip.h - packet numbers that are never sent. Who acknowledges one acknowledges what it has not received, to make the
 * sender go faster than the path allows (optimistic ACKs: Savage et al., "TCP congestion control with a misbehaving
 * receiver", 1999; RFC 9000, 21.4): the connection is reset.
 *
 * Skipped only in bulk, where such a lie pays: one number in XL_SKIP_MIN .. XL_SKIP_MAX, at random. The newest
 * XL_SKIPS_KEPT of them are remembered.
 */
#ifndef XL_SKIP_H
#define XL_SKIP_H

#include "../wire/ack.h"
#include "core.h"

/* The number for the connection's next packet. */
u64 xl_skip_next(struct xl_engine *e, struct xl_conn *c);
/* The ACK names a skipped number: the connection has been ended (PROTOCOL), and is not to be looked at. */
bool xl_skip_acked(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a);

#endif
