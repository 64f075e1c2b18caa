/* SPDX-License-Identifier: BSD-2-Clause */
#include "hostile.h"

#include <string.h>
#include <xlane/limits.h>

#include "../../user/base/crc32c.h"
#include "../../user/base/endian.h"
#include "flood.h"
#include "world.h"

#define PACKET_MAX 240        /* every receiver takes it */
#define OUTER 20
#define EXTENSION 28
#define TAG 4
#define PERCENT 10000u

enum { DATA = 1, LARGE = 2, DGRAM = 3, ACK = 0x10, CREDIT = 0x11, GRANT = 0x12, PING = 0x13, BLOCKED = 0x14, ABORT = 0x15,
       MAX_PACKET = 0x16, REC_INIT = 0x20 };
enum { FIN = 1, BEGIN = 2 };

static const u8 mac[6] = { 2, 0xbb, 0, 0, 0, 0x66 };

struct packet { u8 p[OUTER + EXTENSION + PACKET_MAX]; u32 at; };

bool sim_hostile_is(const u8 address[6]) { return !memcmp(address, mac, sizeof mac); }

void sim_hostile_init(struct sim_hostile *h, struct sim_world *w)
{
	*h = (struct sim_hostile){ .world = w };
	xl_prng_seed(&h->prng, w->options.seed ^ 0x686f7374ull);
	h->node = xl_prng_u64(&h->prng) | 1;
}

/* --- bytes ------------------------------------------------------------------------------------ */
static void put8(struct packet *k, u8 v) { k->p[k->at++] = v; }
static void put16(struct packet *k, u16 v) { xl_put16(k->p + k->at, v); k->at += 2; }
static void put32(struct packet *k, u32 v) { xl_put32(k->p + k->at, v); k->at += 4; }
static void put64(struct packet *k, u64 v) { xl_put64(k->p + k->at, v); k->at += 8; }

static void put_any(struct sim_hostile *h, struct packet *k, u32 n)
{
	while (n--)
		put8(k, (u8)xl_prng_u64(&h->prng));
}

static void head(struct packet *k, u8 type, u8 flags, u32 bytes)
{
	put8(k, type);
	put8(k, flags);
	put16(k, (u16)bytes);
}

static void outer(struct packet *k, u8 type, u64 id, u64 number)
{
	k->at = 0;
	put8(k, (u8)(1 << 4 | type));
	put8(k, 2 | (type ? 1 : 0));
	put16(k, 0);
	put64(k, id);
	put64(k, number);
}

static void send(struct sim_hostile *h, const struct sim_hostile_conn *c, struct packet *k, bool right)
{
	struct sim_world *w = h->world;
	u8 *data = sim_alloc(XLANE_LINK_HEADER_MAX_BYTES + k->at + TAG);
	u32 link = sim_flood_link_header(w, w->station[c->station].first, mac, data);

	xl_put16(k->p + 2, (u16)(k->at + TAG));
	put32(k, xl_crc32c(0, k->p, k->at) ^ (right ? 0 : 1));
	memcpy(data + link, k->p, k->at);
	sim_events_put(&w->events, (struct sim_event){
		.kind = SIM_EVENT_ARRIVE, .host = c->station, .time_ns = w->now_ns + sim_range(&h->prng, 0, 20 * XL_US) + h->said++ * 10 * XL_US,
		.data = data, .bytes = link + k->at });
	sim_world_mark(w, SIM_MARK_HOSTILE);
}

/* --- what it says, record by record --------------------------------------------------------------- */
static void put_data(struct sim_hostile *h, struct packet *k, u8 flags, u64 offset, u32 n)
{
	head(k, DATA, flags, 8 + n);
	put64(k, offset);
	put_any(h, k, n);
}

/* What a program would send: bytes of a stream, or a whole message. */
static void honest(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	u32 n = xl_prng_below(&h->prng, 60);

	if (c->kind == XLANE_KIND_DATAGRAM) {
		head(k, DGRAM, 0, 16 + n);
		put64(k, c->datagram++);
		put32(k, n);
		put32(k, 0);
		put_any(h, k, n);
		return;
	}
	if (c->kind == XLANE_KIND_STREAM) {
		put_data(h, k, 0, c->offset, n);
		c->offset += n;
		return;
	}
	head(k, DATA, BEGIN, 16 + n);
	put64(k, c->offset);
	put32(k, n);
	put32(k, 0);
	put_any(h, k, n);
	c->offset += 8 + n;
}

