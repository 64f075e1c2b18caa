/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "../base/assert.h"
#include "../base/endian.h"
#include "record.h"

/* What a record's body has before its payload. */
#define DATA_FIXED  (XLANE_DATA_HEAD_BYTES - XLANE_RECORD_BYTES)
#define LARGE_FIXED (XLANE_LARGE_HEAD_BYTES - XLANE_RECORD_BYTES)
#define DGRAM_FIXED (XLANE_DGRAM_HEAD_BYTES - XLANE_RECORD_BYTES)

bool xl_record_head_parse(const u8 *p, u64 left, struct xl_record_head *out)
{
	*out = (struct xl_record_head){ 0 };
	if (left < XLANE_RECORD_BYTES)
		return false;
	*out = (struct xl_record_head){ .type = p[0], .flags = p[1], .bytes = xl_get16(p + 2) };
	return out->bytes <= left - XLANE_RECORD_BYTES;
}

void xl_record_head_emit(u8 *p, const struct xl_record_head *h)
{
	p[0] = h->type;
	p[1] = h->flags;
	xl_put16(p + 2, h->bytes);
}

/* Head of a record that is `total` bytes long, head and all. Returns total. */
static u32 head(u8 *p, u8 type, u8 flags, u64 total)
{
	XL_ASSERT(total - XLANE_RECORD_BYTES <= UINT16_MAX);
	xl_record_head_emit(p, &(struct xl_record_head){ type, flags, (u16)(total - XLANE_RECORD_BYTES) });
	return (u32)total;
}

bool xl_record_data_parse(const u8 *body, u64 len, u8 flags, struct xl_record_data *out)
{
	*out = (struct xl_record_data){ 0 };
	if (flags & ~(XLANE_DATA_FIN | XLANE_DATA_BEGIN) || len < DATA_FIXED || len > UINT16_MAX)
		return false;
	*out = (struct xl_record_data){
		.offset = xl_get64(body), .bytes = (u32)(len - DATA_FIXED),
		.fin = flags & XLANE_DATA_FIN, .begin = flags & XLANE_DATA_BEGIN,
	};
	/* Empty is legal only as the bare end; and an empty record has no first byte that a header could begin with. */
	return out->bytes || (out->fin && !out->begin);
}

bool xl_record_large_parse(const u8 *body, u64 len, u8 flags, struct xl_record_large *out)
{
	*out = (struct xl_record_large){ 0 };
	if (flags || len <= LARGE_FIXED || len > UINT16_MAX)
		return false;
	*out = (struct xl_record_large){
		.message = xl_get64(body), .offset = xl_get32(body + 8), .bytes = (u32)(len - LARGE_FIXED),
	};
	return (u64)out->offset + out->bytes <= XLANE_MESSAGE_MAX_BYTES;
}

bool xl_record_dgram_parse(const u8 *body, u64 len, u8 flags, struct xl_record_dgram *out)
{
	*out = (struct xl_record_dgram){ 0 };
	if (flags || len < DGRAM_FIXED || len > UINT16_MAX)
		return false;
	*out = (struct xl_record_dgram){
		.datagram = xl_get64(body), .total = xl_get32(body + 8), .offset = xl_get32(body + 12),
		.bytes = (u32)(len - DGRAM_FIXED),
	};
	if (out->total > XLANE_DATAGRAM_MAX_BYTES || (u64)out->offset + out->bytes > out->total)
		return false;
	return out->bytes || !out->total;   /* only an empty datagram has an empty fragment */
}

bool xl_record_credit_parse(const u8 *body, u64 len, struct xl_record_credit *out)
{
	*out = (struct xl_record_credit){ 0 };
	if (len != XLANE_CREDIT_BYTES - XLANE_RECORD_BYTES)
		return false;
	out->limit = xl_get64(body);
	return true;
}

bool xl_record_grant_parse(const u8 *body, u64 len, struct xl_record_grant *out)
{
	*out = (struct xl_record_grant){ 0 };
	if (len != XLANE_GRANT_BYTES - XLANE_RECORD_BYTES)
		return false;
	out->message = xl_get64(body);
	out->bytes = xl_get32(body + 8);
	return true;
}

bool xl_record_blocked_parse(const u8 *body, u64 len, struct xl_record_blocked *out)
{
	*out = (struct xl_record_blocked){ 0 };
	if (len != XLANE_BLOCKED_BYTES - XLANE_RECORD_BYTES)
		return false;
	out->limit = xl_get64(body);
	return true;
}

