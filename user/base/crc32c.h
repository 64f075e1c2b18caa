/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crc32c.h - CRC32C (Castagnoli, RFC 3720 B.4): by the processor's instruction where it has one, three streams at a
 * time, else by tables.
 *
 * Chains: crc32c(crc32c(0, a), b) is the checksum of a followed by b. Start with 0. Any alignment, any length.
 */
#ifndef XL_CRC32C_H
#define XL_CRC32C_H

#include "types.h"

u32 xl_crc32c(u32 crc, const void *data, size_t len);
/* The same over `src` while it is copied to `dst`. The two must not overlap. */
u32 xl_crc32c_copy(u32 crc, void *dst, const void *src, size_t len);

/* The table form, whatever the processor: for tests and for the figure it is measured against. */
u32 xl_crc32c_table(u32 crc, const void *data, size_t len);
/* True when the functions above use the processor's instruction. */
bool xl_crc32c_hardware(void);

#endif
