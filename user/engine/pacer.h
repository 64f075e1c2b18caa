/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pacer.h - when a connection may send its next packet of data, so that a window goes out over a round trip and not at once.
 *
 * A bucket of time, not of tokens: `pace_ns` is the time from which on the next packet is due; it moves on by each packet's
 * bytes at the pace of the congestion control, and may lie behind now by a burst. Its wait is a timer of the connection,
 * and so lies in the timing wheel (conn.c).
 */
#ifndef XL_PACER_H
#define XL_PACER_H

#include "core.h"

/* A packet of `bytes` may go now. False: c->pace_due_ns says when; the caller arms the connection's timer. */
bool xl_pacer_ready(struct xl_engine *e, struct xl_conn *c, u32 bytes);
/* It went. */
void xl_pacer_sent(struct xl_engine *e, struct xl_conn *c, u32 bytes);

#endif
