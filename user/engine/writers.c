/* SPDX-License-Identifier: BSD-2-Clause */
#include "writers.h"

#include "send.h"

void xl_writers_join(struct xl_engine *e, struct xl_conn *c)
{
	if (c->is_waiting || !xl_send_could(c))
		return;
	c->is_waiting = true;
	xl_list_append(&e->l_writer, &e->writers, xl_conn_index(e, c));
}

void xl_writers_leave(struct xl_engine *e, struct xl_conn *c)
{
	if (c->is_waiting)
		xl_list_remove(&e->l_writer, &e->writers, xl_conn_index(e, c));
	c->is_waiting = false;
}

void xl_writers_wake(struct xl_engine *e)
{
	u32 budget = xl_txbuf_frames_free(e, XL_TXBUF_LARGE), before = e->writers_free, n;

	e->writers_free = budget;
	if (e->frames_freed || budget > before) /* the pool is shared: others give back, too */
		e->writers_left = e->writers.count;
	else if (e->writers_ns > e->now_ns)
		return;
	e->frames_freed = false;
	e->writers_left = (u32)xl_min(e->writers_left, e->writers.count);
	n = (u32)xl_min(e->writers_left, XL_WRITERS_AT_ONCE);
	for (; n && budget; n--, e->writers_left--) {
		struct xl_conn *c = &e->conns[e->writers.head];

		xl_writers_leave(e, c);
		xl_send_tell(e, c); /* who can not go on yet waits behind the others again */
		if (!c->is_waiting)
			budget -= (u32)xl_min(budget, xl_txbuf_frames(e, c, xl_txbuf_room(c)));
	}
	/* Without free frames the next that come back say when to go on. */
	e->writers_ns = e->writers_left && xl_txbuf_frames_free(e, XL_TXBUF_LARGE) ? e->now_ns + XL_STARVED_RETRY_NS : XL_NEVER;
}
