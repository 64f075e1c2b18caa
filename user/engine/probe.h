/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.h - timeouts of what was sent: the tail probe, then retransmission timeouts (RFC 9002, 6.2; RFC 8985, 7).
 *
 * A timeout says nothing about the path: it makes packets be sent past the window, and the window stays (RFC 9002, 6.2.1).
 */
#ifndef XL_PROBE_H
#define XL_PROBE_H

#include "core.h"

/* When the next loss or probe decision is due, or, with nothing in flight, the lost packets are to be forgotten; XL_NEVER. */
u64 xl_probe_deadline(const struct xl_engine *e, const struct xl_conn *c);
/* That time has come. */
void xl_probe_timeout(struct xl_engine *e, struct xl_conn *c);
/* The peer was asked for an ACK at once, by a PING, in a packet above all that were acknowledged. */
static inline bool xl_probe_asked(const struct xl_conn *c)
{
	return c->asked_number != XL_NONE64 && (c->largest_acked == XL_NONE64 || c->asked_number > c->largest_acked);
}

#endif
