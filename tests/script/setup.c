// SPDX-License-Identifier: BSD-2-Clause
/* setup.c - the verbs that say who is there, and the one that opens a connection. */
#include <string.h>

#include "base/siphash.h"
#include "packet.h"
#include "verbs.h"

struct key { const char *name; u32 at, bytes; };

#define CONFIG(name, member) { name, offsetof(struct xl_engine_config, member), sizeof(((struct xl_engine_config *)0)->member) }
static const struct key node_keys[] = {
	CONFIG("mtu", max_packet), CONFIG("segs", segs_max), CONFIG("frames", tx_frames_max), CONFIG("conns", conns_max),
	CONFIG("peers", peers_max), CONFIG("blocks", blocks), CONFIG("window", recv_window_bytes),
	CONFIG("send_buffer", send_buffer_bytes), CONFIG("ack_delay", ack_delay_ns), CONFIG("keepalive", keepalive_ns),
	CONFIG("peer_death", peer_death_ns), CONFIG("linger", linger_ns_min), CONFIG("no_crc", no_crc),
	CONFIG("incarnation", incarnation), CONFIG("congestion", congestion),
};

#define END(name, member) { name, offsetof(struct end, member), sizeof(((struct end *)0)->member) }
static const struct key end_keys[] = {
	END("address", address), END("node", node), END("incarnation", incarnation), END("port", port), END("kind", kind),
	END("engine_port", engine_port), END("max_packet", max_packet), END("credit", credit), END("ack_delay", ack_delay),
	END("message_max", message_max), END("no_crc", no_crc), END("id", id), END("call_id", call_id),
};

static bool set(void *base, const struct key *keys, size_t n, const char *name, u64 value)
{
	for (size_t i = 0; i < n; i++) {
		u8 *at = (u8 *)base + keys[i].at;

		if (strcmp(keys[i].name, name))
			continue;
		memcpy(at, &value, keys[i].bytes); /* little-endian hosts, as all of xlane's tests */
		return true;
	}
	return false;
}

static u64 end_hash(u8 address, u16 port)
{
	static const u64 no_key[2];
	u8 bytes[14] = { 2, 0, 0, 0, 0, address };

	xl_put16(bytes + 12, port);
	return xl_siphash(no_key, bytes, sizeof bytes);
}

void end_place(struct run *r, struct end *x)
{
	static const u64 no_key[2];
	u8 sum[8];

	xl_put64(sum, end_hash(ENGINE_ADDRESS, x->engine_port) + end_hash(x->address, x->port));
	x->call_id = xl_siphash(no_key, sum, sizeof sum);
	x->id = (x->call_id & 0xff00000000000000ull) | 0x00abcdef00000000ull | (u64)(x - r->ends + 1) << 16 | x->port;
}

struct end *end_new(struct run *r, const char *name)
{
	struct end *x;

	if (r->nends == ENDS_MAX || strlen(name) >= sizeof x->name)
		script_fail(r, "too many connections, or too long a name");
	x = &r->ends[r->nends++];
	*x = (struct end){
		.address = 3, .kind = XLANE_KIND_STREAM, .port = (u16)(1000 + r->nends), .engine_port = PORT, .node = NODE(3),
		.incarnation = 50, .first = r->first, .next = r->first, .base = r->first, .engine_first = r->first,
		.engine_next = r->first, .engine_base = r->first, .max_packet = 1500, .credit = 1 << 20, .conn = XL_NONE,
	};
	strcpy(x->name, name);
	end_place(r, x);
	return x;
}

/* One "NAME=VALUE", or "NAME" for yes; returns the name. */
static const char *take_key(struct run *r, void *base, const struct key *keys, size_t n)
{
	static char name[LINE_MAX_BYTES];
	char *value;

	strcpy(name, text_take(r));
	value = strchr(name, '=');
	if (value)
		*value++ = 0;
	if (!set(base, keys, n, name, value ? text_value(r, value) : 1))
		script_fail(r, "\"%s\" can not be set", name);
	return name;
}

static void verb_node(struct run *r)
{
	if (r->w.e)
		script_fail(r, "the node has begun already");
	while (text_look(r))
		take_key(r, &r->w.cfg, node_keys, XL_ARRAY_SIZE(node_keys));
}

