/* SPDX-License-Identifier: BSD-2-Clause */
/* handover.c - a connection goes from one process to another. */
#include <errno.h>
#include <string.h>

#include "conn.h"
#include "reserve.h"

int xlane_conn_give(xlane_conn *c, struct xlane_token *out)
{
	struct xl_backend *b = c->h.x->b;
	int err = xl_guard_check(&c->h.x->guard);

	memset(out, 0, sizeof *out);
	if (err)
		return err;
	if (!b->ops->give)
		return -ENOTSUP;
	if (c->closed)
		return xl_conn_error(c);
	if (!c->open)
		return -ENOTCONN;
	if (c->out.error)
		return c->out.error;
	if (c->out.data) {
		c->refused = true;
		return -EAGAIN;
	}
	xl_reserve_drop(c);
	err = b->ops->give(b, c->h.index, out->bytes);
	if (err) {
		memset(out, 0, sizeof *out);
		return err;
	}
	xl_conn_release(c);
	return 0;
}

int xlane_conn_take(xlane *x, const struct xlane_token *token, xlane_conn **out)
{
	struct xl_backend *b = x->b;
	xlane_conn *c;
	u8 kind = 0;
	int err = xl_guard_check(&x->guard);

	*out = NULL;
	if (err)
		return err;
	if (!b->ops->take)
		return -ENOTSUP;
	c = (xlane_conn *)xl_handle_new(&x->handles, x, sizeof *c, &err);
	if (!c)
		return err;
	c->open = true;
	err = b->ops->take(b, token->bytes, xl_handle_user(&x->handles, &c->h), &kind, &c->h.index);
	if (err) {
		xl_handle_release(&x->handles, &c->h);
		return err;
	}
	c->type = (enum xlane_type)kind;
	*out = c;
	return 0;
}
