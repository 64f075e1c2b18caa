/* SPDX-License-Identifier: BSD-2-Clause */
#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"

int xl_outbox_check_held(xlane_conn *c, u64 bytes)
{
	const struct xl_outbox *o = &c->out;

	if (o->error)
		return o->error;
	if (c->shut)
		return -EPIPE;
	/* a small message may pass a large one that the backend knows of: the order is kept there */
	if (!o->data || (o->begun && bytes <= c->h.x->b->send_whole_bytes))
		return 0;
	c->refused = true;
	return -EAGAIN;
}

void xl_outbox_put(xlane_conn *c, enum xl_outbox_way way, u8 *data, u64 bytes, u64 done, bool begun)
{
	struct xl_outbox *o = &c->out;

	o->data = data;
	o->bytes = bytes;
	o->done = done;
	o->way = way;
	o->begun = begun;
	TAILQ_INSERT_TAIL(&c->h.x->outboxes, c, out.link);
}

void xl_outbox_clear(xlane_conn *c)
{
	struct xl_outbox *o = &c->out;

	if (!o->data)
		return;
	TAILQ_REMOVE(&c->h.x->outboxes, c, out.link);
	free(o->data);
	o->data = NULL;
	o->begun = false;
}

int xl_outbox_large(xlane_conn *c, const u8 *data, u64 bytes, u64 *done, u64 now_ns)
{
	struct xl_backend *b = c->h.x->b;

	while (*done < bytes) {
		s64 n = b->ops->large_more(b, c->h.index, data + *done, bytes - *done, now_ns);

		if (n < 0)
			return (int)n;
		*done += (u64)n;
	}
	return 0;
}

/* 0: all of it is gone, -EAGAIN, or an error. */
static int send_rest(xlane_conn *c, u64 now_ns)
{
	struct xl_backend *b = c->h.x->b;
	struct xl_outbox *o = &c->out;

	if (o->way == XL_OUTBOX_LARGE) {
		int err = o->begun ? 0 : b->ops->large_begin(b, c->h.index, o->bytes, now_ns);

		if (err)
			return err;
		o->begun = true;
		xl_outbox_began(c);
		return xl_outbox_large(c, o->data, o->bytes, &o->done, now_ns);
	}
	do {
		s64 n = b->ops->send(b, c->h.index, o->data + o->done, o->bytes - o->done, now_ns);

		if (n < 0)
			return (int)n;
		o->done += (u64)n;
	} while (o->done < o->bytes);
	return 0;
}

/* What waited for the outbox to be empty. */
static void emptied(xlane_conn *c, u64 now_ns)
{
	struct xl_backend *b = c->h.x->b;

	if (c->orphan) {
		xl_conn_finish(c, now_ns);
		return;
	}
	if (c->shut && !c->out.error)
		b->ops->shutdown(b, c->h.index, now_ns);
	if (c->refused)
		xl_handle_notify(&c->h.x->handles, &c->h, XLANE_READY_WRITE);
	c->refused = false;
}

u32 xl_outbox_pump(xlane *x)
{
	xlane_conn *c = TAILQ_FIRST(&x->outboxes), *next;
	u32 went = 0;
	u64 now;

	if (!c)
		return 0;
	now = xl_worker_clock();
	for (; c; c = next) {
		const u64 done = c->out.done;
		const bool begun = c->out.begun;
		int err = send_rest(c, now);

		next = TAILQ_NEXT(c, out.link);
		went += c->out.done != done || c->out.begun != begun;
		if (err == -EAGAIN)
			continue;
		c->out.error = err;
		xl_outbox_clear(c);
		/* a program may sleep until there is news */
		x->events++;
		emptied(c, now);
	}
	if (went)
		x->b->ops->flush(x->b, now);
	return went;
}

void xl_outbox_began(xlane_conn *c)
{
	const struct xl_backend *b = c->h.x->b;

	c->out.id = b->ops->message_id ? b->ops->message_id(b, c->h.index) : 0;
}

void xl_outbox_cancel(xlane_conn *c, u64 now_ns)
{
	xl_outbox_clear(c);
	emptied(c, now_ns);
}

bool xl_outbox_take_room(xlane_conn *c)
{
	if (c->out.data && !c->refused)
		return false;
	c->refused = false;
	return true;
}
