// SPDX-License-Identifier: BSD-2-Clause
/* packet.c - a packet's bytes taken apart, without the engine's parsers, and told. */
#include "packet.h"

#include <stdio.h>
#include <string.h>

static void parse_records(const struct raw *raw, u32 at, u32 end, struct packet *out)
{
	while (at + 4 <= end && out->count < RECORDS_MAX) {
		struct record *rec = &out->record[out->count];

		*rec = (struct record){ raw->b[at], raw->b[at + 1], xl_get16(raw->b + at + 2), raw->b + at + 4 };
		if (at + 4 + rec->bytes > end)
			return;
		out->count++;
		at += 4 + rec->bytes;
	}
	out->whole = at == end;
}

void packet_parse(const struct raw *raw, struct packet *out)
{
	const u8 *b = raw->b;
	u32 at = 20, end;

	*out = (struct packet){ 0 };
	out->torn = raw->n < 20;
	if (out->torn)
		return;
	out->version = b[0] >> 4;
	out->type = b[0] & 15;
	out->flags = b[1];
	out->length = xl_get16(b + 2);
	out->id = xl_get64(b + 4);
	out->n = xl_get64(b + 12);
	out->ext = b[1] & 1;
	out->crc = b[1] & 2;
	end = (u32)xl_min(out->length, raw->n);
	if (out->ext && end >= 48) {
		out->hop = b[21];
		out->node = xl_get64(b + 24);
		out->dest = xl_get64(b + 32);
		out->source = xl_get64(b + 40);
		at = 48;
	}
	if (out->crc && end >= at + 4) {
		end -= 4;
		out->crc_right = xl_crc32c(0, b, end) == xl_get32(b + end);
	}
	parse_records(raw, at, end, out);
}

struct talk packet_talk(const struct run *r, bool from_engine)
{
	struct side peer = { r->end->base, r->end->first }, engine = { r->end->engine_base, r->end->engine_first };

	return from_engine ? (struct talk){ engine, peer } : (struct talk){ peer, engine };
}

void packet_describe(const struct run *r, const struct packet *p, bool from_engine, char *out, u32 size)
{
	struct talk t = packet_talk(r, from_engine);
	u64 base = from_engine && p->type < 3 ? t.sender.base : from_engine ? t.receiver.base : t.sender.base;
	char text[512];
	u32 n;

	if (p->torn) {
		snprintf(out, size, "(no outer header)");
		return;
	}
	n = (u32)snprintf(out, size, "(n=%lld%s%s bytes=%u)", (long long)(p->n - base), p->ext ? " ext" : "",
			  p->crc ? p->crc_right ? "" : " badcrc" : " nocrc", p->length);
	for (u32 i = 0; i < p->count && n + sizeof text < size; i++) {
		record_describe(&p->record[i], &t, text, sizeof text);
		n += (u32)snprintf(out + n, size - n, "%s %s", i ? ";" : "", text);
	}
	if (!p->whole)
		snprintf(out + n, size - n, " ; [records that do not fit]");
}

void packet_note(struct run *r, u64 time_ns, const char *text, bool from_engine)
{
	u64 at = time_ns - WORLD_START_NS;

	for (const char *p = text; from_engine && *p; p++)
		r->hash = (r->hash ^ (u8)*p) * 0x100000001b3ull;
	if (from_engine)
		r->hash = (r->hash ^ at) * 0x100000001b3ull;
	if (r->verbose)
		printf("# %9.3f ms  %s %s\n", (double)at / XL_MS, r->end->name, text);
}
