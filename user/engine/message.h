/* SPDX-License-Identifier: BSD-2-Clause */
/* message.h - messages in what has been received: where they begin, which are whole, which is read next. */
#ifndef XL_MESSAGE_H
#define XL_MESSAGE_H

#include "core.h"

static inline bool xl_message_kind(const struct xl_conn *c)
{
	return c->kind == XLANE_KIND_MESSAGE || c->kind == XLANE_KIND_UNORDERED;
}
/* Find the whole messages in what has become contiguous. False: the peer broke the protocol. */
bool xl_message_parse(struct xl_engine *e, struct xl_conn *c);
/* The same when nobody reads: only to see where large ones begin, whose sender waits for an answer. */
void xl_message_parse_gone(struct xl_engine *e, struct xl_conn *c);
/* The parser stands at the head of a large message, and nothing is here behind it. */
bool xl_message_at_large(const struct xl_engine *e, const struct xl_conn *c);
/* The end was reached: is everything before it there? A large message may still be on its way (XL_MESSAGE_LATER). */
enum xl_message_end { XL_MESSAGE_END, XL_MESSAGE_LATER, XL_MESSAGE_TORN };
enum xl_message_end xl_message_end(const struct xl_conn *c);
/* Where the next message to read is (c->messages_ready > 0, none is being read), and its length. */
enum xl_reading xl_message_next(const struct xl_engine *e, const struct xl_conn *c, u32 *bytes);
/* Out of order: how far the reader can go at once, past what was read early and the heads of large messages. */
u64 xl_message_passed(struct xl_engine *e, struct xl_conn *c, u64 at);

#endif