bool xl_record_abort_parse(const u8 *body, u64 len, struct xl_record_abort *out)
{
	*out = (struct xl_record_abort){ 0 };
	if (len != XLANE_ABORT_BYTES - XLANE_RECORD_BYTES)
		return false;
	out->error = xl_get32(body);
	return true;
}

bool xl_record_max_packet_parse(const u8 *body, u64 len, struct xl_record_max_packet *out)
{
	*out = (struct xl_record_max_packet){ 0 };
	if (len != XLANE_MAX_PACKET_BYTES - XLANE_RECORD_BYTES)
		return false;
	out->bytes = xl_get32(body);
	return out->bytes >= XLANE_MTU_MIN;
}

u32 xl_record_data_emit(u8 *p, const struct xl_record_data *r)
{
	u8 flags = (u8)((r->fin ? XLANE_DATA_FIN : 0) | (r->begin ? XLANE_DATA_BEGIN : 0));

	head(p, XLANE_RECORD_DATA, flags, (u64)XLANE_DATA_HEAD_BYTES + r->bytes);
	xl_put64(p + 4, r->offset);
	return XLANE_DATA_HEAD_BYTES;
}

u32 xl_record_large_emit(u8 *p, const struct xl_record_large *r)
{
	head(p, XLANE_RECORD_LARGE, 0, (u64)XLANE_LARGE_HEAD_BYTES + r->bytes);
	xl_put64(p + 4, r->message);
	xl_put32(p + 12, r->offset);
	return XLANE_LARGE_HEAD_BYTES;
}

u32 xl_record_dgram_emit(u8 *p, const struct xl_record_dgram *r)
{
	head(p, XLANE_RECORD_DGRAM, 0, (u64)XLANE_DGRAM_HEAD_BYTES + r->bytes);
	xl_put64(p + 4, r->datagram);
	xl_put32(p + 12, r->total);
	xl_put32(p + 16, r->offset);
	return XLANE_DGRAM_HEAD_BYTES;
}

u32 xl_record_credit_emit(u8 *p, const struct xl_record_credit *r)
{
	xl_put64(p + 4, r->limit);
	return head(p, XLANE_RECORD_CREDIT, 0, XLANE_CREDIT_BYTES);
}

u32 xl_record_grant_emit(u8 *p, const struct xl_record_grant *r)
{
	xl_put64(p + 4, r->message);
	xl_put32(p + 12, r->bytes);
	return head(p, XLANE_RECORD_GRANT, 0, XLANE_GRANT_BYTES);
}

u32 xl_record_blocked_emit(u8 *p, const struct xl_record_blocked *r)
{
	xl_put64(p + 4, r->limit);
	return head(p, XLANE_RECORD_BLOCKED, 0, XLANE_BLOCKED_BYTES);
}

u32 xl_record_abort_emit(u8 *p, const struct xl_record_abort *r)
{
	xl_put32(p + 4, r->error);
	return head(p, XLANE_RECORD_ABORT, 0, XLANE_ABORT_BYTES);
}

u32 xl_record_max_packet_emit(u8 *p, const struct xl_record_max_packet *r)
{
	xl_put32(p + 4, r->bytes);
	return head(p, XLANE_RECORD_MAX_PACKET, 0, XLANE_MAX_PACKET_BYTES);
}

u32 xl_record_ping_emit(u8 *p)
{
	return head(p, XLANE_RECORD_PING, 0, XLANE_PING_BYTES);
}

u32 xl_record_pad_emit(u8 *p, u32 bytes)
{
	XL_ASSERT(bytes >= XLANE_RECORD_BYTES);
	head(p, XLANE_RECORD_PAD, 0, bytes);
	memset(p + XLANE_RECORD_BYTES, 0, bytes - XLANE_RECORD_BYTES);
	return bytes;
}

bool xl_message_head_parse(const u8 *p, u64 len, struct xl_message_head *out)
{
	*out = (struct xl_message_head){ 0 };
	if (len < XLANE_MESSAGE_HEAD_BYTES)
		return false;
	*out = (struct xl_message_head){ .bytes = xl_get32(p), .class = p[4], .priority = p[5] };
	return out->class <= XLANE_MESSAGE_LARGE && xl_get16(p + 6) == 0;
}

void xl_message_head_emit(u8 *p, const struct xl_message_head *h)
{
	xl_put32(p, h->bytes);
	p[4] = h->class;
	p[5] = h->priority;
	xl_put16(p + 6, 0);
}
