/* SPDX-License-Identifier: BSD-2-Clause */
#include "../base/assert.h"
#include "../base/endian.h"
#include "ack.h"

#define BODY_FIXED (XLANE_ACK_HEAD_BYTES - XLANE_RECORD_BYTES)

bool xl_ack_parse(const u8 *body, u64 len, struct xl_ack *out)
{
	struct xl_ack_range *r = out->range;
	u64 pairs, run;

	*out = (struct xl_ack){ 0 };
	if (len < BODY_FIXED || (len - BODY_FIXED) % XLANE_ACK_RANGE_BYTES)
		return false;
	pairs = (len - BODY_FIXED) / XLANE_ACK_RANGE_BYTES;
	if (pairs > XLANE_ACK_RANGES_SENT - 1)
		return false;
	out->ack_delay_ns = xl_get32(body + 8);
	out->host_delay_ns = xl_get32(body + 12);
	r->last = xl_get64(body);
	run = xl_get32(body + 16);
	if (run > r->last)
		return false;
	r->first = r->last - run;
	for (const u8 *p = body + BODY_FIXED; pairs; pairs--, p += XLANE_ACK_RANGE_BYTES) {
		u64 gap = xl_get32(p);

		run = xl_get32(p + 4);
		if (!gap || gap + 1 + run > r->first)
			return false;
		r[1].last = r->first - gap - 1;
		r[1].first = r[1].last - run;
		r++;
	}
	out->count = (u32)(r - out->range) + 1;
	return true;
}

u32 xl_ack_emit(u8 *p, const struct xl_ack *a)
{
	const struct xl_ack_range *r = a->range;
	u32 count = 1;
	u64 run = r->last - r->first;

	XL_ASSERT(a->count >= 1 && a->count <= XLANE_ACK_RANGES_SENT);
	xl_put64(p + 4, r->last);
	xl_put32(p + 12, a->ack_delay_ns);
	xl_put32(p + 16, a->host_delay_ns);
	xl_put32(p + 20, (u32)xl_min(run, UINT32_MAX));
	for (; run <= UINT32_MAX && count < a->count; count++, r++) {
		u64 gap = r->first - r[1].last - 1;

		run = r[1].last - r[1].first;
		if (gap > UINT32_MAX || run > UINT32_MAX)
			break;
		xl_put32(p + XLANE_ACK_HEAD_BYTES + (count - 1) * XLANE_ACK_RANGE_BYTES, (u32)gap);
		xl_put32(p + XLANE_ACK_HEAD_BYTES + (count - 1) * XLANE_ACK_RANGE_BYTES + 4, (u32)run);
	}
	p[0] = XLANE_RECORD_ACK;
	p[1] = 0;
	xl_put16(p + 2, (u16)(xl_ack_bytes(count) - XLANE_RECORD_BYTES));
	return xl_ack_bytes(count);
}
