/* SPDX-License-Identifier: BSD-2-Clause */
#include "skip.h"

#include "conn.h"

static u64 distance(struct xl_engine *e)
{
	return XL_SKIP_MIN + xl_prng_below(&e->prng, XL_SKIP_MAX - XL_SKIP_MIN + 1);
}

u64 xl_skip_next(struct xl_engine *e, struct xl_conn *c)
{
	if (c->inflight_packets >= XL_SKIP_INFLIGHT && c->next_number >= c->skip_at) {
		if (c->skip_at) {
			c->skipped[c->skips % XL_SKIPS_KEPT] = c->next_number++;
			c->skips = (u8)(c->skips + 1 < 2 * XL_SKIPS_KEPT ? c->skips + 1 : XL_SKIPS_KEPT);
		}
		c->skip_at = c->next_number + distance(e);
	}
	return c->next_number++;
}

bool xl_skip_acked(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a)
{
	u32 n = (u32)xl_min(c->skips, XL_SKIPS_KEPT);

	for (u32 i = 0; i < n; i++) {
		for (u32 r = 0; r < a->count && a->range[r].last >= c->skipped[i]; r++) {
			if (a->range[r].first > c->skipped[i])
				continue;
			xl_count(e, XL_C_ACK_SKIPPED);
			xl_conn_end(e, c, XLANE_WIRE_PROTOCOL, true);
			return true;
		}
	}
	return false;
}
