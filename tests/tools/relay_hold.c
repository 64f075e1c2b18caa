// SPDX-License-Identifier: BSD-2-Clause
/* relay_hold.c - frames held back. Few at a time, so every operation walks all of them. */
#include "relay_hold.h"

bool relay_hold_add(struct relay_hold *h, struct relay_frame *f)
{
	if (h->held.count >= RELAY_HOLD_MAX)
		return false;
	f->overtaken = false;
	relay_queue_push(&h->held, f);
	return true;
}

/* Move those with nothing left to wait for at now_ns to `out`. */
static void let_go(struct relay_hold *h, u64 now_ns, struct relay_queue *out)
{
	for (u32 n = h->held.count; n; n--) {
		struct relay_frame *f = relay_queue_pop(&h->held);

		relay_queue_push(f->hold == 0 || f->due_ns <= now_ns ? out : &h->held, f);
	}
}

void relay_hold_pass(struct relay_hold *h, struct relay_queue *out)
{
	bool any = false;

	for (struct relay_frame *f = h->held.first; f; f = f->next) {
		f->overtaken = true;
		any |= --f->hold == 0;
	}
	if (any)
		let_go(h, 0, out);
}

void relay_hold_expire(struct relay_hold *h, u64 now_ns, struct relay_queue *out)
{
	if (relay_hold_deadline(h) <= now_ns)
		let_go(h, now_ns, out);
}

u64 relay_hold_deadline(const struct relay_hold *h)
{
	u64 earliest = XL_NEVER;

	for (const struct relay_frame *f = h->held.first; f; f = f->next)
		earliest = xl_min(earliest, f->due_ns);
	return earliest;
}
