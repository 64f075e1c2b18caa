/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * large.h - a large message on its way in: one per connection at a time. Its memory is reserved before a byte of it may come
 * (grant.h), its bytes come in any order, the first copy of each is kept, and what the program has consumed is given back at
 * once.
 */
#ifndef XL_LARGE_H
#define XL_LARGE_H

#include "../wire/record.h"
#include "core.h"
#include "cursor.h"
#include "receive.h"

void xl_large_init(struct xl_large_in *l);
/* The sequence holds the head of a message of `bytes` at `message`, and no other large one is under way. */
void xl_large_expect(struct xl_engine *e, struct xl_conn *c, u64 message, u32 bytes);
/* A LARGE record; cur at its payload. */
enum xl_receive_verdict xl_large_data(struct xl_engine *e, struct xl_conn *c, const struct xl_record_large *r,
				      struct xl_cursor *cur);
/* Reading a complete one: the contiguous piece at the first byte not consumed, at most `bytes`. */
const u8 *xl_large_piece(const struct xl_engine *e, const struct xl_conn *c, u64 bytes, u64 *piece);
void xl_large_read(const struct xl_engine *e, const struct xl_conn *c, u8 *out, u64 bytes);
/* Consume bytes of it; with the last one its place is free again. */
void xl_large_consume(struct xl_engine *e, struct xl_conn *c, u64 bytes);
/* Nobody will read it: memory back, what still comes is dropped. */
void xl_large_discard(struct xl_engine *e, struct xl_conn *c);
/* The connection is dead: one that is not complete never will be. */
void xl_large_abandon(struct xl_engine *e, struct xl_conn *c);
/* Everything back. */
void xl_large_drop(struct xl_engine *e, struct xl_conn *c);

#endif
