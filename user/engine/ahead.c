/* SPDX-License-Identifier: BSD-2-Clause */
#include "ahead.h"

/* The connection id, whose first byte is the bucket, of a packet whose header is in one piece; 0: none. */
static u64 id_of(const struct xl_engine *e, const struct xl_packet *p)
{
	const struct xl_seg *s = &p->seg[0];

	return s->len < XLANE_OUTER_BYTES ? 0 : xl_get64(xl_frames_ptr(e->frames, s->frame) + s->off + XLANE_OUTER_BUCKET);
}

static void fetch(const struct xl_engine *e, u32 conn)
{
	const u8 *p = (const u8 *)&e->conns[conn];

	for (u32 k = 0; k < XL_AHEAD_LINES; k++)
		__builtin_prefetch(p + (size_t)k * XL_AHEAD_LINE, 1);
}

void xl_ahead_input(const struct xl_engine *e, const struct xl_packet *packets, u32 n)
{
	u64 id[XL_AHEAD_PACKETS];

	if (n < 2)
		return;
	for (u32 i = 0; i < n; i++) {
		id[i] = id_of(e, &packets[i]);
		xl_map_ahead(&e->by_local, id[i]);
	}
	for (u32 i = 0; i < n; i++) {
		u32 conn = id[i] ? xl_map_get(&e->by_local, id[i]) : XL_NONE;

		if (conn != XL_NONE)
			fetch(e, conn);
	}
}

void xl_ahead_output(const struct xl_engine *e, u32 i)
{
	u32 next = xl_list_next(&e->l_active, i);

	if (next != XL_NONE)
		fetch(e, next);
}
