/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early.h - messages out of order: those that lie whole behind a hole are found and read before the hole is filled.
 *
 * A start is known from a record that begins with a message header (flag BEGIN), and from the message before it when that
 * one's header is there. One block per connection keeps the starts; when it is full, messages simply wait for order. Each
 * message is counted as ready exactly once: here, or by the parser of the contiguous part, which takes a start over when it
 * passes it. What was read early is skipped when the reader gets there; its bytes count as consumed only then.
 */
#ifndef XL_EARLY_H
#define XL_EARLY_H

#include "core.h"

enum xl_early_state {
	XL_EARLY_START,    /* here begins one; its header is not whole */
	XL_EARLY_PARTIAL,  /* its length is known, it is not whole */
	XL_EARLY_READY,    /* whole, not read */
	XL_EARLY_OPEN,     /* being read */
	XL_EARLY_READ,
	XL_EARLY_STATES
};
struct xl_start {
	u64 offset;        /* of the message's header */
	u32 bytes;         /* its length, the header aside */
	u32 state;
};

#define XL_EARLY_MAX ((XLANE_BLOCK_BYTES - 8) / sizeof(struct xl_start))
/* A block: starts in ascending order. */
struct xl_starts {
	u32 count, pad;
	struct xl_start start[];
};
_Static_assert(sizeof(struct xl_starts) + XL_EARLY_MAX * sizeof(struct xl_start) <= XLANE_BLOCK_BYTES,
	       "the table of starts is one block");

enum xl_early_pass { XL_EARLY_UNKNOWN, XL_EARLY_COUNTED, XL_EARLY_BROKEN };

/* [start, end) has been stored behind a hole; `begin`: at `start` begins a message. False: the peer broke the protocol. */
bool xl_early_stored(struct xl_engine *e, struct xl_conn *c, u64 start, u64 end, bool begin);
/* The parser passes the message [offset, end): was it counted as ready already? */
enum xl_early_pass xl_early_pass(struct xl_engine *e, struct xl_conn *c, u64 offset, u64 end);
/* The reader stands at `offset`: the length with header of a message that was read early, whose start is forgotten; else 0. */
u64 xl_early_skip(struct xl_engine *e, struct xl_conn *c, u64 offset);
/* The first whole one not read; NULL: none. */
struct xl_start *xl_early_first(const struct xl_engine *e, const struct xl_conn *c);
/* The one being read is read. */
void xl_early_close(struct xl_engine *e, struct xl_conn *c);
/* Nothing comes any more: what is known of starts from `from` on is forgotten. False, and nothing done: the program can still
 * read a message there. */
bool xl_early_cut(struct xl_engine *e, struct xl_conn *c, u64 from);
void xl_early_drop(struct xl_engine *e, struct xl_conn *c);

#endif
