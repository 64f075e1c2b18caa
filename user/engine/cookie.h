/* SPDX-License-Identifier: BSD-2-Clause */
/* cookie.h - proof, without state, that a caller hears what we send to it (PROTOCOL 5.5). */
#ifndef XL_COOKIE_H
#define XL_COOKIE_H

#include "../wire/handshake.h"
#include "../wire/outer.h"
#include "core.h"

/* The cookie for this caller now. Keyed, bound to path, node, ids, ports and the time. */
void xl_cookie_make(const struct xl_engine *e, const struct xl_outer *h, const struct xl_init *in,
		    const struct xl_path *path, u8 out[XLANE_COOKIE_BYTES]);
/* True for one made in this period or the one before. */
bool xl_cookie_valid(const struct xl_engine *e, const struct xl_outer *h, const struct xl_init *in,
		     const struct xl_path *path, const u8 cookie[XLANE_COOKIE_BYTES]);

#endif
