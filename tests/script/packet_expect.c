// SPDX-License-Identifier: BSD-2-Clause
/* packet_expect.c - ">": the next packet of the engine is this one, and comes now. */
#include <stdio.h>
#include <string.h>

#include "packet.h"

#define SPECS_MAX 16

struct wanted {
	struct spec options, spec[SPECS_MAX];
	u32 count;
	bool others, noping;
};

static struct end *end_of(struct run *r, const struct packet *p)
{
	for (u32 i = 0; i < r->nends; i++)
		if (p->id == r->ends[i].id || (p->type == 1 && p->id == r->ends[i].call_id))
			return &r->ends[i];
	return NULL;
}

static _Noreturn void wrong(struct run *r, const struct seen *s, const char *why)
{
	char text[4096];
	struct packet p;

	packet_parse(&s->raw, &p);
	packet_describe(r, &p, true, text, sizeof text);
	script_fail(r, "%s\n  wanted: %s\n  came:   > %s, %+.3f ms from the step before", why, r->text, text,
		    ((double)s->time_ns - (double)r->at) / XL_MS);
}

static void remember(struct end *x, u64 n)
{
	if (x->nseen && n == x->seen[x->nseen - 1].hi + 1) {
		x->seen[x->nseen - 1].hi++;
		return;
	}
	if (x->nseen)
		x->skipped = n - 1;
	if (x->nseen == SEEN_MAX)
		memmove(x->seen, x->seen + 1, --x->nseen * sizeof x->seen[0]);
	x->seen[x->nseen++] = (struct range){ n, n };
}

/* What the packet says that its sender must tell us. */
static void learn(struct end *x, const struct packet *p)
{
	if (p->type == 0 || p->type == 1 || p->type == 2)
		x->engine_next = (s64)(p->n + 1 - x->engine_next) > 0 ? p->n + 1 : x->engine_next;
	if (p->type <= 2)
		remember(x, p->n);
	if (p->type == 1 || p->type == 2)
		x->remote_id = p->source;
	x->called |= p->type == 1;
	if (p->type == 3) {
		memcpy(x->cookie, p->record[0].body, 16);
		x->has_cookie = true;
	}
}

static const char *options_differ(struct run *r, struct spec *o, const struct packet *p, const struct seen *s)
{
	const struct end *x = r->end;
	bool ext = record_flag(o, "ext"), noext = record_flag(o, "noext"), nocrc = record_flag(o, "nocrc");
	const struct { const char *name; u64 value; } fields[] = {
		{ "n", p->n - x->engine_base }, { "bytes", p->length }, { "to", s->path.remote[5] }, { "node", p->node },
		{ "dest", p->dest }, { "source", p->source }, { "hop", p->hop },
		{ "vlan", (u64)s->path.extra[2] << 8 | s->path.extra[3] }, { "bucket", p->id >> 56 },
		{ "source_bucket", p->source >> 56 },
	};

	if (ext && !p->ext)
		return "it has no extension";
	if (noext && p->ext)
		return "it has the extension";
	if (nocrc == p->crc)
		return nocrc ? "it has a tag" : "it has no tag";
	for (u32 i = 0; i < XL_ARRAY_SIZE(fields); i++) {
		const char *said = record_given(o, fields[i].name);

		if (said && !range_has(text_range(r, said), fields[i].value))
			return fields[i].name;
	}
	record_all_used(r, o);
	return NULL;
}

/* A PING that asks for an ACK may go with whatever asks for one anyway (K-31): only scripts about that look at it. */
static bool tolerated(const struct packet *p, u32 k, bool noping)
{
	if (p->record[k].code == 0x00)
		return true;
	return p->record[k].code == 0x13 && p->count > 1 && p->record[p->count - 1].code <= 3 && !noping;
}

