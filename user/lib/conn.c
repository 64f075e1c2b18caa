/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "conn.h"
#include "outbox.h"
#include "reserve.h"
#include "type.h"

int xl_conn_error(const xlane_conn *c)
{
	struct xl_backend *b = c->h.x->b;
	int err = b->ops->error(b, c->h.index);

	return err ? err : -EPIPE;
}

void xl_conn_release(xlane_conn *c)
{
	xl_outbox_clear(c);
	xl_reserve_free(c);
	xl_handle_release(&c->h.x->handles, &c->h);
}

void xl_conn_drop(xlane_conn *c, u64 now_ns)
{
	xlane *x = c->h.x;

	xl_reserve_drop(c);
	x->b->ops->abort(x->b, c->h.index, now_ns);
	x->b->ops->flush(x->b, now_ns);
	xl_conn_release(c);
}

void xl_conn_finish(xlane_conn *c, u64 now_ns)
{
	xlane *x = c->h.x;

	if (c->out.error) {
		xl_conn_drop(c, now_ns);
		return;
	}
	x->b->ops->close(x->b, c->h.index, now_ns);
	x->b->ops->flush(x->b, now_ns);
	xl_conn_release(c);
}

/* Until the handshake is over. */
static int wait_open(xlane_conn *c, struct xl_patience *p)
{
	while (!c->open && !c->closed) {
		int err = xl_context_step(c->h.x, p);

		if (err)
			return err == -EAGAIN ? -ETIMEDOUT : err;
	}
	if (!c->open) {
		int err = c->h.x->b->ops->error(c->h.x->b, c->h.index);

		return err ? err : -ECONNRESET;
	}
	xl_handle_forget(&c->h.x->handles, &c->h, XLANE_READY_OPEN);
	return 0;
}

int xlane_connect(xlane *x, const struct xlane_address *to, enum xlane_type type, int timeout_ms, xlane_conn **out)
{
	struct xl_backend *b = x->b;
	XL_PATIENCE(p);
	xlane_conn *c;
	u64 now;
	int err = xl_guard_check(&x->guard);

	*out = NULL;
	if (err)
		return err;
	if (!to->port || to->mac[0] & 1 || !xl_type_known(type) || !memcmp(to->mac, b->mac, 6))
		return -EINVAL;
	c = (xlane_conn *)xl_handle_new(&x->handles, x, sizeof *c, &err);
	if (!c)
		return err;
	c->type = type;
	p = xl_patience(timeout_ms);
	now = xl_worker_clock();
	err = b->ops->connect(b, to->mac, to->port, xl_type_kind(type), xl_handle_user(&x->handles, &c->h), now,
			      &c->h.index);
	if (err) {
		xl_handle_release(&x->handles, &c->h);
		return err;
	}
	b->ops->flush(b, now);
	if (timeout_ms)
		err = wait_open(c, &p);
	if (err) {
		xlane_conn_abort(c);
		return err;
	}
	*out = c;
	return 0;
}

/* After what is in the outbox. */
static int shut(xlane_conn *c)
{
	struct xl_backend *b = c->h.x->b;
	u64 now;
	int err;

	if (c->out.error)
		return c->out.error;
	xl_reserve_drop(c);
	if (c->out.data) {
		c->shut = true;
		return 0;
	}
	now = xl_worker_clock();
	err = b->ops->shutdown(b, c->h.index, now);
	b->ops->flush(b, now);
	c->shut |= !err;
	return err;
}

int xlane_shutdown(xlane_conn *c)
{
	int err = xl_guard_check(&c->h.x->guard);

	return err ? err : shut(c);
}

/* What the peer still sends is dropped, so that its end comes through. */
static void discard(xlane_conn *c)
{
	struct xl_backend *b = c->h.x->b;
	const u8 *data;
	u64 left;
	s64 n;

	for (;;) {
		n = b->ops->peek(b, c->h.index, &data, &left);
		if (n < 0 || (n == 0 && c->type == XLANE_STREAM))
			return;
		b->ops->consume(b, c->h.index, (u64)n, xl_worker_clock());
	}
}

