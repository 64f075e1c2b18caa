/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmtu.h - how large a packet may be: the least of what this side's link takes, what the peer receives (both may change while
 * connected), and what the path between them is known to let through.
 *
 * A path that swallows large packets and passes small ones (a switch or a tunnel with a smaller MTU tells nobody on this
 * layer) is noticed by what is acknowledged, as RFC 4821 and RFC 8899 do it; what is known belongs to the peer, not to one of
 * its connections. Larger packets are tried again later with packets that carry no data.
 */
#ifndef XL_PMTU_H
#define XL_PMTU_H

#include "core.h"
#include "output.h"

/* A connection's largest packet now, outer header to tag. The connection has a peer. */
u32 xl_pmtu_packet(const struct xl_engine *e, const struct xl_conn *c);
/* Bring c->max_packet up to date, its congestion control with it, and see whether the peer is to be told of a new MTU here. */
void xl_pmtu_refresh(struct xl_engine *e, struct xl_conn *c);
/* The peer says in packet `number` that it receives up to `bytes`. */
void xl_pmtu_told(struct xl_engine *e, struct xl_conn *c, u64 number, u32 bytes);
/* Buffer *tb fits a packet of today, or has been cut so that it does; *tb is the buffer to send instead. False: no frame to
 * cut it with, try again later. It is not with the driver. */
bool xl_pmtu_fit(struct xl_engine *e, struct xl_conn *c, u32 *tb);
/* A sent packet was acknowledged, or taken for lost: what does that say about its size? */
void xl_pmtu_acked(struct xl_engine *e, struct xl_conn *c, const struct xl_sent *s);
void xl_pmtu_lost(struct xl_engine *e, struct xl_conn *c, const struct xl_sent *s);
/* Another path, of which nothing is known. */
/* Another engine of this host found that c's path takes packets of `bytes` at most. Believed by who knows nothing itself. */
void xl_pmtu_adopt(struct xl_engine *e, struct xl_conn *c, u32 bytes);
void xl_pmtu_forget(struct xl_peer *p);
/* A larger packet might pass now: look soon. The caller rearms the peer. */
void xl_pmtu_hurry(struct xl_engine *e, struct xl_peer *p);
/* raise_ns has come; c: a connection of the peer that can ask, or NULL. The caller rearms the peer. */
void xl_pmtu_timeout(struct xl_engine *e, struct xl_peer *p, struct xl_conn *c);
/* The packet c->pad asks for, in frames. False: no frames, or nobody wants to know any more. c->pad is done with. */
bool xl_pmtu_build(struct xl_engine *e, struct xl_conn *c, struct xl_build *b);

#endif
