/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "wire/outer.h"

#define HEAD_MAX (XLANE_OUTER_BYTES + XLANE_EXT_BYTES)

static u32 least(u8 flags)
{
	return xl_outer_bytes(flags) + (flags & XLANE_FLAG_CRC ? XLANE_TAG_BYTES : 0);
}

static struct xl_outer any(struct xl_prng *r)
{
	struct xl_outer h = { 0 };

	h.type = (u8)xl_prng_below(r, XLANE_PACKET_TYPES);
	h.flags = (u8)xl_prng_below(r, XLANE_FLAGS_KNOWN + 1);
	if (h.type != XLANE_PACKET_DATA)
		h.flags |= XLANE_FLAG_EXT;
	h.length = (u16)(least(h.flags) + xl_prng_below(r, XLANE_MTU_MAX - least(h.flags) + 1));
	h.id = any_size(r);
	h.number = any_size(r);
	if (h.flags & XLANE_FLAG_EXT) {
		h.hop_limit = (u8)xl_prng_u64(r);
		h.source_node = any_size(r);
		h.destination_node = any_size(r);
		h.source_id = any_size(r);
	}
	return h;
}

static bool same(const struct xl_outer *a, const struct xl_outer *b)
{
	return a->type == b->type && a->flags == b->flags && a->length == b->length && a->id == b->id &&
	       a->number == b->number && a->hop_limit == b->hop_limit && a->source_node == b->source_node &&
	       a->destination_node == b->destination_node && a->source_id == b->source_id;
}

/* Parse `head` as the beginning of a packet of `len` bytes, of which no more than the parser may read is there. */
static enum xl_outer_verdict parse(const u8 *head, u64 len, struct xl_outer *out)
{
	u8 *p = exact_copy(head, xl_min(len, HEAD_MAX));
	enum xl_outer_verdict v = xl_outer_parse(p, len, out);

	free(p);
	return v;
}

static void round_trip_and_truncation(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 1);
	for (int i = 0; i < 5000; i++) {
		struct xl_outer h = any(&r), back;
		u8 b[HEAD_MAX] = { 0 };

		xl_outer_emit(b, &h);
		CHECK(parse(b, h.length + xl_prng_below(&r, 100), &back) == XL_OUTER_OK);
		CHECK(same(&h, &back));
		CHECK(parse(b, h.length, &back) == XL_OUTER_OK);
		for (u32 len = 0; len < xl_min(h.length, 60); len++)
			CHECK(parse(b, len, &back) == (len < XLANE_OUTER_BYTES ? XL_OUTER_SHORT : XL_OUTER_BAD_LENGTH));
		CHECK(parse(b, h.length - 1u, &back) == XL_OUTER_BAD_LENGTH);
	}
}

static void known_bytes(void **state)
{
	static const u8 b[HEAD_MAX] = {
		0x11, 0x03, 0x00, 0x50, 0xa1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0,
		28, 16, 0, 0, 0x11, 0, 0, 0, 0, 0, 0, 1, 0x22, 0, 0, 0, 0, 0, 0, 2, 0x33, 0, 0, 0, 0, 0, 0, 3,
	};
	struct xl_outer h;

	(void)state;
	assert_int_equal(xl_outer_parse(b, 80, &h), XL_OUTER_OK);
	assert_int_equal(h.type, XLANE_PACKET_INIT);
	assert_int_equal(h.flags, XLANE_FLAG_EXT | XLANE_FLAG_CRC);
	assert_int_equal(h.length, 80);
	assert_true(h.id == 0xa100000000000002ull && h.number == 256 && h.hop_limit == 16);
	assert_true(h.source_node == 0x1100000000000001ull && h.destination_node == 0x2200000000000002ull);
	assert_true(h.source_id == 0x3300000000000003ull);
}

/* Every value of the first two bytes and of the extension's fixed ones. */
static void every_illegal_value(void **state)
{
	struct xl_prng r;
	struct xl_outer h, back;
	u8 b[HEAD_MAX];

	(void)state;
	xl_prng_seed(&r, 2);
	for (u32 first = 0; first < 256; first++) {
		for (u32 flags = 0; flags < 256; flags++) {
			enum xl_outer_verdict right = XL_OUTER_OK;
			bool ext = flags & XLANE_FLAG_EXT;

			h = (struct xl_outer){ .flags = XLANE_FLAG_EXT, .length = 100, .id = 1, .number = 2 };
			xl_outer_emit(b, &h);
			b[0] = (u8)first;
			b[1] = (u8)flags;
			if (first >> 4 != 1)
				right = XL_OUTER_BAD_VERSION;
			else if ((first & 15) > XLANE_PACKET_RESET)
				right = XL_OUTER_BAD_TYPE;
			else if (flags > 3)
				right = XL_OUTER_BAD_FLAGS;
			else if ((first & 15) && !ext)
				right = XL_OUTER_BAD_EXTENSION;
			CHECK(parse(b, 100, &back) == right);
			if (right != XL_OUTER_OK)
				continue;
			for (u32 value = 0; value < 256; value++) {
				b[20] = (u8)value;
				right = ext && value != 28 ? XL_OUTER_BAD_EXTENSION : XL_OUTER_OK;
				CHECK(parse(b, 100, &back) == right);
				b[20] = 28;
				b[22 + (value & 1)] = (u8)value;
				right = ext && value ? XL_OUTER_BAD_EXTENSION : XL_OUTER_OK;
				CHECK(parse(b, 100, &back) == right);
				b[22] = b[23] = 0;
			}
		}
	}
}

static void every_length(void **state)
{
	(void)state;
	for (u8 flags = 0; flags <= XLANE_FLAGS_KNOWN; flags++) {
		for (u32 length = 0; length <= UINT16_MAX; length++) {
			struct xl_outer h = { .flags = flags, .length = (u16)length }, back;
			bool good = length >= least(flags) && length <= XLANE_MTU_MAX;
			u8 b[HEAD_MAX] = { 0 };

			xl_outer_emit(b, &h);
			CHECK(xl_outer_parse(b, UINT64_MAX, &back) == (good ? XL_OUTER_OK : XL_OUTER_BAD_LENGTH));
		}
	}
}

static void random_bytes(void **state)
{
	struct xl_prng r;
	u32 good = 0;

	(void)state;
	xl_prng_seed(&r, 3);
	for (int i = 0; i < 200000; i++) {
		u8 b[HEAD_MAX], again[HEAD_MAX];
		struct xl_outer h;
		u64 len = xl_prng_below(&r, 200);

		fill_random(&r, b, sizeof b);
		if (i & 1) {   /* near enough to be good now and then */
			b[0] = (u8)(0x10 | xl_prng_below(&r, 6));
			b[1] &= 7;
			b[2] = 0;
			b[20] = 28;
			b[22] = b[23] = 0;
		}
		if (parse(b, len, &h) != XL_OUTER_OK)
			continue;
		good++;
		CHECK(h.length <= len && h.length >= least(h.flags));
		xl_outer_emit(again, &h);
		CHECK(!memcmp(again, b, xl_outer_bytes(h.flags)));
	}
	assert_true(good > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_and_truncation),
		cmocka_unit_test(known_bytes),
		cmocka_unit_test(every_illegal_value),
		cmocka_unit_test(every_length),
		cmocka_unit_test(random_bytes),
	};

	return RUN_TAP(tests);
}
