/* SPDX-License-Identifier: BSD-2-Clause */
/* endian.h - big-endian loads and stores at any alignment. */
#ifndef XL_ENDIAN_H
#define XL_ENDIAN_H

#include <string.h>
#include "types.h"

static inline u16 xl_get16(const u8 *p) { u16 v; memcpy(&v, p, sizeof v); return __builtin_bswap16(v); }
static inline u32 xl_get32(const u8 *p) { u32 v; memcpy(&v, p, sizeof v); return __builtin_bswap32(v); }
static inline u64 xl_get64(const u8 *p) { u64 v; memcpy(&v, p, sizeof v); return __builtin_bswap64(v); }
static inline void xl_put16(u8 *p, u16 v) { v = __builtin_bswap16(v); memcpy(p, &v, sizeof v); }
static inline void xl_put32(u8 *p, u32 v) { v = __builtin_bswap32(v); memcpy(p, &v, sizeof v); }
static inline void xl_put64(u8 *p, u64 v) { v = __builtin_bswap64(v); memcpy(p, &v, sizeof v); }

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the loads above swap: a big-endian port drops the swap");

#endif
