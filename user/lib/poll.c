/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "context.h"

static int collect(xlane *x, struct xlane_event *events, int max)
{
	struct xl_handle *h;
	u32 bits;
	int n = 0;

	while (n < max && (h = xl_handle_next_ready(&x->handles, &bits))) {
		events[n++] = (struct xlane_event){
			.ready = bits,
			.conn = h->is_listener ? NULL : (xlane_conn *)h,
			.listener = h->is_listener ? (xlane_listener *)h : NULL,
		};
	}
	return n;
}

int xlane_poll(xlane *x, struct xlane_event *events, int max, int timeout_ms)
{
	XL_PATIENCE(p);
	int n = xl_guard_check(&x->guard);

	if (n)
		return n;
	if (max < 1)
		return -EINVAL;
	/* News that is there already is given at once, but not so that a busy program never turns the worker. */
	xl_context_turn(x, xl_worker_clock());
	p = xl_patience(timeout_ms);
	for (;;) {
		x->events_told = x->events;
		n = collect(x, events, max);
		if (n)
			return n;
		n = xl_context_step(x, &p);
		if (n)
			return n == -EAGAIN ? 0 : n;
	}
}
