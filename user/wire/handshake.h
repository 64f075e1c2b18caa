/* SPDX-License-Identifier: BSD-2-Clause */
/* handshake.h - INIT, ACCEPT, COOKIE and REFUSE records and their parameters (PROTOCOL 5). */
#ifndef XL_WIRE_HANDSHAKE_H
#define XL_WIRE_HANDSHAKE_H

#include <xlane/wire.h>
#include "../base/types.h"

struct xl_params {
	u32 max_packet;         /* 0: not given (a receiver refuses: it must be given) */
	u64 credit;
	u32 ack_delay_ns;       /* 0: not given */
	u32 message_max;        /* 0: not given; a 0 that is given reads as 1 */
	u64 first_number;
	bool no_crc, has_cookie, has_credit, has_first_number;
	u8 cookie[XLANE_COOKIE_BYTES];
};

struct xl_init {
	u64 incarnation;
	u16 source_port, destination_port;
	u8 kind;                /* enum xlane_kind */
	struct xl_params params;
};
struct xl_accept {
	u64 incarnation, initiator_incarnation;
	struct xl_params params;
};
struct xl_cookie { u8 cookie[XLANE_COOKIE_BYTES]; };
struct xl_refuse { u32 error; u64 id, number; };

enum xl_handshake_verdict {
	XL_HANDSHAKE_OK = 0,
	XL_HANDSHAKE_SHORT,       /* body shorter than its fixed part, or reserved bytes not zero, or unknown kind */
	XL_HANDSHAKE_BAD_PARAM,   /* a parameter past the end, repeated, of a wrong size, or too many */
	XL_HANDSHAKE_UNKNOWN_PARAM, /* an unknown parameter with the must bit */
};

enum xl_handshake_verdict xl_init_parse(const u8 *body, u64 len, struct xl_init *out);
enum xl_handshake_verdict xl_accept_parse(const u8 *body, u64 len, struct xl_accept *out);
bool xl_cookie_parse(const u8 *body, u64 len, struct xl_cookie *out);
bool xl_refuse_parse(const u8 *body, u64 len, struct xl_refuse *out);

/* Whole records; the caller leaves 160 bytes of room. Return the size. Parameters with value 0 / has_* false are left out. */
u32 xl_init_emit(u8 *p, const struct xl_init *r);
u32 xl_accept_emit(u8 *p, const struct xl_accept *r);
u32 xl_cookie_emit(u8 *p, const struct xl_cookie *r);
u32 xl_refuse_emit(u8 *p, const struct xl_refuse *r);

#endif
