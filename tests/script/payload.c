// SPDX-License-Identifier: BSD-2-Clause
/*
 * payload.c - what a data record carries: the pattern, one byte again and again ("fill=0xaa"), or messages with their heads
 * ("msg=100+0+70000/large/priority/zero"), of which from= and to= cut a part.
 */
#include <stdlib.h>
#include <string.h>

#include "record.h"

#define HEAD 8

struct message { u64 bytes, class, priority, zero; };

/* Next message of "LEN[/CLASS[/PRIORITY[/ZERO]]][+...]"; false: no more. */
static bool next_message(struct run *r, const char **p, struct message *m)
{
	u64 *part[] = { &m->bytes, &m->class, &m->priority, &m->zero };
	char word[64];

	*m = (struct message){ 0 };
	if (!**p)
		return false;
	for (u32 i = 0; i < XL_ARRAY_SIZE(part); i++) {
		size_t n = strcspn(*p, "/+");

		if (n >= sizeof word)
			script_fail(r, "a message is not understood");
		memcpy(word, *p, n);
		word[n] = 0;
		*part[i] = text_value(r, word);
		*p += n;
		if (**p != '/')
			break;
		++*p;
	}
	if (**p == '+')
		++*p;
	return true;
}

static u64 message_total(const struct message *m) { return HEAD + (m->class == XLANE_MESSAGE_LARGE ? 0 : m->bytes); }

static u8 message_byte(const struct message *m, u64 at)
{
	u8 head[HEAD] = { (u8)(m->bytes >> 24), (u8)(m->bytes >> 16), (u8)(m->bytes >> 8), (u8)m->bytes, (u8)m->class,
			  (u8)m->priority, (u8)(m->zero >> 8), (u8)m->zero };

	return at < HEAD ? head[at] : pattern(at - HEAD);
}

/* All of the messages as bytes, in *out (the caller frees it). */
static u64 messages(struct run *r, const char *text, u8 **out)
{
	struct message m;
	u64 total = 0;

	*out = NULL;
	for (const char *p = text; next_message(r, &p, &m);) {
		u64 n = message_total(&m);

		*out = realloc(*out, total + n);
		for (u64 k = 0; k < n; k++)
			(*out)[total + k] = message_byte(&m, k);
		total += n;
	}
	return total;
}

static u32 hex_bytes(struct run *r, const char *text, u8 *out, u32 max)
{
	u32 n = 0;

	for (; text[0] && text[1] && n < max; text += 2) {
		char two[3] = { text[0], text[1], 0 }, *end;

		out[n++] = (u8)strtoul(two, &end, 16);
		if (*end)
			script_fail(r, "\"%s\" is not hexadecimal", two);
	}
	return n;
}

static void put(struct run *r, struct raw *raw, const u8 *p, u64 n)
{
	if (n > WIRE_MAX - 64 - raw->n)
		script_fail(r, "the packet is too large");
	memcpy(raw->b + raw->n, p, n);
	raw->n += (u32)n;
}

void payload_write(struct run *r, struct raw *raw, struct spec *s)
{
	const char *msg = s->type->code == 1 ? record_given(s, "msg") : NULL, *hex = record_given(s, "hex");
	u64 at = s->type->code == 1 || s->type->fixed > 8 ? record_value(r, s, "off", 0) : 0;
	u64 fill = record_value(r, s, "fill", XL_NONE64), len = record_value(r, s, "len", 0);
	u8 *all, bytes[WIRE_MAX];

	if (msg) {
		u64 total = messages(r, msg, &all), from = record_value(r, s, "from", 0), to = record_value(r, s, "to", total);

		put(r, raw, all + from, to - from);
		free(all);
		return;
	}
	if (hex) {
		put(r, raw, bytes, hex_bytes(r, hex, bytes, sizeof bytes));
		return;
	}
	for (u64 k = 0; k < xl_min(len, sizeof bytes); k++)
		bytes[k] = fill == XL_NONE64 ? pattern(at + k) : (u8)fill;
	put(r, raw, bytes, len);
}

const char *payload_differs(struct run *r, struct spec *s, const u8 *p, u32 bytes, u64 offset)
{
	const char *msg = s->type->code == 1 ? record_given(s, "msg") : NULL;
	bool any = record_flag(s, "any"), same;
	u8 *all;

	if (msg) {
		u64 total = messages(r, msg, &all), from = record_value(r, s, "from", 0), to = record_value(r, s, "to", total);

		same = bytes == to - from && !memcmp(all + from, p, bytes);
		free(all);
		return same ? NULL : "its messages are others";
	}
	if (any || (s->type->code == 1 && r->end->kind != XLANE_KIND_STREAM))
		return NULL;
	for (u32 k = 0; k < bytes; k++)
		if (p[k] != pattern(offset + k))
			return "its bytes are not those that were sent";
	return NULL;
}
