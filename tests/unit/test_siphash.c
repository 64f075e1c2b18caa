/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "base/siphash.h"

/* Key 00 01 .. 0f, message 00 01 .. (n - 1): the vectors published with SipHash-2-4, by length. */
static const struct { u32 len; u64 hash; } vector[] = {
	{ 0, 0x726fdb47dd0e0e31ull }, { 1, 0x74f839c593dc67fdull }, { 2, 0x0d6c8009d9a94f5aull },
	{ 3, 0x85676696d7fb7e2dull }, { 4, 0xcf2794e0277187b7ull }, { 5, 0x18765564cd99a68dull },
	{ 6, 0xcbc9466e58fee3ceull }, { 7, 0xab0200f58b01d137ull }, { 8, 0x93f5f5799a932462ull },
	{ 9, 0x9e0082df0ba9e4b0ull }, { 10, 0x7a5dbbc594ddb9f3ull }, { 11, 0xf4b32f46226bada7ull },
	{ 12, 0x751e8fbc860ee5fbull }, { 13, 0x14ea5627c0843d90ull }, { 14, 0xf723ca908e7af2eeull },
	{ 15, 0xa129ca6149be45e5ull }, { 63, 0x958a324ceb064572ull },
};
static const u64 key[2] = { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull };

static void published_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(vector); i++) {
		u8 message[64], *p;

		for (u32 b = 0; b < sizeof message; b++)
			message[b] = (u8)b;
		p = exact_copy(message, vector[i].len);
		assert_true(xl_siphash(key, p, vector[i].len) == vector[i].hash);
		free(p);
	}
	assert_true(xl_siphash(key, NULL, 0) == vector[0].hash);
}

static void every_bit_counts_at_any_alignment(void **state)
{
	u8 message[48] = { 0 };

	(void)state;
	for (u32 at = 0; at < 8; at++) {
		u64 whole = xl_siphash(key, message + at, 40);
		u64 other[2] = { key[0] ^ 1ull << at, key[1] };

		assert_true(whole == xl_siphash(key, message, 40));
		assert_true(whole != xl_siphash(other, message, 40));
	}
	for (u32 bit = 0; bit < 40 * 8; bit++) {
		u64 before = xl_siphash(key, message, 40);

		message[bit / 8] ^= (u8)(1 << bit % 8);
		assert_true(xl_siphash(key, message, 40) != before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(every_bit_counts_at_any_alignment),
	};

	return RUN_TAP(tests);
}
