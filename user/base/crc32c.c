/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "crc32c.h"
#include "crc32c_table.h"

static inline u64 load64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* Both forms of xl_crc32c are one body; `dst` is a constant NULL in the plain one, so that copying costs it nothing. */
static inline __attribute__((always_inline)) u32 by_table(u32 crc, u8 *dst, const u8 *src, size_t len)
{
	const u32 (*t)[256] = xl_crc32c_bytes;

	crc = ~crc;
	for (; len >= 8; len -= 8, src += 8) {
		u64 v = load64(src);

		if (dst) {
			memcpy(dst, &v, sizeof v);
			dst += 8;
		}
		v ^= crc;
		crc = t[7][v & 255] ^ t[6][v >> 8 & 255] ^ t[5][v >> 16 & 255] ^ t[4][v >> 24 & 255] ^
		      t[3][v >> 32 & 255] ^ t[2][v >> 40 & 255] ^ t[1][v >> 48 & 255] ^ t[0][v >> 56];
	}
	while (len--) {
		if (dst)
			*dst++ = *src;
		crc = crc >> 8 ^ t[0][(crc ^ *src++) & 255];
	}
	return ~crc;
}

u32 xl_crc32c_table(u32 crc, const void *data, size_t len)
{
	return by_table(crc, NULL, data, len);
}

static u32 table_copy(u32 crc, void *dst, const void *src, size_t len)
{
	return by_table(crc, dst, src, len);
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define HARDWARE __attribute__((target("sse4.2,pclmul")))
#define STREAM_WORDS_MAX (XL_CRC32C_SHIFT_WORDS / 2)   /* the first stream is carried past two others */
#define STREAM_WORDS_MIN 8                             /* below it, joining costs more than the streams save */

/* The checksum state carried past `words` zero words, before the instruction's own multiplication. */
static inline __attribute__((always_inline)) HARDWARE u64 carry_past(u64 crc, u32 words)
{
	__m128i k = _mm_cvtsi32_si128((int)xl_crc32c_shift[words - 1]);

	return (u64)_mm_cvtsi128_si64(_mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), k, 0));
}

/* Three streams of `words` words each, one behind the other in memory: the instruction takes three cycles but starts
 * one each cycle. */
static inline __attribute__((always_inline)) HARDWARE u64 three_streams(u64 crc, u8 *dst, const u8 *src, u32 words)
{
	size_t step = 8 * (size_t)words;
	u64 a = crc, b = 0, c = 0;

	for (size_t i = 0; i < step; i += 8) {
		u64 x = load64(src + i), y = load64(src + step + i), z = load64(src + 2 * step + i);

		if (dst) {
			memcpy(dst + i, &x, sizeof x);
			memcpy(dst + step + i, &y, sizeof y);
			memcpy(dst + 2 * step + i, &z, sizeof z);
		}
		a = _mm_crc32_u64(a, x);
		b = _mm_crc32_u64(b, y);
		c = _mm_crc32_u64(c, z);
	}
	return _mm_crc32_u64(0, carry_past(a, 2 * words) ^ carry_past(b, words)) ^ c;
}

static inline __attribute__((always_inline)) HARDWARE u32 by_instruction(u32 start, u8 *dst, const u8 *src, size_t len)
{
	u64 crc = (u32)~start;

	while (len >= 3 * 8 * STREAM_WORDS_MIN) {
		u32 words = (u32)xl_min(len / (3 * 8), STREAM_WORDS_MAX);
		size_t bytes = 3 * 8 * (size_t)words;

		crc = three_streams(crc, dst, src, words);
		src += bytes;
		dst = dst ? dst + bytes : NULL;
		len -= bytes;
	}
	for (; len >= 8; len -= 8, src += 8) {
		u64 v = load64(src);

		if (dst) {
			memcpy(dst, &v, sizeof v);
			dst += 8;
		}
		crc = _mm_crc32_u64(crc, v);
	}
	while (len--) {
		if (dst)
			*dst++ = *src;
		crc = _mm_crc32_u8((u32)crc, *src++);
	}
	return (u32)~crc;
}

static HARDWARE u32 hardware(u32 crc, const void *data, size_t len)
{
	return by_instruction(crc, NULL, data, len);
}

static HARDWARE u32 hardware_copy(u32 crc, void *dst, const void *src, size_t len)
{
	return by_instruction(crc, dst, src, len);
}

bool xl_crc32c_hardware(void)
{
	static int detected;   /* 0 not looked yet, 1 no, 2 yes; threads that look at once find the same */
	int d = __atomic_load_n(&detected, __ATOMIC_RELAXED);

	if (!d) {
		unsigned int a, b, c = 0, e;

		d = __get_cpuid(1, &a, &b, &c, &e) && c & bit_SSE4_2 && c & bit_PCLMUL ? 2 : 1;
		__atomic_store_n(&detected, d, __ATOMIC_RELAXED);
	}
	return d == 2;
}

#else

static u32 hardware(u32 crc, const void *data, size_t len)
{
	return xl_crc32c_table(crc, data, len);
}

static u32 hardware_copy(u32 crc, void *dst, const void *src, size_t len)
{
	return table_copy(crc, dst, src, len);
}

bool xl_crc32c_hardware(void)
{
	return false;
}

#endif

u32 xl_crc32c(u32 crc, const void *data, size_t len)
{
	return xl_crc32c_hardware() ? hardware(crc, data, len) : xl_crc32c_table(crc, data, len);
}

u32 xl_crc32c_copy(u32 crc, void *dst, const void *src, size_t len)
{
	return xl_crc32c_hardware() ? hardware_copy(crc, dst, src, len) : table_copy(crc, dst, src, len);
}
