/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs that send by every kind at once, with priorities, deadlines, cancels, changes of the MTU, moves, short
 * frames and a network that loses and overtakes; against a list of what was sent: each message that was not taken back
 * arrives once, as it was, in order where that is promised, and nothing is left at the end. The engine's own check holds
 * after every step.
 */
#include "engine_mix.h"

#define CONNS    6
#define MESSAGES 4096
#define DEFAULT_SEEDS 10

enum fate { FATE_SENT, FATE_CANCELLED, FATE_ARRIVED };

struct program {
	u8 kind;
	u32 a, b;                   /* connections at the hosts */
	u64 sent, got;              /* stream: bytes; else: last message sent, and, in order, last one received */
	u32 bytes[MESSAGES];        /* of message i */
	u8 fate[MESSAGES];
	u64 large;                  /* id of the large message under way; 0: none */
	bool refused, told, shut, over;
};

static struct mix_net net;
static struct pair p;
static struct program programs[CONNS];
static struct xl_prng rng;
static u8 bytes[2 << 20], moved_bytes[4 << 20];
static u32 lent[1024], nlent;
static u32 last_sizes[] = { 1500, 9000, 256, 576, 4000, 1006 };

static u64 below(u64 n) { return xl_prng_below(&rng, n); }
static u8 content(u64 id, u64 at) { return (u8)(id * 131 + at * 7 + (at >> 8) * 3); }

/* A message says at its beginning which it is, as far as it is long enough. */
static void fill(u64 id, u64 from, u64 n)
{
	for (u64 i = 0; i < n; i++)
		bytes[i] = from + i < 4 ? (u8)(id >> 8 * (from + i)) : content(id, from + i);
}

static void verify(u64 id, u64 n)
{
	for (u64 i = 0; i < n; i++)
		if (bytes[i] != (i < 4 ? (u8)(id >> 8 * i) : content(id, i)))
			fail_msg("message %llu differs at %llu of %llu", (unsigned long long)id, (unsigned long long)i,
				 (unsigned long long)n);
}

static u64 any_bytes(void)
{
	static const u32 most[] = { 8, 60, 300, 1400, 3000, 9000, 20000, 65536 };
	u64 n = below(most[below(XL_ARRAY_SIZE(most))] + 1);

	return xl_max(n, 4);
}

/* --- programs that send ---------------------------------------------------------------------------- */
static void send_stream(struct program *g)
{
	u64 n = 1 + any_bytes();
	s64 r;

	for (u64 i = 0; i < n; i++)
		bytes[i] = content(77, g->sent + i);
	r = xl_conn_send(p.h[0].e, g->a, bytes, n, p.now);
	CHECK(r > 0 || r == -EAGAIN);
	g->refused = r < (s64)n;
	g->sent += r > 0 ? (u64)r : 0;
}

static void took(struct program *g, u64 n)
{
	g->sent++;
	CHECK(xl_conn_message_id(p.h[0].e, g->a) == g->sent);
	g->bytes[g->sent] = (u32)n;
	g->fate[g->sent] = FATE_SENT;
}

static void send_message(struct program *g)
{
	u64 n = xl_min(any_bytes(), xl_conn_message_max(p.h[0].e, g->a));
	s64 r;

	if (g->sent + 1 == MESSAGES)
		return;
	if (below(4) == 0)
		CHECK(xl_conn_set(p.h[0].e, g->a, XL_CONN_PRIORITY, below(4)) == 0);
	if (g->kind == XLANE_KIND_DATAGRAM && below(4) == 0)
		CHECK(xl_conn_set(p.h[0].e, g->a, XL_CONN_DEADLINE_US, below(3) ? below(3000) : 0) == 0);
	fill(g->sent + 1, 0, n);
	r = xl_conn_send(p.h[0].e, g->a, bytes, n, p.now);
	if (r == -EMSGSIZE) /* the most of small ones */
		CHECK(n > XLANE_MESSAGE_SMALL_MAX_BYTES || xl_conn_message_max(p.h[0].e, g->a) > XLANE_MESSAGE_SMALL_MAX_BYTES);
	else
		CHECK(r == (s64)n || r == -EAGAIN);
	g->refused |= r == -EAGAIN;
	if (r == (s64)n)
		took(g, n);
}

