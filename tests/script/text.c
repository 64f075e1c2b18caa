// SPDX-License-Identifier: BSD-2-Clause
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

static const struct { const char *name; u64 value; } constants[] = {
#define WIRE_ERROR(name, value, text) { #name, value },
	XLANE_WIRE_ERRORS(WIRE_ERROR)
#define ERRNO(name) { #name, (u64)-name }
	ERRNO(EAGAIN), ERRNO(EPIPE), ERRNO(EMSGSIZE), ERRNO(EINVAL), ERRNO(ENODATA), ERRNO(ECONNRESET), ERRNO(ECONNREFUSED),
	ERRNO(EHOSTDOWN), ERRNO(EPROTO), ERRNO(ENOBUFS), ERRNO(EPROTOTYPE), ERRNO(EPROTONOSUPPORT), ERRNO(EADDRINUSE),
	ERRNO(ENOSPC), ERRNO(ETIMEDOUT),
	{ "stream", XLANE_KIND_STREAM }, { "message", XLANE_KIND_MESSAGE }, { "unordered", XLANE_KIND_UNORDERED },
	{ "datagram", XLANE_KIND_DATAGRAM }, { "small", XLANE_MESSAGE_SMALL }, { "large", XLANE_MESSAGE_LARGE },
	{ "max", UINT64_MAX }, { "engine", NODE(ENGINE_ADDRESS) }, { "peer", NODE(3) },
	{ "delay", XL_CONGESTION_DELAY }, { "cubic", XL_CONGESTION_CUBIC }, { "newreno", XL_CONGESTION_NEWRENO },
};

static const struct { const char *name; u64 factor; } units[] = {
	{ "ns", 1 }, { "us", XL_US }, { "ms", XL_MS }, { "s", XL_S }, { "K", 1024 }, { "M", 1048576 },
};

static void add_word(struct run *r, const char *start)
{
	if (r->words.count == WORDS_MAX)
		script_fail(r, "more than %d words", WORDS_MAX);
	r->words.word[r->words.count++] = start;
}

void text_cut(struct run *r, const char *line)
{
	struct words *w = &r->words;
	char *out = w->buffer;
	bool in_word = false;

	w->count = w->at = 0;
	if (strlen(line) >= LINE_MAX_BYTES)
		script_fail(r, "the line is too long");
	for (; *line && *line != '#'; line++) {
		bool single = strchr("();", *line), space = isspace((unsigned char)*line);

		if (in_word && (single || space)) {
			*out++ = 0;
			in_word = false;
		}
		if (space)
			continue;
		if (!in_word)
			add_word(r, out);
		*out++ = *line;
		in_word = !single;
		if (single)
			*out++ = 0;
	}
	*out = 0;
}

const char *text_look(const struct run *r)
{
	return r->words.at < r->words.count ? r->words.word[r->words.at] : NULL;
}

const char *text_take(struct run *r)
{
	const char *word = text_look(r);

	r->words.at += word != NULL;
	return word;
}

const char *text_need(struct run *r, const char *what)
{
	const char *word = text_take(r);

	if (!word)
		script_fail(r, "%s is missing", what);
	return word;
}

bool text_accept(struct run *r, const char *word)
{
	const char *here = text_look(r);

	if (!here || strcmp(here, word))
		return false;
	r->words.at++;
	return true;
}

void text_end(struct run *r)
{
	if (text_look(r))
		script_fail(r, "\"%s\" is not understood here", text_look(r));
}

static u64 named(struct run *r, const char *name, size_t len)
{
	for (u32 i = 0; i < r->words.lets; i++)
		if (strlen(r->words.let[i].name) == len && !memcmp(r->words.let[i].name, name, len))
			return r->words.let[i].value;
	for (u32 i = 0; i < XL_ARRAY_SIZE(constants); i++)
		if (strlen(constants[i].name) == len && !memcmp(constants[i].name, name, len))
			return constants[i].value;
	if (len == 1 && *name == 'i')
		return r->words.i;
	if (len == 4 && !memcmp(name, "last", 4))
		return r->end->engine_next - 1 - r->end->engine_base;
	if (len == 7 && !memcmp(name, "skipped", 7))
		return r->end->skipped - r->end->engine_base;
	if (len == 6 && !memcmp(name, "bucket", 6))
		return r->end->call_id >> 56;
	script_fail(r, "\"%.*s\" has no value", (int)len, name);
}

static u64 factor(struct run *r, const char **p)
{
	const char *start = *p;
	size_t len = 0;
	char *end;
	u64 value;

	if (**p == '-') {
		++*p;
		return -factor(r, p);
	}
	while (isalnum((unsigned char)start[len]) || start[len] == '_')
		len++;
	*p += len;
	if (!len)
		script_fail(r, "a value is missing at \"%s\"", start);
	if (!isdigit((unsigned char)*start))
		return named(r, start, len);
	value = strtoull(start, &end, 0);
	if (end == start + len)
		return value;
	for (u32 i = 0; i < XL_ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == (size_t)(start + len - end) && !memcmp(units[i].name, end, (size_t)(start + len - end)))
			return value * units[i].factor;
	script_fail(r, "\"%.*s\" is no number", (int)len, start);
}

static u64 product(struct run *r, const char **p)
{
	u64 value = factor(r, p);

	while (**p == '*' || **p == '/') {
		char what = *(*p)++;
		u64 by = factor(r, p);

		value = what == '*' ? value * by : by ? value / by : 0;
	}
	return value;
}

static u64 sum(struct run *r, const char **p)
{
	u64 value = product(r, p);

	while (**p == '+' || **p == '-')
		value = *(*p)++ == '+' ? value + product(r, p) : value - product(r, p);
	return value;
}

u64 text_value(struct run *r, const char *text)
{
	const char *p = text;
	u64 value = sum(r, &p);

	if (*p)
		script_fail(r, "\"%s\" is not understood in \"%s\"", p, text);
	return value;
}

struct range text_range(struct run *r, const char *text)
{
	struct range v = { 0, UINT64_MAX };
	const char *dots = strstr(text, ".."), *p = text;

	if (!strcmp(text, "*"))
		return v;
	if (p != dots)
		v.lo = sum(r, &p);
	if (!dots && !*p)
		return (struct range){ v.lo, v.lo };
	if (p != dots)
		script_fail(r, "\"%s\" is not understood in \"%s\"", p, text);
	p += 2;
	if (*p)
		v.hi = text_value(r, p);
	return v;
}

void text_let(struct run *r, const char *name, u64 value)
{
	struct words *w = &r->words;
	u32 i = 0;

	while (i < w->lets && strcmp(w->let[i].name, name))
		i++;
	if (i == LETS_MAX || strlen(name) >= sizeof w->let[0].name)
		script_fail(r, "too many names, or too long a name");
	w->lets = (u32)xl_max(w->lets, i + 1);
	strcpy(w->let[i].name, name);
	w->let[i].value = value;
}
