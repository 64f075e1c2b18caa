/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw.h - packets as bytes outside the engines, built from nothing but offsets, so that a mistake in user/wire does not
 * hide itself. The caller keeps within WIRE_MAX.
 */
#ifndef TESTS_RAW_H
#define TESTS_RAW_H

#include "base/crc32c.h"
#include "base/endian.h"
#include "base/types.h"

#define WIRE_MAX 9400

struct raw { u8 b[WIRE_MAX]; u32 n; };

static inline void raw8(struct raw *r, u8 v) { r->b[r->n++] = v; }
static inline void raw16(struct raw *r, u16 v) { raw8(r, (u8)(v >> 8)); raw8(r, (u8)v); }
static inline void raw32(struct raw *r, u32 v) { raw16(r, (u16)(v >> 16)); raw16(r, (u16)v); }
static inline void raw64(struct raw *r, u64 v) { raw32(r, (u32)(v >> 32)); raw32(r, (u32)v); }
static inline void raw_fill(struct raw *r, u8 v, u32 n) { for (; n; n--) raw8(r, v); }

static inline void raw_outer(struct raw *r, u8 type, u8 flags, u64 id, u64 number)
{
	r->n = 0;
	raw8(r, (u8)(0x10 | type));
	raw8(r, flags);
	raw16(r, 0);
	raw64(r, id);
	raw64(r, number);
}

static inline void raw_ext(struct raw *r, u64 source, u64 destination, u64 source_id)
{
	raw8(r, 28);
	raw8(r, 16);
	raw16(r, 0);
	raw64(r, source);
	raw64(r, destination);
	raw64(r, source_id);
}

static inline void raw_record(struct raw *r, u8 type, u8 flags, u16 bytes)
{
	raw8(r, type);
	raw8(r, flags);
	raw16(r, bytes);
}

static inline void raw_data(struct raw *r, u8 flags, u64 offset, u8 byte, u16 bytes)
{
	raw_record(r, 0x01, flags, (u16)(8 + bytes));
	raw64(r, offset);
	raw_fill(r, byte, bytes);
}

/* The length field as it stands, the tag for whatever the bytes are now; nothing is added when the flag is not set. */
static inline void raw_tag(struct raw *r)
{
	u32 crc;

	if (!(r->b[1] & 2) || r->n < 24)
		return;
	crc = xl_crc32c(0, r->b, r->n - 4);
	xl_put32(r->b + r->n - 4, crc);
}

static inline void raw_seal(struct raw *r)
{
	if (r->b[1] & 2)
		raw32(r, 0);
	xl_put16(r->b + 2, (u16)r->n);
	raw_tag(r);
}

static inline void raw_param(struct raw *r, u16 id, u16 bytes, u64 value)
{
	raw16(r, id);
	raw16(r, bytes);
	if (bytes == 4)
		raw32(r, (u32)value);
	else if (bytes == 8)
		raw64(r, value);
}

#endif