static void send_large(struct program *g)
{
	u64 left = xl_conn_large_left(p.h[0].e, g->a), n;
	s64 r;

	if (!left) {
		g->large = 0;
		n = XLANE_MESSAGE_SMALL_MAX_BYTES + 1 + below(200000);
		if (g->sent + 1 == MESSAGES || n > xl_conn_message_max(p.h[0].e, g->a))
			return;
		r = xl_conn_large_begin(p.h[0].e, g->a, n, p.now);
		CHECK(r == 0 || r == -EAGAIN);
		if (r == 0) {
			took(g, n);
			g->large = g->sent;
		}
		return;
	}
	n = xl_min(left, 1 + below(100000));
	fill(g->large, g->bytes[g->large] - left, n);
	r = xl_conn_large_more(p.h[0].e, g->a, bytes, n, p.now);
	CHECK(r == -EAGAIN || (r > 0 && r <= (s64)n));
}

static void cancel(struct program *g)
{
	u64 id = g->sent - below(xl_min(g->sent, 20));
	int r = xl_conn_cancel(p.h[0].e, g->a, id, p.now);

	CHECK(r == 0 || r == -EALREADY);
	if (r)
		return;
	CHECK(g->fate[id] == FATE_SENT);
	g->fate[id] = FATE_CANCELLED;
	if (id == g->large)
		g->large = 0;
}

/* --- programs that read ----------------------------------------------------------------------------- */
static void arrived(struct program *g, u64 id, u64 n)
{
	CHECK(id && id <= g->sent && g->bytes[id] == n);
	if (g->fate[id] != FATE_SENT)
		fail_msg("kind %u: message %llu of %llu bytes %s", g->kind, (unsigned long long)id, (unsigned long long)n,
			 g->fate[id] == FATE_ARRIVED ? "arrives twice" : "was taken back");
	verify(id, n);
	g->fate[id] = FATE_ARRIVED;
	if (g->kind == XLANE_KIND_MESSAGE)
		CHECK(id > g->got);
	g->got = id;
}

static bool read_one(struct program *g)
{
	s64 r = xl_conn_recv(p.h[1].e, g->b, bytes, g->kind == XLANE_KIND_STREAM ? 1 + below(40000) : sizeof bytes, p.now);

	if (r == -EAGAIN)
		return false;
	if (g->kind == XLANE_KIND_STREAM ? r == 0 : r == -ENODATA) {
		CHECK(g->shut);
		g->over = true;
		return false;
	}
	CHECK(r > 0);
	if (g->kind == XLANE_KIND_STREAM) {
		for (s64 i = 0; i < r; i++)
			CHECK(bytes[i] == content(77, g->got + (u64)i));
		g->got += (u64)r;
	} else {
		arrived(g, bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (u64)bytes[3] << 24, (u64)r);
	}
	return true;
}

/* --- what else happens ------------------------------------------------------------------------------- */
/* Packets of other connections still name an earlier use of the frame. */
static bool named(const struct xl_engine *e, u32 frame)
{
	for (u32 i = 0; i < e->cfg.conns_max; i++) {
		const struct xl_list *lists[] = { &e->conns[i].sent, &e->conns[i].lost };

		for (u32 l = 0; e->conns[i].state != XL_STATE_FREE && l < 2; l++)
			for (u32 s = lists[l]->head; s != XL_NONE; s = xl_list_next(&e->l_sent, s))
				if (e->sents[s].txbuf == frame)
					return true;
	}
	return false;
}

/* Another engine has counted the generations of the frames otherwise: farther, or less far. */
static void renumber(struct xl_engine *e)
{
	for (u32 f = 0; f < e->frames->count; f++) {
		u32 *g = &e->txbufs[f].generation;

		if (e->txbufs[f].conn == XL_AWAY)
			*g = *g && !named(e, f) ? *g - 1 : *g + (u32)below(3);
	}
}

