// SPDX-License-Identifier: BSD-2-Clause
/* write.c - records from words to bytes. What is not said has the value that makes the record right. */
#include <stdlib.h>
#include <string.h>

#include "record.h"

static u64 number_of(u64 value, u8 number, const struct talk *t)
{
	switch (number) {
	case OF_SENDER: return value + t->sender.base;
	case OF_RECEIVER: return value + t->receiver.base;
	case FIRST_OF_SENDER: return value + t->sender.first;
	default: return value;
	}
}

static void put(struct raw *raw, u64 value, u32 bytes)
{
	for (; bytes; bytes--)
		raw8(raw, (u8)(value >> 8 * (bytes - 1)));
}

/* What a field has when the script does not say. */
static u64 usual(const struct run *r, const struct record_type *type, const char *field)
{
	const struct end *x = r->end;

	if (!strcmp(field, "incarnation"))
		return x->incarnation;
	if (!strcmp(field, "echo"))
		return r->w.cfg.incarnation;
	if (!strcmp(field, "from"))
		return x->port;
	if (!strcmp(field, "port"))
		return x->engine_port;
	if (!strcmp(field, "kind"))
		return x->kind;
	if (type->packet == 4 && !strcmp(field, "id"))
		return x->called ? x->call_id : x->id;
	if (type->packet == 4 && !strcmp(field, "n"))
		return x->engine_next - 1 - x->engine_base;
	return 0;
}

static void write_param(struct run *r, struct raw *raw, struct spec *s, const struct param_type *p, const struct talk *t)
{
	const struct end *x = r->end;
	const u64 own[PARAM_TYPES] = { x->max_packet, x->credit, x->ack_delay, 0, x->message_max, 0, 0 };
	u32 i = (u32)(p - param_types);
	const char *said = record_given(s, p->name), *without = record_given(s, "without");
	bool usual_one = p->id == 0x8001 || p->id == 0x8002 || p->id == 0x8007 || own[i];
	u8 cookie[16];

	if (p->id == 0x0004)
		usual_one = record_flag(s, "no_crc") || x->no_crc;
	if ((!said && !usual_one) || (without && !strcmp(without, p->name)))
		return;
	raw16(raw, p->id);
	raw16(raw, p->bytes);
	if (p->id != 0x8006) {
		put(raw, number_of(said ? text_value(r, said) : own[i], p->number, t), p->bytes);
		return;
	}
	memcpy(cookie, x->cookie, 16);
	cookie[7] ^= !strcmp(said, "wrong");
	memcpy(raw->b + raw->n, cookie, 16);
	raw->n += 16;
}

/* "extra=ID/BYTES": parameters that the table does not have, or has already. */
static void write_extra(struct run *r, struct raw *raw, struct spec *s)
{
	for (u32 i = 0; i < s->count; i++) {
		char word[64];
		size_t n;
		u64 bytes;

		if (strcmp(s->given[i].name, "extra"))
			continue;
		s->given[i].used = true;
		n = strcspn(s->given[i].value, "/");
		if (n >= sizeof word || !s->given[i].value[n])
			script_fail(r, "extra=ID/BYTES");
		memcpy(word, s->given[i].value, n);
		word[n] = 0;
		raw16(raw, (u16)text_value(r, word));
		bytes = text_value(r, s->given[i].value + n + 1);
		raw16(raw, (u16)bytes);
		raw_fill(raw, 0, (u32)xl_min(bytes, 512));
	}
}

/* Ranges of an ACK, the newest first: "7..9,5,0..2". */
static void write_ranges(struct run *r, struct raw *raw, struct spec *s, const struct talk *t, u64 delay, u64 host)
{
	char text[LINE_MAX_BYTES], *save = NULL;
	struct range all[SEEN_MAX];
	u32 n = 0;

	if (!strcmp(s->bare, "all")) {
		for (; n < xl_min(r->end->nseen, 16); n++)
			all[n] = r->end->seen[r->end->nseen - 1 - n];
	} else {
		strcpy(text, s->bare);
		for (char *word = strtok_r(text, ",", &save); word && n < SEEN_MAX; word = strtok_r(NULL, ",", &save), n++) {
			all[n] = text_range(r, word);
			all[n].lo += t->receiver.base;
			all[n].hi += t->receiver.base;
		}
	}
	for (u32 i = 0; i < n; i++) {
		if (i) {
			raw32(raw, (u32)(all[i - 1].lo - all[i].hi - 1));
		} else {
			raw64(raw, all[i].hi);
			raw32(raw, (u32)delay);
			raw32(raw, (u32)host);
		}
		raw32(raw, (u32)(all[i].hi - all[i].lo));
	}
}

/* "at=NUMBER run=N pairs=GAP/RUN,...": an ACK as no honest receiver sends it; the number is not relative. */
static void write_bare_ack(struct run *r, struct raw *raw, struct spec *s, const struct talk *t)
{
	const char *at = record_given(s, "at"), *pairs = record_given(s, "pairs");
	char text[LINE_MAX_BYTES], *save = NULL;

	raw64(raw, at ? text_value(r, at) : record_value(r, s, "largest", 0) + t->receiver.base);
	raw64(raw, 0);
	raw32(raw, (u32)record_value(r, s, "run", 0));
	strcpy(text, pairs ? pairs : "");
	for (char *word = strtok_r(text, ",/", &save); word; word = strtok_r(NULL, ",/", &save))
		raw32(raw, (u32)text_value(r, word));
}

static void write_ack(struct run *r, struct raw *raw, struct spec *s, const struct talk *t)
{
	u64 delay = record_value(r, s, "delay", 0), host = record_value(r, s, "host", 0);

	if (s->bare)
		write_ranges(r, raw, s, t, delay, host);
	else
		write_bare_ack(r, raw, s, t);
}

static void write_fields(struct run *r, struct raw *raw, struct spec *s, const struct talk *t)
{
	u32 start = raw->n;

	raw_fill(raw, 0, s->type->fixed);
	for (u32 i = 0; i < XL_ARRAY_SIZE(s->type->field) && s->type->field[i].name; i++) {
		const struct field *f = &s->type->field[i];
		struct raw tmp = { .n = start + f->at };
		u64 v = number_of(record_value(r, s, f->name, usual(r, s->type, f->name)), f->number, t);

		put(&tmp, v, f->bytes);
		memcpy(raw->b + start + f->at, tmp.b + start + f->at, f->bytes);
	}
	if (s->type->code == 0x22)
		memcpy(raw->b + start, r->end->cookie, 16);
	if (s->type->packet == 1 || s->type->packet == 2) {
		for (u32 i = 0; i < PARAM_TYPES; i++)
			write_param(r, raw, s, &param_types[i], t);
		write_extra(r, raw, s);
	}
}

void record_write(struct run *r, struct raw *raw, struct spec *s, const struct talk *t)
{
	u32 start = raw->n;
	u64 flags = (record_flag(s, "fin") ? 1 : 0) | (record_flag(s, "begin") ? 2 : 0);

	raw8(raw, (u8)(s->type->code == 0xff ? record_value(r, s, "code", 0xff) : s->type->code));
	raw8(raw, (u8)record_value(r, s, "flags", flags));
	raw16(raw, 0);
	if (s->type->code == 0x10)
		write_ack(r, raw, s, t);
	else
		write_fields(r, raw, s, t);
	payload_write(r, raw, s);
	xl_put16(raw->b + start + 2, (u16)record_value(r, s, "body", raw->n - start - 4));
	record_all_used(r, s);
}