static void ack_what_is_not(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	static const u64 ahead[] = { 0, 1, 3, 1000, 1ull << 40 };
	u32 more = xl_prng_below(&h->prng, 4);

	head(k, ACK, 0, 20 + 8 * more);
	put64(k, c->seen + ahead[xl_prng_below(&h->prng, XL_ARRAY_SIZE(ahead))]);
	put32(k, 0);
	put32(k, 0);
	put32(k, xl_prng_below(&h->prng, 40));
	for (; more; more--) {
		put32(k, xl_prng_below(&h->prng, 3));     /* 0: ranges that touch */
		put32(k, xl_prng_below(&h->prng, 8));
	}
}

/* Everything from the first number on, whatever came of it, and what was left out on purpose. */
static void ack_all(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	(void)h;
	head(k, ACK, 0, 20);
	put64(k, c->seen);
	put32(k, 0);
	put32(k, 0);
	put32(k, (u32)(c->seen - c->first));
}

static void overlap(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	put_data(h, k, 0, c->offset - xl_min(c->offset, xl_prng_below(&h->prng, 100)), sim_range(&h->prng, 1, 120));
}

static void beyond(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	static const u64 far[] = { 100000, 4 << 20, 1ull << 40, 1ull << 62 };

	if (xl_prng_chance(&h->prng, 250000))
		put_data(h, k, 0, UINT64_MAX - xl_prng_below(&h->prng, 64), 100);
	else
		put_data(h, k, xl_prng_below(&h->prng, 4), c->offset + far[xl_prng_below(&h->prng, XL_ARRAY_SIZE(far))], 50);
}

static void ends(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	put_data(h, k, FIN, c->offset + xl_prng_below(&h->prng, 3), xl_prng_below(&h->prng, 20));
	put_data(h, k, FIN, c->offset + xl_prng_below(&h->prng, 30), xl_prng_below(&h->prng, 20));
}

static void credit_games(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	head(k, CREDIT, 0, 8);
	put64(k, xl_prng_chance(&h->prng, 500000) ? xl_prng_below(&h->prng, 1000) : UINT64_MAX - 1000);
	head(k, GRANT, 0, 12);
	put64(k, xl_prng_below(&h->prng, 4) * 100);
	put32(k, (u32)xl_prng_u64(&h->prng));
	head(k, BLOCKED, 0, 8);
	put64(k, c->offset);
	head(k, MAX_PACKET, 0, 4);
	put32(k, xl_prng_below(&h->prng, 12000));
}

/* The head of a large message that nobody asked for, and parts of it, granted or not, past its end, or with gaps. */
static void large(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	u32 bytes = XLANE_MESSAGE_SMALL_MAX_BYTES + 100000;

	if (c->message == XL_NONE64 || xl_prng_chance(&h->prng, 1500)) {
		c->message = c->offset;
		head(k, DATA, BEGIN, 16);
		put64(k, c->offset);
		put32(k, xl_prng_chance(&h->prng, 30000) ? UINT32_MAX : bytes);
		put32(k, 1 << 24);
		c->offset += 8;
		return;
	}
	head(k, LARGE, 0, 12 + 20);
	put64(k, c->message);
	put32(k, xl_prng_chance(&h->prng, 3000) ? bytes : (h->said * 40 + xl_prng_below(&h->prng, 4) * 16000) % (bytes - 40));
	put_any(h, k, 20);
}

static void fragments(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	u64 id = c->datagram + xl_prng_chance(&h->prng, 50000);
	u32 total = xl_prng_chance(&h->prng, 999000) ? 60000 : 1000 + xl_prng_below(&h->prng, 64536);
	u32 at = h->said * 80 % 59900;

	if (xl_prng_chance(&h->prng, 5000))
		at -= xl_min(at, 80);          /* once more */
	for (u32 i = 0; i < 4; i++, at += 20) {
		head(k, DGRAM, 0, 16 + 10);
		put64(k, id);
		put32(k, total);
		put32(k, at + (xl_prng_chance(&h->prng, 1000) ? 5 : 0));
		put_any(h, k, 10);
	}
	if (xl_prng_chance(&h->prng, 1000))
		c->datagram += 2;
}

