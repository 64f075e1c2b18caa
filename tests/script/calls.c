// SPDX-License-Identifier: BSD-2-Clause
/* calls.c - what the program on the engine's side does, and what happens to its machine. */
#include <stdlib.h>
#include <string.h>

#include "packet.h"
#include "verbs.h"

#define BYTES_MAX (17u << 20)

u32 verb_conn(struct run *r)
{
	if (r->end->conn == XL_NONE)
		script_fail(r, "the program does not have the connection %s", r->end->name);
	return r->end->conn;
}

/* "= RESULT", or what is usual. */
static void result(struct run *r, const char *what, s64 got, u64 usual)
{
	struct range want = { usual, usual };

	if (text_accept(r, "="))
		want = text_range(r, text_need(r, "a result"));
	if (!range_has(want, (u64)got))
		script_fail(r, "%s gave %lld", what, (long long)got);
}

static u8 *patterned(u64 from, u64 bytes)
{
	u8 *p = malloc(bytes + 1);

	for (u64 i = 0; i < bytes; i++)
		p[i] = pattern(from + i);
	return p;
}

static u64 bytes_word(struct run *r)
{
	u64 bytes = text_value(r, text_need(r, "how many bytes"));

	if (bytes > BYTES_MAX)
		script_fail(r, "that many bytes are not sent");
	return bytes;
}

static void verb_send(struct run *r)
{
	u64 bytes = bytes_word(r), from = r->end->kind == XLANE_KIND_STREAM ? r->end->sent : 0;
	u8 *p = patterned(from, bytes);
	s64 n = xl_conn_send(r->w.e, verb_conn(r), p, bytes, r->w.now);

	free(p);
	if (n > 0)
		r->end->sent += (u64)n;
	result(r, "send", n, bytes);
}

static void verb_large(struct run *r)
{
	result(r, "large", xl_conn_large_begin(r->w.e, verb_conn(r), bytes_word(r), r->w.now), 0);
	r->end->fed = 0;
}

static void verb_more(struct run *r)
{
	u64 bytes = bytes_word(r);
	u8 *p = patterned(r->end->fed, bytes);
	s64 n = xl_conn_large_more(r->w.e, verb_conn(r), p, bytes, r->w.now);

	free(p);
	if (n > 0)
		r->end->fed += (u64)n;
	result(r, "more", n, bytes);
}

static void compare(struct run *r, const u8 *p, u64 n, u64 from, u64 fill)
{
	for (u64 i = 0; i < n; i++)
		if (p[i] != (fill == XL_NONE64 ? pattern(from + i) : (u8)fill))
			script_fail(r, "byte %llu that was received is another than what was sent", (unsigned long long)(from + i));
}

/* recv BYTES [fill=X] [= RESULT] */
static void verb_recv(struct run *r)
{
	u64 bytes = bytes_word(r), fill = XL_NONE64, from = r->end->kind == XLANE_KIND_STREAM ? r->end->read : 0;
	u8 *p = malloc(bytes + 1);
	s64 n;

	if (text_look(r) && !strncmp(text_look(r), "fill=", 5))
		fill = text_value(r, text_take(r) + 5);
	n = xl_conn_recv(r->w.e, verb_conn(r), p, bytes, r->w.now);
	if (n > 0)
		compare(r, p, (u64)n, from, fill);
	free(p);
	if (n > 0)
		r->end->read += (u64)n;
	result(r, "recv", n, bytes);
}

static void verb_shutdown(struct run *r)
{
	result(r, "shutdown", xl_conn_shutdown(r->w.e, verb_conn(r), r->w.now), 0);
}

static void verb_close(struct run *r)
{
	xl_conn_close(r->w.e, verb_conn(r), r->w.now);
	r->end->conn = XL_NONE;
}

static void verb_abort(struct run *r)
{
	u64 error = text_look(r) ? text_value(r, text_take(r)) : XLANE_WIRE_CANCELLED;

	xl_conn_abort(r->w.e, verb_conn(r), (enum xlane_wire_error)error, r->w.now);
	r->end->conn = XL_NONE;
}

/* listen KIND [BACKLOG] */
static void verb_listen(struct run *r)
{
	u8 kind = (u8)text_value(r, text_need(r, "a kind"));
	u32 backlog = text_look(r) && strcmp(text_look(r), "=") ? (u32)text_value(r, text_take(r)) : 64;

	if (kind < XLANE_KIND_STREAM || kind > XLANE_KIND_DATAGRAM)
		script_fail(r, "there is no such kind");
	r->listener[kind] = xl_engine_listen(r->w.e, port_of(kind), kind, backlog, kind);
	result(r, "listen", r->listener[kind] < 0 ? r->listener[kind] : 0, 0);
}

