/* SPDX-License-Identifier: BSD-2-Clause */
#include "cursor.h"

#include <string.h>

#include "../base/assert.h"
#include "../base/crc32c.h"

void xl_cursor_init(struct xl_cursor *cur, const struct xl_frames *frames, const struct xl_packet *packet, u64 bytes)
{
	*cur = (struct xl_cursor){ .frames = frames, .packet = packet, .left = bytes };
}

/* The contiguous piece at the cursor: its start, and its length up to `want`. */
static const u8 *piece(struct xl_cursor *cur, u64 want, u32 *len)
{
	const struct xl_seg *s = &cur->packet->seg[cur->seg];

	while (cur->off == s->len) {
		cur->seg++;
		cur->off = 0;
		XL_ASSERT(cur->seg < cur->packet->nsegs);
		s++;
	}
	*len = (u32)xl_min(want, s->len - cur->off);
	return xl_frames_ptr(cur->frames, s->frame) + s->off + cur->off;
}

const u8 *xl_cursor_peek(const struct xl_cursor *cur, u32 bytes, u8 scratch[XL_CURSOR_PEEK_MAX])
{
	struct xl_cursor at = *cur;
	u32 len = 0;
	const u8 *p;

	XL_ASSERT(bytes <= cur->left && bytes <= XL_CURSOR_PEEK_MAX);
	if (bytes == 0)
		return scratch;
	p = piece(&at, bytes, &len);
	if (len == bytes)
		return p;
	xl_cursor_copy(&at, scratch, bytes);
	return scratch;
}

void xl_cursor_skip(struct xl_cursor *cur, u64 bytes)
{
	u32 len;

	XL_ASSERT(bytes <= cur->left);
	for (; bytes; bytes -= len) {
		piece(cur, bytes, &len);
		cur->off += len;
		cur->left -= len;
	}
}

void xl_cursor_copy(struct xl_cursor *cur, u8 *out, u64 bytes)
{
	u32 len;

	XL_ASSERT(bytes <= cur->left);
	for (; bytes; bytes -= len, out += len) {
		const u8 *p = piece(cur, bytes, &len);

		memcpy(out, p, len);
		cur->off += len;
		cur->left -= len;
	}
}

u32 xl_cursor_crc(struct xl_cursor *cur, u64 bytes)
{
	u32 crc = 0, len;

	XL_ASSERT(bytes <= cur->left);
	for (; bytes; bytes -= len) {
		const u8 *p = piece(cur, bytes, &len);

		crc = xl_crc32c(crc, p, len);
		cur->off += len;
		cur->left -= len;
	}
	return crc;
}
