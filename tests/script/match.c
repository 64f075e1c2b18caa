// SPDX-License-Identifier: BSD-2-Clause
/* match.c - records from bytes: compared with what the script wants, and told in the script's own words. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record.h"

static u64 get(const u8 *p, u32 bytes)
{
	u64 v = 0;

	for (; bytes; bytes--)
		v = v << 8 | *p++;
	return v;
}

static u64 relative(u64 value, u8 number, const struct talk *t)
{
	switch (number) {
	case OF_SENDER: return value - t->sender.base;
	case OF_RECEIVER: return value - t->receiver.base;
	case FIRST_OF_SENDER: return value - t->sender.first;
	default: return value;
	}
}

/* Range i of an ACK, relative; numbers of the handshake count as 0 where later ones belong to the same range. */
static bool ack_range(const struct record *got, const struct talk *t, u32 i, struct range *out)
{
	u64 last = get(got->body, 8), first = last - get(got->body + 16, 4);

	if (20 + 8 * i > got->bytes)
		return false;
	for (u32 k = 0; k < i; k++) {
		last = first - get(got->body + 20 + 8 * k, 4) - 1;
		first = last - get(got->body + 24 + 8 * k, 4);
	}
	out->hi = last - t->receiver.base;
	out->lo = first - t->receiver.base;
	if ((s64)out->hi >= 0 && (s64)out->lo < 0)
		out->lo = 0;
	return true;
}

static const char *differ(const char *format, ...)
{
	static char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	return text;
}

static const char *ack_differs(struct run *r, struct spec *s, const struct record *got, const struct talk *t)
{
	char text[LINE_MAX_BYTES], *save = NULL;
	struct range have;
	u32 n = 0;

	if (!s->bare || !strcmp(s->bare, "*"))
		return NULL;
	strcpy(text, s->bare);
	for (char *word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save), n++) {
		struct range want = text_range(r, word);

		if (!ack_range(got, t, n, &have) || have.lo != want.lo || have.hi != want.hi)
			return "its ranges are others";
	}
	return ack_range(got, t, n, &have) ? "it has more ranges" : NULL;
}

static const char *params_differ(struct run *r, struct spec *s, const struct record *got, const struct talk *t)
{
	const char *without = record_given(s, "without");

	for (u32 i = 0; i < PARAM_TYPES; i++) {
		const struct param_type *p = &param_types[i];
		bool flag = record_flag(s, p->name);
		const char *said = record_given(s, p->name);
		u32 bytes = 0;
		const u8 *v = param_find(got, s->type, p->id, &bytes);

		if (v && without && !strcmp(without, p->name))
			return differ("it has %s", p->name);
		if (!said && !flag)
			continue;
		if (!v || bytes != p->bytes)
			return differ("it lacks %s", p->name);
		if (said && bytes <= 8 && !range_has(text_range(r, said), relative(get(v, bytes), p->number, t)))
			return differ("its %s is another", p->name);
	}
	return NULL;
}

static const char *fields_differ(struct run *r, struct spec *s, const struct record *got, const struct talk *t)
{
	for (u32 i = 0; i < XL_ARRAY_SIZE(s->type->field) && s->type->field[i].name; i++) {
		const struct field *f = &s->type->field[i];
		const char *said = record_given(s, f->name);

		if (said && !range_has(text_range(r, said), relative(get(got->body + f->at, f->bytes), f->number, t)))
			return differ("its %s is another", f->name);
	}
	return NULL;
}

static const char *flags_differ(struct spec *s, const struct record *got)
{
	bool fin = record_flag(s, "fin"), begin = record_flag(s, "begin"), nobegin = record_flag(s, "nobegin");

	if (s->type->code != 1)
		return got->flags ? "it has flags" : NULL;
	if (fin != (got->flags & 1))
		return fin ? "it is not the end" : "it is the end";
	if ((begin && !(got->flags & 2)) || (nobegin && got->flags & 2))
		return begin ? "it does not begin a message" : "it begins a message";
	return NULL;
}

const char *record_differs(struct run *r, struct spec *s, const struct record *got, const struct talk *t)
{
	const char *len = record_given(s, "len"), *why = flags_differ(s, got);
	u32 fixed = s->type->fixed;

	if (got->bytes < fixed)
		return "it is too short";
	if (!why)
		why = fields_differ(r, s, got, t);
	if (!why && s->type->code == 0x10)
		why = ack_differs(r, s, got, t);
	if (!why && (s->type->packet == 1 || s->type->packet == 2))
		why = params_differ(r, s, got, t);
	if (!why && len && !range_has(text_range(r, len), got->bytes - fixed))
		why = "its length is another";
	if (!why && s->type->code >= 1 && s->type->code <= 3)
		why = payload_differs(r, s, got->body + fixed, got->bytes - fixed,
				      s->type->code == 1 ? get(got->body, 8) : get(got->body + fixed - 4, 4));
	if (!why)
		record_all_used(r, s);
	return why;
}

static void say(char *out, u32 size, const char *format, ...)
{
	size_t n = strlen(out);
	va_list ap;

	va_start(ap, format);
	vsnprintf(out + n, size - n, format, ap);
	va_end(ap);
}

static void describe_params(const struct record *got, const struct record_type *type, const struct talk *t, char *out, u32 size)
{
	for (u32 i = 0; i < PARAM_TYPES; i++) {
		const struct param_type *p = &param_types[i];
		u32 bytes = 0;
		const u8 *v = param_find(got, type, p->id, &bytes);

		if (v && bytes && bytes <= 8)
			say(out, size, " %s=%llu", p->name, (unsigned long long)relative(get(v, bytes), p->number, t));
		else if (v)
			say(out, size, " %s", p->name);
	}
}

static void describe_ranges(const struct record *got, const struct talk *t, char *out, u32 size)
{
	struct range v;

	for (u32 i = 0; ack_range(got, t, i, &v); i++) {
		say(out, size, "%s%lld", i ? "," : " ", (long long)v.lo);
		if (v.lo != v.hi)
			say(out, size, "..%lld", (long long)v.hi);
	}
}

void record_describe(const struct record *got, const struct talk *t, char *out, u32 size)
{
	const struct record_type *type = record_type_of(got->code);

	out[0] = 0;
	say(out, size, "%s", type->name);
	if (type->code == 0xff)
		say(out, size, " code=0x%02x", got->code);
	if (got->bytes < type->fixed) {
		say(out, size, " body=%u", got->bytes);
		return;
	}
	if (type->code == 0x10)
		describe_ranges(got, t, out, size);
	for (u32 i = 0; i < XL_ARRAY_SIZE(type->field) && type->field[i].name; i++) {
		const struct field *f = &type->field[i];

		if (type->packet == 4 && !strcmp(f->name, "id"))
			continue; /* random */
		say(out, size, " %s=%lld", f->name, (long long)relative(get(got->body + f->at, f->bytes), f->number, t));
	}
	if (type->packet == 1 || type->packet == 2)
		describe_params(got, type, t, out, size);
	if (type->code <= 3 || type->code == 0xff)
		say(out, size, " len=%u", got->bytes - type->fixed);
	if (type->code == 1 && got->flags & 3)
		say(out, size, "%s%s", got->flags & 1 ? " fin" : "", got->flags & 2 ? " begin" : "");
	if (got->flags && (type->code != 1 || got->flags & ~3u))
		say(out, size, " flags=0x%02x", got->flags);
}
