/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "engine/wheel.h"

#define TICK (1ull << XL_WHEEL_TICK_BITS)

/* The oracle: ids ordered by their time, in a plain array. */
struct sorted { u32 n, id[512]; u64 when[512]; };   /* when[] by id, XL_NEVER: not set */

static void sorted_set(struct sorted *s, u32 id, u64 when)
{
	u32 i;

	for (i = 0; i < s->n && s->id[i] != id; i++)
		;
	if (i < s->n)
		memmove(&s->id[i], &s->id[i + 1], (--s->n - i) * sizeof s->id[0]);
	s->when[id] = when;
	if (when == XL_NEVER)
		return;
	for (i = s->n++; i && s->when[s->id[i - 1]] > when; i--)
		s->id[i] = s->id[i - 1];
	s->id[i] = id;
}

static u64 sorted_first(const struct sorted *s)
{
	return s->n ? s->when[s->id[0]] : XL_NEVER;
}

struct world {
	struct xl_wheel w;
	struct sorted s;
	struct xl_prng r;
	u64 now;
	u32 ids;
	void *mem;
};

static void start(struct world *x, u32 ids, u64 now, u64 seed)
{
	*x = (struct world){ .now = now, .ids = ids, .mem = malloc(xl_wheel_bytes(ids)) };
	memset(x->mem, 0xa5, xl_wheel_bytes(ids));
	memset(x->s.when, 0xff, sizeof x->s.when);
	xl_prng_seed(&x->r, seed);
	xl_wheel_init(&x->w, x->mem, ids, now);
}

static void set(struct world *x, u32 id, u64 when)
{
	xl_wheel_set(&x->w, id, when);
	sorted_set(&x->s, id, when);
	CHECK(xl_wheel_when(&x->w, id) == when);
}

static void check_next(const struct world *x)
{
	u64 next = xl_wheel_next(&x->w), first = sorted_first(&x->s);
	u64 soon = xl_wheel_soon(&x->w);

	CHECK(next <= first);
	CHECK(soon <= next && (soon == XL_NEVER) == (next == XL_NEVER) && (soon == XL_NEVER || next - soon < 1u << XL_WHEEL_TICK_BITS));
	CHECK((next == XL_NEVER) == (first == XL_NEVER));
	if (first > x->now && first >> 16 == x->now >> 16)   /* in level 0: exact */
		CHECK(next == first);
	if (first > x->now)
		CHECK(next > x->now);                            /* nothing to do at once: no spinning */
}

/* Everything due at `now` fires, nothing else. */
static void move_to(struct world *x, u64 now)
{
	u32 id;

	x->now = xl_max(x->now, now);
	while ((id = xl_wheel_expired(&x->w, now)) != XL_NONE) {
		CHECK(id < x->ids && x->s.when[id] <= x->now);
		CHECK(xl_wheel_when(&x->w, id) == XL_NEVER);
		sorted_set(&x->s, id, XL_NEVER);
	}
	CHECK(sorted_first(&x->s) > x->now);
	CHECK(x->w.armed == x->s.n);
}

static u64 any_when(struct world *x)
{
	u64 far = any_size(&x->r);

	switch (xl_prng_below(&x->r, 8)) {
	case 0: return XL_NEVER;
	case 1: return x->now - xl_min(x->now, far >> 20);                     /* past */
	case 2: return x->now + xl_prng_below(&x->r, 3 * TICK);                /* this tick and the next */
	case 3: return (x->now / TICK + xl_prng_below(&x->r, 200)) * TICK;     /* on a tick's edge */
	case 4: return XL_NEVER - 1 - (far >> 4);
	default: return x->now > XL_NEVER - 1 - (far >> 8) ? XL_NEVER - 1 : x->now + (far >> 8);
	}
}

static void random_world(u64 seed, u32 ids, int steps)
{
	struct world x;

	start(&x, ids, seed % 4 ? any_size(&(struct xl_prng){ { seed, 1, 2, 3 } }) >> (seed % 16) : 0, seed);
	for (int i = 0; i < steps; i++) {
		u64 by = any_size(&x.r) >> (20 + xl_prng_below(&x.r, 24));

		set(&x, (u32)xl_prng_below(&x.r, ids), any_when(&x));
		check_next(&x);
		if (xl_prng_chance(&x.r, 500000))
			continue;
		switch (xl_prng_below(&x.r, 8)) {
		case 0: by = xl_prng_below(&x.r, TICK); break;
		case 1: by = any_size(&x.r) >> 12; break;                          /* up to 52 days */
		case 2: move_to(&x, x.now - xl_min(x.now, by)); continue;          /* backwards */
		case 3: by = sorted_first(&x.s) - x.now; break;                    /* exactly then */
		case 4: by = sorted_first(&x.s) - x.now - 1; break;                /* just before */
		}
		if (by < 1ull << 56 && x.now + by > x.now)
			move_to(&x, x.now + by);
		check_next(&x);
	}
	free(x.mem);
}

