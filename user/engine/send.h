/* SPDX-License-Identifier: BSD-2-Clause */
/* send.h - the program's data into transmit buffers: bytes, messages (send.c, large_send.c), datagrams (datagram_send.c). */
#ifndef XL_SEND_H
#define XL_SEND_H

#include "txbuf.h"

/* Put the end of the sequence behind what is queued, once, when the program has shut down and a large message that is
 * under way has been given whole. */
void xl_send_fin(struct xl_engine *e, struct xl_conn *c);
/* The end is due and waits for a frame. */
static inline bool xl_send_fin_waits(const struct xl_conn *c)
{
	return c->shut_wanted && !c->fin_queued && !c->large_out.open &&
	       (c->state == XL_STATE_LOCAL_SHUT || c->state == XL_STATE_BOTH_SHUT);
}
/* Bytes that `frames` frames hold in packets with `packet` bytes of one record, whose head has `head` bytes. */
u64 xl_send_capacity(const struct xl_engine *e, u32 packet, u64 frames, u32 head);
/* Bytes that buffers of a type may take now: there is room in the connection's send buffer, and there are frames. */
u64 xl_send_room(const struct xl_engine *e, const struct xl_conn *c, enum xl_txbuf_type type);
/* The program waits for room, and there is some in the connection's own send buffer: it is frames that are missing. */
bool xl_send_could(const struct xl_conn *c);
/* Most bytes of one small message or datagram that an idle engine takes, `head` bytes of it aside. */
u64 xl_send_most(const struct xl_engine *e, const struct xl_conn *c, u32 head);
/* Bytes to the end of their queue, as many as frames are found for. begin: bytes of the message whose head they begin with; 0. */
u64 xl_send_append(struct xl_engine *e, struct xl_conn *c, enum xl_txbuf_type type, const u8 *data, u64 bytes, u64 begin);
/* A send found no room: the program is told when there is some. */
void xl_send_wait(struct xl_engine *e, struct xl_conn *c, enum xl_txbuf_type type);
/* Bytes of the large message under way that may be given now. */
u64 xl_send_large_room(const struct xl_engine *e, const struct xl_conn *c);
/* A GRANT of a valid packet. */
void xl_send_granted(struct xl_engine *e, struct xl_conn *c, const struct xl_record_grant *r);
/* Tell the program if it waits for room and there is some. */
void xl_send_tell(struct xl_engine *e, struct xl_conn *c);
/* A whole datagram, or -EAGAIN, -EMSGSIZE. */
s64 xl_datagram_send(struct xl_engine *e, struct xl_conn *c, const u8 *data, u64 bytes);
/* Bytes of the largest datagram that it takes now. */
u64 xl_datagram_room(const struct xl_engine *e, const struct xl_conn *c);
u64 xl_datagram_max(const struct xl_engine *e, const struct xl_conn *c);

#endif
