/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.h - the records of a packet's inner part (PROTOCOL 4), except ACK (ack.h) and handshake (handshake.h).
 *
 * Parsers take the record's body (pointer, length) as xl_record_head_parse delimited it; they return true when the
 * body is well formed. For DATA, LARGE and DGRAM the parser sees only the fixed head: `len` is the whole body's
 * length, of which the first HEAD - 4 bytes must be readable; the payload's length comes out in `bytes`.
 * Emitters write the whole record (head included) and return its size.
 */
#ifndef XL_WIRE_RECORD_H
#define XL_WIRE_RECORD_H

#include <xlane/wire.h>
#include "../base/types.h"

struct xl_record_head { u8 type, flags; u16 bytes; };              /* bytes: of the body */
struct xl_record_data { u64 offset; u32 bytes; bool fin, begin; };
struct xl_record_large { u64 message; u32 offset; u32 bytes; };
struct xl_record_dgram { u64 datagram; u32 total, offset; u32 bytes; };
struct xl_record_credit { u64 limit; };
struct xl_record_grant { u64 message; u32 bytes; };
struct xl_record_blocked { u64 limit; };
struct xl_record_abort { u32 error; };
struct xl_record_max_packet { u32 bytes; };
struct xl_message_head { u32 bytes; u8 class, priority; };

/* `left`: bytes of inner part that remain, head included. False when head or body do not fit. */
bool xl_record_head_parse(const u8 *p, u64 left, struct xl_record_head *out);
void xl_record_head_emit(u8 *p, const struct xl_record_head *h);

bool xl_record_data_parse(const u8 *body, u64 len, u8 flags, struct xl_record_data *out);
bool xl_record_large_parse(const u8 *body, u64 len, u8 flags, struct xl_record_large *out);
bool xl_record_dgram_parse(const u8 *body, u64 len, u8 flags, struct xl_record_dgram *out);
bool xl_record_credit_parse(const u8 *body, u64 len, struct xl_record_credit *out);
bool xl_record_grant_parse(const u8 *body, u64 len, struct xl_record_grant *out);
bool xl_record_blocked_parse(const u8 *body, u64 len, struct xl_record_blocked *out);
bool xl_record_abort_parse(const u8 *body, u64 len, struct xl_record_abort *out);
bool xl_record_max_packet_parse(const u8 *body, u64 len, struct xl_record_max_packet *out); /* at least XLANE_MTU_MIN */

/* Heads only: the payload of r->bytes bytes follows. */
u32 xl_record_data_emit(u8 *p, const struct xl_record_data *r);
u32 xl_record_large_emit(u8 *p, const struct xl_record_large *r);
u32 xl_record_dgram_emit(u8 *p, const struct xl_record_dgram *r);
u32 xl_record_credit_emit(u8 *p, const struct xl_record_credit *r);
u32 xl_record_grant_emit(u8 *p, const struct xl_record_grant *r);
u32 xl_record_blocked_emit(u8 *p, const struct xl_record_blocked *r);
u32 xl_record_abort_emit(u8 *p, const struct xl_record_abort *r);
u32 xl_record_max_packet_emit(u8 *p, const struct xl_record_max_packet *r);
u32 xl_record_ping_emit(u8 *p);
u32 xl_record_pad_emit(u8 *p, u32 bytes);  /* a whole PAD record of `bytes` >= 4 bytes; body zeroed */

bool xl_message_head_parse(const u8 *p, u64 len, struct xl_message_head *out); /* reserved bytes must be zero, class known */
void xl_message_head_emit(u8 *p, const struct xl_message_head *h);

#endif
