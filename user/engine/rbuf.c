/* SPDX-License-Identifier: BSD-2-Clause */
#include "rbuf.h"

#define TABLE_SLOTS (XLANE_BLOCK_BYTES / 4)

u32 xl_block_take(struct xl_engine *e)
{
	u32 block;

	XL_ASSERT(e->nblock_free > 0);
	block = e->block_free[--e->nblock_free];
	e->block_state[block] = XL_BLOCK_TAKEN;
	return block;
}

void xl_block_give(struct xl_engine *e, u32 block)
{
	XL_ASSERT(block < e->cfg.blocks && e->block_state[block] == XL_BLOCK_TAKEN);
	e->block_state[block] = XL_BLOCK_FREE;
	e->block_free[e->nblock_free++] = block;
}

void xl_rbuf_init(struct xl_rbuf *r)
{
	*r = (struct xl_rbuf){ .table = XL_NONE };
	for (u32 i = 0; i < XL_RBUF_INLINE; i++)
		r->slot[i] = XL_NONE;
}

static u32 *slot_of(const struct xl_engine *e, const struct xl_rbuf *r, u64 n)
{
	if (r->table == XL_NONE)
		return (u32 *)&r->slot[n % XL_RBUF_INLINE];
	return (u32 *)xl_block_ptr(e, r->table) + n % TABLE_SLOTS;
}

/* The span from the lowest held block has outgrown the inline slots. */
static void grow(struct xl_engine *e, struct xl_rbuf *r, u64 low)
{
	u32 block = xl_block_take(e);
	u32 *slots = (u32 *)xl_block_ptr(e, block);

	memset(slots, 0xff, XLANE_BLOCK_BYTES);
	for (u64 n = low; n < low + XL_RBUF_INLINE; n++)
		slots[n % TABLE_SLOTS] = r->slot[n % XL_RBUF_INLINE];
	r->table = block;
}

void xl_rbuf_reserve(struct xl_engine *e, struct xl_rbuf *r, u64 low, u64 start, u64 end)
{
	u64 first = low / XLANE_BLOCK_BYTES, last = (end - 1) / XLANE_BLOCK_BYTES;

	XL_ASSERT(start >= low && end > start && last - first < TABLE_SLOTS);
	if (r->table == XL_NONE && last - first >= XL_RBUF_INLINE)
		grow(e, r, first);
	for (u64 n = start / XLANE_BLOCK_BYTES; n <= last; n++) {
		u32 *slot = slot_of(e, r, n);

		if (*slot != XL_NONE)
			continue;
		*slot = xl_block_take(e);
		r->blocks++;
	}
}

static void give_slot(struct xl_engine *e, struct xl_rbuf *r, u32 *slot)
{
	if (*slot == XL_NONE)
		return;
	xl_block_give(e, *slot);
	*slot = XL_NONE;
	r->blocks--;
}

void xl_rbuf_write(struct xl_engine *e, struct xl_rbuf *r, u64 at, struct xl_cursor *cur, u32 bytes)
{
	while (bytes) {
		u32 off = at % XLANE_BLOCK_BYTES;
		u32 len = (u32)xl_min(bytes, XLANE_BLOCK_BYTES - off);
		u32 block = *slot_of(e, r, at / XLANE_BLOCK_BYTES);

		XL_ASSERT(block != XL_NONE);
		xl_cursor_copy(cur, xl_block_ptr(e, block) + off, len);
		at += len;
		bytes -= len;
	}
}

void xl_rbuf_put(struct xl_engine *e, struct xl_rbuf *r, u64 at, const u8 *data, u64 bytes)
{
	while (bytes) {
		u32 off = at % XLANE_BLOCK_BYTES;
		u32 len = (u32)xl_min(bytes, XLANE_BLOCK_BYTES - off);
		u32 block = *slot_of(e, r, at / XLANE_BLOCK_BYTES);

		XL_ASSERT(block != XL_NONE);
		memcpy(xl_block_ptr(e, block) + off, data, len);
		at += len;
		data += len;
		bytes -= len;
	}
}

const u8 *xl_rbuf_piece(const struct xl_engine *e, const struct xl_rbuf *r, u64 at, u64 bytes, u64 *piece)
{
	u32 off = at % XLANE_BLOCK_BYTES;
	u32 block = *slot_of(e, r, at / XLANE_BLOCK_BYTES);

	XL_ASSERT(block != XL_NONE);
	*piece = xl_min(bytes, XLANE_BLOCK_BYTES - off);
	return xl_block_ptr(e, block) + off;
}

void xl_rbuf_read(const struct xl_engine *e, const struct xl_rbuf *r, u64 at, u8 *out, u64 bytes)
{
	u64 len;

	for (; bytes; bytes -= len, at += len, out += len) {
		const u8 *p = xl_rbuf_piece(e, r, at, bytes, &len);

		memcpy(out, p, len);
	}
}

static void give_all(struct xl_engine *e, struct xl_rbuf *r)
{
	u32 slots = r->table == XL_NONE ? XL_RBUF_INLINE : TABLE_SLOTS;

	for (u32 i = 0; i < slots && r->blocks; i++)
		give_slot(e, r, slot_of(e, r, i));
	if (r->table != XL_NONE)
		xl_block_give(e, r->table);
	xl_rbuf_init(r);
}

void xl_rbuf_release(struct xl_engine *e, struct xl_rbuf *r, u64 from, u64 to, bool all)
{
	u64 n = from / XLANE_BLOCK_BYTES, end = to / XLANE_BLOCK_BYTES;

	for (; n < end; n++)
		give_slot(e, r, slot_of(e, r, n));
	if (!all)
		return;
	give_slot(e, r, slot_of(e, r, end));
	give_all(e, r);
}

void xl_rbuf_cut(struct xl_engine *e, struct xl_rbuf *r, u64 from, u64 to)
{
	for (u64 n = (from + XLANE_BLOCK_BYTES - 1) / XLANE_BLOCK_BYTES; n * XLANE_BLOCK_BYTES < to; n++)
		give_slot(e, r, slot_of(e, r, n));
}