/* Bytes with a gap after each; of unordered messages a start in each of those that follow. */
static void holes(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	u64 at = c->offset + 1000 + (h->said + xl_prng_below(&h->prng, 2)) * 40;

	if (c->kind == XLANE_KIND_UNORDERED) {
		head(k, DATA, BEGIN, 8 + 12);
		put64(k, c->offset + 1000 + h->said * 12ull);
		put32(k, 60000);
		put32(k, 0);
		put_any(h, k, 4);
	} else {
		put_data(h, k, 0, at, 4);
	}
}

static void nonsense(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	static const u8 types[] = { 0x40, 0xc0, DATA, LARGE, DGRAM, ACK, GRANT, CREDIT, PING, REC_INIT };

	(void)c;
	switch (xl_prng_below(&h->prng, 3)) {
	case 0:         /* more records than anybody looks at */
		memset(k->p + k->at, 0, 200);
		k->at += 200;
		break;
	case 1:         /* a body that is not there */
		head(k, types[xl_prng_below(&h->prng, sizeof types)], 0, 1000);
		break;
	default:
		head(k, types[xl_prng_below(&h->prng, sizeof types)], xl_prng_below(&h->prng, 8), 8);
		put_any(h, k, 8);
		break;
	}
}

static void bad_message(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	head(k, DATA, BEGIN, 16);
	put64(k, c->offset);
	put32(k, (u32)xl_prng_u64(&h->prng));
	put32(k, (u32)xl_prng_u64(&h->prng));
}

static void gives_up(struct sim_hostile *h, struct sim_hostile_conn *c, struct packet *k)
{
	(void)c;
	head(k, ABORT, 0, 4);
	put32(k, xl_prng_below(&h->prng, 20));
}

static const struct { void (*say)(struct sim_hostile *, struct sim_hostile_conn *, struct packet *); u32 weight, burst; }
grammar[] = {
	{ honest, 30, 1 }, { ack_what_is_not, 2, 1 }, { ack_all, 20, 1 }, { overlap, 10, 4 }, { beyond, 10, 2 }, { ends, 1, 1 },
	{ credit_games, 8, 1 }, { large, 14, SIM_HOSTILE_BURST }, { fragments, 16, SIM_HOSTILE_BURST },
	{ holes, 10, SIM_HOSTILE_BURST }, { nonsense, 6, 2 }, { bad_message, 1, 1 }, { gives_up, 1, 1 },
};

static u32 choose(struct sim_hostile *h)
{
	u32 sum = 0, pick;

	for (u32 i = 0; i < XL_ARRAY_SIZE(grammar); i++)
		sum += grammar[i].weight;
	pick = xl_prng_below(&h->prng, sum);
	for (u32 i = 0; ; i++) {
		if (pick < grammar[i].weight)
			return i;
		pick -= grammar[i].weight;
	}
}

static void put_ack(struct packet *k, u64 seen)
{
	head(k, ACK, 0, 20);
	put64(k, seen);
	put32(k, 0);
	put32(k, 0);
	put32(k, 0);
}

static void say(struct sim_hostile *h, struct sim_hostile_conn *c, u32 what)
{
	struct packet k;
	u64 number = c->number++;
	u32 body;

	if (xl_prng_chance(&h->prng, 2 * PERCENT))
		number -= xl_prng_below(&h->prng, 200);
	outer(&k, 0, c->remote_id, number);
	if (xl_prng_chance(&h->prng, 30 * PERCENT))
		put_ack(&k, c->seen);
	body = k.at;
	grammar[what].say(h, c, &k);
	if (xl_prng_chance(&h->prng, grammar[what].burst > 4 ? 1000 : 4 * PERCENT) && k.at > body)
		k.p[body + xl_prng_below(&h->prng, k.at - body)] = (u8)xl_prng_u64(&h->prng);
	send(h, c, &k, !xl_prng_chance(&h->prng, 2 * PERCENT));
}

