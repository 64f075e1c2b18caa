/* SPDX-License-Identifier: BSD-2-Clause */
/* reply.h - answers that need no connection: RESET and COOKIE. A small ring of them waits for output; when it is full
 * the oldest goes: whoever asked asks again. No answer is larger than what it answers. */
#ifndef XL_REPLY_H
#define XL_REPLY_H

#include "../wire/handshake.h"
#include "../wire/outer.h"
#include "core.h"

void xl_reply_refuse(struct xl_engine *e, const struct xl_outer *h, const struct xl_path *path, u32 error);
void xl_reply_cookie(struct xl_engine *e, const struct xl_outer *h, const struct xl_init *in, const struct xl_path *path);

#endif
