/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "context.h"
#include "type.h"

int xlane_listen(xlane *x, uint16_t port, enum xlane_type type, int backlog, xlane_listener **out)
{
	xlane_listener *l;
	int err = xl_guard_check(&x->guard);

	*out = NULL;
	if (err)
		return err;
	if (!port || backlog < 1 || !xl_type_known(type))
		return -EINVAL;
	l = (xlane_listener *)xl_handle_new(&x->handles, x, sizeof *l, &err);
	if (!l)
		return err;
	l->h.is_listener = true;
	l->type = type;
	err = x->b->ops->listen(x->b, port, xl_type_kind(type), (u32)xl_min((u64)backlog, XLANE_BACKLOG_MAX),
				xl_handle_user(&x->handles, &l->h), &l->h.index);
	if (err) {
		xl_handle_release(&x->handles, &l->h);
		return err;
	}
	*out = l;
	return 0;
}

int xlane_accept(xlane_listener *l, int timeout_ms, xlane_conn **out)
{
	xlane *x = l->h.x;
	XL_PATIENCE(p);
	xlane_conn *c;
	int err = xl_guard_check(&x->guard);

	*out = NULL;
	if (err)
		return err;
	c = (xlane_conn *)xl_handle_new(&x->handles, x, sizeof *c, &err);
	if (!c)
		return err;
	c->type = l->type;
	c->open = true;
	p = xl_patience(timeout_ms);
	for (;;) {
		err = x->b->ops->accept(x->b, l->h.index, xl_handle_user(&x->handles, &c->h), &c->h.index);
		if (err != -EAGAIN)
			break;
		err = xl_context_step(x, &p);
		if (err)
			break;
	}
	if (err) {
		xl_handle_release(&x->handles, &c->h);
		return err;
	}
	*out = c;
	return 0;
}

void xlane_listener_close(xlane_listener *l)
{
	xlane *x;
	u64 now;

	if (!l || xl_guard_check(&l->h.x->guard))
		return;
	x = l->h.x;
	now = xl_worker_clock();
	x->b->ops->unlisten(x->b, l->h.index, now);
	x->b->ops->flush(x->b, now);
	xl_handle_release(&x->handles, &l->h);
}
