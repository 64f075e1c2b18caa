/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cursor.h - reads a packet that may be spread over several frames. Headers come out contiguous (copied to a scratch only
 * when they straddle two frames), payload is copied once, straight to its place.
 */
#ifndef XL_CURSOR_H
#define XL_CURSOR_H

#include "../base/frames.h"
#include "../base/packet.h"

#define XL_CURSOR_PEEK_MAX 192 /* more than the largest header */

struct xl_cursor {
	const struct xl_frames *frames;
	const struct xl_packet *packet;
	u32 seg, off;   /* next byte: seg[seg].off + off */
	u64 left;       /* bytes that may still be read */
};

void xl_cursor_init(struct xl_cursor *cur, const struct xl_frames *frames, const struct xl_packet *packet, u64 bytes);
/* Pointer to the next `bytes` (<= XL_CURSOR_PEEK_MAX, <= left), contiguous; scratch is used if they straddle. */
const u8 *xl_cursor_peek(const struct xl_cursor *cur, u32 bytes, u8 scratch[XL_CURSOR_PEEK_MAX]);
void xl_cursor_skip(struct xl_cursor *cur, u64 bytes);
/* Copy out and advance. */
void xl_cursor_copy(struct xl_cursor *cur, u8 *out, u64 bytes);
/* CRC32C over the next `bytes`, advancing. */
u32 xl_cursor_crc(struct xl_cursor *cur, u64 bytes);

#endif
