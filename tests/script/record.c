// SPDX-License-Identifier: BSD-2-Clause
/* record.c - the table of records, and the words that describe one. */
#include "record.h"

#include <stdio.h>
#include <string.h>

static const struct record_type types[] = {
	{ "pad", 0x00, 0, 0, { { 0 } } },
	{ "data", 0x01, 0, 8, { { "off", 0, 8, PLAIN } } },
	{ "large", 0x02, 0, 12, { { "msg", 0, 8, PLAIN }, { "off", 8, 4, PLAIN } } },
	{ "dgram", 0x03, 0, 16, { { "id", 0, 8, PLAIN }, { "total", 8, 4, PLAIN }, { "off", 12, 4, PLAIN } } },
	{ "ack", 0x10, 0, 20, { { "delay", 8, 4, PLAIN }, { "host", 12, 4, PLAIN } } },
	{ "credit", 0x11, 0, 8, { { "limit", 0, 8, PLAIN } } },
	{ "grant", 0x12, 0, 12, { { "msg", 0, 8, PLAIN }, { "bytes", 8, 4, PLAIN } } },
	{ "ping", 0x13, 0, 0, { { 0 } } },
	{ "blocked", 0x14, 0, 8, { { "limit", 0, 8, PLAIN } } },
	{ "abort", 0x15, 0, 4, { { "error", 0, 4, PLAIN } } },
	{ "max_packet", 0x16, 0, 4, { { "bytes", 0, 4, PLAIN } } },
	{ "init", 0x20, 1, 16, { { "incarnation", 0, 8, PLAIN }, { "from", 8, 2, PLAIN }, { "port", 10, 2, PLAIN },
				 { "kind", 12, 1, PLAIN }, { "zero", 15, 1, PLAIN } } },
	{ "accept", 0x21, 2, 16, { { "incarnation", 0, 8, PLAIN }, { "echo", 8, 8, PLAIN } } },
	{ "cookie", 0x22, 3, 16, { { 0 } } },
	{ "refuse", 0x23, 4, 20, { { "error", 0, 4, PLAIN }, { "id", 4, 8, PLAIN }, { "n", 12, 8, OF_RECEIVER } } },
	{ "record", 0xff, 0, 0, { { 0 } } }, /* any other: code= flags= len= */
};

const struct param_type param_types[PARAM_TYPES] = {
	{ "max_packet", 0x8001, 4, PLAIN }, { "credit", 0x8002, 8, PLAIN }, { "ack_delay", 0x0003, 4, PLAIN },
	{ "no_crc", 0x0004, 0, PLAIN }, { "message_max", 0x0005, 4, PLAIN }, { "cookie", 0x8006, 16, PLAIN },
	{ "first", 0x8007, 8, FIRST_OF_SENDER },
};

const struct record_type *record_type_of(u8 code)
{
	for (u32 i = 0; i + 1 < XL_ARRAY_SIZE(types); i++)
		if (types[i].code == code)
			return &types[i];
	return &types[XL_ARRAY_SIZE(types) - 1];
}

static const char *const flags[] = { "fin", "begin", "nobegin", "no_crc", "any" };

static bool is_flag(const char *word)
{
	for (u32 i = 0; i < XL_ARRAY_SIZE(flags); i++)
		if (!strcmp(word, flags[i]))
			return true;
	return false;
}

u8 record_packet(const char *name)
{
	for (u32 i = 0; name && i < XL_ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, name))
			return types[i].packet;
	return 0;
}

/* "name=value" or "name". */
static void take_given(struct run *r, struct spec *s, const char *word)
{
	char *value = strchr((char *)(uintptr_t)word, '='); /* the words are our own copy of the line */
	struct given *g;

	if (s->count == GIVEN_MAX)
		script_fail(r, "too many words in one record");
	g = &s->given[s->count++];
	g->name = word;
	if (value) {
		*value = 0;
		g->value = value + 1;
	}
}

void record_options(struct run *r, struct spec *s)
{
	*s = (struct spec){ 0 };
	if (!text_accept(r, "("))
		return;
	while (!text_accept(r, ")"))
		take_given(r, s, text_need(r, "\")\""));
}

void record_read(struct run *r, struct spec *s)
{
	const char *name = text_need(r, "a record");

	*s = (struct spec){ 0 };
	for (u32 i = 0; i < XL_ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, name))
			s->type = &types[i];
	if (!s->type)
		script_fail(r, "no record is called \"%s\"", name);
	while (text_look(r) && strcmp(text_look(r), ";")) {
		const char *word = text_take(r);

		if (strchr(word, '=') || is_flag(word)) {
			take_given(r, s, word);
			continue;
		}
		if (s->bare)
			script_fail(r, "\"%s\" is not understood here", word);
		s->bare = word;
	}
	if (!s->bare || s->type->code == 0x10)
		return;
	take_given(r, s, s->type->fixed && s->type->field[0].name ? s->type->field[0].name : "len");
	s->given[s->count - 1].value = s->bare;
}

const char *record_given(struct spec *s, const char *name)
{
	for (u32 i = 0; i < s->count; i++)
		if (!strcmp(s->given[i].name, name) && s->given[i].value) {
			s->given[i].used = true;
			return s->given[i].value;
		}
	return NULL;
}

bool record_flag(struct spec *s, const char *name)
{
	for (u32 i = 0; i < s->count; i++)
		if (!strcmp(s->given[i].name, name) && !s->given[i].value) {
			s->given[i].used = true;
			return true;
		}
	return false;
}

u64 record_value(struct run *r, struct spec *s, const char *name, u64 otherwise)
{
	const char *text = record_given(s, name);

	return text ? text_value(r, text) : otherwise;
}

void record_all_used(struct run *r, const struct spec *s)
{
	for (u32 i = 0; i < s->count; i++)
		if (!s->given[i].used)
			script_fail(r, "\"%s\" is not understood %s %s", s->given[i].name, s->type ? "in a record" : "for a packet",
				    s->type ? s->type->name : "as a whole");
}

const u8 *param_find(const struct record *rec, const struct record_type *type, u16 id, u32 *bytes)
{
	for (u32 at = type->fixed; at + 4 <= rec->bytes; at += 4 + *bytes) {
		*bytes = xl_get16(rec->body + at + 2);
		if (at + 4 + *bytes > rec->bytes)
			break;
		if (xl_get16(rec->body + at) == id)
			return rec->body + at + 4;
	}
	return NULL;
}
