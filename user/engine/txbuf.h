/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * txbuf.h - a data record in frames, written once and kept until acknowledged.
 *
 * A buffer is a chain of frames that starts with XLANE_TX_HEADROOM_BYTES of headroom; one DATA record follows. Headers are
 * pushed into the headroom at each transmission, the record is never moved, and not changed once it was sent. A buffer is on exactly one list of its
 * connection: queue (never sent), flight (sent), again (to be sent again). Its frames go home only when it is
 * acknowledged and the driver has given all of them back.
 */
#ifndef XL_TXBUF_H
#define XL_TXBUF_H

#include "core.h"

/* A new empty buffer at the end of the queue, its sequence starting at c->seq_next; XL_NONE without frames. */
u32 xl_txbuf_new(struct xl_engine *e, struct xl_conn *c);
/* A frame for a packet without data; XL_NONE without frames. It completes into the pool. */
u32 xl_txbuf_bare(struct xl_engine *e);
/* The unsent buffer at the queue's end, if it can take more, else XL_NONE. */
u32 xl_txbuf_open(struct xl_engine *e, struct xl_conn *c);
/* Append sequence bytes to the buffer's record, starting it if needed (`begin`: a message header starts here).
 * Returns how many fitted. */
u32 xl_txbuf_append(struct xl_engine *e, struct xl_conn *c, u32 tb, const u8 *data, u64 bytes, bool begin);
/* Mark the end of the sequence on an unsent buffer. */
void xl_txbuf_fin(struct xl_engine *e, u32 tb);
/* Write bytes at a logical offset from the first frame's start. The frames must be there. */
void xl_txbuf_write(struct xl_engine *e, u32 tb, u32 at, const u8 *data, u32 bytes);
void xl_txbuf_acknowledge(struct xl_engine *e, struct xl_conn *c, u32 tb);
/* To be sent again: moves from flight to the again list, in the order of the sequence. */
void xl_txbuf_lose(struct xl_engine *e, struct xl_conn *c, u32 tb);
/* Handed to the driver: frames become TX, the buffer goes to flight. */
void xl_txbuf_sent(struct xl_engine *e, struct xl_conn *c, u32 tb);
/* The driver gave one frame back. */
void xl_txbuf_completed(struct xl_engine *e, u32 frame);
/* The connection ends: give all its buffers up. */
void xl_txbuf_drop_all(struct xl_engine *e, struct xl_conn *c);
/* Frames that data may still take from the pool; the last few are kept for packets without data. */
u32 xl_txbuf_frames_free(const struct xl_engine *e);
/* Room for records in one packet of the connection, bytes. */
u32 xl_txbuf_room(const struct xl_conn *c);

#endif
