/* SPDX-License-Identifier: BSD-2-Clause */
/* send.h - the program's data into transmit buffers. */
#ifndef XL_SEND_H
#define XL_SEND_H

#include "core.h"

/* Put the end of the sequence behind what is queued, once, when the program has shut down. */
void xl_send_fin(struct xl_engine *e, struct xl_conn *c);
/* The end is due and waits for a frame. */
static inline bool xl_send_fin_waits(const struct xl_conn *c)
{
	return c->shut_wanted && !c->fin_queued && (c->state == XL_STATE_LOCAL_SHUT || c->state == XL_STATE_BOTH_SHUT);
}

#endif