static void move_conn(struct program *g)
{
	u32 side = (u32)below(2), *conn = side ? &g->b : &g->a;
	struct xl_engine *e = p.h[side].e;
	s64 n = xl_conn_export(e, *conn, moved_bytes, sizeof moved_bytes);

	if (n == -EBUSY)
		return;
	CHECK(n > 0);
	if (below(2))
		renumber(e);
	CHECK(xl_conn_import(e, moved_bytes, (u64)n, p.now, conn) == 0);
}

static void change_mtu(void)
{
	u32 size = last_sizes[below(XL_ARRAY_SIZE(last_sizes))];

	CHECK(xl_engine_set_max_packet(p.h[below(2)].e, size, p.now) == 0);
}

/* Somebody else takes most frames of host 0, or gives them back. */
static void shorten_frames(bool more)
{
	while (!more && nlent)
		xl_frames_move(&p.h[0].f, lent[--nlent], XL_FRAME_LENT, XL_FRAME_FREE);
	for (u32 leave = (u32)below(24); more && p.h[0].f.nfree > leave;)
		lent[nlent++] = xl_frames_take(&p.h[0].f, XL_FRAME_LENT);
}

static void hear_events(void)
{
	struct xl_event ev[64];

	for (u32 i = 0; i < 2; i++) {
		u32 n = xl_engine_events(p.h[i].e, ev, 64);

		for (u32 k = 0; i == 0 && k < n; k++)
			for (u32 c = 0; c < CONNS; c++)
				if (ev[k].index == programs[c].a && ev[k].bits & XL_EVENT_WRITABLE)
					programs[c].refused = false;
	}
}

static void wire(u32 out0, u32 out1, u32 complete)
{
	for (u32 i = 0; i < 2; i++) {
		mix_deliver(&net, &p, i);
		mix_complete(&net, &p, i, complete);
	}
	for (u32 i = 0; i < 2; i++)
		xl_engine_advance(p.h[i].e, p.now);
	mix_output(&net, &p, 0, out0);
	mix_output(&net, &p, 1, out1);
	hear_events();
	pair_check(&p);
}

static void step(bool shortage)
{
	struct program *g = &programs[below(CONNS)];
	u64 what = below(100);

	if (what < 40)
		(g->kind == XLANE_KIND_STREAM ? send_stream : send_message)(g);
	else if (what < 50 && (g->kind == XLANE_KIND_MESSAGE || g->kind == XLANE_KIND_UNORDERED))
		send_large(g);
	else if (what < 60 && g->kind != XLANE_KIND_STREAM && g->sent)
		cancel(g);
	else if (what < 63)
		move_conn(g);
	else if (what < 64)
		change_mtu();
	else if (what < 65 && shortage)
		shorten_frames(nlent == 0);
	else if (what < 80)
		read_one(g);
	else if (what < 90)
		p.now = xl_max(p.now, xl_min(mix_next(&net, &p), p.now + 2 * XL_MS));
	else
		p.now += below(20) * XL_US;
	wire((u32)below(6), (u32)below(6), (u32)below(12));
}

/* --- a world ------------------------------------------------------------------------------------------ */
static void begin(u64 seed)
{
	static const u8 kinds[CONNS] = { XLANE_KIND_STREAM, XLANE_KIND_MESSAGE, XLANE_KIND_UNORDERED, XLANE_KIND_UNORDERED,
					 XLANE_KIND_DATAGRAM, XLANE_KIND_MESSAGE };
	static const u32 frames[] = { 24, 48, 200, 700 };
	struct xl_engine_config like = { .segs_max = 3, .conns_max = 12, .peers_max = 4 };

	xl_prng_seed(&rng, seed);
	memset(&net, 0, sizeof net);
	memset(programs, 0, sizeof programs);
	xl_prng_seed(&net.prng, seed + 1);
	like.max_packet = last_sizes[below(2)];
	like.tx_frames_max = frames[below(XL_ARRAY_SIZE(frames))];
	like.congestion = (u8)below(4);
	like.no_crc = below(4) == 0;
	pair_open(&p, &like);
	for (u32 i = 0; i < CONNS; i++) {
		struct joined j = pair_join(&p, kinds[i]);

		programs[i].kind = kinds[i];
		programs[i].a = j.a;
		programs[i].b = j.b;
	}
	net.delay_ns = below(3) * 20 * XL_US;
	net.jitter_ns = below(3) * 30 * XL_US;
	net.lose = below(3) ? (u32)below(100000) : 0;
	net.repeat = below(2) ? 50000 : 0;
	net.path = below(3) ? WIRE_MAX : 1200;
}

