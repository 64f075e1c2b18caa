/* SPDX-License-Identifier: BSD-2-Clause */
/* engine_large.h - large messages of a raw peer: head, parts, and what it was granted. */
#ifndef TESTS_ENGINE_LARGE_H
#define TESTS_ENGINE_LARGE_H

#include "engine_pair.h"

static inline void head(struct pair *p, struct peer *x, u64 offset, u32 bytes, u8 class)
{
	static struct raw r;

	peer_header(x, &r);
	raw_record(&r, 0x01, 2, 16);
	raw64(&r, offset);
	raw32(&r, bytes);
	raw8(&r, class);
	raw_fill(&r, 0, 3);
	raw_seal(&r);
	peer_send(p, x, &r);
}

static inline void part(struct pair *p, struct peer *x, u64 message, u32 offset, u8 byte, u16 bytes)
{
	static struct raw r;

	peer_header(x, &r);
	raw_record(&r, 0x02, 0, (u16)(12 + bytes));
	raw64(&r, message);
	raw32(&r, offset);
	raw_fill(&r, byte, bytes);
	raw_seal(&r);
	peer_send(p, x, &r);
}

/* What host 1 has granted to x in the packets waiting for it; XL_NONE64: nothing. */
static inline u64 granted_to(struct pair *p, const struct peer *x, u32 *bytes)
{
	static struct raw r;
	u64 message = XL_NONE64;

	while (peer_hears(p, x, &r)) {
		const u8 *g = raw_find(&r, 0x12);

		if (!g)
			continue;
		message = xl_get64(g);
		*bytes = xl_get32(g + 8);
	}
	return message;
}

#endif
