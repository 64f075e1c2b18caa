/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handover.h - connections that one client has given and another may take, by token.
 *
 * What was received and not read, and what was sent and not yet handed to the engine, lies in the rings of the giver:
 * it is copied to memory of the worker, and into the rings of the taker. Rings of other sizes are fine as long as it
 * fits; if not, take fails with -EINVAL and the connection still waits for a taker whose rings are large enough. At
 * most XLANE_HANDOVER_MAX wait, each for XLANE_HANDOVER_S; then they are reset. One user has at most as many of these,
 * and of the bytes, as are left over, so that others find room. A token: the worker's number and 31
 * random bytes.
 */
#ifndef XL_HANDOVER_H
#define XL_HANDOVER_H

#include "channel_state.h"

#define XL_TOKEN_BYTES 32

int xl_handover_open(u32 worker, struct xl_handover **out);
/* Those that wait are reset. */
void xl_handover_close(struct xl_handover *h, struct xl_channels *s);
/* The slot's connection waits for a taker; the slot is free. `left`: bytes of the message at the front of the ring
 * received that the client has not read. -ENOTCONN: it has ended; -EBUSY: a message is being gathered, try again;
 * -ENOSPC: too many wait, in all or of this user; -ENOMEM; -EINVAL: `left` can not be. */
int xl_handover_give(struct xl_channels *s, struct xl_channel *ch, u32 slot, u64 left, u8 token[XL_TOKEN_BYTES]);
/* A free slot gets it. r->begin: where the client's counters begin. -ENOENT, -EINVAL: does not fit its rings. */
int xl_handover_take(struct xl_channels *s, struct xl_channel *ch, u32 slot, const u8 token[XL_TOKEN_BYTES],
		     struct xlane_reply *r);
/* Reset those that nobody took in time. */
void xl_handover_expire(struct xl_channels *s);
/* When the next runs out, ns, or XL_NEVER. */
u64 xl_handover_deadline(const struct xl_handover *h);

#endif
