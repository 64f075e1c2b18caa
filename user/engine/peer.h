/* SPDX-License-Identifier: BSD-2-Clause */
/* peer.h - the other nodes: identity, path, liveness. Connections refer to a peer; keepalive and death are per peer. */
#ifndef XL_PEER_H
#define XL_PEER_H

#include "core.h"

/* The peer with this node id, or a new one on this path (node 0: not known yet). NULL: all are in use. */
struct xl_peer *xl_peer_take(struct xl_engine *e, u64 node, const struct xl_path *path);
void xl_peer_join(struct xl_engine *e, struct xl_peer *p, struct xl_conn *c);
void xl_peer_leave(struct xl_engine *e, struct xl_conn *c);
/* The answer to a call, or a call that crosses it, told who the peer is: the connection moves to that peer. False: stale
 * incarnation. A newer one has no effect before xl_peer_incarnation. */
bool xl_peer_identify(struct xl_engine *e, struct xl_conn *c, u64 node, u64 incarnation, const struct xl_path *path);
/* An incarnation of a connection that is confirmed: 0 the same or first, 1 newer (its connections were reset), -1 older. */
int xl_peer_incarnation(struct xl_engine *e, struct xl_peer *p, u64 incarnation);
/* A valid packet came from it. */
void xl_peer_heard(struct xl_engine *e, struct xl_peer *p, const struct xl_path *path, bool newest);
/* It has lost one connection: ask about all others now, a few at a time. At most once every KEEPALIVE. */
void xl_peer_sweep(struct xl_engine *e, struct xl_peer *p);
/* This side's largest packet has changed: its connections say so, a few at a time. */
void xl_peer_tell(struct xl_engine *e, struct xl_peer *p);
void xl_peer_timeout(struct xl_engine *e, struct xl_peer *p);
void xl_peer_rearm(struct xl_engine *e, struct xl_peer *p);
struct xl_peer *xl_peer_of(const struct xl_engine *e, const struct xl_conn *c);

#endif
