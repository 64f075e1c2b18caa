/* SPDX-License-Identifier: BSD-2-Clause */
#include "reserve.h"

#include <errno.h>
#include <stdlib.h>

#include "conn.h"
#include "outbox.h"
#include "type.h"

/* Staging memory of at most so much is kept for the next reservation; of a stream no more is staged at once. */
#define STAGE_BYTES XLANE_MESSAGE_SMALL_MAX_BYTES

void xl_reserve_free(xlane_conn *c)
{
	free(c->reserve.stage);
	c->reserve.stage = NULL;
	c->reserve.stage_bytes = 0;
}

void xl_reserve_drop(xlane_conn *c)
{
	struct xl_backend *b = c->h.x->b;

	if (!c->reserve.bytes)
		return;
	if (!c->reserve.staged)
		b->ops->commit(b, c->h.index, 0, xl_worker_clock());
	c->reserve.bytes = 0;
	if (c->reserve.stage_bytes > STAGE_BYTES)
		xl_reserve_free(c);
}

static s64 stage(xlane_conn *c, u64 bytes, void **data)
{
	struct xl_reserve *r = &c->reserve;
	struct xl_backend *b = c->h.x->b;

	if (c->type == XLANE_STREAM)
		bytes = xl_min(bytes, STAGE_BYTES);
	else if (bytes > b->ops->message_max(b, c->h.index))
		return c->open ? -EMSGSIZE : -EAGAIN; /* what the peer takes is known when it has answered */
	if (bytes > r->stage_bytes) {
		const u64 room = xl_max(bytes, STAGE_BYTES);

		xl_reserve_free(c);
		r->stage = malloc(room);
		if (!r->stage)
			return -ENOMEM;
		r->stage_bytes = room;
	}
	r->staged = true;
	*data = r->stage;
	return (s64)bytes;
}

static s64 try_reserve(xlane_conn *c, u64 bytes, void **data)
{
	struct xl_backend *b = c->h.x->b;
	s64 n = c->closed ? xl_conn_error(c) : xl_outbox_check(c, UINT64_MAX);

	if (n)
		return n;
	n = -EMSGSIZE;
	if (b->ops->reserve) {
		c->reserve.staged = false;
		n = b->ops->reserve(b, c->h.index, bytes, data);
	}
	if (n == -EMSGSIZE)
		n = stage(c, bytes, data);
	if (n > 0)
		c->reserve.bytes = (u64)n;
	return n;
}

int64_t xlane_send_reserve(xlane_conn *c, size_t bytes, void **data, int timeout_ms)
{
	xlane *x = c->h.x;
	XL_PATIENCE(p);
	s64 n = xl_guard_check(&x->guard);

	*data = NULL;
	if (n)
		return n;
	if (!bytes)
		return -EINVAL;
	if (bytes > xl_type_bytes_max(c->type))
		return c->type == XLANE_STREAM ? -EINVAL : -EMSGSIZE;
	xl_reserve_drop(c);
	p = xl_patience(timeout_ms);
	for (;;) {
		n = try_reserve(c, bytes, data);
		if (n != -EAGAIN)
			return n;
		n = xl_context_step(x, &p);
		if (n)
			return n;
	}
}

/* The staged bytes to the backend; what it does not take now stays where it is, as the outbox's. */
static s64 commit_staged(xlane_conn *c, u64 bytes, u64 now_ns)
{
	struct xl_backend *b = c->h.x->b;
	struct xl_reserve *r = &c->reserve;
	const bool large = c->type != XLANE_STREAM && bytes > b->send_whole_bytes;
	bool begun = false;
	u64 done = 0;
	s64 n;

	if (large) {
		n = b->ops->large_begin(b, c->h.index, bytes, now_ns);
		begun = !n;
		if (begun)
			n = xl_outbox_large(c, r->stage, bytes, &done, now_ns);
	} else {
		n = b->ops->send(b, c->h.index, r->stage, bytes, now_ns);
		done = n > 0 ? (u64)n : 0;
		if (n >= 0)
			n = done < bytes ? -EAGAIN : 0;
	}
	if (n && n != -EAGAIN)
		return n;
	if (n) {
		xl_outbox_put(c, large ? XL_OUTBOX_LARGE : XL_OUTBOX_SEND, r->stage, bytes, done, begun);
		r->stage = NULL;
		r->stage_bytes = 0;
	} else if (r->stage_bytes > STAGE_BYTES) {
		xl_reserve_free(c);
	}
	return (s64)bytes;
}

int64_t xlane_send_commit(xlane_conn *c, size_t bytes)
{
	xlane *x = c->h.x;
	s64 n = xl_guard_check(&x->guard);
	u64 now;

	if (n)
		return n;
	if (!c->reserve.bytes || bytes > c->reserve.bytes)
		return -EINVAL;
	if (!bytes) {
		xl_reserve_drop(c);
		return 0;
	}
	c->reserve.bytes = 0;
	now = xl_worker_clock();
	n = c->reserve.staged ? commit_staged(c, bytes, now) : x->b->ops->commit(x->b, c->h.index, bytes, now);
	if (n >= 0) {
		x->b->ops->flush(x->b, now);
		xl_context_turn(x, now);
	}
	return n;
}
