/* SPDX-License-Identifier: BSD-2-Clause */
#include "window.h"

#include "conn.h"
#include "datagram.h"
#include "grant.h"
#include "message.h"
#include "rbuf.h"

#define TABLES_LEAVE  8   /* a table without backing leaves this part of the blocks, and one least backing */
#define GROWTH_LEAVES 4   /* a window grows to this part of what is not promised */
#define SLOW_PERIODS  16  /* a window that lasts its reader so many periods is too large */

_Static_assert(2 * XLANE_RECV_WINDOW_BYTES <= XL_RBUF_SPAN_MAX, "a window's blocks have slots of their own");

/* --- books --------------------------------------------------------------------------------------- */
u32 xl_window_held(const struct xl_engine *e, const struct xl_conn *c)
{
	u32 n = c->rbuf.blocks + (c->rbuf.table != XL_NONE) + (c->holes != XL_NONE) + (c->received_table != XL_NONE) +
		(c->early != XL_NONE) + (c->datagrams != XL_NONE);

	for (const struct xl_partial *p = NULL; (p = xl_partial_next(e, c, p));)
		n += xl_partial_blocks(p->total);
	return n;
}

/* Blocks that windows may still be promised. */
static u32 left(const struct xl_engine *e)
{
	u32 free = e->cfg.blocks - e->promised - e->away, kept = (u32)xl_max(e->reserve, e->granted);

	return free - (u32)xl_min(free, kept);
}

static void promise(struct xl_engine *e, struct xl_conn *c, u32 blocks)
{
	e->promised += blocks - c->promised;
	c->promised = blocks;
}

/* Who is not backed has only tables to lose: while others wait, as soon as the ACK that is owed has gone. */
static u64 rest_period(const struct xl_engine *e, const struct xl_conn *c)
{
	return !c->backed && e->backing.count ? 2 * e->cfg.ack_delay_ns : xl_max(XL_REST_NS, 8 * (u64)c->rtt.srtt_ns);
}

static void await_rest(const struct xl_engine *e, struct xl_conn *c)
{
	if (c->rest_ns == XL_NEVER)
		c->rest_ns = e->now_ns + rest_period(e, c);
}

static void dequeue(struct xl_engine *e, struct xl_conn *c)
{
	if (c->awaits_memory)
		xl_list_remove(&e->l_backing, &e->backing, xl_conn_index(e, c));
	c->awaits_memory = false;
}

/* Bytes past `consumed` that hold something, or a part of it. */
static u32 extent(const struct xl_conn *c)
{
	return (u32)((c->kind == XLANE_KIND_DATAGRAM ? c->recv_next : c->recv_highest) - c->consumed);
}

static u32 least(const struct xl_conn *c) { return (u32)xl_max(XLANE_RECV_WINDOW_MIN_BYTES, extent(c)); }

/* --- backing ------------------------------------------------------------------------------------- */
static bool back_with(struct xl_engine *e, struct xl_conn *c, u32 bytes)
{
	if (xl_window_blocks(bytes) > c->promised + left(e))
		return false;
	c->backed = bytes;
	promise(e, c, xl_window_blocks(bytes));
	await_rest(e, c);
	return true;
}

/* The first backing goes in turn. */
static bool begin(struct xl_engine *e, struct xl_conn *c)
{
	if (!c->awaits_memory && !e->backing.count && back_with(e, c, least(c)))
		return true;
	if (!c->awaits_memory) {
		c->awaits_memory = true;
		xl_list_append(&e->l_backing, &e->backing, xl_conn_index(e, c));
	}
	xl_window_serve(e);
	return c->backed > 0;
}

/* More for who has some: twice as much if there is plenty, else what it takes. */
static bool raise(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	u64 most = c->kind == XLANE_KIND_DATAGRAM ? c->window : xl_window_limit(c) - c->consumed;
	u64 want = xl_max(bytes, xl_min(2 * (u64)c->backed, most));

	if (e->backing.count)
		return false;
	if (xl_window_blocks((u32)want) <= left(e) / 2 && back_with(e, c, (u32)want))
		return true;
	return back_with(e, c, (u32)bytes);
}

bool xl_window_back(struct xl_engine *e, struct xl_conn *c, u64 bytes)
{
	if (bytes > c->backed && !((c->backed || begin(e, c)) && (bytes <= c->backed || raise(e, c, bytes)))) {
		xl_count(e, XL_C_MEMORY_WAIT);
		return false;
	}
	c->data_ns = e->now_ns;
	return true;
}

u32 xl_window_table(struct xl_engine *e, struct xl_conn *c)
{
	if (!c->backed) {
		if (e->backing.count || left(e) <= xl_max(e->cfg.blocks / TABLES_LEAVE,
							  xl_window_blocks(XLANE_RECV_WINDOW_MIN_BYTES)))
			return XL_NONE;
		promise(e, c, c->promised + 1);
		await_rest(e, c);
	}
	return xl_block_take(e);
}

void xl_window_serve(struct xl_engine *e)
{
	while (e->backing.count) {
		struct xl_conn *c = &e->conns[e->backing.head];

		if (!back_with(e, c, least(c)))
			return;
		dequeue(e, c);
		if (c->kind != XLANE_KIND_DATAGRAM && xl_state_joined(c->state))
			c->control |= XL_CTL_CREDIT; /* the peer need not wait for its own timer */
		xl_conn_activate(e, c);
	}
	if (e->large_ages.count)
		xl_grant_serve(e);
}

/* Nothing of the peer's data is held. */
static bool empty(const struct xl_engine *e, const struct xl_conn *c)
{
	return c->consumed == c->recv_next && c->holes == XL_NONE && !xl_partial_next(e, c, NULL);
}

