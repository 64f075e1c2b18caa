/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grant.h - who may send a large message: its receiver reserves the memory for all of it first.
 *
 * Windows leave a part of the blocks to large messages (e->reserve: one of XLANE_MESSAGE_MAX_BYTES, or a quarter of a small
 * pool), so whoever waits is served when those before it are through. Waiting messages are served the smallest first, every
 * XL_GRANT_OLDEST_EVERY-th time the one that waits longest; if that does not fit yet, the others wait for it. At most
 * XLANE_GRANTS_MAX are in reassembly at once. All operations are O(1).
 *
 * A sender that has been granted memory and does not send would keep it from all others: of a granted message
 * XL_GRANT_PACE_BYTES new bytes, or its rest, must come in each peer-death time while somebody waits, or its connection is
 * reset (RESOURCES). A message that is complete keeps its memory until the program has read it, one for each connection:
 * what a program leaves unread for ever is missing to the large messages of the others on this engine.
 */
#ifndef XL_GRANT_H
#define XL_GRANT_H

#include "core.h"

/* Blocks for a message: its bytes, the blocks of block numbers, the table of what is there. */
u32 xl_grant_blocks(u64 bytes);
/* Of a pool of `blocks` the part that windows leave alone; 0: the pool is too small for large messages. */
u32 xl_grant_reserve(u32 blocks);
/* The largest message that a reserve takes, at least XLANE_MESSAGE_SMALL_MAX_BYTES, which needs no grant. */
u32 xl_grant_message_max(u32 reserve);
/* c->large_in waits for memory from now on. */
void xl_grant_wait(struct xl_engine *e, struct xl_conn *c);
/* Off the lists of those who wait, and out of the count of those in reassembly; reserved blocks that are left go back. The
 * blocks it held are given back already, or go elsewhere with it. */
void xl_grant_leave(struct xl_engine *e, struct xl_conn *c);
/* The books of leave, the other way round, for a connection that was imported. */
void xl_grant_join(struct xl_engine *e, struct xl_conn *c);
/* `n` of its reserved blocks are not needed any more. */
void xl_grant_give(struct xl_engine *e, struct xl_conn *c, u32 n);
/* New bytes of a granted message have come. */
void xl_grant_moved(const struct xl_engine *e, struct xl_conn *c, u32 bytes);
/* The period of c's granted message is over. If others wait for memory, the connection is reset. */
void xl_grant_timeout(struct xl_engine *e, struct xl_conn *c);
/* Serve who waits, as far as there is memory. */
void xl_grant_serve(struct xl_engine *e);
/* A GRANT record has something to say. */
static inline bool xl_grant_due(const struct xl_conn *c)
{
	return c->large_in.state == XL_LARGE_GRANTED || c->large_in.state == XL_LARGE_DISCARDED;
}

#endif
