/* SPDX-License-Identifier: BSD-2-Clause */
/* settings.c - what a program may change about a connection. */
#include <errno.h>

#include "conn.h"
#include "flow.h"
#include "send.h"

#define STALL_MS_MAX (86400ull * 1000) /* a day */

/* A connection's choice, as the algorithms are numbered. */
static enum xl_cc_algorithm algorithm(const struct xl_engine *e, u64 choice)
{
	_Static_assert((int)XL_CONGESTION_DELAY == (int)XL_CC_DELAY + 1 && (int)XL_CONGESTION_CUBIC == (int)XL_CC_CUBIC + 1 &&
		       (int)XL_CONGESTION_NEWRENO == (int)XL_CC_NEWRENO + 1, "choices are the algorithms");
	if (choice == XL_CONGESTION_DEFAULT)
		choice = e->cfg.congestion;
	return choice == XL_CONGESTION_DEFAULT ? XL_CC_DEFAULT : (enum xl_cc_algorithm)(choice - 1);
}

int xl_conn_set(struct xl_engine *e, u32 conn, enum xl_conn_option option, u64 value)
{
	struct xl_conn *c = xl_conn_at(e, conn);

	switch (option) {
	case XL_CONN_SEND_BUFFER:
		if (value < XLANE_MESSAGE_SMALL_MAX_BYTES || value > e->cfg.send_buffer_bytes)
			return -EINVAL;
		c->send_buffer = (u32)value;
		xl_send_tell(e, c);
		return 0;
	case XL_CONN_PRIORITY:
		if (value > UINT8_MAX)
			return -EINVAL;
		c->priority = (u8)value;
		return 0;
	case XL_CONN_STALL_MS:
		if (value > STALL_MS_MAX)
			return -EINVAL;
		c->stall_ms = (u32)value;
		return 0;
	case XL_CONN_DEADLINE_US:
		if (value > XL_EXPIRE_NS_MAX / XL_US || c->kind != XLANE_KIND_DATAGRAM)
			return -EINVAL;
		c->deadline_ns = value * XL_US;
		return 0;
	case XL_CONN_CONGESTION:
		if (value > XL_CONGESTION_NEWRENO)
			return -EINVAL;
		c->congestion = algorithm(e, value);
		if (xl_flow_of(e, c))
			xl_cc_switch(&xl_flow_of(e, c)->cc, c->congestion);
		xl_conn_activate(e, c);
		return 0;
	case XL_CONN_OPTIONS:
		break;
	}
	return -EINVAL;
}

u64 xl_conn_get(const struct xl_engine *e, u32 conn, enum xl_conn_option option)
{
	const struct xl_conn *c = xl_conn_at(e, conn);

	switch (option) {
	case XL_CONN_SEND_BUFFER:
		return c->send_buffer;
	case XL_CONN_PRIORITY:
		return c->priority;
	case XL_CONN_STALL_MS:
		return c->stall_ms;
	case XL_CONN_DEADLINE_US:
		return c->deadline_ns / XL_US;
	case XL_CONN_CONGESTION:
		return (u64)c->congestion + 1;
	case XL_CONN_OPTIONS:
		break;
	}
	return 0;
}

void xl_conn_set_user(struct xl_engine *e, u32 conn, u64 user)
{
	struct xl_conn *c = xl_conn_at(e, conn);
	u32 bits = xl_state_joined(c->state) ? XL_EVENT_OPEN : 0;

	XL_ASSERT(c->owned);
	c->user = user;
	if (xl_conn_readable(e, conn) != -EAGAIN)
		bits |= XL_EVENT_READABLE;
	if (xl_conn_writable(e, conn) || xl_send_large_room(e, c) || c->state == XL_STATE_DEAD)
		bits |= XL_EVENT_WRITABLE;
	if (c->state == XL_STATE_DEAD || c->ended_gracefully) {
		bits |= XL_EVENT_CLOSED;
		c->closed_told = false;
	}
	xl_conn_notify(e, c, bits);
}
