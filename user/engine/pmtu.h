/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmtu.h - how large a packet may be: what both ends' links take (the MTU may change while connected), and what gets through
 * (a path that swallows large packets is noticed, and large ones are tried again later).
 */
#ifndef XL_PMTU_H
#define XL_PMTU_H

#include "core.h"

/* A connection's largest packet now. */
u32 xl_pmtu_packet(const struct xl_engine *e, const struct xl_conn *c);
/* The buffer fits a packet of today, or has been cut so that it does; false: no frame to cut it with, try again later.
 * *tb is the buffer to send instead. */
bool xl_pmtu_fit(struct xl_engine *e, struct xl_conn *c, u32 *tb);
/* A sent packet was acknowledged, or nothing was for a probe timeout although it was sent. */
void xl_pmtu_acked(struct xl_engine *e, struct xl_conn *c, u32 bytes);
void xl_pmtu_timeout(struct xl_engine *e, struct xl_conn *c);

#endif
