// SPDX-License-Identifier: BSD-2-Clause
/* packet_send.c - "<": a packet from words, right or wrong as the script says, given to the engine. */
#include <stdio.h>
#include <string.h>

#include "packet.h"

#define INIT_BYTES 160

static void header(struct run *r, struct raw *raw, struct spec *o, u8 type)
{
	struct end *x = r->end;
	bool ext = (type || record_flag(o, "ext")) && !record_flag(o, "noext");
	u64 n = record_value(r, o, "n", x->next - x->base) + x->base;
	u8 flags = (u8)((ext ? 1 : 0) | (record_flag(o, "nocrc") ? 0 : 2) | record_value(r, o, "flags", 0));

	if ((s64)(n - x->next) >= 0)
		x->next = n + 1;
	raw_outer(raw, (u8)record_value(r, o, "type", type), flags, record_value(r, o, "id", type == 1 ? x->call_id : x->remote_id), n);
	raw->b[0] = (u8)(record_value(r, o, "version", 1) << 4 | (raw->b[0] & 15));
	if (!ext)
		return;
	raw_ext(raw, record_value(r, o, "node", x->node), record_value(r, o, "dest", type == 1 ? 0 : r->w.cfg.node_id),
		record_value(r, o, "source", x->id));
	raw->b[20] = (u8)record_value(r, o, "extsize", 28);
	raw->b[21] = (u8)record_value(r, o, "hop", 16);
	raw->b[22] = (u8)record_value(r, o, "extzero", 0);
}

/* A PAD record that makes the packet `size` bytes long. */
static void pad_to(struct run *r, struct raw *raw, u64 size)
{
	u32 tag = raw->b[1] & 2 ? 4 : 0;

	if (raw->n + tag >= size)
		return;
	if (size > WIRE_MAX - 64 || size - tag - raw->n < 4)
		script_fail(r, "no PAD record makes it %llu bytes", (unsigned long long)size);
	raw_record(raw, 0, 0, (u16)(size - tag - raw->n - 4));
	raw_fill(raw, 0, (u32)(size - tag - raw->n));
}

static void seal(struct run *r, struct raw *raw, struct spec *o)
{
	const char *length = record_given(o, "length");
	u32 real;

	raw_seal(raw);
	real = raw->n;
	if (length)
		xl_put16(raw->b + 2, (u16)(strchr("+-", *length) ? real + text_value(r, length + (*length == '+')) : text_value(r, length)));
	raw_tag(raw);
	if (record_flag(o, "badcrc"))
		raw->b[raw->n - 1] ^= 1;
	raw->n = (u32)xl_min(record_value(r, o, "cut", raw->n), raw->n);
	raw_fill(raw, 0xee, (u32)xl_min(record_value(r, o, "trail", 0), WIRE_MAX - raw->n));
}

static void note(struct run *r, const struct raw *raw)
{
	char text[4096] = "< ";
	struct packet p;

	packet_parse(raw, &p);
	packet_describe(r, &p, false, text + 2, sizeof text - 2);
	packet_note(r, r->w.now, text, false);
}

void packet_send(struct run *r)
{
	static struct raw raw;
	struct talk t = packet_talk(r, false);
	struct xl_path path;
	struct spec o, s;
	u64 size, piece;
	u8 type;

	record_options(r, &o);
	type = record_packet(text_look(r));
	header(r, &raw, &o, type);
	while (text_look(r)) {
		record_read(r, &s);
		record_write(r, &raw, &s, &t);
		if (!text_accept(r, ";"))
			text_end(r);
	}
	size = record_value(r, &o, "size", type == 1 ? INIT_BYTES : 0);
	pad_to(r, &raw, size);
	seal(r, &raw, &o);
	path = path_from((u8)record_value(r, &o, "from", r->end->address), (u16)record_value(r, &o, "vlan", 0));
	piece = record_value(r, &o, "split", XLANE_FRAME_BYTES);
	record_all_used(r, &o);
	if (type == 2)
		r->end->called = false;
	note(r, &raw);
	world_input(&r->w, &raw, &path, (u32)piece);
}
