/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "unit.h"
#include "engine/ranges.h"

#define UNITS 128

/* The oracle: a byte map, at an offset that puts the numbers anywhere in 64 bits. */
struct world { struct xl_ranges *s; u64 base; bool there[UNITS]; u32 units; };

static struct xl_ranges *ranges(u32 cap)
{
	struct xl_ranges *s = malloc(sizeof *s + cap * sizeof s->r[0]);

	xl_ranges_init(s, cap);
	return s;
}

static u32 runs(const bool *there, u32 units)
{
	u32 n = 0;

	for (u32 i = 0; i < units; i++)
		n += there[i] && (!i || !there[i - 1]);
	return n;
}

static void check_same(const struct world *x)
{
	u32 n = 0;

	for (u32 i = 0; i < x->units; i++) {
		u32 from = i;

		if (!x->there[i])
			continue;
		while (i < x->units && x->there[i])
			i++;
		CHECK(n < x->s->count && x->s->r[n].start == x->base + from && x->s->r[n].end == x->base + i);
		n++;
	}
	CHECK(n == x->s->count && n <= x->s->cap);
}

static void check_questions(const struct world *x, u32 from, u32 end)
{
	u64 start = 1, stop = 2;
	u32 a = from, b;
	bool found;

	while (a < end && x->there[a])
		a++;
	for (b = a; b < end && !x->there[b]; b++)
		;
	found = xl_ranges_gap(x->s, x->base + from, x->base + end, &start, &stop);
	CHECK(found == (a < end));
	CHECK(!found || (start == x->base + a && stop == x->base + b));
	CHECK(xl_ranges_covers(x->s, x->base + from, x->base + end) == (a == end));
}

static void add(struct world *x, u32 start, u32 end)
{
	bool after[UNITS];
	int result;

	memcpy(after, x->there, sizeof after);
	memset(after + start, true, end - start);
	result = xl_ranges_add(x->s, x->base + start, x->base + end);
	if (runs(after, x->units) > x->s->cap) {
		CHECK(result == -ENOSPC);
	} else {
		CHECK(result == 0);
		memcpy(x->there, after, sizeof after);
	}
	check_same(x);
}

/* Every sequence of up to 5 fragments out of all 21 of 6 units, with every bound on the ranges: all orders and all
 * overlaps. Depth first, so that each prefix is checked once. */
static u64 exhaust(struct world *x, u32 depth)
{
	struct world before = *x;
	u64 saved[1 + 3 * 2];
	size_t bytes = sizeof *x->s + x->s->cap * sizeof x->s->r[0];
	u64 n = 0;

	if (!depth)
		return 1;
	memcpy(saved, x->s, bytes);
	for (u32 start = 0; start < 6; start++) {
		for (u32 end = start + 1; end <= 6; end++) {
			add(x, start, end);
			n += exhaust(x, depth - 1);
			memcpy(x->s, saved, bytes);
			*x = before;
		}
	}
	return n;
}

static void all_orders_of_five_fragments(void **state)
{
	(void)state;
	for (u32 cap = 1; cap <= 3; cap++) {
		struct world x = { .s = ranges(cap), .base = UINT64_MAX - 6, .units = 6 };

		assert_true(exhaust(&x, cap == 3 ? 5 : 4) == (cap == 3 ? 4084101 : 194481));
		free(x.s);
	}
}

/* Every set of 10 units, every question about it. */
static void all_questions(void **state)
{
	(void)state;
	for (u32 set = 0; set < 1024; set++) {
		struct world x = { .s = ranges(5), .base = set * 1000003ull, .units = 10 };

		for (u32 i = 0; i < 10; i++)
			if (set >> i & 1)
				add(&x, i, i + 1);
		for (u32 from = 0; from <= 10; from++)
			for (u32 end = from; end <= 10; end++)
				check_questions(&x, from, end);
		for (u32 at = 0; at <= 10; at++) {
			struct xl_ranges *s = ranges(5);
			u32 end = at;
			u64 got;

			memcpy(s, x.s, sizeof *s + 5 * sizeof s->r[0]);
			got = xl_ranges_prefix(s, x.base + at);
			if (x.s->count && x.s->r[0].start <= x.base + at) {
				end = (u32)xl_max(at, x.s->r[0].end - x.base);
				CHECK(s->count == x.s->count - 1);
				CHECK(!memcmp(s->r, x.s->r + 1, s->count * sizeof s->r[0]));
			} else {
				CHECK(s->count == x.s->count);
			}
			CHECK(got == x.base + end);
			free(s);
		}
		free(x.s);
	}
}

static void random_sets(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 1);
	for (int round = 0; round < 300; round++) {
		struct world x = { .units = UNITS, .base = any_size(&r) / 2 };
		u32 longest = (u32)(1 + xl_prng_below(&r, 20));

		x.s = ranges((u32)(1 + xl_prng_below(&r, 40)));
		for (int step = 0; step < 300; step++) {
			u32 start = (u32)xl_prng_below(&r, UNITS);
			u32 end = (u32)xl_min(UNITS, start + 1 + xl_prng_below(&r, longest));

			add(&x, start, end);
			start = (u32)xl_prng_below(&r, UNITS + 1);
			check_questions(&x, start, start + (u32)xl_prng_below(&r, UNITS - start + 1));
		}
		free(x.s);
	}
}

/* As a receiver uses it: fragments in any order, some twice, the prefix eats the set, until all is there. */
static void prefix_eats_everything(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 2);
	for (int round = 0; round < 2000; round++) {
		u64 base = any_size(&r) / 2, at = base;
		struct world x = { .s = ranges(20), .base = base, .units = UNITS };

		while (at < base + UNITS) {
			u32 start = (u32)xl_prng_below(&r, UNITS), done;
			u32 end = (u32)xl_min(UNITS, start + 1 + xl_prng_below(&r, 12));
			u64 from = xl_max(base + start, at);

			if (from >= base + end)
				continue;
			if (xl_ranges_add(x.s, from, base + end) == 0)
				memset(x.there + (from - base), true, base + end - from);
			at = xl_ranges_prefix(x.s, at);
			for (done = 0; done < UNITS && x.there[done]; done++)
				;
			CHECK(at == base + done);
			CHECK(!x.s->count || x.s->r[0].start > at);
		}
		CHECK(!x.s->count);
		free(x.s);
	}
}

static void fits_a_block(void **state)
{
	struct xl_ranges *s = malloc(XLANE_BLOCK_BYTES);

	(void)state;
	xl_ranges_init(s, XLANE_HOLES_MAX);
	for (u32 i = 0; i < XLANE_HOLES_MAX; i++)
		assert_int_equal(xl_ranges_add(s, 10 * (XLANE_HOLES_MAX - i), 10 * (XLANE_HOLES_MAX - i) + 5), 0);
	assert_int_equal(xl_ranges_add(s, 1, 2), -ENOSPC);
	assert_int_equal(xl_ranges_add(s, 0, 10 * XLANE_HOLES_MAX + 5), 0);
	assert_int_equal(s->count, 1);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_orders_of_five_fragments),
		cmocka_unit_test(all_questions),
		cmocka_unit_test(random_sets),
		cmocka_unit_test(prefix_eats_everything),
		cmocka_unit_test(fits_a_block),
	};

	return RUN_TAP(tests);
}
