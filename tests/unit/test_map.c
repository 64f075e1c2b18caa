/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "base/map.h"

static struct xl_map map_of(u32 max, u64 secret)
{
	struct xl_map m;
	void *mem = malloc(xl_map_bytes(max));

	memset(mem, 0xa5, xl_map_bytes(max));
	xl_map_init(&m, mem, max, secret);
	return m;
}

/* Keys from a small set, values in an array indexed by key: the oracle. */
static void random_operations(u32 max, u32 keys, u64 stride, int steps, u64 seed)
{
	struct xl_prng r;
	struct xl_map m;
	u32 *value = malloc(keys * sizeof *value), count = 0;

	xl_prng_seed(&r, seed);
	m = map_of(max, xl_prng_u64(&r));
	memset(value, 0xff, keys * sizeof *value);
	for (int i = 0; i < steps; i++) {
		u32 k = (u32)xl_prng_below(&r, keys), v = (u32)xl_prng_below(&r, XL_NONE);
		u64 key = (k + 1) * stride;
		bool present = value[k] != XL_NONE;

		CHECK(xl_map_get(&m, key) == value[k]);
		if (xl_prng_chance(&r, 500000)) {
			bool put = xl_map_put(&m, key, v);

			CHECK(put == (!present && count < max));
			if (put) {
				value[k] = v;
				count++;
			}
		} else {
			CHECK(xl_map_del(&m, key) == present);
			value[k] = XL_NONE;
			count -= present;
		}
		CHECK(m.count == count && count <= max);
	}
	for (u32 k = 0; k < keys; k++)
		CHECK(xl_map_get(&m, (k + 1) * stride) == value[k]);
	free(value);
	free(m.slot);
}

static void agrees_with_an_array(void **state)
{
	(void)state;
	random_operations(1, 3, 1, 10000, 1);
	random_operations(2, 4, 1, 100000, 2);
	random_operations(64, 200, 1, 1000000, 3);
	random_operations(64, 100, 1ull << 56, 1000000, 4);          /* keys that differ in the top byte only */
	random_operations(100, 150, 1ull << 32, 1000000, 5);
	random_operations(1000, 1500, 0x9e3779b97f4a7c15ull, 1000000, 6);
}

/* Full maps of 5 in 16 slots, random homes and orders: runs that go round the table's end are among them. */
static void deletes_in_every_order(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 9);
	for (int round = 0; round < 20000; round++) {
		struct xl_map m = map_of(5, xl_prng_u64(&r));
		u64 key[5];

		for (u32 i = 0; i < 5; i++) {
			key[i] = xl_prng_u64(&r) | 1;
			CHECK(xl_map_put(&m, key[i], i));
			CHECK(!xl_map_put(&m, key[i], 99));
		}
		CHECK(!xl_map_put(&m, 2, 5));   /* full */
		for (u32 left = 5; left; left--) {
			u32 i = (u32)xl_prng_below(&r, left);

			CHECK(xl_map_del(&m, key[i]) && !xl_map_del(&m, key[i]));
			key[i] = key[left - 1];
			for (u32 k = 0; k + 1 < left; k++)
				CHECK(xl_map_get(&m, key[k]) != XL_NONE);
		}
		for (u32 s = 0; s <= m.mask; s++)
			CHECK(!m.slot[s].key);
		free(m.slot);
	}
}

/* Key patterns of real life do not pile up: probes stay short whatever the secret. */
static void spreads_structured_keys(void **state)
{
	enum { N = 4096 };

	(void)state;
	for (u64 secret = 0; secret < 8; secret++) {
		for (u32 shift = 0; shift <= 52; shift += 4) {
			struct xl_map m = map_of(N, secret * 0x123456789abcdefull);
			u32 run = 0, longest = 0;

			for (u64 k = 1; k < N; k++)
				CHECK(xl_map_put(&m, k << shift, (u32)k));
			for (u32 s = 0; s <= m.mask; s++) {
				run = m.slot[s].key ? run + 1 : 0;
				longest = run > longest ? run : longest;
			}
			CHECK(longest < 300);
			free(m.slot);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_an_array),
		cmocka_unit_test(deletes_in_every_order),
		cmocka_unit_test(spreads_structured_keys),
	};

	return RUN_TAP(tests);
}
