/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "engine/received.h"

#define PACKETS 4096

/* The oracle: a flag for each packet, and below `floor` nothing is known any more. */
struct world {
	struct xl_received r;
	struct xl_ack_range *table;   /* NULL while there is no need of one, as a frugal caller does it */
	bool there[PACKETS];
	u64 base;
	u32 floor;
};

static u32 runs(const struct world *x)
{
	u32 n = 0;

	for (u32 i = x->floor; i < PACKETS; i++)
		n += x->there[i] && (i == x->floor || !x->there[i - 1]);
	return n;
}

static enum xl_received_verdict oracle(struct world *x, u32 i)
{
	u32 lowest = x->floor;

	if (i < x->floor)
		return XL_RECEIVED_OLD;
	if (x->there[i])
		return XL_RECEIVED_DUPLICATE;
	x->there[i] = true;
	if (runs(x) <= XLANE_ACK_RANGES_KEPT)
		return XL_RECEIVED_NEW;
	while (!x->there[lowest])
		lowest++;
	if (lowest == i) {              /* would be forgotten at once */
		x->there[i] = false;
		return XL_RECEIVED_OLD;
	}
	while (x->there[lowest])
		lowest++;
	while (!x->there[lowest])
		lowest++;
	x->floor = lowest;
	return XL_RECEIVED_NEW;
}

static enum xl_received_verdict real(struct world *x, u64 number)
{
	struct xl_received before = x->r;
	enum xl_received_verdict v = xl_received_add(&x->r, x->table, number);

	if (v == XL_RECEIVED_NEED_TABLE) {
		CHECK(!x->table && before.count == x->r.count && before.any == x->r.any);
		CHECK(before.floor == x->r.floor && !memcmp(&before.newest, &x->r.newest, sizeof before.newest));
		x->table = malloc(XL_RECEIVED_TABLE * sizeof *x->table);
		v = xl_received_add(&x->r, x->table, number);
		CHECK(v != XL_RECEIVED_NEED_TABLE);
	}
	if (xl_received_single(&x->r)) {
		free(x->table);
		x->table = NULL;
	}
	return v;
}

static void check_ack(const struct world *x, u32 max)
{
	struct xl_ack ack = { .ack_delay_ns = 7 };
	u32 n = 0, want = (u32)xl_min(max, XLANE_ACK_RANGES_SENT);

	xl_received_ack(&x->r, x->table, max, &ack);
	for (u32 i = PACKETS; i > x->floor && n < want; i--) {
		u32 last = i - 1;

		if (!x->there[last])
			continue;
		while (i > x->floor && x->there[i - 1])
			i--;
		CHECK(n < ack.count && ack.range[n].last == x->base + last && ack.range[n].first == x->base + i);
		n++;
		i++;
	}
	CHECK(ack.count == n && ack.ack_delay_ns == 7);
}

static void add(struct world *x, u32 i)
{
	enum xl_received_verdict want = oracle(x, i);

	CHECK(real(x, x->base + i) == want);
	CHECK(x->r.count == runs(x));
}

static void end(struct world *x)
{
	free(x->table);
}

/* Packets in order but for loss, duplication and reordering, all of them of many strengths. */
static void one_flow(u64 seed)
{
	struct world x = { .base = 0 };
	struct xl_prng r;
	u32 loss, again, late, reach;

	xl_prng_seed(&r, seed);
	x.base = seed % 3 ? any_size(&r) / 2 : UINT64_MAX - PACKETS + 1;
	loss = (u32)xl_prng_below(&r, 4) * 150000;
	again = (u32)xl_prng_below(&r, 3) * 200000;
	late = (u32)xl_prng_below(&r, 3) * 200000;
	reach = (u32)(1 + xl_prng_below(&r, 500));
	xl_received_init(&x.r);
	check_ack(&x, 16);
	for (u32 i = 0; i < PACKETS; i++) {
		u32 number = i;

		if (xl_prng_chance(&r, loss))
			continue;
		if (xl_prng_chance(&r, late))
			number = i - (u32)xl_prng_below(&r, xl_min(i + 1, reach));
		add(&x, number);
		if (xl_prng_chance(&r, again))
			add(&x, (u32)xl_prng_below(&r, i + 1));
		if (i % 32 == 0)
			check_ack(&x, (u32)xl_prng_below(&r, XLANE_ACK_RANGES_SENT + 3));
	}
	end(&x);
}

