/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rbuf.h - receive memory: the bytes of a connection's sequence between `consumed` and the end of the credit, in blocks
 * taken when first written and given back when consumed.
 */
#ifndef XL_RBUF_H
#define XL_RBUF_H

#include "core.h"
#include "cursor.h"

#define XL_RBUF_SPAN_MAX ((XLANE_BLOCK_BYTES / 4 - 1) * (u64)XLANE_BLOCK_BYTES)

/* A block: memory for it was promised (window.h) or reserved (grant.h), so there is one. */
u32 xl_block_take(struct xl_engine *e);
void xl_block_give(struct xl_engine *e, u32 block);

void xl_rbuf_init(struct xl_rbuf *r);
/* Make sure that every block of [start, end) is there. `low`: the lowest offset still held (consumed). */
void xl_rbuf_reserve(struct xl_engine *e, struct xl_rbuf *r, u64 low, u64 start, u64 end);
/* Copy `bytes` from the cursor to `at`; the blocks must be there. */
void xl_rbuf_write(struct xl_engine *e, struct xl_rbuf *r, u64 at, struct xl_cursor *cur, u32 bytes);
/* Copy `bytes` from memory to `at`; the blocks must be there. */
void xl_rbuf_put(struct xl_engine *e, struct xl_rbuf *r, u64 at, const u8 *data, u64 bytes);
/* Copy [at, at + bytes) out. */
void xl_rbuf_read(const struct xl_engine *e, const struct xl_rbuf *r, u64 at, u8 *out, u64 bytes);
/* The contiguous piece that starts at `at`, at most `bytes` long. */
const u8 *xl_rbuf_piece(const struct xl_engine *e, const struct xl_rbuf *r, u64 at, u64 bytes, u64 *piece);
/* Give back the blocks wholly below `to`; with `all` (nothing is held above `to`) every block. */
void xl_rbuf_release(struct xl_engine *e, struct xl_rbuf *r, u64 from, u64 to, bool all);

/* Give back the blocks of [from, to) of which nothing below `from` is held. */
void xl_rbuf_cut(struct xl_engine *e, struct xl_rbuf *r, u64 from, u64 to);

#endif
