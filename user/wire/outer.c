/* SPDX-License-Identifier: BSD-2-Clause */
#include "../base/endian.h"
#include "outer.h"

/* DATA alone can do without: its two ends are known from the handshake. */
static inline bool needs_extension(u8 type)
{
	return type != XLANE_PACKET_DATA;
}

static bool extension_parse(const u8 *p, struct xl_outer *out)
{
	if (p[0] != XLANE_EXT_BYTES || xl_get16(p + 2) != 0)
		return false;
	out->hop_limit = p[1];
	out->source_node = xl_get64(p + 4);
	out->destination_node = xl_get64(p + 12);
	out->source_id = xl_get64(p + 20);
	return true;
}

enum xl_outer_verdict xl_outer_parse(const u8 *p, u64 len, struct xl_outer *out)
{
	u32 least;

	*out = (struct xl_outer){ 0 };
	if (len < XLANE_OUTER_BYTES)
		return XL_OUTER_SHORT;
	out->type = p[0] & 0x0f;
	out->flags = p[1];
	out->length = xl_get16(p + 2);
	if (p[0] >> 4 != XLANE_VERSION)
		return XL_OUTER_BAD_VERSION;
	if (out->type >= XLANE_PACKET_TYPES)
		return XL_OUTER_BAD_TYPE;
	if (out->flags & ~XLANE_FLAGS_KNOWN)
		return XL_OUTER_BAD_FLAGS;
	least = xl_outer_bytes(out->flags) + (out->flags & XLANE_FLAG_CRC ? XLANE_TAG_BYTES : 0);
	if (out->length < least || out->length > len || out->length > XLANE_MTU_MAX)
		return XL_OUTER_BAD_LENGTH;
	out->id = xl_get64(p + 4);
	out->number = xl_get64(p + 12);
	if (!(out->flags & XLANE_FLAG_EXT))
		return needs_extension(out->type) ? XL_OUTER_BAD_EXTENSION : XL_OUTER_OK;
	return extension_parse(p + XLANE_OUTER_BYTES, out) ? XL_OUTER_OK : XL_OUTER_BAD_EXTENSION;
}

void xl_outer_emit(u8 *p, const struct xl_outer *h)
{
	p[0] = (u8)(XLANE_VERSION << 4 | h->type);
	p[1] = h->flags;
	xl_put16(p + 2, h->length);
	xl_put64(p + 4, h->id);
	xl_put64(p + 12, h->number);
	if (!(h->flags & XLANE_FLAG_EXT))
		return;
	p += XLANE_OUTER_BYTES;
	p[0] = XLANE_EXT_BYTES;
	p[1] = h->hop_limit;
	xl_put16(p + 2, 0);
	xl_put64(p + 4, h->source_node);
	xl_put64(p + 12, h->destination_node);
	xl_put64(p + 20, h->source_id);
}
