/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_pair.h - engines joined by hand, in memory: two real hosts (0 and 1), and peers made of raw bytes.
 * Raw packets are built by raw.h.
 */
#ifndef TESTS_ENGINE_PAIR_H
#define TESTS_ENGINE_PAIR_H

#include <errno.h>

#include "base/crc32c.h"
#include "base/endian.h"
#include "engine/engine.h"
#include "raw.h"
#include "unit.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   __asan_poison_memory_region(p, n)
#define UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define PORT      7
#define PORT_OF(kind) (u16)(PORT + (kind) - XLANE_KIND_STREAM)
#define START_NS  (100 * XL_S)
#define FIRST_RAW 5000ull          /* first packet number of a raw peer */
#define FIRST     1000ull          /* first packet number of a host's connections */
#define NODE(address) (0x1111111111111111ull * (address))

struct host {
	struct xl_engine *e;
	struct xl_frames f;
	struct xl_engine_config cfg;
	void *memory, *frames, *tables;
	u8 address;
};

struct pair {
	struct host h[2];
	u64 now;
	u32 a, b;                   /* the bystander: connection of host 0 and of host 1 */
	u32 listener;               /* of host 1, kind stream, on PORT; the ports behind it serve the other kinds */
	u32 listener_of[XLANE_KIND_DATAGRAM + 1];
	u64 bystander_bytes;
};

/* A peer of host 1 that is no engine. */
struct peer {
	u8 address;
	u64 node, incarnation, id, remote_id, call_id, next, accept_number;
	u16 port;
	u32 conn;
	u32 message_max;            /* 0: does not say */
};

static inline struct xl_path path_of(u8 local, u8 remote)
{
	return (struct xl_path){ .remote = { 2, 0, 0, 0, 0, remote }, .local = { 2, 0, 0, 0, 0, local } };
}

/* A connection of `kind` between the hosts, accepted; its index at both. */
struct joined { u32 a, b; };

/* --- hosts ---------------------------------------------------------------------------------- */
static inline void host_open(struct host *h, u8 address, const struct xl_engine_config *like)
{
	u32 count = 1024, frame = XLANE_FRAME_BYTES;

	*h = (struct host){ .address = address };
	h->frames = malloc((size_t)count * frame);
	h->tables = malloc(xl_frames_table_bytes(count));
	xl_frames_init(&h->f, h->frames, frame, count, h->tables);
	h->cfg = like ? *like : (struct xl_engine_config){ 0 };
	h->cfg.frames = &h->f;
	h->cfg.node_id = NODE(address);
	h->cfg.incarnation = 77;
	h->cfg.seed = address;
	h->cfg.first_number = FIRST;
	h->cfg.max_packet = h->cfg.max_packet ? h->cfg.max_packet : 1500;
	h->cfg.segs_max = h->cfg.segs_max ? h->cfg.segs_max : 1;
	h->cfg.tx_frames_max = h->cfg.tx_frames_max ? h->cfg.tx_frames_max : count / 2;
	h->cfg.conns_max = h->cfg.conns_max ? h->cfg.conns_max : 96;
	h->cfg.peers_max = h->cfg.peers_max ? h->cfg.peers_max : 96;
	h->cfg.blocks = h->cfg.blocks ? h->cfg.blocks : 4096;
	if (!h->cfg.recv_window_bytes)
		h->cfg.recv_window_bytes = XLANE_RECV_WINDOW_MIN_BYTES;
	h->memory = aligned_alloc(64, xl_engine_bytes(&h->cfg));
	memset(h->memory, 0, xl_engine_bytes(&h->cfg));
	h->e = xl_engine_init(h->memory, &h->cfg, START_NS);
	CHECK(h->e);
}

static inline void host_close(struct host *h)
{
	CHECK(!xl_engine_check(h->e));
	free(h->memory);
	free(h->frames);
	free(h->tables);
}

static inline u64 count_of(const struct host *h, enum xl_engine_counter c) { return xl_engine_counters(h->e)[c]; }

