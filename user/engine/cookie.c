/* SPDX-License-Identifier: BSD-2-Clause */
#include "cookie.h"

#include "../base/siphash.h"

/* Two keyed hashes, one with the second key word turned, make 128 bits. */
static void make(const struct xl_engine *e, const struct xl_outer *h, const struct xl_init *in,
		 const struct xl_path *path, u64 period, u8 out[XLANE_COOKIE_BYTES])
{
	u8 bytes[sizeof *path + 8 + 8 + 8 + 2 + 2 + 8], *p = bytes;
	u64 other[2] = { e->cookie_key[0], ~e->cookie_key[1] };

	memcpy(p, path, sizeof *path);
	p += sizeof *path;
	xl_put64(p, h->source_node);
	xl_put64(p + 8, h->source_id);
	xl_put64(p + 16, in->incarnation);
	xl_put16(p + 24, in->source_port);
	xl_put16(p + 26, in->destination_port);
	xl_put64(p + 28, period);
	xl_put64(out, xl_siphash(e->cookie_key, bytes, sizeof bytes));
	xl_put64(out + 8, xl_siphash(other, bytes, sizeof bytes));
}

void xl_cookie_make(const struct xl_engine *e, const struct xl_outer *h, const struct xl_init *in,
		    const struct xl_path *path, u8 out[XLANE_COOKIE_BYTES])
{
	make(e, h, in, path, e->now_ns / XL_COOKIE_PERIOD_NS, out);
}

bool xl_cookie_valid(const struct xl_engine *e, const struct xl_outer *h, const struct xl_init *in,
		     const struct xl_path *path, const u8 cookie[XLANE_COOKIE_BYTES])
{
	u64 period = e->now_ns / XL_COOKIE_PERIOD_NS;
	u8 expected[XLANE_COOKIE_BYTES];

	for (u64 back = 0; back <= 1 && back <= period; back++) {
		make(e, h, in, path, period - back, expected);
		if (!memcmp(expected, cookie, sizeof expected))
			return true;
	}
	return false;
}
