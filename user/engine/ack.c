/* SPDX-License-Identifier: BSD-2-Clause */
#include "ack.h"

#include "conn.h"
#include "rbuf.h"
#include "window.h"

struct xl_ack_range *xl_ack_table(struct xl_engine *e, const struct xl_conn *c)
{
	return c->received_table == XL_NONE ? NULL : (struct xl_ack_range *)xl_block_ptr(e, c->received_table);
}

bool xl_ack_seen(struct xl_engine *e, const struct xl_conn *c, u64 number)
{
	enum xl_received_verdict v = xl_received_look(&c->received, xl_ack_table(e, c), number);

	if (number < c->peer_first || v == XL_RECEIVED_OLD)
		xl_count(e, XL_C_OLD_PACKET);
	else if (v == XL_RECEIVED_DUPLICATE)
		xl_count(e, XL_C_DUPLICATE_PACKET);
	else
		return false;
	return true;
}

/* A table is there only while there are gaps. */
static void give_table(struct xl_engine *e, struct xl_conn *c)
{
	if (c->received_table == XL_NONE || !xl_received_single(&c->received))
		return;
	xl_block_give(e, c->received_table);
	c->received_table = XL_NONE;
	xl_window_settle(e, c);
}

void xl_ack_remember(struct xl_engine *e, struct xl_conn *c, u64 number)
{
	if (xl_received_add(&c->received, xl_ack_table(e, c), number) == XL_RECEIVED_NEED_TABLE) {
		c->received_table = xl_window_table(e, c);
		if (c->received_table == XL_NONE) { /* no memory: the newest alone is remembered */
			xl_count(e, XL_C_NUMBERS_FORGOTTEN);
			xl_received_restart(&c->received, number);
			return;
		}
		xl_received_add(&c->received, xl_ack_table(e, c), number);
	}
	give_table(e, c);
}

/* How many packets share an ACK: twice as many as before when they came in less than half of the time that it may be held
 * back, since then so many more come in the whole of it. */
static void pace(const struct xl_engine *e, struct xl_conn *c)
{
	if (c->ack_due_ns >= e->now_ns + e->cfg.ack_delay_ns / 2)
		c->ack_every = (u8)xl_min(2 * c->ack_every, XL_ACK_EVERY_MAX);
}

void xl_ack_owe(struct xl_engine *e, struct xl_conn *c, bool in_order)
{
	if (!c->ack_pending++)
		c->ack_due_ns = e->now_ns + e->cfg.ack_delay_ns;
	if (!in_order) {
		c->ack_every = XL_ACK_EVERY;
		c->ack_now = true;
	} else if (c->ack_pending >= c->ack_every) {
		pace(e, c);
		c->ack_now = true;
	}
	if (c->state == XL_STATE_LINGER)
		c->linger_until_ns = e->now_ns + xl_conn_linger(e, c);
}

void xl_ack_timeout(struct xl_engine *e, struct xl_conn *c)
{
	if (c->ack_pending)
		c->ack_every = XL_ACK_EVERY;
	c->ack_due_ns = XL_NEVER;
	c->ack_now = true;
	xl_conn_activate(e, c);
}

void xl_ack_sent(struct xl_conn *c, u64 number, bool eliciting)
{
	bool known = c->told_number == XL_NONE64 || (c->largest_acked != XL_NONE64 && c->told_number <= c->largest_acked);

	c->ack_pending = 0;
	c->ack_now = false;
	c->ack_due_ns = XL_NEVER;
	if (!eliciting || !known)
		return;
	c->told_number = number;
	c->told_largest = c->received.newest.last;
}

/* A packet that is late may still count: what is forgotten is what the peer has known for a round trip already. */
void xl_ack_arrived(struct xl_engine *e, struct xl_conn *c)
{
	xl_received_forget(&c->received, xl_ack_table(e, c), c->told_before);
	give_table(e, c);
	c->told_before = c->told_largest;
	c->told_number = XL_NONE64;
}