/* Give `n` bytes to h in pieces of at most `piece` bytes (the first `first` bytes long when that is not 0), each at the
 * end of a frame of its own whose other bytes may not be read. */
static inline void host_input_split(struct host *h, const u8 *bytes, u32 n, u8 from, u32 first, u32 piece, u64 now)
{
	struct xl_packet p = { .path = path_of(h->address, from) };

	for (u32 done = 0; done < n || p.nsegs == 0;) {
		u32 len = (u32)xl_min(n - done, p.nsegs == 0 && first != XL_NONE ? first : piece);
		u32 f = xl_frames_take(&h->f, XL_FRAME_RX);
		u8 *mem = xl_frames_ptr(&h->f, f);

		CHECK(f != XL_NONE && p.nsegs < XLANE_PACKET_SEGS_MAX);
		memcpy(mem + h->f.frame_bytes - len, bytes + done, len);
		POISON(mem, h->f.frame_bytes - len);
		p.seg[p.nsegs++] = (struct xl_seg){ f, (u16)(h->f.frame_bytes - len), (u16)len };
		done += len;
	}
	xl_engine_input(h->e, &p, 1, now);
	for (u32 i = 0; i < p.nsegs; i++) {
		UNPOISON(xl_frames_ptr(&h->f, p.seg[i].frame), h->f.frame_bytes);
		xl_frames_move(&h->f, p.seg[i].frame, XL_FRAME_RX, XL_FRAME_FREE);
	}
}

static inline void host_input(struct host *h, const struct raw *r, u8 from, u64 now)
{
	host_input_split(h, r->b, r->n, from, XL_NONE, 4096, now);
}

static inline void raw_copy(struct raw *r, const struct host *h, const struct xl_packet *p)
{
	r->n = 0;
	for (u32 i = 0; i < p->nsegs; i++) {
		memcpy(r->b + r->n, xl_frames_ptr(&h->f, p->seg[i].frame) + p->seg[i].off, p->seg[i].len);
		r->n += p->seg[i].len;
	}
}

/* One packet that h sends, completed at once; its destination's last address byte in *to. */
static inline bool host_output(struct host *h, struct raw *r, u8 *to, u64 now)
{
	struct xl_packet p;

	if (!xl_engine_output(h->e, &p, 1, now))
		return false;
	raw_copy(r, h, &p);
	*to = p.path.remote[5];
	for (u32 i = 0; i < p.nsegs; i++)
		xl_engine_completed(h->e, &p.seg[i].frame, 1);
	return true;
}

/* Packets between the two hosts until both are silent; what goes elsewhere is lost. */
static inline u32 pair_exchange(struct pair *p)
{
	static struct raw r;
	u32 n = 0, before;
	u8 to;

	do {
		before = n;
		for (u32 i = 0; i < 2; i++)
			for (; host_output(&p->h[i], &r, &to, p->now); n++)
				if (to == p->h[!i].address)
					host_input(&p->h[!i], &r, p->h[i].address, p->now);
		CHECK(n < 1000000);
	} while (n != before);
	return n;
}

/* The same, and timers, for `ns`. */
static inline void pair_run(struct pair *p, u64 ns)
{
	u64 end = p->now + ns;

	for (;;) {
		u64 next;

		for (u32 i = 0; i < 2; i++)
			xl_engine_advance(p->h[i].e, p->now);
		pair_exchange(p);
		next = xl_min(xl_engine_deadline(p->h[0].e), xl_engine_deadline(p->h[1].e));
		if (next > end)
			break;
		p->now = xl_max(next, p->now + 1);
	}
	p->now = end;
}

static inline void pair_check(struct pair *p)
{
	for (u32 i = 0; i < 2; i++) {
		const char *broken = xl_engine_check(p->h[i].e);

		if (broken)
			fail_msg("host %u: %s", i, broken);
	}
}

static inline u32 pair_connect(struct pair *p, u16 port, u8 kind)
{
	struct xl_connect how = { .path = path_of(1, 2), .port = port, .kind = kind, .user = 9 };
	u32 c;

	CHECK(xl_engine_connect(p->h[0].e, &how, p->now, &c) == 0);
	return c;
}

