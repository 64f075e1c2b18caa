/* SPDX-License-Identifier: BSD-2-Clause */
#include "blocks.h"

#include "datagram.h"

#define SLOTS (XLANE_BLOCK_BYTES / 4)

struct visit {
	bool (*see)(void *context, u32 *block);
	void *context;
};

static bool one(const struct visit *v, u32 *block)
{
	return *block == XL_NONE || v->see(v->context, block);
}

static bool many(const struct visit *v, u32 *block, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (!one(v, &block[i]))
			return false;
	return true;
}

/* A block, and those that are named in its first `n` words behind `skip` bytes. */
static bool table(const struct xl_engine *e, const struct visit *v, u32 *block, u32 skip, u32 n)
{
	if (*block == XL_NONE)
		return true;
	return one(v, block) && many(v, (u32 *)(xl_block_ptr(e, *block) + skip), n);
}

bool xl_blocks_name(const struct xl_engine *e, struct xl_conn *c, bool (*see)(void *context, u32 *block), void *context)
{
	const struct visit v = { see, context };
	u32 *const single[] = { &c->holes, &c->received_table, &c->early, &c->datagrams, &c->large_in.ranges };

	for (u32 i = 0; i < XL_ARRAY_SIZE(single); i++)
		if (!one(&v, single[i]))
			return false;
	if (c->rbuf.table == XL_NONE ? !many(&v, c->rbuf.slot, XL_RBUF_INLINE) : !table(e, &v, &c->rbuf.table, 0, SLOTS))
		return false;
	for (struct xl_partial *p = NULL; (p = xl_partial_next(e, c, p));)
		if (!table(e, &v, &p->table, offsetof(struct xl_fragments, block), XL_DATAGRAM_BLOCKS))
			return false;
	for (u32 i = 0; i < XL_LARGE_INDEX_MAX; i++)
		if (!table(e, &v, &c->large_in.index[i], 0, SLOTS))
			return false;
	return true;
}

struct look {
	bool (*see)(void *context, u32 block);
	void *context;
};

static bool look(void *context, u32 *block)
{
	const struct look *l = context;

	return l->see(l->context, *block);
}

bool xl_blocks_visit(const struct xl_engine *e, const struct xl_conn *c, bool (*see)(void *context, u32 block),
		     void *context)
{
	return xl_blocks_name(e, (struct xl_conn *)c, look, &(struct look){ see, context }); /* which changes nothing */
}

static bool count(void *context, u32 block)
{
	(void)block;
	++*(u32 *)context;
	return true;
}

u32 xl_blocks_count(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 n = 0;

	xl_blocks_visit(e, c, count, &n);
	return n - c->large_in.held;
}
