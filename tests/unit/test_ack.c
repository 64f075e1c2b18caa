/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/endian.h"
#include "unit.h"
#include "wire/ack.h"

#define BYTES_MAX (XLANE_ACK_HEAD_BYTES + (XLANE_ACK_RANGES_SENT - 1) * XLANE_ACK_RANGE_BYTES)

/* Up to the full number of ranges, with gaps and runs of any size that the wire can carry, from `largest` down. */
static struct xl_ack any(struct xl_prng *r, u64 largest)
{
	struct xl_ack a = { .ack_delay_ns = (u32)any_size(r), .host_delay_ns = (u32)any_size(r) };
	u32 want = (u32)(1 + xl_prng_below(r, XLANE_ACK_RANGES_SENT));
	u64 last = largest;

	while (a.count < want) {
		u64 run = xl_min((u32)any_size(r), last), gap;

		a.range[a.count++] = (struct xl_ack_range){ last - run, last };
		gap = 1 + xl_prng_u64(r) % 3 + (u32)any_size(r) / 2;
		if (last - run < gap + 1)
			break;
		last = last - run - gap - 1;
	}
	return a;
}

static void round_trip_and_truncation(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 1);
	for (int i = 0; i < 10000; i++) {
		struct xl_ack in = any(&r, i % 4 ? any_size(&r) : UINT64_MAX), out;
		u8 b[BYTES_MAX], *p;
		u32 size = xl_ack_emit(b, &in);

		CHECK(size == xl_ack_bytes(in.count) && size <= BYTES_MAX);
		CHECK(b[0] == XLANE_RECORD_ACK && !b[1] && xl_get16(b + 2) == size - 4);
		CHECK(xl_ack_parse(b + 4, size - 4, &out));
		CHECK(in.ack_delay_ns == out.ack_delay_ns && in.host_delay_ns == out.host_delay_ns);
		CHECK(in.count == out.count && !memcmp(in.range, out.range, in.count * sizeof in.range[0]));
		for (u32 len = 0; len < size - 4; len++) {
			bool whole = len >= 20 && (len - 20) % 8 == 0;

			p = exact_copy(b + 4, len);
			CHECK(xl_ack_parse(p, len, &out) == whole);
			CHECK(!whole || out.count == (len - 20) / 8 + 1);
			free(p);
		}
	}
}

static void body(u8 *b, u64 largest, u32 run)
{
	memset(b, 0, BYTES_MAX + 8);
	xl_put64(b, largest);
	xl_put32(b + 16, run);
}

static void pair(u8 *b, u32 i, u32 gap, u32 run)
{
	xl_put32(b + 20 + 8 * i, gap);
	xl_put32(b + 24 + 8 * i, run);
}

static void illegal_ranges(void **state)
{
	u8 b[BYTES_MAX + 8];
	struct xl_ack a;

	(void)state;
	body(b, 5, 5);
	assert_true(xl_ack_parse(b, 20, &a) && a.range[0].first == 0 && a.range[0].last == 5);
	body(b, 5, 6);
	assert_false(xl_ack_parse(b, 20, &a));                /* below zero */
	body(b, 10, 2);                                       /* 8..10 */
	pair(b, 0, 0, 0);
	assert_false(xl_ack_parse(b, 28, &a));                /* touching */
	pair(b, 0, 1, 0);
	assert_true(xl_ack_parse(b, 28, &a) && a.range[1].first == 6 && a.range[1].last == 6);
	pair(b, 0, 7, 0);
	assert_true(xl_ack_parse(b, 28, &a) && a.range[1].first == 0 && a.range[1].last == 0);
	pair(b, 0, 8, 0);
	assert_false(xl_ack_parse(b, 28, &a));
	pair(b, 0, 5, 2);
	assert_true(xl_ack_parse(b, 28, &a) && a.range[1].first == 0 && a.range[1].last == 2);
	pair(b, 0, 5, 3);
	assert_false(xl_ack_parse(b, 28, &a));
	pair(b, 0, UINT32_MAX, UINT32_MAX);
	assert_false(xl_ack_parse(b, 28, &a));                /* the sum passes 2^32 */
	body(b, UINT64_MAX, UINT32_MAX);
	for (u32 i = 0; i < XLANE_ACK_RANGES_SENT; i++)
		pair(b, i, UINT32_MAX, UINT32_MAX);
	assert_true(xl_ack_parse(b, 20 + 8 * (XLANE_ACK_RANGES_SENT - 1), &a));
	assert_int_equal(a.count, XLANE_ACK_RANGES_SENT);
	assert_false(xl_ack_parse(b, 20 + 8 * XLANE_ACK_RANGES_SENT, &a));   /* one too many */
	assert_false(xl_ack_parse(b, UINT64_MAX - 3, &a));
}

/* What does not fit 32 bits ends the list; what is said stays true. */
static void emits_no_more_than_fits(void **state)
{
	const u64 big = 1ull << 32;
	u8 b[BYTES_MAX];
	struct xl_ack_range three[] = { { 5 * big, 5 * big }, { 4 * big - 2, 5 * big - 2 }, { 7, 9 } };
	struct xl_ack out, in = { .count = 3 };

	(void)state;
	memcpy(in.range, three, sizeof three);
	assert_int_equal(xl_ack_emit(b, &in), xl_ack_bytes(1));      /* second run: 2^32 */
	in.range[1].first++;
	assert_int_equal(xl_ack_emit(b, &in), xl_ack_bytes(2));      /* gap down to 9 does not fit */
	assert_true(xl_ack_parse(b + 4, xl_ack_bytes(2) - 4, &out));
	assert_int_equal(out.count, 2);
	assert_memory_equal(out.range, in.range, 2 * sizeof in.range[0]);
	in.range[0].first = 0;
	assert_int_equal(xl_ack_emit(b, &in), xl_ack_bytes(1));      /* the first run is cut */
	assert_true(xl_ack_parse(b + 4, xl_ack_bytes(1) - 4, &out));
	assert_true(out.range[0].last == 5 * big && out.range[0].first == 5 * big - UINT32_MAX);
	in = (struct xl_ack){ .count = 2, .range = { { big, big }, { 0, 0 } } };
	assert_int_equal(xl_ack_emit(b, &in), xl_ack_bytes(2));      /* gap: 2^32 - 1 */
	in.range[0] = (struct xl_ack_range){ big + 1, big + 1 };
	assert_int_equal(xl_ack_emit(b, &in), xl_ack_bytes(1));
}

static void random_bytes(void **state)
{
	struct xl_prng r;
	u32 good = 0;

	(void)state;
	xl_prng_seed(&r, 2);
	for (int i = 0; i < 100000; i++) {
		u64 len = xl_prng_below(&r, 170);
		u8 *p, again[BYTES_MAX];
		struct xl_ack a;

		if (i & 1)
			len = 20 + 8 * xl_prng_below(&r, 18);
		p = malloc(len);
		fill_random(&r, p, len);
		if (xl_ack_parse(p, len, &a)) {
			good++;
			for (u32 k = 0; k < a.count; k++) {
				CHECK(a.range[k].first <= a.range[k].last);
				CHECK(!k || a.range[k].last + 1 < a.range[k - 1].first);
			}
			CHECK(xl_ack_emit(again, &a) == len + 4 && !memcmp(again + 4, p, len));
		}
		free(p);
	}
	assert_true(good > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_and_truncation),
		cmocka_unit_test(illegal_ranges),
		cmocka_unit_test(emits_no_more_than_fits),
		cmocka_unit_test(random_bytes),
	};

	return RUN_TAP(tests);
}
