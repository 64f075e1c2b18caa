/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * receive.h - the peer's data: into receive memory, to the program, credit back.
 *
 * Offsets are compared in 64-bit arithmetic before any byte is copied. A byte that was received twice is kept as it came
 * first and never compared. What is refused for want of memory is not recorded as received, so it comes again.
 */
#ifndef XL_RECEIVE_H
#define XL_RECEIVE_H

#include "../wire/record.h"
#include "core.h"
#include "cursor.h"

enum xl_receive_verdict {
	XL_RECEIVE_TAKEN,    /* stored, or not needed any more */
	XL_RECEIVE_REFUSED,  /* dropped: the packet must not be acknowledged */
	XL_RECEIVE_BROKEN,   /* the peer broke the protocol: the connection has been ended */
};

/* A DATA record; cur at its payload, r->bytes long. */
enum xl_receive_verdict xl_receive_data(struct xl_engine *e, struct xl_conn *c, const struct xl_record_data *r,
					struct xl_cursor *cur);
/* Something may have become readable, or the end be reached: look, and tell the program. `more`: something has. */
enum xl_receive_verdict xl_receive_ready(struct xl_engine *e, struct xl_conn *c, bool more);
/* Out of order: the reader leaves behind what was read early. */
void xl_receive_pass(struct xl_engine *e, struct xl_conn *c);
/* The program is gone: what is here is dropped, and so is what still comes. */
void xl_receive_discard(struct xl_engine *e, struct xl_conn *c);

/* Nothing comes any more: what lies behind holes and can not be read is given back, and so are the numbers. */
void xl_receive_cut(struct xl_engine *e, struct xl_conn *c);

#endif
