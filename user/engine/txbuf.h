/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * txbuf.h - a data record in frames, written once and kept until acknowledged.
 *
 * A buffer is a chain of frames that starts with XLANE_TX_HEADROOM_BYTES of headroom; one DATA or LARGE record follows, or
 * several DGRAM records. Headers are pushed into the headroom at each transmission, the records are never moved, and not
 * changed once they were sent; what of the sequence they hold has its offset from then on (queue.h). A buffer is on exactly one list of its connection: queue or queue_large (never sent), flight
 * (sent), again (to be sent again). Its frames go home only when it is acknowledged and the driver has given all of them
 * back. Datagrams are never sent again: lost, they are given up.
 */
#ifndef XL_TXBUF_H
#define XL_TXBUF_H

#include "../wire/record.h"
#include "core.h"

#define XL_TXBUF_RECORDS_MAX 48  /* of XLANE_RECORDS_MAX: the others are for what is pushed in front */

/* A new empty buffer at the end of its queue: what comes next in the sequence, in the large message, or of datagrams.
 * XL_NONE without frames. */
u32 xl_txbuf_new(struct xl_engine *e, struct xl_conn *c, enum xl_txbuf_type type);
/* A frame for a packet without data; XL_NONE without frames. It completes into the pool. */
u32 xl_txbuf_bare(struct xl_engine *e);
/* The unsent buffer at the queue's end, if it is of this type and can take more, else XL_NONE. */
u32 xl_txbuf_open(struct xl_engine *e, struct xl_conn *c, enum xl_txbuf_type type);
/* Append bytes to the buffer's DATA or LARGE record, starting it if needed (`begin`: a message header starts here).
 * Returns how many fitted. */
u32 xl_txbuf_append(struct xl_engine *e, struct xl_conn *c, u32 tb, const u8 *data, u64 bytes, bool begin);
/* Append a whole DGRAM record. False, with nothing changed: no room, or no frame for it. */
bool xl_txbuf_append_dgram(struct xl_engine *e, struct xl_conn *c, u32 tb, const struct xl_record_dgram *r, const u8 *data);
/* The buffer's record begins with a message header. */
bool xl_txbuf_begins(const struct xl_engine *e, u32 tb);
/* The list that buffers of a connection are on. */
struct xl_list *xl_txbuf_list(struct xl_conn *c, const struct xl_txbuf *t);
/* Mark the end of the sequence on an unsent DATA buffer. */
void xl_txbuf_fin(struct xl_engine *e, u32 tb);
/* Write bytes at a logical offset from the first frame's start. The frames must be there. */
void xl_txbuf_write(struct xl_engine *e, u32 tb, u32 at, const u8 *data, u32 bytes);
void xl_txbuf_read(const struct xl_engine *e, u32 tb, u32 at, u8 *out, u32 bytes);
/* Take `bytes` bytes out of the records of an unsent buffer, at `off` from their start. Frames that are not needed any more go
 * home; the buffer's figures but `len`, and the head of its record, are the caller's. */
void xl_txbuf_cut(struct xl_engine *e, u32 tb, u32 off, u32 bytes);
/* Write the head of a DATA record anew. */
void xl_txbuf_head(struct xl_engine *e, u32 tb, bool begin);
/* The same when its offset is known. */
void xl_txbuf_place(struct xl_engine *e, u32 tb);
/* Off its list and out of the connection's books; its frames go home now or when the driver gives them back. */
void xl_txbuf_give_up(struct xl_engine *e, struct xl_conn *c, u32 tb);
void xl_txbuf_acknowledge(struct xl_engine *e, struct xl_conn *c, u32 tb);
/* To be sent again: moves from flight to the again list, in the order of the sequence. A DGRAM buffer is given up. */
void xl_txbuf_lose(struct xl_engine *e, struct xl_conn *c, u32 tb);
/* Handed to the driver: frames become TX, the buffer goes to flight. */
void xl_txbuf_sent(struct xl_engine *e, struct xl_conn *c, u32 tb);
/* The driver gave one frame back. */
void xl_txbuf_completed(struct xl_engine *e, u32 frame);
/* The connection ends: give all its buffers up. */
void xl_txbuf_drop_all(struct xl_engine *e, struct xl_conn *c);
/* Frames that buffers of this type may still take: the last of the pool are kept for packets without data, the last of
 * the engine's share for large messages, whose bytes no reader can hold up. */
u32 xl_txbuf_frames_free(const struct xl_engine *e, enum xl_txbuf_type type);
/* Frames that records of `len` bytes need, with the tag behind them if there is to be one: as many as the packet spans,
 * since each of them goes to the driver and has to come back. */
static inline u32 xl_txbuf_frames(const struct xl_engine *e, const struct xl_conn *c, u32 len)
{
	u32 bytes = XLANE_TX_HEADROOM_BYTES + len + (c->crc_off ? 0 : XLANE_TAG_BYTES);

	return (bytes + e->frames->frame_bytes - 1) / e->frames->frame_bytes;
}
/* Bytes that the buffer counts for in its connection's send buffer. Datagrams count with their heads: of many small ones
 * these are most of what lies in the frames. */
static inline u32 xl_txbuf_holds(const struct xl_txbuf *t) { return t->type == XL_TXBUF_DGRAM ? t->len : t->seq_bytes; }
/* Nothing is queued, in flight or to be sent again. */
static inline bool xl_txbuf_none(const struct xl_conn *c)
{
	return !(c->queue.count | c->queue_large.count | c->flight.count | c->again.count);
}
/* Room for records in one packet of so many bytes: a PING fits in beside them (K-31); in one of the connection. */
static inline u32 xl_txbuf_room_in(u32 packet) { return packet - XLANE_OUTER_BYTES - XLANE_TAG_BYTES - XLANE_PING_BYTES; }
u32 xl_txbuf_room(const struct xl_conn *c);

#endif