/* What is held can be read as it is, or waits for none of the window's memory. */
static bool whole(const struct xl_engine *e, const struct xl_conn *c)
{
	if (c->partial_due_ns != XL_NEVER || c->holes != XL_NONE)
		return false;
	if (!xl_message_kind(c) || c->message_parse >= c->recv_next)
		return true;
	/* A large message takes no memory of the window: who waits for a grant must not keep that from who has one. */
	return xl_message_at_large(e, c);
}

void xl_window_settle(struct xl_engine *e, struct xl_conn *c)
{
	u32 held;

	if (c->backed && empty(e, c))
		c->backed = 0;
	if (c->backed)
		return;
	held = xl_window_held(e, c);
	if (held == c->promised)
		return;
	promise(e, c, held);
	if (c->received_table != XL_NONE && e->backing.count && xl_state_joined(c->state)) {
		c->rest_ns = xl_min(c->rest_ns, e->now_ns + rest_period(e, c));
		xl_conn_rearm(e, c);
	}
	xl_window_serve(e);
}

void xl_window_stop(struct xl_engine *e, struct xl_conn *c)
{
	dequeue(e, c);
	c->backed = 0;
	c->rest_ns = XL_NEVER;
	xl_window_settle(e, c);
}

void xl_window_leave(struct xl_engine *e, struct xl_conn *c)
{
	dequeue(e, c);
	e->promised -= c->promised;
}

void xl_window_join(struct xl_engine *e, struct xl_conn *c)
{
	c->awaits_memory = false;
	e->promised += c->promised;
	if (c->promised)
		await_rest(e, c);
}

/* A part of a message, whose rest does not come, while others wait for its memory. */
static bool stalled(const struct xl_engine *e, const struct xl_conn *c)
{
	u64 since = xl_max(c->data_ns, e->leapt_ns);

	return e->backing.count && !c->messages_ready && c->large_in.state == XL_LARGE_NONE &&
	       e->now_ns - since >= e->cfg.peer_death_ns;
}

void xl_window_rest(struct xl_engine *e, struct xl_conn *c)
{
	u64 due = c->data_ns + rest_period(e, c);

	c->rest_ns = due > e->now_ns ? due : XL_NEVER;
	if (c->rest_ns != XL_NEVER || !c->promised)
		return;
	if (!whole(e, c)) {
		if (stalled(e, c)) {
			xl_count(e, XL_C_MEMORY_STALLED);
			xl_conn_end(e, c, XLANE_WIRE_RESOURCES, true);
			return;
		}
		await_rest(e, c);
		return;
	}
	c->window = xl_window_first(e, c->kind);
	c->backed = 0;
	if (!c->ack_pending && !c->ack_now && c->received_table != XL_NONE) {
		xl_received_newest(&c->received);
		xl_block_give(e, c->received_table);
		c->received_table = XL_NONE;
	}
	xl_datagram_forget(e, c);
	xl_window_settle(e, c);
	if (c->received_table != XL_NONE) /* it is needed for the ACK that is owed: another time */
		await_rest(e, c);
}

/* --- credit -------------------------------------------------------------------------------------- */
u32 xl_window_first(const struct xl_engine *e, u8 kind)
{
	return kind == XLANE_KIND_DATAGRAM ? e->cfg.recv_window_bytes : XLANE_RECV_WINDOW_MIN_BYTES;
}

u64 xl_window_limit(const struct xl_conn *c) { return xl_max(c->credit_given, c->consumed + c->window); }

static u64 period(const struct xl_conn *c) { return xl_max(2 * c->rtt.srtt_ns, XL_RTT_INITIAL_NS); }

static void grow(struct xl_engine *e, struct xl_conn *c)
{
	u32 want = (u32)xl_min(2 * (u64)c->window, e->cfg.recv_window_bytes);

	if (want <= c->window || e->backing.count || xl_window_blocks(want) > left(e) / GROWTH_LEAVES)
		return;
	c->window = want;
	c->grown_ns = e->now_ns;
	xl_count(e, XL_C_WINDOW_GROWN);
}

/* Each time that another window is consumed: how long did it last? */
static void size(struct xl_engine *e, struct xl_conn *c)
{
	u64 took = e->now_ns - c->pace_since_ns;

	if (c->consumed - c->pace_from < c->window)
		return;
	if (took <= period(c))
		grow(e, c);
	else if (took / SLOW_PERIODS > period(c))
		c->window = (u32)xl_max(c->window / 2, XLANE_RECV_WINDOW_MIN_BYTES);
	c->pace_from = c->consumed;
	c->pace_since_ns = e->now_ns;
}

void xl_window_consumed(struct xl_engine *e, struct xl_conn *c)
{
	if (!xl_state_receives(c->state) || c->fin_at != XL_NONE64 || c->kind == XLANE_KIND_DATAGRAM)
		return;
	size(e, c);
	if (xl_window_limit(c) - c->credit_given < c->window / 4)
		return;
	c->control |= XL_CTL_CREDIT;
	xl_conn_activate(e, c);
}

void xl_window_blocked(struct xl_engine *e, struct xl_conn *c, u64 limit)
{
	bool read = xl_message_kind(c) ? !c->messages_ready : c->consumed == c->recv_next;

	/* The grant may have been lost, too. */
	if (xl_grant_due(c) && c->large_in.ranges == XL_NONE)
		c->control |= XL_CTL_GRANT;
	if (c->kind == XLANE_KIND_DATAGRAM || !xl_state_receives(c->state))
		return;
	if (read && e->now_ns - c->grown_ns >= c->rtt.srtt_ns)
		grow(e, c);
	if (xl_window_limit(c) > c->credit_given || limit < c->credit_given)
		c->control |= XL_CTL_CREDIT;
}