/* --- its life --------------------------------------------------------------------------------------- */
static void again(struct sim_hostile *h, u32 conn)
{
	struct sim_world *w = h->world;

	sim_events_put(&w->events, (struct sim_event){
		.kind = SIM_EVENT_HOSTILE, .arg = conn, .time_ns = w->now_ns + sim_log_range(&h->prng, 10 * XL_US, 5 * XL_MS) });
}

static void param(struct packet *k, u16 id, u32 bytes, u64 value)
{
	put16(k, id);
	put16(k, (u16)bytes);
	for (u32 i = bytes; i; i--)
		put8(k, (u8)(value >> 8 * (i - 1)));
}

static void call(struct sim_hostile *h, struct sim_hostile_conn *c)
{
	struct packet k;
	u32 at;

	outer(&k, 1, xl_prng_u64(&h->prng), c->number++);
	put8(&k, EXTENSION);
	put8(&k, 16);
	put16(&k, 0);
	put64(&k, h->node);
	put64(&k, 0);
	put64(&k, c->id);
	at = k.at;
	head(&k, REC_INIT, 0, 0);
	put64(&k, 1);
	put16(&k, (u16)(2000 + c->id % 10000));
	put16(&k, SIM_PORT_FIRST + c->kind - XLANE_KIND_STREAM);
	put32(&k, (u32)c->kind << 24);
	param(&k, 0x8001, 4, XLANE_MTU_MIN);
	param(&k, 0x8002, 8, 1000000);
	param(&k, 0x0005, 4, 2 * SIM_LARGE_BYTES_MAX);
	param(&k, 0x8007, 8, c->number);
	xl_put16(k.p + at + 2, (u16)(k.at - at - 4));
	head(&k, 0, 0, 160 - TAG - 4 - k.at);
	memset(k.p + k.at, 0, 160 - TAG - k.at);
	k.at = 160 - TAG;
	send(h, c, &k, true);
}

void sim_hostile_call(struct sim_hostile *h, u32 unit)
{
	struct sim_hostile_conn *c = &h->conn[h->conns];

	if (h->conns == SIM_HOSTILE_CONNS)
		return;
	*c = (struct sim_hostile_conn){
		.id = xl_prng_u64(&h->prng) | 1, .number = xl_prng_below(&h->prng, UINT32_MAX) + 1000, .message = XL_NONE64,
		.station = (u8)h->world->host[unit].station->index,
		.kind = xl_prng_chance(&h->prng, 25 * PERCENT) ? XLANE_KIND_DATAGRAM :
			(u8)sim_range(&h->prng, XLANE_KIND_STREAM, XLANE_KIND_DATAGRAM),
	};
	call(h, c);
	again(h, h->conns++);
}

void sim_hostile_step(struct sim_hostile *h, u32 conn)
{
	struct sim_hostile_conn *c = &h->conn[conn];
	u32 what = choose(h), n = grammar[what].burst;

	h->said = 0;
	if (h->world->healed || c->steps++ == SIM_HOSTILE_STEPS)
		return;
	if (!c->remote_id) {
		call(h, c);
	} else {
		for (n = xl_prng_chance(&h->prng, 600000) ? n : 1 + xl_prng_below(&h->prng, xl_min(n, 4)); n; n--)
			say(h, c, what);
	}
	again(h, conn);
}

void sim_hostile_arrive(struct sim_hostile *h, const u8 *frame, u32 bytes)
{
	u32 at = 14 + 4 * h->world->faults.vlan_tags;
	const u8 *p = frame + at;

	if (bytes < at + OUTER)
		return;
	for (u32 i = 0; i < h->conns; i++) {
		struct sim_hostile_conn *c = &h->conn[i];

		if (xl_get64(p + 4) != c->id)
			continue;
		if (p[1] & 1 && (p[0] & 15) == 2 && bytes >= at + OUTER + EXTENSION && !c->remote_id) {
			struct packet k;

			c->remote_id = xl_get64(p + OUTER + 20);
			c->first = c->seen = xl_get64(p + 12);
			outer(&k, 0, c->remote_id, c->number++);
			put_ack(&k, c->seen);
			send(h, c, &k, true);
		}
		c->seen = xl_max(c->seen, xl_get64(p + 12));
	}
}
