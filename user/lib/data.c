/* SPDX-License-Identifier: BSD-2-Clause */
/* data.c - sending and receiving on a connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "outbox.h"
#include "reserve.h"
#include "type.h"

/* Bytes handed to the backend go out at once: latency before batching. */
static s64 try_send(xlane_conn *c, const u8 *data, u64 bytes)
{
	xlane *x = c->h.x;
	struct xl_backend *b = x->b;
	s64 n = xl_outbox_check(c, bytes);
	u64 now;

	if (n)
		return n;
	now = xl_worker_clock();
	n = b->ops->send(b, c->h.index, data, bytes, now);
	if (n >= 0) {
		b->ops->flush(b, now);
		xl_context_turn(x, now);
	}
	return n;
}

static s64 send_small(xlane_conn *c, const u8 *data, u64 bytes, int timeout_ms)
{
	XL_PATIENCE(p);
	u64 done = 0;
	s64 n;

	p = xl_patience(timeout_ms);
	for (;;) {
		n = try_send(c, data + done, bytes - done);
		if (n >= 0) {
			done += (u64)n;
			if (done == bytes)
				return (s64)done;
		} else if (n != -EAGAIN) {
			break;
		}
		n = xl_context_step(c->h.x, &p);
		if (n)
			break;
	}
	return done ? (s64)done : n;
}

/* Until the backend knows of the message: nothing is sent yet. */
static int begin_large(xlane_conn *c, u64 bytes, struct xl_patience *p)
{
	struct xl_backend *b = c->h.x->b;
	int err;

	for (;;) {
		err = xl_outbox_check(c, bytes);
		if (!err)
			err = b->ops->large_begin(b, c->h.index, bytes, xl_worker_clock());
		if (err != -EAGAIN)
			return err;
		err = xl_context_step(c->h.x, p);
		if (err)
			return err;
	}
}

/* Out of the program's memory while it waits; from the moment that it does not, out of a copy. */
static s64 send_large(xlane_conn *c, const u8 *data, u64 bytes, int timeout_ms)
{
	xlane *x = c->h.x;
	XL_PATIENCE(p);
	u64 now, done = 0;
	u8 *copy;
	s64 err;

	/* had at once, so that it can not be missing later; untouched memory costs nothing */
	copy = malloc(bytes);
	if (!copy)
		return -ENOMEM;
	p = xl_patience(timeout_ms);
	err = begin_large(c, bytes, &p);
	if (!err)
		xl_outbox_began(c);
	while (!err) {
		now = xl_worker_clock();
		err = xl_outbox_large(c, data, bytes, &done, now);
		x->b->ops->flush(x->b, now);
		if (err != -EAGAIN)
			break;
		err = xl_context_step(x, &p);
		if (err != -EAGAIN && err != -EINTR)
			continue;
		memcpy(copy + done, data + done, bytes - done);
		xl_outbox_put(c, XL_OUTBOX_LARGE, copy, bytes, done, true);
		return (s64)bytes;
	}
	free(copy);
	return err ? err : (s64)bytes;
}

int64_t xlane_send(xlane_conn *c, const void *data, size_t bytes, int timeout_ms)
{
	s64 err = xl_guard_check(&c->h.x->guard);

	if (err)
		return err;
	if (bytes > xl_type_bytes_max(c->type))
		return c->type == XLANE_STREAM ? -EINVAL : -EMSGSIZE;
	if (!bytes && c->type == XLANE_STREAM)
		return 0;
	if (c->reserve.bytes)
		xl_reserve_drop(c);
	if (c->type != XLANE_STREAM && bytes > c->h.x->b->send_whole_bytes)
		return send_large(c, data, bytes, timeout_ms);
	return send_small(c, data, bytes, timeout_ms);
}

int64_t xlane_recv(xlane_conn *c, void *data, size_t bytes, int timeout_ms)
{
	xlane *x = c->h.x;
	XL_PATIENCE(p);
	s64 n = xl_guard_check(&x->guard);

	if (n)
		return n;
	/* nothing asked for is nothing got, not the end of the stream */
	if (!bytes && c->type == XLANE_STREAM)
		return -EINVAL;
	p = xl_patience(timeout_ms);
	for (;;) {
		u64 now = xl_worker_clock();

		n = x->b->ops->recv(x->b, c->h.index, data, bytes, now);
		if (n != -EAGAIN) {
			xl_context_turn(x, now);
			return n;
		}
		n = xl_context_step(x, &p);
		if (n)
			return n;
	}
}

/* A stream ends with 0, messages with -ENODATA. */
static s64 end_of(const xlane_conn *c, s64 n)
{
	return n == -ENODATA && c->type == XLANE_STREAM ? 0 : n;
}

int64_t xlane_recv_loan(xlane_conn *c, const void **data, int timeout_ms)
{
	xlane *x = c->h.x;
	XL_PATIENCE(p);
	const u8 *at = NULL;
	u64 left;
	s64 n = xl_guard_check(&x->guard);

	*data = NULL;
	if (n)
		return n;
	p = xl_patience(timeout_ms);
	/* before the loan, as a turn afterwards would end it */
	xl_context_turn(x, xl_worker_clock());
	for (;;) {
		n = end_of(c, x->b->ops->peek(x->b, c->h.index, &at, &left));
		if (n != -EAGAIN) {
			*data = at;
			return n;
		}
		n = xl_context_step(x, &p);
		if (n)
			return n;
	}
}

void xlane_release(xlane_conn *c, size_t bytes)
{
	xlane *x = c->h.x;
	const u8 *at;
	u64 now, left;
	s64 lent;

	if (xl_guard_check(&x->guard))
		return;
	/* no more than there is, whatever the program says */
	lent = x->b->ops->peek(x->b, c->h.index, &at, &left);
	if (lent < 0)
		return;
	now = xl_worker_clock();
	x->b->ops->consume(x->b, c->h.index, xl_min(bytes, (u64)lent), now);
	xl_context_turn(x, now);
}

int64_t xlane_readable(xlane_conn *c)
{
	struct xl_backend *b = c->h.x->b;
	int err = xl_guard_check(&c->h.x->guard);

	return err ? err : end_of(c, b->ops->readable(b, c->h.index));
}

uint64_t xlane_writable(xlane_conn *c)
{
	struct xl_backend *b = c->h.x->b;

	if (xl_guard_check(&c->h.x->guard) || c->shut || c->out.error)
		return 0;
	if (!c->out.data)
		return b->ops->writable(b, c->h.index);
	/* what may pass the large message under way */
	return c->out.begun ? xl_min(b->ops->writable(b, c->h.index), b->send_whole_bytes) : 0;
}
