/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * share.h - how much of the transmit frames one connection may hold while others want some, too.
 *
 * Data whose peer gives no credit, or does not answer, lies in frames until the peer is heard. While less than half of the
 * frames are in use anybody may take more. From then on a connection may hold an equal share of that half, or one
 * message; from three quarters on, only what its peer has given credit for, which is sure to leave. So connections that stand
 * still never hold all frames. Small pools, in which one message is a large part, are first come, first served.
 */
#ifndef XL_SHARE_H
#define XL_SHARE_H

#include "txbuf.h"

#define XL_SHARE_FRAMES_MIN 512  /* transmit frames from which on they are shared so */

/* Bytes that the connection may take besides what it holds, as far as others are concerned; UINT64_MAX: any. */
u64 xl_share_room(const struct xl_engine *e, const struct xl_conn *c, enum xl_txbuf_type type);
/* The connection holds so many bytes more, or fewer. */
void xl_share_hold(struct xl_engine *e, struct xl_conn *c, u64 bytes);
void xl_share_release(struct xl_engine *e, struct xl_conn *c, u64 bytes);

#endif
