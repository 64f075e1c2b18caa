/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recut.h - a transmit buffer that was made for larger packets than may be sent now is cut: its beginning goes to fresh
 * frames, the rest stays.
 *
 * A packet sent earlier that carried all of it still names the rest: its acknowledgement is right for that, and the
 * beginning is sent once more, at worst for nothing. So the receiver may see overlaps (PROTOCOL D-4).
 */
#ifndef XL_RECUT_H
#define XL_RECUT_H

#include "core.h"

/* Cut off the front of tb, which holds more than `room` bytes of records, and is queued or to be sent again and not with the
 * driver. Returns the buffer that goes before it, of at most `room` bytes and in the same list; XL_NONE: no frames. */
u32 xl_recut(struct xl_engine *e, struct xl_conn *c, u32 tb, u32 room);

#endif