static void verb_peer(struct run *r)
{
	bool place = false;

	while (text_look(r)) {
		const char *name = take_key(r, r->end, end_keys, XL_ARRAY_SIZE(end_keys));

		if (!strcmp(name, "address"))
			r->end->node = NODE(r->end->address);
		if (!strcmp(name, "kind"))
			r->end->engine_port = port_of(r->end->kind);
		place |= strcmp(name, "id") && strcmp(name, "call_id");
	}
	if (place)
		end_place(r, r->end);
}

/* Both sides' numbers of the handshake are taken from what they did; scripts look from here on. */
static void verb_base(struct run *r)
{
	r->end->base = r->end->next;
	r->end->engine_base = r->end->engine_next;
}

static void verb_numbers(struct run *r)
{
	u64 by = text_value(r, text_need(r, "by how much"));

	r->first += by;
	r->w.cfg.first_number += by;
	r->nends = 0;
	r->end = end_new(r, "a");
}

static void verb_let(struct run *r)
{
	const char *name = text_need(r, "a name");

	if (!text_accept(r, "="))
		script_fail(r, "let NAME = VALUE");
	text_let(r, name, text_value(r, text_need(r, "a value")));
}

/* One step in the words of a script. */
static void step(struct run *r, void (*verb)(struct run *r), const char *line)
{
	text_cut(r, line);
	r->lo = r->hi = r->at;
	verb(r);
	text_end(r);
}

static const char *confirmation(const struct run *r)
{
	return r->w.cfg.no_crc && r->end->no_crc ? "(nocrc) ack *" : "ack *";
}

static void listen_for(struct run *r, u8 kind)
{
	if (r->listener[kind] < 0)
		r->listener[kind] = xl_engine_listen(r->w.e, port_of(kind), kind, 64, kind);
	if (r->listener[kind] < 0)
		script_fail(r, "listen: %d", r->listener[kind]);
}

static void open_by_peer(struct run *r, u64 rtt)
{
	listen_for(r, r->end->kind);
	step(r, packet_send, "init");
	step(r, packet_expect, "(ext) accept");
	r->at += rtt;
	script_time(r, r->at, false);
	step(r, packet_send, "ping");
	step(r, packet_expect, confirmation(r));
	if (xl_engine_accept(r->w.e, (u32)r->listener[r->end->kind], (u64)(r->end - r->ends), &r->end->conn))
		script_fail(r, "the connection is not there");
}

static void call(struct run *r)
{
	struct end *x = r->end;
	struct xl_connect how = { .path = path_from(x->address, 0), .port = x->port, .kind = x->kind, .user = (u64)(x - r->ends) };
	struct xl_conn_info info;
	int error = xl_engine_connect(r->w.e, &how, r->w.now, &x->conn);

	if (error)
		script_fail(r, "connect: %d", error);
	xl_conn_info(r->w.e, x->conn, &info);
	x->engine_port = info.local_port;
	end_place(r, x);
}

static void open_by_engine(struct run *r, u64 rtt)
{
	call(r);
	step(r, packet_expect, "(ext) init");
	r->at += rtt;
	script_time(r, r->at, false);
	step(r, packet_send, "accept");
	step(r, packet_expect, confirmation(r));
}

static void verb_open(struct run *r)
{
	u64 rtt = 0;
	bool by_engine = false;
	const char *word;

	while ((word = text_take(r))) {
		if (!strncmp(word, "rtt=", 4)) {
			rtt = text_value(r, word + 4);
		} else if (!strcmp(word, "by=engine")) {
			by_engine = true;
		} else {
			r->end->kind = (u8)text_value(r, word);
			r->end->engine_port = port_of(r->end->kind);
			end_place(r, r->end);
		}
	}
	if (by_engine)
		open_by_engine(r, rtt);
	else
		open_by_peer(r, rtt);
	verb_base(r);
	verb_events(r);
	r->end->events = 0;
	memcpy(r->marked.n, xl_engine_counters(r->w.e), sizeof r->marked.n);
}

static void verb_connect(struct run *r)
{
	if (text_look(r))
		r->end->kind = (u8)text_value(r, text_take(r));
	call(r);
}

const struct verb verbs_setup[] = {
	{ "node", verb_node, true }, { "peer", verb_peer, true }, { "numbers", verb_numbers, true }, { "let", verb_let, true },
	{ "open", verb_open, false }, { "connect", verb_connect, false }, { "base", verb_base, false }, { 0 },
};
