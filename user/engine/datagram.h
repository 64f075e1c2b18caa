/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datagram.h - datagrams as they come: whole ones go to the reader's queue, fragments are put together first.
 *
 * The queue is the connection's receive memory: each datagram behind a message header, `recv_next` is where the next one
 * goes. It and the datagrams in reassembly share the window: what finds no room is dropped and counted. At most
 * XLANE_DATAGRAMS_PARTIAL_MAX are in reassembly, each for a limited time. A datagram is delivered once: those that are over,
 * delivered or discarded, are remembered by a bit each, XL_DATAGRAM_WINDOW ids back; what is older is dropped.
 */
#ifndef XL_DATAGRAM_H
#define XL_DATAGRAM_H

#include "../wire/record.h"
#include "core.h"
#include "cursor.h"
#include "receive.h"

#define XL_DATAGRAM_BLOCKS    (XLANE_DATAGRAM_MAX_BYTES / XLANE_BLOCK_BYTES)
#define XL_DATAGRAM_WINDOW    30720
#define XL_DATAGRAM_FRAGMENTS ((XLANE_BLOCK_BYTES - 8 - XL_DATAGRAM_BLOCKS * 4) / 8)

/* A datagram of which some fragments are here. `table`: block of fragments and data blocks. */
struct xl_partial {
	u64 id, since_ns;
	u32 total, table;                 /* table XL_NONE: not in use */
};
/* What a connection of datagrams remembers while any come: one block. */
struct xl_datagrams {
	struct xl_partial partial[XLANE_DATAGRAMS_PARTIAL_MAX];
	u8 over[XL_DATAGRAM_WINDOW / 8];  /* a bit for each id up to datagram_top that is over */
};
_Static_assert(sizeof(struct xl_datagrams) <= XLANE_BLOCK_BYTES && XL_DATAGRAM_WINDOW % 8 == 0,
	       "what is remembered of datagrams is one block");

struct xl_fragment { u32 start, end; };
/* The table of a datagram in reassembly: one block. */
struct xl_fragments {
	u32 count, got;                   /* fragments; bytes of them */
	u32 block[XL_DATAGRAM_BLOCKS];    /* all that the total needs are taken at once */
	struct xl_fragment fragment[XL_DATAGRAM_FRAGMENTS];  /* ascending, disjoint, none empty */
};
_Static_assert(sizeof(struct xl_fragments) <= XLANE_BLOCK_BYTES, "a table of fragments is one block");
_Static_assert(XL_DATAGRAM_FRAGMENTS > XLANE_DATAGRAM_MAX_BYTES / (XLANE_MTU_MIN - XLANE_OUTER_BYTES - XLANE_TAG_BYTES -
	       XLANE_DGRAM_HEAD_BYTES), "the largest datagram in the smallest packets");

/* Blocks that a datagram in reassembly holds, its table included. */
static inline u32 xl_partial_blocks(u32 total) { return (total + XLANE_BLOCK_BYTES - 1) / XLANE_BLOCK_BYTES + 1; }
static inline struct xl_datagrams *xl_datagrams_of(const struct xl_engine *e, const struct xl_conn *c)
{
	return c->datagrams == XL_NONE ? NULL : (struct xl_datagrams *)xl_block_ptr(e, c->datagrams);
}

/* The next datagram in reassembly behind `p` (NULL: the first one); NULL when there is none. */
static inline struct xl_partial *xl_partial_next(const struct xl_engine *e, const struct xl_conn *c, const struct xl_partial *p)
{
	struct xl_datagrams *d = xl_datagrams_of(e, c);

	for (u32 i = p && d ? (u32)(p - d->partial) + 1 : 0; d && i < XLANE_DATAGRAMS_PARTIAL_MAX; i++)
		if (d->partial[i].table != XL_NONE)
			return &d->partial[i];
	return NULL;
}

/* A DGRAM record; cur at its payload. */
void xl_datagram_data(struct xl_engine *e, struct xl_conn *c, const struct xl_record_dgram *r, struct xl_cursor *cur);
/* A DATA record on a connection of datagrams: there is one, the end. */
enum xl_receive_verdict xl_datagram_end(struct xl_engine *e, struct xl_conn *c, const struct xl_record_data *r);
/* Give up those that have waited too long. */
void xl_datagram_timeout(struct xl_engine *e, struct xl_conn *c);
/* Give back the memory of ids: all up to the highest that is over count as over. */
void xl_datagram_forget(struct xl_engine *e, struct xl_conn *c);
/* Give back what is in reassembly, and the memory of ids. */
void xl_datagram_drop(struct xl_engine *e, struct xl_conn *c);

#endif