/* Every wanted record is there, and nothing else but PAD. */
static const char *records_differ(struct run *r, struct wanted *w, const struct packet *p)
{
	struct talk t = packet_talk(r, true);
	bool taken[RECORDS_MAX] = { 0 };

	for (u32 i = 0; i < w->count; i++) {
		const char *why = "a record is missing";
		u32 k;

		for (k = 0; k < p->count; k++) {
			if (taken[k] || p->record[k].code != w->spec[i].type->code)
				continue;
			why = record_differs(r, &w->spec[i], &p->record[k], &t);
			if (!why)
				break;
		}
		if (k == p->count)
			return why;
		taken[k] = true;
	}
	for (u32 k = 0; !w->others && k < p->count; k++)
		if (!taken[k] && !tolerated(p, k, w->noping))
			return "it has another record";
	return NULL;
}

/* Whatever a script says of it, a packet of the engine is a right one. */
static const char *malformed(const struct packet *p, const struct seen *s)
{
	if (p->version != 1 || p->flags & ~3 || p->length != s->raw.n || !p->whole || p->type > 4)
		return "it is no packet of this protocol";
	if (p->crc && !p->crc_right)
		return "its tag is wrong";
	return p->type && !p->ext ? "it lacks the extension" : NULL;
}

void packet_look(struct run *r)
{
	const struct seen *s = world_first(&r->w);
	char text[4096] = "> ";
	struct packet p;

	packet_parse(&s->raw, &p);
	packet_describe(r, &p, true, text + 2, sizeof text - 2);
	packet_note(r, s->time_ns, text, true);
	if (end_of(r, &p))
		learn(end_of(r, &p), &p);
	r->at = xl_max(r->at, s->time_ns);
	world_pop(&r->w);
}

static void read_specs(struct run *r, struct wanted *w)
{
	while (text_look(r)) {
		if (text_accept(r, "*"))
			w->others = true;
		else if (w->count == SPECS_MAX)
			script_fail(r, "too many records");
		else
			record_read(r, &w->spec[w->count++]);
		if (!text_accept(r, ";"))
			text_end(r);
	}
}

static void await(struct run *r)
{
	struct seen *s;

	script_time(r, r->hi, true);
	s = world_first(&r->w);
	if (!s)
		script_fail(r, "no packet came\n  wanted: %s", r->text);
	if (s->time_ns < r->lo || s->time_ns > r->hi)
		wrong(r, s, s->time_ns < r->lo ? "it came too early" : "it came too late");
}

/* Why the oldest packet is not the one; NULL: it is. */
static const char *differs(struct run *r, struct wanted *w, struct packet *p)
{
	const struct seen *s = world_first(&r->w);
	const char *why;

	packet_parse(&s->raw, p);
	if (end_of(r, p) != r->end)
		return end_of(r, p) ? "it goes to another connection" : "it goes to a connection that the script does not have";
	why = malformed(p, s);
	if (!why)
		why = options_differ(r, &w->options, p, s);
	return why ? why : records_differ(r, w, p);
}

static void read_wanted(struct run *r, struct wanted *w)
{
	*w = (struct wanted){ 0 };
	record_options(r, &w->options);
	w->noping = record_flag(&w->options, "noping");
	read_specs(r, w);
}

void packet_expect(struct run *r)
{
	struct wanted w;
	const char *why;
	struct packet p;

	if (text_accept(r, "nothing")) {
		text_end(r);
		script_time(r, r->hi, false);
		if (world_first(&r->w))
			wrong(r, world_first(&r->w), "nothing was to come");
		r->at = xl_max(r->at, r->hi);
		return;
	}
	read_wanted(r, &w);
	await(r);
	why = differs(r, &w, &p);
	if (why)
		wrong(r, world_first(&r->w), why);
	packet_look(r);
}

void packet_expect_among(struct run *r)
{
	struct wanted w;
	struct packet p;
	u32 n = 0;

	read_wanted(r, &w);
	await(r);
	do {
		if (!world_front(&r->w, n++))
			wrong(r, world_first(&r->w), "it is not among those that came");
	} while (differs(r, &w, &p));
	packet_look(r);
}
