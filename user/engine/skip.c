/* SPDX-License-Identifier: BSD-2-Clause */
#include "skip.h"

#include "conn.h"
#include "flow.h"

static u64 distance(struct xl_engine *e)
{
	return XL_SKIP_MIN + xl_prng_below(&e->prng, XL_SKIP_MAX - XL_SKIP_MIN + 1);
}

u64 xl_skip_next(struct xl_engine *e, struct xl_conn *c)
{
	struct xl_flow *f = xl_flow_of(e, c);

	if (f && c->inflight_packets >= XL_SKIP_INFLIGHT && c->next_number >= f->skip_at) {
		if (f->skip_at) {
			f->skipped[f->skips % XL_SKIPS_KEPT] = c->next_number++;
			f->skips = (u8)(f->skips + 1 < 2 * XL_SKIPS_KEPT ? f->skips + 1 : XL_SKIPS_KEPT);
		}
		f->skip_at = c->next_number + distance(e);
	}
	return c->next_number++;
}

bool xl_skip_acked(struct xl_engine *e, struct xl_conn *c, const struct xl_ack *a)
{
	const struct xl_flow *f = xl_flow_of(e, c);
	u32 n = f ? (u32)xl_min(f->skips, XL_SKIPS_KEPT) : 0;

	for (u32 i = 0; i < n; i++) {
		for (u32 r = 0; r < a->count && a->range[r].last >= f->skipped[i]; r++) {
			if (a->range[r].first > f->skipped[i])
				continue;
			xl_count(e, XL_C_ACK_SKIPPED);
			xl_conn_end(e, c, XLANE_WIRE_PROTOCOL, true);
			return true;
		}
	}
	return false;
}