static void verb_unlisten(struct run *r)
{
	u8 kind = (u8)text_value(r, text_need(r, "a kind"));

	if (r->listener[kind] < 0)
		script_fail(r, "nobody listens for that kind");
	xl_engine_unlisten(r->w.e, (u32)r->listener[kind], r->w.now);
	r->listener[kind] = -1;
}

static void verb_accept(struct run *r)
{
	u8 kind = r->end->kind;
	struct xl_conn_info info;
	int error = r->listener[kind] < 0 ? -1 :
		    xl_engine_accept(r->w.e, (u32)r->listener[kind], (u64)(r->end - r->ends), &r->end->conn);

	result(r, "accept", error, 0);
	if (error)
		return;
	xl_conn_info(r->w.e, r->end->conn, &info);
	if (info.remote_id != r->end->id)
		script_fail(r, "it is another connection than %s", r->end->name);
}

static void verb_set(struct run *r)
{
	static const struct { const char *name; enum xl_conn_option option; } options[] = {
		{ "send_buffer", XL_CONN_SEND_BUFFER }, { "priority", XL_CONN_PRIORITY },
		{ "congestion", XL_CONN_CONGESTION }, { "stall_ms", XL_CONN_STALL_MS },
	};
	const char *name = text_need(r, "an option");
	u64 value = text_value(r, text_need(r, "a value"));

	for (u32 i = 0; i < XL_ARRAY_SIZE(options); i++)
		if (!strcmp(options[i].name, name)) {
			result(r, "set", xl_conn_set(r->w.e, verb_conn(r), options[i].option, value), 0);
			return;
		}
	script_fail(r, "there is no option \"%s\"", name);
}

/* Out of the engine and in again. */
static void verb_move(struct run *r)
{
	u8 *p = malloc(1 << 20);
	s64 n = xl_conn_export(r->w.e, verb_conn(r), p, 1 << 20);
	int error = n < 0 ? (int)n : xl_conn_import(r->w.e, p, (u64)n, r->w.now, &r->end->conn);

	free(p);
	result(r, "move", error, 0);
}

/* The link takes packets of another size from now on. */
static void verb_mtu(struct run *r)
{
	u32 bytes = (u32)text_value(r, text_need(r, "how many bytes"));

	result(r, "mtu", xl_engine_set_max_packet(r->w.e, bytes, r->w.now), 0);
}

static void verb_hold(struct run *r) { r->w.hold = true; }
static void verb_release(struct run *r) { world_release(&r->w); }
static void verb_feed(struct run *r) { world_feed(&r->w); }
static void verb_starve(struct run *r) { world_starve(&r->w, (u32)text_value(r, text_need(r, "how many frames stay"))); }

/* The worker stands still, or its clock leaps: nobody calls the engine meanwhile. */
static void verb_pause(struct run *r)
{
	r->w.now += text_value(r, text_need(r, "how long"));
	r->at = r->w.now;
}

static void verb_back(struct run *r)
{
	r->w.now -= text_value(r, text_need(r, "how far"));
	r->at = r->w.now;
	xl_engine_advance(r->w.e, r->w.now);
}

/* What has come is of no interest. */
static void verb_skip(struct run *r)
{
	while (world_first(&r->w))
		packet_look(r);
}

static void verb_mark(struct run *r) { memcpy(r->marked.n, xl_engine_counters(r->w.e), sizeof r->marked.n); }

const struct verb verbs_call[] = {
	{ "send", verb_send, false }, { "large", verb_large, false }, { "more", verb_more, false }, { "recv", verb_recv, false },
	{ "shutdown", verb_shutdown, false }, { "close", verb_close, false }, { "abort", verb_abort, false },
	{ "listen", verb_listen, false }, { "unlisten", verb_unlisten, false }, { "accept", verb_accept, false },
	{ "set", verb_set, false }, { "mtu", verb_mtu, false }, { "move", verb_move, false }, { "hold", verb_hold, false }, { "release", verb_release, false },
	{ "starve", verb_starve, false }, { "feed", verb_feed, false }, { "pause", verb_pause, false }, { "back", verb_back, false },
	{ "skip", verb_skip, false }, { "mark", verb_mark, false }, { 0 },
};
