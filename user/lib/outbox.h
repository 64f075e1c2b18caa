/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbox.h - what was sent, for the program, but not yet taken by the backend: at most one message, or piece of a
 * stream, per connection.
 *
 * Guarantee: what is put in goes out whole and in its place (nothing of the connection that must be behind it is sent
 * before), in whichever call of the context there is room; a shutdown or close that came meanwhile is done
 * afterwards. Only a connection that fails ends it early, and then no later send succeeds.
 *
 *	        put                     pump: all taken
 *	empty -------> holding ----------------------------> empty   then shutdown, close, or news of room if they wait
 *	                  |   pump: an error of the connection
 *	                  +--------------------------------> empty, out.error
 */
#ifndef XL_OUTBOX_H
#define XL_OUTBOX_H

#include "context.h"

int xl_outbox_check_held(xlane_conn *c, u64 bytes);
/* May `bytes` bytes be handed to the backend now? 0, -EAGAIN (READY_WRITE is told when the outbox is empty), -EPIPE,
 * or the error of what was in the outbox. */
static inline int xl_outbox_check(xlane_conn *c, u64 bytes)
{
	return c->out.data || c->out.error || c->shut ? xl_outbox_check_held(c, bytes) : 0;
}
/* Keep data[done..bytes), which becomes the outbox's (malloced). It must be empty. */
void xl_outbox_put(xlane_conn *c, enum xl_outbox_way way, u8 *data, u64 bytes, u64 done, bool begun);
/* Send what can be sent, of all connections. Pieces that went. Connections that were only waiting for that may be
 * gone. */
u32 xl_outbox_pump(xlane *x);
/* There is room, says the backend: is the program to hear of it? */
bool xl_outbox_take_room(xlane_conn *c);
/* The backend began a large message. */
void xl_outbox_began(xlane_conn *c);
/* What is there was taken back: it is thrown away, and what waited for it goes on. */
void xl_outbox_cancel(xlane_conn *c, u64 now_ns);
/* Throw away what is there. Fine when empty. */
void xl_outbox_clear(xlane_conn *c);

/* Message in pieces: as much as is taken of data[*done..bytes). 0: all of it, -EAGAIN, or an error. */
int xl_outbox_large(xlane_conn *c, const u8 *data, u64 bytes, u64 *done, u64 now_ns);

#endif
