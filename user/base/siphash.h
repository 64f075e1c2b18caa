/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * siphash.h - SipHash-2-4 (Aumasson, Bernstein 2012): a keyed 64-bit hash. Who does not know the key can neither
 * predict nor forge it: for cookies, and for hash tables filled by strangers.
 */
#ifndef XL_SIPHASH_H
#define XL_SIPHASH_H

#include "types.h"

/* key[0] holds the first 8 bytes of the paper's key, little-endian. `data` at any alignment; may be NULL for len 0. */
u64 xl_siphash(const u64 key[2], const void *data, size_t len);

#endif
