/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window.h - how far the peer may send (credit), and for how much of that there is memory (backing).
 *
 * Credit costs nothing: `window` bytes past what the program has consumed. Memory is promised when data comes: `backed`
 * bytes past `consumed`, with the tables that they can come to need. What lies within is never dropped for want of memory;
 * what lies past it raises the backing first, or is not taken and not acknowledged (MEMORY_WAIT): the sender sends it again.
 * A connection that holds nothing has no promise but for its tables, each of one block.
 *
 * Who can not be backed waits, first come first served, and nobody else is backed before it; when its promise is made, the
 * peer is told by a CREDIT that it may send again at once. The smallest backing takes a whole small message, so a
 * connection that was backed gets to something that its program can read, and two that are half received never wait for each
 * other. Where nothing came for a while (XL_REST_NS), a connection keeps only the blocks of what is whole and unread; a peer
 * that leaves a message in the middle is reset after the peer-death time if others wait (RESOURCES).
 *
 * The window begins small and doubles while the program consumes a whole one within two round trips, as long as there is
 * plenty of memory (dynamic right-sizing: W. Feng et al., 2001); it is halved for a reader that takes much longer, and small
 * again after a rest. Credit already given stands.
 */
#ifndef XL_WINDOW_H
#define XL_WINDOW_H

#include "core.h"

/* Blocks that `bytes` of a sequence can come to need: at any alignment, index table, table of holes, table of received
 * numbers, table of early messages or of datagrams that are over. */
static inline u32 xl_window_blocks(u32 bytes) { return bytes / XLANE_BLOCK_BYTES + XLANE_WINDOW_TABLE_BLOCKS; }
/* Blocks that c holds, those of a large message aside. */
u32 xl_window_held(const struct xl_engine *e, const struct xl_conn *c);
/* The window of a new connection: the credit that the handshake tells. */
u32 xl_window_first(const struct xl_engine *e, u8 kind);
/* There is memory for `bytes` bytes past `consumed`, promised now if need be. False, counted: there is none; c waits. */
bool xl_window_back(struct xl_engine *e, struct xl_conn *c, u64 bytes);
/* A block for a table of c. XL_NONE: c is not backed, and memory is short. */
u32 xl_window_table(struct xl_engine *e, struct xl_conn *c);
/* c may hold less than before: what it does not need any more goes to others. */
void xl_window_settle(struct xl_engine *e, struct xl_conn *c);
/* The credit limit to be told to the peer; never less than before. */
u64 xl_window_limit(const struct xl_conn *c);
/* The program has consumed: the window is sized by its pace, and credit given in steps of a quarter. */
void xl_window_consumed(struct xl_engine *e, struct xl_conn *c);
/* The peer stands at `limit` and has more. */
void xl_window_blocked(struct xl_engine *e, struct xl_conn *c, u64 limit);
/* c->rest_ns is over. */
void xl_window_rest(struct xl_engine *e, struct xl_conn *c);
/* Nothing will come any more: off the list of those who wait, and only what is held stays promised. */
void xl_window_stop(struct xl_engine *e, struct xl_conn *c);
/* Out of the books: c is freed, or goes elsewhere with its blocks. And into them, when it was imported. */
void xl_window_leave(struct xl_engine *e, struct xl_conn *c);
void xl_window_join(struct xl_engine *e, struct xl_conn *c);
/* Memory has become free: those who wait for it are served. */
void xl_window_serve(struct xl_engine *e);

#endif
