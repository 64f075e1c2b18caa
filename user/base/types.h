/* SPDX-License-Identifier: BSD-2-Clause */
/* types.h - short integer names and small arithmetic used all over user/. No other header is included. */
#ifndef XL_TYPES_H
#define XL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define XL_NONE UINT32_MAX   /* no index */
#define XL_NEVER UINT64_MAX  /* no deadline */

#define XL_US 1000ull        /* nanoseconds */
#define XL_MS 1000000ull
#define XL_S  1000000000ull

#define XL_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline u64 xl_min(u64 a, u64 b) { return a < b ? a : b; }
static inline u64 xl_max(u64 a, u64 b) { return a > b ? a : b; }

#endif