static void agrees_with_a_sorted_list(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 300; seed++)
		random_world(seed, (u32)(1 + seed % 200), 2000);
}

/* A loop that only ever does what next says: each timer fires at its very time, and the loop is short. */
static void next_then_expired_fires_on_time(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 200; seed++) {
		struct world x;
		u32 rounds = 0, timers;

		start(&x, 64, seed * 0x123456789abull, seed);
		for (u32 id = 0; id < 64; id++)
			set(&x, id, xl_prng_chance(&x.r, 100000) ? XL_NEVER - 1 - id :
				    x.now + (any_size(&x.r) >> (1 + xl_prng_below(&x.r, 50)) >> 2));
		timers = x.s.n;
		while (x.s.n) {
			u64 next = xl_wheel_next(&x.w), first = sorted_first(&x.s);
			u32 id;

			CHECK(++rounds < timers * (XL_WHEEL_LEVELS + 3));
			CHECK(next <= first);
			x.now = xl_max(x.now, next);
			while ((id = xl_wheel_expired(&x.w, next)) != XL_NONE) {
				CHECK(x.s.when[id] <= x.now && x.now <= xl_max(x.s.when[id], seed * 0x123456789abull));
				sorted_set(&x.s, id, XL_NEVER);
			}
		}
		CHECK(xl_wheel_next(&x.w) == XL_NEVER);
		free(x.mem);
	}
}

static void timers_of_one_tick(void **state)
{
	struct world x;

	(void)state;
	start(&x, 500, 100 * TICK + 3, 1);
	for (u32 id = 0; id < 500; id++)
		set(&x, id, 100 * TICK + 3 + id * 2);
	for (u64 now = 100 * TICK; now <= 101 * TICK; now++) {
		check_next(&x);
		move_to(&x, now);
	}
	assert_int_equal(x.s.n, 0);
	free(x.mem);
}

static void at_every_edge_of_every_level(void **state)
{
	(void)state;
	for (u32 bit = 2; bit < 64; bit++) {
		for (s64 before = -2; before <= 2; before++) {
			for (s64 after = -2; after <= 2; after++) {
				struct world x;
				u64 edge = 1ull << bit;

				start(&x, 1, edge / 2 + (u64)before, 1);
				set(&x, 0, xl_max(edge + (u64)after, x.now + 1));
				check_next(&x);
				move_to(&x, sorted_first(&x.s) - 1);
				check_next(&x);
				move_to(&x, sorted_first(&x.s));
				CHECK(!x.s.n && xl_wheel_next(&x.w) == XL_NEVER);
				free(x.mem);
			}
		}
	}
}

static void disarms_and_rearms_from_anywhere(void **state)
{
	static const u64 ahead[] = { 0, 1, TICK, 64 * TICK, 4096 * TICK, XL_S, 3600 * XL_S, 1ull << 57, 1ull << 62 };
	struct world x;

	(void)state;
	start(&x, 2, 5 * XL_S, 1);
	for (size_t i = 0; i < XL_ARRAY_SIZE(ahead); i++) {
		for (size_t k = 0; k < XL_ARRAY_SIZE(ahead); k++) {
			set(&x, 0, x.now + ahead[i]);
			set(&x, 1, x.now + ahead[i]);
			set(&x, 0, x.now + ahead[k]);
			check_next(&x);
			set(&x, 1, XL_NEVER);
			check_next(&x);
			set(&x, 0, XL_NEVER);
			set(&x, 0, XL_NEVER);
			assert_true(xl_wheel_next(&x.w) == XL_NEVER);
			assert_int_equal(xl_wheel_expired(&x.w, x.now), XL_NONE);
		}
	}
	free(x.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_sorted_list),
		cmocka_unit_test(next_then_expired_fires_on_time),
		cmocka_unit_test(timers_of_one_tick),
		cmocka_unit_test(at_every_edge_of_every_level),
		cmocka_unit_test(disarms_and_rearms_from_anywhere),
	};

	return RUN_TAP(tests);
}
