// SPDX-License-Identifier: BSD-2-Clause
#include "unit.h"
#include "../tools/relay_hold.h"

static struct relay_frame frame[RELAY_HOLD_MAX + 1];

static struct relay_frame *held(struct relay_hold *h, u32 i, u32 hold, u64 due_ns)
{
	frame[i] = (struct relay_frame){ .hold = hold, .due_ns = due_ns };
	return relay_hold_add(h, &frame[i]) ? &frame[i] : NULL;
}

static void goes_after_so_many(void **state)
{
	struct relay_hold h = { 0 };
	struct relay_queue out = { 0 };

	(void)state;
	CHECK(held(&h, 0, 3, 1000) && held(&h, 1, 1, 1000) && held(&h, 2, 3, 1000));
	relay_hold_pass(&h, &out);
	CHECK(out.count == 1 && relay_queue_pop(&out) == &frame[1] && frame[1].overtaken);
	relay_hold_pass(&h, &out);
	CHECK(out.count == 0 && h.held.count == 2);
	relay_hold_pass(&h, &out);
	CHECK(relay_queue_pop(&out) == &frame[0] && relay_queue_pop(&out) == &frame[2] && !h.held.count);
	relay_hold_pass(&h, &out);
	CHECK(out.count == 0);
}

static void goes_at_its_time(void **state)
{
	struct relay_hold h = { 0 };
	struct relay_queue out = { 0 };

	(void)state;
	CHECK(relay_hold_deadline(&h) == XL_NEVER);
	CHECK(held(&h, 0, 5, 300) && held(&h, 1, 5, 100) && held(&h, 2, 5, 200));
	CHECK(relay_hold_deadline(&h) == 100);
	relay_hold_expire(&h, 99, &out);
	CHECK(out.count == 0);
	relay_hold_expire(&h, 100, &out);
	CHECK(out.count == 1 && relay_queue_pop(&out) == &frame[1] && !frame[1].overtaken);
	relay_hold_pass(&h, &out);
	relay_hold_expire(&h, 5000, &out);
	CHECK(relay_queue_pop(&out) == &frame[0] && relay_queue_pop(&out) == &frame[2] && frame[2].overtaken);
	CHECK(relay_hold_deadline(&h) == XL_NEVER);
}

static void bounded(void **state)
{
	struct relay_hold h = { 0 };
	struct relay_queue out = { 0 };

	(void)state;
	for (u32 i = 0; i < RELAY_HOLD_MAX; i++)
		CHECK(held(&h, i, 1, 1000));
	CHECK(!held(&h, RELAY_HOLD_MAX, 1, 1000));
	relay_hold_pass(&h, &out);
	CHECK(out.count == RELAY_HOLD_MAX && h.held.count == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_after_so_many), cmocka_unit_test(goes_at_its_time), cmocka_unit_test(bounded),
	};

	return RUN_TAP(tests);
}
