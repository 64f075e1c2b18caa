/* SPDX-License-Identifier: BSD-2-Clause */
/* rtt.h - the round trip of a connection, estimated as RFC 6298 and RFC 9002, section 5 do. */
#ifndef XL_RTT_H
#define XL_RTT_H

#include "core.h"

/* One measurement; ack_delay_ns: what the peer says it held the ACK back, already clamped to its promise. */
void xl_rtt_sample(struct xl_rtt *r, u64 rtt_ns, u64 ack_delay_ns);
/* Probe timeout without backoff: round trip, allowance for its variance, the peer's ACK delay. */
u64 xl_rtt_pto(const struct xl_rtt *r, u64 peer_ack_delay_ns);

#endif
