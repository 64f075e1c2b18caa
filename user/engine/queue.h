/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.h - what was never sent of a connection: DATA and DGRAM buffers, in the order in which they will be.
 *
 * Bytes of the sequence get their offsets when their buffer is first sent, so until then the order is free. Buffers of a
 * higher priority (messages in any order only; elsewhere all have 0) are before those of a lower one; every
 * XL_QUEUE_OLDEST_EVERY turns the oldest message goes first, so that none starves. A message of several buffers stays
 * together: once its first is sent, the rest go next. The end of the sequence is behind everything.
 *
 * `ranks` lists the first buffers of each priority, which know the last one of theirs. The cost of a call grows with the
 * priorities in use at the time, not with the buffers.
 *
 * Ids: the first frame's headroom, which is not used before the first transmission, holds a bit for each message that
 * begins in a DATA buffer, counted from its `seq`.
 */
#ifndef XL_QUEUE_H
#define XL_QUEUE_H

#include "core.h"

#define XL_QUEUE_IDS 2048  /* messages that begin in one buffer have ids less than this apart */
_Static_assert(XL_QUEUE_IDS / 8 <= XLANE_TX_HEADROOM_BYTES, "the ids of a buffer lie in its headroom");

/* Priority that decides about the order of what is queued now. */
static inline u8 xl_queue_priority(const struct xl_conn *c) { return c->kind == XLANE_KIND_UNORDERED ? c->priority : 0; }
/* Behind all of its priority. */
void xl_queue_append(struct xl_engine *e, struct xl_conn *c, u32 tb);
void xl_queue_remove(struct xl_engine *e, struct xl_conn *c, u32 tb);
/* `piece` goes before tb, whose priority it has. */
void xl_queue_insert(struct xl_engine *e, struct xl_conn *c, u32 piece, u32 tb);
/* How many of the first `bytes` bytes of DATA may be cut off without cutting a message's head in two. */
u32 xl_queue_cuts(const struct xl_engine *e, u32 tb, u32 bytes);
/* That is about to be done: share the messages that begin in tb, or in `piece`, which is to have those bytes. */
void xl_queue_divide(struct xl_engine *e, u32 piece, u32 tb, u32 bytes);
/* The last buffer of a priority, XL_NONE. */
u32 xl_queue_tail(const struct xl_engine *e, const struct xl_conn *c, u8 priority);
/* The buffer to be sent next, XL_NONE. */
u32 xl_queue_next(const struct xl_engine *e, const struct xl_conn *c);
/* It is sent now: a DATA buffer gets its offset. It is still in the queue. */
void xl_queue_number(struct xl_engine *e, struct xl_conn *c, u32 tb);
/* Messages of the last priority were begun and wait for their rest, while others are before them: nothing may go behind. */
bool xl_queue_begun_last(const struct xl_engine *e, const struct xl_conn *c);
/* The credit covers the buffer, were it sent now. */
static inline bool xl_queue_credited(const struct xl_conn *c, const struct xl_txbuf *t)
{
	return t->type != XL_TXBUF_DATA ||
	       (t->state == XL_TXBUF_QUEUED ? c->seq_next : t->seq) + t->seq_bytes <= c->credit_limit;
}
/* The message with this id begins in the buffer, as its last one. */
void xl_queue_mark(struct xl_engine *e, u32 tb, u64 id);
static inline bool xl_queue_takes(const struct xl_txbuf *t, u64 id) { return id - t->seq < XL_QUEUE_IDS; }
/* Drop the datagrams whose time is over. */
void xl_queue_expire(struct xl_engine *e, struct xl_conn *c);
/* The head of the next message behind the one at *at, moved to; false: none that begins in the buffer. */
bool xl_queue_message(const struct xl_engine *e, u32 tb, u32 *at, u32 *bytes, bool *large);

#endif
