/* SPDX-License-Identifier: BSD-2-Clause */
/* cancel.c - taking a message back. */
#include <errno.h>

#include "context.h"
#include "outbox.h"

uint64_t xlane_message_id(xlane_conn *c)
{
	const struct xl_backend *b = c->h.x->b;

	if (xl_guard_check(&c->h.x->guard) || !b->ops->message_id || (c->out.data && !c->out.begun))
		return 0;
	return b->ops->message_id(b, c->h.index);
}

int xlane_cancel(xlane_conn *c, uint64_t message)
{
	struct xl_backend *b = c->h.x->b;
	int err = xl_guard_check(&c->h.x->guard);
	u64 now;

	if (err)
		return err;
	if (!b->ops->cancel)
		return -ENOTSUP;
	now = xl_worker_clock();
	err = b->ops->cancel(b, c->h.index, message, now);
	/* the rest of it, which the library was to send on */
	if (!err && c->out.data && c->out.begun && c->out.id == message)
		xl_outbox_cancel(c, now);
	return err;
}
