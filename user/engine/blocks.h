/* SPDX-License-Identifier: BSD-2-Clause */
/* blocks.h - every block of receive memory that a connection holds, wherever it is named. */
#ifndef XL_BLOCKS_H
#define XL_BLOCKS_H

#include "core.h"

/* Calls `see` for each block, a block before those that are named in it; stops, and returns false, when `see` returns false.
 * Nothing of a connection is read but what names blocks, and no block before `see` has agreed to it. */
bool xl_blocks_visit(const struct xl_engine *e, const struct xl_conn *c, bool (*see)(void *context, u32 block),
		     void *context);
/* The same, and each may be given another name, which is what is looked into then. */
bool xl_blocks_name(const struct xl_engine *e, struct xl_conn *c, bool (*see)(void *context, u32 *block), void *context);
/* Blocks that it holds out of its window's promise; those of a large message are counted there (struct xl_large_in). */
u32 xl_blocks_count(const struct xl_engine *e, const struct xl_conn *c);

#endif
