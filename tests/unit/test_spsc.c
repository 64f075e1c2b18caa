/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <sched.h>

#include "unit.h"
#include "base/spsc.h"

static struct xl_spsc *ring(u32 slots)
{
	return xl_spsc_init(aligned_alloc(64, xl_spsc_bytes(slots)), slots);
}

static void agrees_with_counters(u32 slots, u32 start)
{
	struct xl_spsc *s = ring(slots);
	struct xl_prng r;
	u64 in = 0, out = 0, v[64];

	/* Indices run freely: begin just before they wrap. */
	s->head = s->tail = s->head_seen = s->tail_seen = start;
	xl_prng_seed(&r, slots);
	for (int step = 0; step < 200000; step++) {
		u32 n = (u32)xl_prng_below(&r, 41), done;

		if (xl_prng_chance(&r, 500000)) {
			for (u32 i = 0; i < n; i++)
				v[i] = in + i;
			done = xl_spsc_push(s, v, n);
			CHECK(done == xl_min(n, slots - (in - out)));
			in += done;
		} else {
			done = xl_spsc_pop(s, v, n);
			CHECK(done == xl_min(n, in - out));
			for (u32 i = 0; i < done; i++)
				CHECK(v[i] == out + i);
			out += done;
		}
		CHECK(xl_spsc_count(s) == in - out);
	}
	free(s);
}

static void one_thread(void **state)
{
	(void)state;
	for (u32 slots = 1; slots <= 64; slots *= 2) {
		agrees_with_counters(slots, 0);
		agrees_with_counters(slots, UINT32_MAX - 1000);
	}
}

enum { VALUES = 2000000 };

static void *produce(void *arg)
{
	struct xl_spsc *s = arg;
	struct xl_prng r;
	u64 v[32], next = 0;

	xl_prng_seed(&r, 1);
	while (next < VALUES) {
		u32 n = (u32)xl_min(1 + xl_prng_below(&r, 32), VALUES - next);

		for (u32 i = 0; i < n; i++)
			v[i] = (next + i) * 0x9e3779b97f4a7c15ull;
		n = xl_spsc_push(s, v, n);
		next += n;
		if (!n)
			sched_yield();
	}
	return NULL;
}

static void two_threads(void **state)
{
	struct xl_spsc *s = ring(64);
	struct xl_prng r;
	pthread_t thread;
	u64 v[32], next = 0;

	(void)state;
	xl_prng_seed(&r, 2);
	assert_int_equal(pthread_create(&thread, NULL, produce, s), 0);
	while (next < VALUES) {
		u32 there = xl_spsc_count(s), max = (u32)(1 + xl_prng_below(&r, 32)), n = xl_spsc_pop(s, v, max);

		CHECK(n >= xl_min(there, max));
		for (u32 i = 0; i < n; i++)
			CHECK(v[i] == (next + i) * 0x9e3779b97f4a7c15ull);
		next += n;
		if (!n)
			sched_yield();
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(xl_spsc_count(s), 0);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(one_thread), cmocka_unit_test(two_threads) };

	return RUN_TAP(tests);
}