static inline struct xl_conn_info info_of(const struct host *h, u32 conn)
{
	struct xl_conn_info i;

	xl_conn_info(h->e, conn, &i);
	return i;
}

static inline bool state_is(const struct host *h, u32 conn, const char *name)
{
	return !strcmp(xl_conn_state_name(info_of(h, conn).state), name);
}

static inline struct joined pair_join(struct pair *p, u8 kind)
{
	struct joined j;

	j.a = pair_connect(p, PORT_OF(kind), kind);
	pair_exchange(p);
	CHECK(xl_engine_accept(p->h[1].e, p->listener_of[kind], 5, &j.b) == 0);
	return j;
}

/* Two hosts, listeners, one connection between them. */
static inline void pair_open(struct pair *p, const struct xl_engine_config *like)
{
	*p = (struct pair){ .now = START_NS };
	host_open(&p->h[0], 1, like);
	host_open(&p->h[1], 2, like);
	for (u8 kind = XLANE_KIND_STREAM; kind <= XLANE_KIND_DATAGRAM; kind++) {
		int l = xl_engine_listen(p->h[1].e, PORT_OF(kind), kind, 160, kind);

		CHECK(l >= 0);
		p->listener_of[kind] = (u32)l;
	}
	p->listener = p->listener_of[XLANE_KIND_STREAM];
	p->a = pair_connect(p, PORT, XLANE_KIND_STREAM);
	pair_exchange(p);
	CHECK(xl_engine_accept(p->h[1].e, p->listener, 5, &p->b) == 0);
	pair_check(p);
}

static inline void pair_close(struct pair *p)
{
	host_close(&p->h[0]);
	host_close(&p->h[1]);
}

/* Bytes go both ways over the bystander, and both engines are whole. */
static inline void bystander_lives(struct pair *p)
{
	u8 out[3000], in[4000];

	pair_check(p);
	memset(out, (u8)++p->bystander_bytes, sizeof out);
	for (u32 i = 0; i < 2; i++) {
		u32 from = i ? p->b : p->a, to = i ? p->a : p->b;

		CHECK(xl_conn_send(p->h[i].e, from, out, sizeof out, p->now) == sizeof out);
		pair_run(p, 1 * XL_MS);
		CHECK(xl_conn_recv(p->h[!i].e, to, in, sizeof in, p->now) == sizeof out);
		CHECK(!memcmp(in, out, sizeof out));
	}
	pair_run(p, 1 * XL_MS);
	pair_check(p);
}

/* --- counters ------------------------------------------------------------------------------- */
struct counters { u64 n[XL_ENGINE_COUNTER_COUNT]; };

static inline struct counters counters_of(const struct host *h)
{
	struct counters c;

	memcpy(c.n, xl_engine_counters(h->e), sizeof c.n);
	return c;
}

#define NO_COUNTER XL_ENGINE_COUNTER_COUNT
/* Since `before`: one packet came in, `one` (and `two`, unless NO_COUNTER) rose by one, nothing else moved. */
static inline void only_counted(const struct host *h, const struct counters *before, u32 one, u32 two, const char *name)
{
	for (u32 i = 0; i < XL_ENGINE_COUNTER_COUNT; i++) {
		u64 rise = count_of(h, i) - before->n[i];

		if (i == XL_C_BYTES_IN)
			continue;
		if (rise != (u64)(i == XL_C_PACKETS_IN || i == one || i == two))
			fail_msg("%s: counter %s rose by %llu", name, xl_engine_counter_name(i), (unsigned long long)rise);
	}
}

/* --- the raw peer --------------------------------------------------------------------------- */
static inline void peer_header(const struct peer *x, struct raw *r)
{
	raw_outer(r, 0, 2, x->remote_id, x->next);
}

