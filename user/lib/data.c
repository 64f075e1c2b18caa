/* SPDX-License-Identifier: BSD-2-Clause */
/* data.c - sending and receiving on a connection. */
#include <errno.h>

#include "context.h"

/* Bytes handed to the engine go to the driver at once: latency before batching. */
static s64 try_send(xlane_conn *c, const u8 *data, u64 bytes)
{
	xlane *x = c->h.x;
	u64 now = xl_worker_clock();
	s64 n = xl_conn_send(x->engine, c->h.index, data, bytes, now);

	if (n >= 0) {
		xl_worker_send(&x->worker, now);
		xl_context_turn(x, now);
	}
	return n;
}

int64_t xlane_send(xlane_conn *c, const void *data, size_t bytes, int timeout_ms)
{
	xlane *x = c->h.x;
	XL_PATIENCE(p);
	u64 done = 0;
	s64 n = xl_guard_check(&x->guard);

	if (n)
		return n;
	if (bytes > INT64_MAX || (!bytes && c->type == XLANE_STREAM))
		return bytes ? -EINVAL : 0;
	p = xl_patience(timeout_ms);
	for (;;) {
		n = try_send(c, (const u8 *)data + done, bytes - done);
		if (n >= 0) {
			done += (u64)n;
			if (done == bytes)
				return (s64)done;
		} else if (n != -EAGAIN) {
			break;
		}
		n = xl_context_step(x, &p);
		if (n)
			break;
	}
	return done ? (s64)done : n;
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

		n = xl_conn_recv(x->engine, c->h.index, data, bytes, now);
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
		n = end_of(c, xl_conn_peek(x->engine, c->h.index, &at, &left));
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
	lent = xl_conn_peek(x->engine, c->h.index, &at, &left);
	if (lent < 0)
		return;
	now = xl_worker_clock();
	xl_conn_consume(x->engine, c->h.index, xl_min(bytes, (u64)lent), now);
	xl_context_turn(x, now);
}

int64_t xlane_readable(xlane_conn *c)
{
	int err = xl_guard_check(&c->h.x->guard);

	return err ? err : end_of(c, xl_conn_readable(c->h.x->engine, c->h.index));
}

uint64_t xlane_writable(xlane_conn *c)
{
	return xl_guard_check(&c->h.x->guard) ? 0 : xl_conn_writable(c->h.x->engine, c->h.index);
}
