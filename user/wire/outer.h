/* SPDX-License-Identifier: BSD-2-Clause */
/* outer.h - the clear outer header and its extension (PROTOCOL 3). */
#ifndef XL_WIRE_OUTER_H
#define XL_WIRE_OUTER_H

#include <xlane/wire.h>
#include "../base/types.h"

enum xl_outer_verdict {
	XL_OUTER_OK = 0,
	XL_OUTER_SHORT,          /* fewer bytes than the outer header */
	XL_OUTER_BAD_VERSION,
	XL_OUTER_BAD_TYPE,
	XL_OUTER_BAD_FLAGS,      /* unknown flag bits */
	XL_OUTER_BAD_LENGTH,     /* length > bytes there, or < headers and tag; or length > largest packet */
	XL_OUTER_BAD_EXTENSION,  /* type needs it and it is missing, or its size is not XLANE_EXT_BYTES */
	XL_OUTER_VERDICTS
};

struct xl_outer {
	u8 type;           /* enum xlane_packet_type */
	u8 flags;
	u16 length;        /* bytes from the outer header's first to the tag's last; <= len given to the parser */
	u64 id;            /* connection id (receiver's), or call id for INIT */
	u64 number;        /* packet number */
	/* with XLANE_FLAG_EXT, else zero */
	u8 hop_limit;
	u64 source_node, destination_node, source_id;
};

/* Bytes of outer header and extension for these flags. */
static inline u32 xl_outer_bytes(u8 flags)
{
	return XLANE_OUTER_BYTES + (flags & XLANE_FLAG_EXT ? XLANE_EXT_BYTES : 0);
}

/* Parse from `p`, the contiguous first min(len, 48) bytes of a packet of `len` bytes (link padding may follow
 * `length`). Reads nothing past min(len, 48). `out` is whole only for XL_OUTER_OK. The order of checks is the order of
 * the verdicts above, and equals that of bpf/. */
enum xl_outer_verdict xl_outer_parse(const u8 *p, u64 len, struct xl_outer *out);
/* Write xl_outer_bytes(h->flags) bytes at p. */
void xl_outer_emit(u8 *p, const struct xl_outer *h);

#endif
