/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "base/crc32c.h"
#include "base/crc32c_table.h"

#define POLYNOMIAL 0x82f63b78u

static u32 step(u32 c)
{
	return c >> 1 ^ (c & 1 ? POLYNOMIAL : 0);
}

/* The definition, bit by bit. */
static u32 by_bit(u32 crc, const u8 *p, size_t len)
{
	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = step(crc);
	}
	return ~crc;
}

static void constants_are_what_they_say(void **state)
{
	u32 c;

	(void)state;
	for (u32 byte = 0; byte < 256; byte++) {
		c = byte;
		for (int table = 0; table < 8; table++) {
			for (int i = 0; i < 8; i++)
				c = step(c);
			assert_int_equal(xl_crc32c_bytes[table][byte], c);
		}
	}
	c = 1;   /* x^31 */
	for (int words = 1; words <= XL_CRC32C_SHIFT_WORDS; words++) {
		assert_int_equal(xl_crc32c_shift[words - 1], c);
		for (int i = 0; i < 64; i++)
			c = step(c);
	}
}

/* The processor is asked in another way than the code under test does. */
static void uses_the_instruction_where_it_is(void **state)
{
	(void)state;
#if defined(__x86_64__)
	assert_true(xl_crc32c_hardware() == (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")));
#else
	assert_false(xl_crc32c_hardware());
#endif
}

/* RFC 3720, B.4 (the RFC prints the bytes in the order of transmission). */
static void rfc_3720_vectors(void **state)
{
	static const u8 read_command[48] = {
		0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
		0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
	};
	u32 (*const form[])(u32, const void *, size_t) = { xl_crc32c, xl_crc32c_table };
	u8 b[32];

	(void)state;
	for (size_t f = 0; f < XL_ARRAY_SIZE(form); f++) {
		assert_int_equal(form[f](0, memset(b, 0, 32), 32), 0x8a9136aa);
		assert_int_equal(form[f](0, memset(b, 0xff, 32), 32), 0x62a8ab43);
		for (int i = 0; i < 32; i++)
			b[i] = (u8)i;
		assert_int_equal(form[f](0, b, 32), 0x46dd794e);
		for (int i = 0; i < 32; i++)
			b[i] = (u8)(31 - i);
		assert_int_equal(form[f](0, b, 32), 0x113fdb5c);
		assert_int_equal(form[f](0, read_command, 48), 0xd9963a56);
		assert_int_equal(form[f](0, "123456789", 9), 0xe3069283);
		assert_int_equal(form[f](0, NULL, 0), 0);
	}
}

static void one_length(const u8 *data, size_t len, u32 start)
{
	u8 *p = exact_copy(data, len), *copy = malloc(len);
	u32 right = by_bit(start, p, len);

	CHECK(xl_crc32c(start, p, len) == right);
	CHECK(xl_crc32c_table(start, p, len) == right);
	CHECK(xl_crc32c_copy(start, copy, p, len) == right);
	CHECK(!len || !memcmp(copy, p, len));
	free(copy);
	free(p);
}

static void all_forms_agree(void **state)
{
	struct xl_prng r;
	u8 *data = malloc(20000);

	(void)state;
	xl_prng_seed(&r, 1);
	fill_random(&r, data, 20000);
	for (size_t len = 0; len < 700; len++)
		one_length(data + xl_prng_below(&r, 16), len, (u32)xl_prng_u64(&r));
	for (int i = 0; i < 300; i++)
		one_length(data + xl_prng_below(&r, 16), xl_prng_below(&r, 19980), (u32)xl_prng_u64(&r));
	/* Around the longest three streams, and several times that. */
	for (size_t len = 3 * 1024 - 25; len < 3 * 1024 + 25; len++)
		one_length(data, len, 0);
	for (size_t len = 9 * 1024 - 25; len < 9 * 1024 + 25; len++)
		one_length(data, len, 0);
	free(data);
}

static void chains(void **state)
{
	struct xl_prng r;
	u8 data[9000], copy[9000];

	(void)state;
	xl_prng_seed(&r, 2);
	fill_random(&r, data, sizeof data);
	for (int i = 0; i < 2000; i++) {
		size_t len = xl_prng_below(&r, sizeof data + 1), cut = xl_prng_below(&r, len + 1);
		u32 whole = xl_crc32c(0, data, len);

		CHECK(xl_crc32c(xl_crc32c(0, data, cut), data + cut, len - cut) == whole);
		CHECK(xl_crc32c_copy(xl_crc32c_table(0, data, cut), copy, data + cut, len - cut) == whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_what_they_say),
		cmocka_unit_test(uses_the_instruction_where_it_is),
		cmocka_unit_test(rfc_3720_vectors),
		cmocka_unit_test(all_forms_agree),
		cmocka_unit_test(chains),
	};

	return RUN_TAP(tests);
}
