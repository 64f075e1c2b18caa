/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "wire/ether.h"

static bool is_tag(u16 ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8;
}

static struct xl_ether any(struct xl_prng *r)
{
	struct xl_ether h = { 0 };

	fill_random(r, h.destination, 6);
	fill_random(r, h.source, 6);
	h.tags = (u8)xl_prng_below(r, XLANE_VLAN_TAGS_MAX + 1);
	for (u32 i = 0; i < h.tags; i++)
		h.tag[i] = (struct xl_vlan){ xl_prng_chance(r, 500000) ? 0x8100 : 0x88a8, (u16)xl_prng_u64(r) };
	do
		h.ethertype = (u16)xl_prng_u64(r);
	while (is_tag(h.ethertype));
	return h;
}

static bool same(const struct xl_ether *a, const struct xl_ether *b)
{
	return !memcmp(a->destination, b->destination, 6) && !memcmp(a->source, b->source, 6) &&
	       a->ethertype == b->ethertype && a->tags == b->tags && !memcmp(a->tag, b->tag, sizeof a->tag);
}

static void round_trip_and_truncation(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 1);
	for (int i = 0; i < 5000; i++) {
		struct xl_ether h = any(&r), back;
		u8 b[22];

		xl_ether_emit(b, &h);
		for (u32 len = 0; len <= xl_ether_bytes(&h); len++) {
			u8 *p = exact_copy(b, len);
			enum xl_ether_verdict v = xl_ether_parse(p, len, &back);

			CHECK(v == (len < xl_ether_bytes(&h) ? XL_ETHER_SHORT : XL_ETHER_OK));
			free(p);
		}
		CHECK(same(&h, &back));
	}
}

static void known_bytes(void **state)
{
	static const u8 b[22] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x88, 0xa8, 0x20, 0x64, 0x81, 0x00, 0x00, 0x2a, 0x88, 0xb5,
	};
	struct xl_ether h;

	(void)state;
	assert_int_equal(xl_ether_parse(b, sizeof b, &h), XL_ETHER_OK);
	assert_memory_equal(h.destination, b, 6);
	assert_memory_equal(h.source, b + 6, 6);
	assert_int_equal(h.tags, 2);
	assert_int_equal(h.tag[0].tpid, 0x88a8);
	assert_int_equal(h.tag[0].tci, 0x2064);
	assert_int_equal(h.tag[1].tpid, 0x8100);
	assert_int_equal(h.tag[1].tci, 42);
	assert_int_equal(h.ethertype, 0x88b5);
}

static void third_tag_is_deep(void **state)
{
	static const u8 tpid[2][2] = { { 0x81, 0x00 }, { 0x88, 0xa8 } };

	(void)state;
	for (int mask = 0; mask < 8; mask++) {
		u8 b[22] = { 0 }, *p;
		struct xl_ether h;

		for (int tag = 0; tag < 3; tag++)
			memcpy(b + 12 + 4 * tag, tpid[mask >> tag & 1], 2);
		p = exact_copy(b, sizeof b);
		assert_int_equal(xl_ether_parse(p, sizeof b, &h), XL_ETHER_DEEP_VLAN);
		assert_int_equal(xl_ether_parse(p, sizeof b - 1, &h), XL_ETHER_SHORT);
		free(p);
	}
}

static void random_bytes(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 2);
	for (int i = 0; i < 20000; i++) {
		u64 len = xl_prng_below(&r, 40);
		u8 *p = malloc(len), again[22];
		struct xl_ether h;

		fill_random(&r, p, len);
		for (u64 at = 12; at + 2 <= len; at += 4)
			if (xl_prng_chance(&r, 400000))
				memcpy(p + at, xl_prng_chance(&r, 500000) ? "\x81\x00" : "\x88\xa8", 2);
		if (xl_ether_parse(p, len, &h) == XL_ETHER_OK) {
			CHECK(!is_tag(h.ethertype) && xl_ether_bytes(&h) <= len);
			xl_ether_emit(again, &h);
			CHECK(!memcmp(again, p, xl_ether_bytes(&h)));
		}
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip_and_truncation),
		cmocka_unit_test(known_bytes),
		cmocka_unit_test(third_tag_is_deep),
		cmocka_unit_test(random_bytes),
	};

	return RUN_TAP(tests);
}