/* The network is whole; every event as it comes, until `done` or nothing has changed it for a minute. */
static void run_until(bool (*done)(void), const char *what)
{
	u64 end = p.now + 60 * XL_S;

	net.lose = 0;
	for (;;) {
		wire(64, 64, MIX_RING);
		if (done())
			return;
		p.now = xl_max(mix_next(&net, &p), p.now + 1);
		if (p.now > end)
			fail_msg("%s", what);
	}
}

/* Whoever was refused is told; what is read makes room; large messages are given whole. */
static bool all_given(void)
{
	bool all = true;

	for (u32 i = 0; i < CONNS; i++) {
		struct program *g = &programs[i];

		while (read_one(g))
			;
		if (xl_conn_large_left(p.h[0].e, g->a))
			send_large(g);
		all &= !g->refused && !xl_conn_large_left(p.h[0].e, g->a);
	}
	return all;
}

static bool all_over(void)
{
	bool all = true;

	for (u32 i = 0; i < CONNS; i++) {
		while (!programs[i].over && read_one(&programs[i]))
			;
		all &= programs[i].over;
	}
	return all;
}

static bool all_gone(void)
{
	return xl_engine_conns(p.h[0].e) == 0 && xl_engine_conns(p.h[1].e) == 0 && !net.ring[0].count && !net.ring[1].count;
}

static void end(void)
{
	shorten_frames(false);
	run_until(all_given, "a program that was refused is not told, or a large message is not taken");
	for (u32 i = 0; i < CONNS; i++) {
		CHECK(xl_conn_shutdown(p.h[0].e, programs[i].a, p.now) == 0);
		programs[i].shut = true;
	}
	run_until(all_over, "what was sent does not arrive");
	for (u32 i = 0; i < CONNS; i++) {
		const struct program *g = &programs[i];

		if (g->kind == XLANE_KIND_STREAM)
			CHECK(g->got == g->sent);
		for (u64 id = 1; g->kind != XLANE_KIND_STREAM && g->kind != XLANE_KIND_DATAGRAM && id <= g->sent; id++)
			if (g->fate[id] == FATE_SENT)
				fail_msg("kind %u: message %llu of %u bytes is lost", g->kind, (unsigned long long)id,
					 g->bytes[id]);
		xl_conn_close(p.h[1].e, g->b, p.now);
		xl_conn_close(p.h[0].e, g->a, p.now);
	}
	xl_conn_close(p.h[0].e, p.a, p.now);
	xl_conn_close(p.h[1].e, p.b, p.now);
	run_until(all_gone, "a connection stays");
	for (u32 i = 0; i < 2; i++) {
		CHECK(p.h[i].e->tx_frames == 0 && p.h[i].f.nfree == p.h[i].f.own && p.h[i].e->holders == 0);
		CHECK(p.h[i].e->sent_free.count == p.h[i].e->nsents && p.h[i].e->writers.count == 0);
	}
}

static void world(u64 seed, u32 steps)
{
	bool shortage;

	xl_prng_seed(&rng, ~seed);
	shortage = below(2);
	begin(seed);
	for (u32 i = 0; i < steps; i++)
		step(shortage);
	end();
	pair_close(&p);
}

/* XLANE_SEND_MIX_SEEDS: so many worlds; XLANE_SEND_MIX_FIRST: the first of them. */
static void test_worlds(void **state)
{
	const char *count = getenv("XLANE_SEND_MIX_SEEDS"), *first = getenv("XLANE_SEND_MIX_FIRST");
	u64 from = first ? strtoull(first, NULL, 10) : 1, n = count ? strtoull(count, NULL, 10) : DEFAULT_SEEDS;

	(void)state;
	for (u64 seed = from; seed < from + n; seed++) {
		if (count)
			print_message("# seed %llu\n", (unsigned long long)seed);
		world(seed, 1500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_worlds) };

	return RUN_TAP(tests);
}
