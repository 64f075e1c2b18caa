/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h - what every unit test begins with. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/prng.h"
#include "base/types.h"

/* Cheap enough for inner loops that run millions of times. */
#define CHECK(c) do { if (!(c)) fail_msg("%s:%d: %s", __FILE__, __LINE__, #c); } while (0)

#define RUN_TAP(tests) (cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests(tests, NULL, NULL) ? 1 : 0)

/* A copy of `len` bytes that ends where its heap block ends, so that the address sanitizer sees every byte read past
 * it. Freed by the caller. */
static inline u8 *exact_copy(const void *p, size_t len)
{
	u8 *copy = malloc(len);

	CHECK(copy || !len);
	if (len)
		memcpy(copy, p, len);
	return copy;
}

static inline void fill_random(struct xl_prng *r, void *p, size_t len)
{
	for (u8 *b = p; len; len--)
		*b++ = (u8)xl_prng_u64(r);
}

/* A number of any magnitude: as likely of 3 bits as of 60. */
static inline u64 any_size(struct xl_prng *r)
{
	u64 shift = xl_prng_below(r, 65);

	return shift == 64 ? 0 : xl_prng_u64(r) >> shift;
}

#endif
