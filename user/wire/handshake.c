/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "../base/endian.h"
#include "handshake.h"

#define INIT_FIXED   (XLANE_INIT_HEAD_BYTES - XLANE_RECORD_BYTES)
#define ACCEPT_FIXED (XLANE_ACCEPT_HEAD_BYTES - XLANE_RECORD_BYTES)

/* The one list of parameters: id, bytes of the value, what to do with it when it is parsed (from v into o), when it is
 * sent (for o), and how it is written (at v). */
#define PARAMS(X) \
	X(MAX_PACKET, 4, o->max_packet = xl_get32(v), o->max_packet, xl_put32(v, o->max_packet)) \
	X(CREDIT, 8, (o->has_credit = true, o->credit = xl_get64(v)), o->has_credit, xl_put64(v, o->credit)) \
	X(ACK_DELAY, 4, o->ack_delay_ns = xl_get32(v), o->ack_delay_ns, xl_put32(v, o->ack_delay_ns)) \
	X(NO_CRC, 0, o->no_crc = true, o->no_crc, (void)v) \
	X(MESSAGE_MAX, 4, o->message_max = (u32)xl_max(xl_get32(v), 1), o->message_max, xl_put32(v, o->message_max)) \
	X(COOKIE, XLANE_COOKIE_BYTES, (o->has_cookie = true, memcpy(o->cookie, v, XLANE_COOKIE_BYTES)), \
	  o->has_cookie, memcpy(v, o->cookie, XLANE_COOKIE_BYTES)) \
	X(FIRST_NUMBER, 8, (o->has_first_number = true, o->first_number = xl_get64(v)), \
	  o->has_first_number, xl_put64(v, o->first_number))

/* One parameter whose value of `bytes` bytes is at v. */
static enum xl_handshake_verdict param_take(struct xl_params *o, u16 id, const u8 *v, u64 bytes)
{
	switch (id) {
#define TAKE(name, size, take, present, put) \
	case XLANE_PARAM_##name: \
		if (bytes != (size)) \
			return XL_HANDSHAKE_BAD_PARAM; \
		take; \
		return XL_HANDSHAKE_OK;
	PARAMS(TAKE)
	default:
		return id & XLANE_PARAM_MUST ? XL_HANDSHAKE_UNKNOWN_PARAM : XL_HANDSHAKE_OK;
	}
}

/* The first fault in the order of the bytes decides. */
static enum xl_handshake_verdict params_parse(const u8 *p, u64 left, struct xl_params *out)
{
	u16 seen[XLANE_PARAMS_MAX];
	enum xl_handshake_verdict v;
	u32 n = 0;

	while (left) {
		u64 bytes;
		u16 id;

		if (n == XLANE_PARAMS_MAX || left < XLANE_PARAM_HEAD_BYTES)
			return XL_HANDSHAKE_BAD_PARAM;
		id = xl_get16(p);
		bytes = xl_get16(p + 2);
		left -= XLANE_PARAM_HEAD_BYTES;
		p += XLANE_PARAM_HEAD_BYTES;
		if (bytes > left)
			return XL_HANDSHAKE_BAD_PARAM;
		for (u32 i = 0; i < n; i++)
			if (seen[i] == id)
				return XL_HANDSHAKE_BAD_PARAM;
		seen[n++] = id;
		v = param_take(out, id, p, bytes);
		if (v != XL_HANDSHAKE_OK)
			return v;
		left -= bytes;
		p += bytes;
	}
	return XL_HANDSHAKE_OK;
}

/* Returns the byte behind the last parameter. */
static u8 *params_emit(u8 *p, const struct xl_params *o)
{
#define PUT(name, size, take, present, put) \
	if (present) { \
		u8 *v = p + XLANE_PARAM_HEAD_BYTES; \
		xl_put16(p, XLANE_PARAM_##name); \
		xl_put16(p + 2, (size)); \
		put; \
		p = v + (size); \
	}
	PARAMS(PUT)
	return p;
}

static u32 record_end(u8 *start, u8 type, const u8 *end)
{
	u64 bytes = (u64)(end - start);

	start[0] = type;
	start[1] = 0;
	xl_put16(start + 2, (u16)(bytes - XLANE_RECORD_BYTES));
	return (u32)bytes;
}

enum xl_handshake_verdict xl_init_parse(const u8 *body, u64 len, struct xl_init *out)
{
	*out = (struct xl_init){ 0 };
	if (len < INIT_FIXED)
		return XL_HANDSHAKE_SHORT;
	out->incarnation = xl_get64(body);
	out->source_port = xl_get16(body + 8);
	out->destination_port = xl_get16(body + 10);
	out->kind = body[12];
	if (out->kind < XLANE_KIND_STREAM || out->kind > XLANE_KIND_DATAGRAM || body[13] || body[14] || body[15])
		return XL_HANDSHAKE_SHORT;
	return params_parse(body + INIT_FIXED, len - INIT_FIXED, &out->params);
}

enum xl_handshake_verdict xl_accept_parse(const u8 *body, u64 len, struct xl_accept *out)
{
	*out = (struct xl_accept){ 0 };
	if (len < ACCEPT_FIXED)
		return XL_HANDSHAKE_SHORT;
	out->incarnation = xl_get64(body);
	out->initiator_incarnation = xl_get64(body + 8);
	return params_parse(body + ACCEPT_FIXED, len - ACCEPT_FIXED, &out->params);
}

bool xl_cookie_parse(const u8 *body, u64 len, struct xl_cookie *out)
{
	*out = (struct xl_cookie){ 0 };
	if (len != XLANE_COOKIE_REC_BYTES - XLANE_RECORD_BYTES)
		return false;
	memcpy(out->cookie, body, sizeof out->cookie);
	return true;
}

bool xl_refuse_parse(const u8 *body, u64 len, struct xl_refuse *out)
{
	*out = (struct xl_refuse){ 0 };
	if (len != XLANE_REFUSE_BYTES - XLANE_RECORD_BYTES)
		return false;
	*out = (struct xl_refuse){ .error = xl_get32(body), .id = xl_get64(body + 4), .number = xl_get64(body + 12) };
	return true;
}

u32 xl_init_emit(u8 *p, const struct xl_init *r)
{
	xl_put64(p + 4, r->incarnation);
	xl_put16(p + 12, r->source_port);
	xl_put16(p + 14, r->destination_port);
	xl_put32(p + 16, (u32)r->kind << 24);
	return record_end(p, XLANE_RECORD_INIT, params_emit(p + XLANE_INIT_HEAD_BYTES, &r->params));
}

u32 xl_accept_emit(u8 *p, const struct xl_accept *r)
{
	xl_put64(p + 4, r->incarnation);
	xl_put64(p + 12, r->initiator_incarnation);
	return record_end(p, XLANE_RECORD_ACCEPT, params_emit(p + XLANE_ACCEPT_HEAD_BYTES, &r->params));
}

u32 xl_cookie_emit(u8 *p, const struct xl_cookie *r)
{
	memcpy(p + XLANE_RECORD_BYTES, r->cookie, sizeof r->cookie);
	return record_end(p, XLANE_RECORD_COOKIE, p + XLANE_COOKIE_REC_BYTES);
}

u32 xl_refuse_emit(u8 *p, const struct xl_refuse *r)
{
	xl_put32(p + 4, r->error);
	xl_put64(p + 8, r->id);
	xl_put64(p + 16, r->number);
	return record_end(p, XLANE_RECORD_REFUSE, p + XLANE_REFUSE_BYTES);
}