/* What an INIT of this peer is, up to the parameters' end; raw_init_end makes a packet of it. */
static inline void raw_init(const struct peer *x, struct raw *r, u8 kind, u64 credit)
{
	raw_outer(r, 1, 3, x->call_id, x->next);
	raw_ext(r, x->node, 0, x->id);
	raw_record(r, 0x20, 0, 16 + 8 + 12 + 12 + (x->message_max ? 8 : 0));
	raw64(r, x->incarnation);
	raw16(r, x->port);
	raw16(r, PORT_OF(kind));
	raw8(r, kind);
	raw_fill(r, 0, 3);
	raw_param(r, 0x8001, 4, 1500);
	raw_param(r, 0x8002, 8, credit);
	raw_param(r, 0x8007, 8, FIRST_RAW);
	if (x->message_max)
		raw_param(r, 0x0005, 4, x->message_max);
}

static inline void raw_init_end(struct raw *r)
{
	if (r->n < 152) {
		raw_record(r, 0, 0, (u16)(152 - r->n));
		raw_fill(r, 0, 156 - r->n);
	}
	raw_seal(r);
}

static inline struct peer peer_new(u8 address, u16 port)
{
	u64 end[2] = { 0x4200000000000000ull | address, port };

	return (struct peer){ .address = address, .node = NODE(address), .incarnation = 50, .port = port,
			      .id = end[0] << 8 | port, .call_id = 0x4200000000000001ull + ((u64)address << 32) + port,
			      .next = FIRST_RAW, .conn = XL_NONE };
}

/* The next packet that host 1 sends to x; other packets are lost. */
static inline bool peer_hears(struct pair *p, const struct peer *x, struct raw *r)
{
	u8 to;

	while (host_output(&p->h[1], r, &to, p->now))
		if (to == x->address)
			return true;
	return false;
}

static inline void peer_send(struct pair *p, struct peer *x, struct raw *r)
{
	host_input(&p->h[1], r, x->address, p->now);
	x->next++;
}

/* INIT, ACCEPT, and a PING that confirms; host 1 accepts. */
static inline struct peer peer_open_max(struct pair *p, u8 address, u16 port, u8 kind, u64 credit, u32 message_max)
{
	static struct raw r;
	struct peer x = peer_new(address, port);

	x.message_max = message_max;
	raw_init(&x, &r, kind, credit);
	raw_init_end(&r);
	peer_send(p, &x, &r);
	CHECK(peer_hears(p, &x, &r) && (r.b[0] & 15) == 2 && xl_get64(r.b + 4) == x.id);
	x.accept_number = xl_get64(r.b + 12);
	x.remote_id = xl_get64(r.b + 40);
	peer_header(&x, &r);
	raw_record(&r, 0x13, 0, 0);
	raw_seal(&r);
	peer_send(p, &x, &r);
	CHECK(xl_engine_accept(p->h[1].e, p->listener_of[kind], 6, &x.conn) == 0);
	CHECK(state_is(&p->h[1], x.conn, "open"));
	while (peer_hears(p, &x, &r))
		;
	return x;
}

static inline struct peer peer_open(struct pair *p, u8 address, u16 port, u8 kind, u64 credit)
{
	return peer_open_max(p, address, port, kind, credit, 0);
}

/* Data in a packet of its own. */
static inline void peer_data(struct pair *p, struct peer *x, u8 flags, u64 offset, u8 byte, u16 bytes)
{
	static struct raw r;

	peer_header(x, &r);
	raw_data(&r, flags, offset, byte, bytes);
	raw_seal(&r);
	peer_send(p, x, &r);
}

/* Body of the first record of `type` in r, NULL: none. */
static inline const u8 *raw_find(const struct raw *r, u8 type)
{
	u32 at = 20 + (r->b[1] & 1 ? 28 : 0);

	for (; at + 4 < r->n; at += 4 + xl_get16(r->b + at + 2))
		if (r->b[at] == type)
			return r->b + at + 4;
	return NULL;
}

/* Largest number of the last ACK in r, or XL_NONE64. */
static inline u64 raw_acked(const struct raw *r)
{
	u32 at = 20 + (r->b[1] & 1 ? 28 : 0);

	for (; at + 4 < r->n; at += 4 + xl_get16(r->b + at + 2))
		if (r->b[at] == 0x10)
			return xl_get64(r->b + at + 4);
	return XL_NONE64;
}

#endif
