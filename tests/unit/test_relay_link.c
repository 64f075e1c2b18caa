// SPDX-License-Identifier: BSD-2-Clause
#include "unit.h"
#include "../tools/relay_link.h"

static void rate_spaces_frames(void **state)
{
	struct relay_link l;
	u64 at;

	(void)state;
	/* 8 Gbit/s: a byte takes a nanosecond. */
	relay_link_init(&l, &(struct relay_link_config){ .rate_bps = 8000000000ull, .queue_bytes = 10000 }, 1);
	for (u32 i = 1; i <= 5; i++) {
		CHECK(relay_link_admit(&l, 1000, 100, &at));
		CHECK(at == 100 + 1000 * i);
	}
	CHECK(relay_link_backlog(&l, 100) == 5000);
	CHECK(relay_link_backlog(&l, 2100) == 3000);
	CHECK(relay_link_backlog(&l, 5100) == 0);
	CHECK(relay_link_admit(&l, 500, 9000, &at) && at == 9500);
}

static void full_queue_drops(void **state)
{
	struct relay_link l;
	u64 at, dropped = 0, bytes = 0;

	(void)state;
	relay_link_init(&l, &(struct relay_link_config){ .rate_bps = 8000000000ull, .queue_bytes = 10000 }, 1);
	/* Twice the rate for a millisecond: what gets through is the rate and one queue. */
	for (u64 now = 0; now < 1000000; now += 500) {
		if (relay_link_admit(&l, 1000, now, &at))
			bytes += 1000;
		else
			dropped++;
		CHECK(relay_link_backlog(&l, now) <= 10000);
	}
	CHECK(bytes >= 1000000 && bytes <= 1000000 + 10000);
	CHECK(dropped * 1000 + bytes == 2000000);
	/* A frame larger than the whole queue goes when the link is idle, and only then. */
	relay_link_init(&l, &(struct relay_link_config){ .rate_bps = 8000000000ull, .queue_bytes = 100 }, 1);
	CHECK(relay_link_admit(&l, 9000, 0, &at) && at == 9000);
	CHECK(!relay_link_admit(&l, 9000, 8000, &at));
	CHECK(relay_link_admit(&l, 9000, 9000, &at));
}

static void delay_and_jitter_keep_order(void **state)
{
	struct relay_link l;
	u64 at, before = 0, early = UINT64_MAX, late = 0;

	(void)state;
	relay_link_init(&l, &(struct relay_link_config){ .delay_ns = 1000000, .jitter_ns = 500000 }, 9);
	for (u64 now = 0; now < 10000000000ull; now += 1000000) {
		CHECK(relay_link_admit(&l, 1500, now, &at));
		CHECK(at >= before && at >= now + 1000000 && at <= now + 1500000);
		early = xl_min(early, at - now);
		late = xl_max(late, at - now);
		before = at;
	}
	CHECK(early < 1010000 && late > 1490000);
	for (u64 now = 0; now < 1000; now++) {
		CHECK(relay_link_admit(&l, 1500, 10000000000ull + now, &at) && at >= before);
		before = at;
	}
}

static void nothing_asked_nothing_done(void **state)
{
	(void)state;
	CHECK(relay_link_idle(&(struct relay_link_config){ .queue_bytes = 1 }));
	CHECK(!relay_link_idle(&(struct relay_link_config){ .rate_bps = 1 }));
	CHECK(!relay_link_idle(&(struct relay_link_config){ .delay_ns = 1 }));
	CHECK(!relay_link_idle(&(struct relay_link_config){ .jitter_ns = 1 }));
}

static void large_numbers_do_not_wrap(void **state)
{
	struct relay_link l;
	u64 at, hour = 3600 * XL_S, now = hour * 24 * 365 * 100;

	(void)state;
	relay_link_init(&l, &(struct relay_link_config){ .rate_bps = 1000, .queue_bytes = 1000000 }, 1);
	CHECK(relay_link_admit(&l, 450000, now, &at) && at == now + hour);
	CHECK(relay_link_backlog(&l, now) == 450000);
	relay_link_init(&l, &(struct relay_link_config){ .rate_bps = 1000000000000ull, .queue_bytes = 1u << 31 }, 1);
	CHECK(relay_link_admit(&l, 1000000, now, &at) && at == now + 8000);
	CHECK(relay_link_backlog(&l, now) == 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_spaces_frames), cmocka_unit_test(full_queue_drops),
		cmocka_unit_test(delay_and_jitter_keep_order), cmocka_unit_test(nothing_asked_nothing_done),
		cmocka_unit_test(large_numbers_do_not_wrap),
	};

	return RUN_TAP(tests);
}
