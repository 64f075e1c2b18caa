/* SPDX-License-Identifier: BSD-2-Clause */
#include "grant.h"

#include "conn.h"

#define SLOTS (XLANE_BLOCK_BYTES / 4) /* block numbers in one index block */

_Static_assert(XLANE_BLOCKS_DEFAULT / 4 + XLANE_BLOCKS_DEFAULT / 64 > XLANE_MESSAGE_MAX_BYTES / XLANE_BLOCK_BYTES +
	       XL_LARGE_INDEX_MAX, "the reserve of the default pool takes the largest message");
_Static_assert((u64)XL_LARGE_INDEX_MAX * SLOTS * XLANE_BLOCK_BYTES >= XLANE_MESSAGE_MAX_BYTES,
	       "the largest message's blocks are named by its index blocks");

u32 xl_grant_blocks(u64 bytes)
{
	u32 data = (u32)((bytes + XLANE_BLOCK_BYTES - 1) / XLANE_BLOCK_BYTES);

	return data + (data + SLOTS - 1) / SLOTS + 1;
}

u32 xl_grant_reserve(u32 blocks)
{
	/* A quarter and a little: of the default pool that is the largest message with its tables. */
	u32 reserve = (u32)xl_min(blocks / 4 + blocks / 64, xl_grant_blocks(XLANE_MESSAGE_MAX_BYTES));

	return reserve > xl_grant_blocks(XLANE_MESSAGE_SMALL_MAX_BYTES) ? reserve : 0;
}

u32 xl_grant_message_max(u32 reserve)
{
	u32 data = reserve ? reserve - 1 - (reserve - 1 + SLOTS) / (SLOTS + 1) : 0;

	return (u32)xl_max(XLANE_MESSAGE_SMALL_MAX_BYTES, xl_min((u64)data * XLANE_BLOCK_BYTES, XLANE_MESSAGE_MAX_BYTES));
}

static u32 class_of(const struct xl_conn *c)
{
	return (c->large_in.bytes - 1) / (XLANE_MESSAGE_MAX_BYTES / XL_GRANT_CLASSES);
}

static void enlist(struct xl_engine *e, struct xl_conn *c)
{
	u32 class = class_of(c);

	e->grant_classes |= 1ull << class;
	xl_list_append(&e->l_large_class, &e->large_classes[class], xl_conn_index(e, c));
	xl_list_append(&e->l_large_age, &e->large_ages, xl_conn_index(e, c));
}

static void delist(struct xl_engine *e, struct xl_conn *c)
{
	u32 class = class_of(c);

	xl_list_remove(&e->l_large_class, &e->large_classes[class], xl_conn_index(e, c));
	xl_list_remove(&e->l_large_age, &e->large_ages, xl_conn_index(e, c));
	if (!e->large_classes[class].count)
		e->grant_classes &= ~(1ull << class);
}

/* Blocks that large messages may still reserve: half of what windows have not been promised, the reserve in any case. */
static u32 memory(const struct xl_engine *e)
{
	u32 free = e->cfg.blocks - e->promised - e->away, most = (u32)xl_min(free, xl_max(e->reserve, free / 2));

	return most - (u32)xl_min(most, e->granted);
}

static struct xl_conn *next_waiting(struct xl_engine *e)
{
	if (!e->grant_classes)
		return NULL;
	if (e->grants_given == XL_GRANT_OLDEST_EVERY - 1)
		return &e->conns[e->large_ages.head];
	return &e->conns[e->large_classes[__builtin_ctzll(e->grant_classes)].head];
}

static void begin_period(const struct xl_engine *e, struct xl_conn *c)
{
	c->large_in.moved = 0;
	c->large_in.due_ns = e->now_ns + e->cfg.peer_death_ns;
}

void xl_grant_moved(const struct xl_engine *e, struct xl_conn *c, u32 bytes)
{
	c->large_in.moved += bytes;
	if (c->large_in.moved >= XL_GRANT_PACE_BYTES)
		begin_period(e, c);
}

void xl_grant_timeout(struct xl_engine *e, struct xl_conn *c)
{
	u64 began_ns = c->large_in.due_ns - e->cfg.peer_death_ns;

	bool wanted = e->large_ages.count || (e->backing.count && (c->promised || e->granted > e->reserve));

	/* Who stood still itself, and did not see what came, starts anew. */
	if (!wanted || e->leapt_ns >= began_ns) {
		begin_period(e, c);
		return;
	}
	xl_count(e, XL_C_GRANT_STALLED);
	xl_conn_end(e, c, XLANE_WIRE_RESOURCES, true);
}

void xl_grant_serve(struct xl_engine *e)
{
	struct xl_conn *c;

	while (e->grants < XLANE_GRANTS_MAX && (c = next_waiting(e))) {
		u32 need = xl_grant_blocks(c->large_in.bytes);

		if (need > memory(e))
			return;
		delist(e, c);
		e->granted += need;
		e->grants++;
		e->grants_given = (e->grants_given + 1) % XL_GRANT_OLDEST_EVERY;
		c->large_in.reserved = need;
		c->large_in.state = XL_LARGE_GRANTED;
		begin_period(e, c);
		c->control |= XL_CTL_GRANT;
		xl_conn_activate(e, c);
	}
}

void xl_grant_wait(struct xl_engine *e, struct xl_conn *c)
{
	c->large_in.state = XL_LARGE_WAITING;
	enlist(e, c);
	xl_grant_serve(e);
	if (c->large_in.state == XL_LARGE_WAITING)
		xl_count(e, XL_C_GRANT_WAITS);
}

void xl_grant_leave(struct xl_engine *e, struct xl_conn *c)
{
	if (c->large_in.state == XL_LARGE_WAITING)
		delist(e, c);
	e->grants -= c->large_in.state == XL_LARGE_GRANTED;
	e->granted -= c->large_in.reserved;
}

void xl_grant_join(struct xl_engine *e, struct xl_conn *c)
{
	if (c->large_in.state == XL_LARGE_WAITING)
		enlist(e, c);
	e->grants += c->large_in.state == XL_LARGE_GRANTED;
	e->granted += c->large_in.reserved;
}

void xl_grant_give(struct xl_engine *e, struct xl_conn *c, u32 n)
{
	XL_ASSERT(n <= c->large_in.reserved);
	c->large_in.reserved -= n;
	e->granted -= n;
}