void xl_conn_orphan_event(xlane_conn *c, u32 bits)
{
	if (bits & XL_EVENT_CLOSED)
		xl_conn_finish(c, xl_worker_clock());
	else if (bits & XL_EVENT_READABLE)
		discard(c);
}

int xlane_conn_close(xlane_conn *c, int timeout_ms)
{
	XL_PATIENCE(p);
	xlane *x = c->h.x;
	int err = xl_guard_check(&x->guard);

	if (err)
		return err;
	p = xl_patience(timeout_ms);
	shut(c);
	while (!c->closed && !c->out.error && !err) {
		discard(c);
		err = xl_context_step(x, &p);
	}
	if (c->out.error)
		err = c->out.error;
	else if (c->closed)
		err = c->out.data ? xl_conn_error(c) : x->b->ops->error(x->b, c->h.index);
	else if (err == -EAGAIN)
		err = -ETIMEDOUT;
	if (c->out.data && !c->closed) {
		/* news of it is nobody's any more */
		c->orphan = true;
		xl_handle_forget(&x->handles, &c->h, ~0u);
	} else {
		xl_conn_finish(c, xl_worker_clock());
	}
	return err;
}

void xlane_conn_abort(xlane_conn *c)
{
	if (c && !xl_guard_check(&c->h.x->guard))
		xl_conn_drop(c, xl_worker_clock());
}

void xlane_conn_set_user(xlane_conn *c, void *user)
{
	c->user = user;
}

void *xlane_conn_user(const xlane_conn *c)
{
	return c->user;
}

xlane *xlane_conn_context(const xlane_conn *c)
{
	return c->h.x;
}

enum xlane_type xlane_conn_type(const xlane_conn *c)
{
	return c->type;
}

void xlane_conn_peer(const xlane_conn *c, struct xlane_address *out)
{
	struct xl_backend *b = c->h.x->b;

	memset(out, 0, sizeof *out);
	if (!xl_guard_check(&c->h.x->guard))
		b->ops->peer(b, c->h.index, out->mac, &out->port);
}

static bool option_known(enum xlane_option option)
{
	_Static_assert((int)XLANE_OPTION_SEND_BUFFER == (int)XL_CONN_SEND_BUFFER + 1 &&
		       (int)XLANE_OPTION_PRIORITY == (int)XL_CONN_PRIORITY + 1 &&
		       (int)XLANE_OPTION_STALL_MS == (int)XL_CONN_STALL_MS + 1 &&
		       (int)XLANE_OPTION_CONGESTION == (int)XL_CONN_CONGESTION + 1 &&
		       (int)XLANE_OPTION_DEADLINE_US == (int)XL_CONN_DEADLINE_US + 1 &&
		       (int)XLANE_CONGESTION_DELAY == (int)XL_CONGESTION_DELAY &&
		       (int)XLANE_CONGESTION_CUBIC == (int)XL_CONGESTION_CUBIC &&
		       (int)XLANE_CONGESTION_NEWRENO == (int)XL_CONGESTION_NEWRENO, "options are the engine's");
	return (int)option >= XLANE_OPTION_SEND_BUFFER && (int)option <= XLANE_OPTION_DEADLINE_US;
}

int xlane_conn_set(xlane_conn *c, enum xlane_option option, uint64_t value)
{
	struct xl_backend *b = c->h.x->b;
	int err = xl_guard_check(&c->h.x->guard);

	if (err)
		return err;
	if (!option_known(option))
		return -EINVAL;
	return b->ops->set(b, c->h.index, (enum xl_conn_option)(option - 1), value);
}

int xlane_conn_get(xlane_conn *c, enum xlane_option option, uint64_t *value)
{
	struct xl_backend *b = c->h.x->b;
	int err = xl_guard_check(&c->h.x->guard);

	*value = 0;
	if (err)
		return err;
	if (!option_known(option))
		return -EINVAL;
	return b->ops->get(b, c->h.index, (enum xl_conn_option)(option - 1), value);
}