static void flows(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 60; seed++)
		one_flow(seed);
}

/* All numbers in a random order, then all again: nothing is NEW twice. */
static void shuffled(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 40; seed++) {
		u32 n = seed % 2 ? 100 : 1000, order[1000];
		struct world x = { .base = seed };
		struct xl_prng r;

		xl_prng_seed(&r, seed);
		xl_received_init(&x.r);
		for (u32 i = 0; i < n; i++) {
			u32 k = (u32)xl_prng_below(&r, i + 1);

			order[i] = order[k];
			order[k] = i;
		}
		for (u32 i = 0; i < 2 * n; i++)
			add(&x, order[i % n]);
		if (n == 100)   /* never more than 50 ranges: nothing was forgotten */
			CHECK(x.r.count == 1 && !x.r.floor && !x.table);
		check_ack(&x, 16);
		end(&x);
	}
}

static void hostile_patterns(void **state)
{
	struct world up = { .base = 0 }, down = { .base = 0 };

	(void)state;
	for (u32 i = 0; i < PACKETS; i += 2) {
		add(&up, i);
		add(&down, PACKETS - 1 - i);
		check_ack(&up, 16);
	}
	assert_int_equal(up.r.count, XLANE_ACK_RANGES_KEPT);
	assert_int_equal(down.r.count, XLANE_ACK_RANGES_KEPT);
	for (u32 i = 1; i < PACKETS; i += 2) {
		add(&up, i);
		add(&down, PACKETS - 1 - i);
	}
	for (u32 i = 0; i < PACKETS; i++) {
		add(&up, i);
		add(&down, i);
	}
	end(&up);
	end(&down);
}

static void ends_of_the_number_space(void **state)
{
	struct world x = { .base = 0 };

	(void)state;
	assert_int_equal(real(&x, UINT64_MAX), XL_RECEIVED_NEW);
	assert_int_equal(real(&x, UINT64_MAX), XL_RECEIVED_DUPLICATE);
	assert_int_equal(real(&x, 0), XL_RECEIVED_NEW);
	assert_int_equal(real(&x, 0), XL_RECEIVED_DUPLICATE);
	assert_int_equal(x.r.count, 2);
	assert_int_equal(real(&x, UINT64_MAX - 1), XL_RECEIVED_NEW);
	assert_int_equal(real(&x, 1), XL_RECEIVED_NEW);
	assert_int_equal(x.r.count, 2);
	assert_true(x.table[0].first == 0 && x.table[0].last == 1);
	end(&x);
}

/* Whole ranges go, from the old end, never the newest; what is below the last one kept is never new again. */
static void what_is_forgotten(void **state)
{
	struct world x = { .base = 0 };

	(void)state;
	for (u64 n = 0; n < 100; n += 10)
		assert_int_equal(real(&x, n), XL_RECEIVED_NEW);
	xl_received_forget(&x.r, x.table, 0);
	assert_true(x.r.count == 10 && x.r.floor == 0);
	assert_int_equal(real(&x, 5), XL_RECEIVED_NEW);
	xl_received_forget(&x.r, x.table, 30);
	assert_true(x.r.count == 7 && x.r.floor == 30);
	for (u64 n = 0; n < 30; n++)
		assert_int_equal(real(&x, n), XL_RECEIVED_OLD);
	assert_int_equal(real(&x, 30), XL_RECEIVED_DUPLICATE);
	assert_int_equal(real(&x, 35), XL_RECEIVED_NEW);
	xl_received_forget(&x.r, x.table, 1000);
	assert_true(x.r.count == 1 && x.r.floor == 90 && x.r.newest.first == 90);
	assert_int_equal(real(&x, 89), XL_RECEIVED_OLD);
	assert_int_equal(real(&x, 91), XL_RECEIVED_NEW);
	end(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows),
		cmocka_unit_test(shuffled),
		cmocka_unit_test(hostile_patterns),
		cmocka_unit_test(ends_of_the_number_space),
		cmocka_unit_test(what_is_forgotten),
	};

	return RUN_TAP(tests);
}
