/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many connections of all kinds on the smallest receive memories, at random: readers that are fast, slow, stopped or come in
 * bursts; ends, closes, aborts and exports at any time; a network that loses, repeats and reorders; peers that occupy memory
 * and break the rules. All arrives exactly; every invariant holds after every step; who has a living peer is never reset;
 * whose program reads gets on within PATIENCE_NS; at the end everything is free.
 */
#include "engine/core.h"
#include "engine_large.h"
#include "engine_pair.h"

#define SEEDS        2              /* XLANE_RECEIVE_MIX_SEEDS= asks for more, XLANE_RECEIVE_MIX_FIRST= begins elsewhere */
#define FLOWS        14
#define RAWS         4
#define PACKETS      4096           /* in the network */
#define STORM_NS     (2 * XL_S)
#define PATIENCE_NS  (30 * XL_S)    /* twice the time after which a half message is given up, and some */
#define ITEMS_MAX    4096

enum reader { FAST, SLOW, BURSTY, STOPPED, READERS };

struct flow {
	struct joined j;
	u8 kind, reader;
	bool used, shut, ended;
	u32 items, given, got;          /* messages; of a stream pieces */
	u64 bytes_given, bytes_got, large_at;
	u64 read_ns, moved_ns, seed;
	u8 seen[ITEMS_MAX];
};

struct flight { u64 due_ns; struct raw r; u8 from, to; };

struct world {
	struct pair p;
	struct xl_prng prng;
	struct flow flow[FLOWS];
	struct peer raw[RAWS];
	u64 raw_at[RAWS], raw_ns[RAWS];
	bool raw_used[RAWS];
	struct flight *net[PACKETS];    /* the first `flights` are on their way */
	u32 flights, loss, repeat, delay_us, opened;
	u64 storm_end, step_ns;
	bool calm;
};

static struct flight flights[PACKETS];
static u8 buf[1 << 20], exported[16 << 20];
static u64 the_seed;

static u32 below(struct world *w, u32 n) { return xl_prng_below(&w->prng, n); }
static u64 mixed(u64 a, u64 b)
{
	u64 x = a * 0x9e3779b97f4a7c15ull + b * 0xbf58476d1ce4e5b9ull;

	return (x ^ x >> 29) * 0x94d049bb133111ebull >> 7;
}

/* --- contents -------------------------------------------------------------------------------------- */
static u32 item_bytes(const struct world *w, const struct flow *f, u32 n)
{
	u64 x = mixed(f->seed, n);
	u32 most = (u32)xl_conn_message_max(w->p.h[0].e, f->j.a);

	switch (x % 8) {
	case 0:
		if (f->kind != XLANE_KIND_DATAGRAM && most > XLANE_MESSAGE_SMALL_MAX_BYTES)
			return XLANE_MESSAGE_SMALL_MAX_BYTES + 1 + (u32)(x >> 8) % (most - XLANE_MESSAGE_SMALL_MAX_BYTES);
		return 65536;
	case 1:
		return 65536 - (u32)(x >> 8) % 100;
	case 2: case 3:
		return 4 + (u32)(x >> 8) % 30000;
	default:
		return 4 + (u32)(x >> 8) % 2000;
	}
}

static u8 content(const struct flow *f, u32 item, u64 at)
{
	if (f->kind != XLANE_KIND_STREAM && at < 4)
		return (u8)(item >> 8 * at);
	return (u8)(at * 7 + (at >> 11) + item * 3 + f->seed);
}

static void fill(const struct flow *f, u32 item, u64 from, u64 bytes)
{
	for (u64 i = 0; i < bytes; i++)
		buf[i] = content(f, item, from + i);
}

static void same(const struct flow *f, u32 item, u64 from, u64 bytes)
{
	for (u64 i = 0; i < bytes; i++)
		if (buf[i] != content(f, item, from + i))
			fail_msg("seed %llu: kind %u item %u byte %llu is wrong", (unsigned long long)the_seed, f->kind, item,
				 (unsigned long long)(from + i));
}

/* --- the network ----------------------------------------------------------------------------------- */
static void launch(struct world *w, const struct raw *r, u8 from, u8 to)
{
	struct flight *f;

	if (w->flights == PACKETS)
		return;
	f = w->net[w->flights++];
	f->from = from;
	f->to = to;
	f->r.n = r->n;
	memcpy(f->r.b, r->b, r->n);
	f->due_ns = w->p.now + (5 + below(w, w->delay_us)) * XL_US;
}

static void gather(struct world *w)
{
	static struct raw r;
	u8 to;

	for (u32 i = 0; i < 2; i++)
		while (host_output(&w->p.h[i], &r, &to, w->p.now)) {
			if (to != w->p.h[!i].address || below(w, 1000) < w->loss)
				continue;
			launch(w, &r, w->p.h[i].address, to);
			if (below(w, 1000) < w->repeat)
				launch(w, &r, w->p.h[i].address, to);
		}
}

static u64 deliver(struct world *w)
{
	u64 next = XL_NEVER;

	for (u32 i = 0; i < w->flights;) {
		struct flight *f = w->net[i];

		if (f->due_ns > w->p.now) {
			next = xl_min(next, f->due_ns);
			i++;
			continue;
		}
		w->net[i] = w->net[--w->flights];
		w->net[w->flights] = f;
		host_input(&w->p.h[f->to - 1], &f->r, f->from, w->p.now);
	}
	return next;
}

static void whole(struct world *w)
{
	for (u32 i = 0; i < 2; i++) {
		const char *broken = xl_engine_check(w->p.h[i].e);

		if (broken)
			fail_msg("seed %llu: host %u: %s", (unsigned long long)the_seed, i, broken);
	}
}

/* --- programs -------------------------------------------------------------------------------------- */
static void open_flow(struct world *w, struct flow *f)
{
	u8 kind = (u8)(XLANE_KIND_STREAM + below(w, 4));

	*f = (struct flow){ .kind = kind, .used = true, .seed = the_seed * 1000 + w->opened++, .items = 1 + below(w, 30) };
	f->j.a = pair_connect(&w->p, PORT_OF(kind), kind);
	f->j.b = XL_NONE;
	f->reader = (u8)below(w, READERS);
	f->moved_ns = w->p.now;
}

static void accept_flows(struct world *w)
{
	u32 b;

	for (u8 kind = XLANE_KIND_STREAM; kind <= XLANE_KIND_DATAGRAM; kind++)
		while (xl_engine_accept(w->p.h[1].e, w->p.listener_of[kind], 5, &b) == 0) {
			u64 id = info_of(&w->p.h[1], b).remote_id;
			bool found = false;

			for (u32 i = 0; i < FLOWS && !found; i++) {
				struct flow *f = &w->flow[i];

				found = f->used && f->j.b == XL_NONE && info_of(&w->p.h[0], f->j.a).local_id == id;
				if (found)
					f->j.b = b;
			}
			if (!found)
				xl_conn_close(w->p.h[1].e, b, w->p.now);
		}
}

static void dead(const struct flow *f, s64 error, const char *where)
{
	fail_msg("seed %llu: kind %u was ended by the engine: %lld in %s", (unsigned long long)the_seed, f->kind,
		 (long long)error, where);
}

static void give(struct world *w, struct flow *f)
{
	struct xl_engine *e = w->p.h[0].e;

	for (u32 turns = 0; turns < 4; turns++) {
		u64 left = xl_conn_large_left(e, f->j.a), bytes;
		s64 n;

		if (left) {
			bytes = xl_min(left, 1 + below(w, 60000));
			fill(f, f->given - 1, f->large_at, bytes);
			n = xl_conn_large_more(e, f->j.a, buf, bytes, w->p.now);
			f->large_at += n > 0 ? (u64)n : 0;
		} else if (f->given == f->items) {
			if (!f->shut)
				CHECK(xl_conn_shutdown(e, f->j.a, w->p.now) == 0);
			f->shut = true;
			return;
		} else {
			bytes = item_bytes(w, f, f->given);
			if (f->kind != XLANE_KIND_STREAM && bytes > XLANE_MESSAGE_SMALL_MAX_BYTES) {
				n = xl_conn_large_begin(e, f->j.a, bytes, w->p.now);
				f->large_at = 0;
			} else {
				u64 room = xl_conn_writable(e, f->j.a);

				if (room < (f->kind == XLANE_KIND_STREAM ? 1 : bytes))
					return;
				fill(f, f->kind == XLANE_KIND_STREAM ? 0 : f->given,
				     f->kind == XLANE_KIND_STREAM ? f->bytes_given : 0, bytes);
				n = xl_conn_send(e, f->j.a, buf, bytes, w->p.now);
			}
			f->given += n >= 0;
			f->bytes_given += n > 0 ? (u64)n : 0;
		}
		if (n < 0 && n != -EAGAIN)
			dead(f, n, "send");
		if (n == -EAGAIN)
			return;
	}
}

static void took(struct world *w, struct flow *f, u64 bytes)
{
	u32 item = (u32)buf[0] | (u32)buf[1] << 8;

	f->moved_ns = w->p.now;
	if (f->kind == XLANE_KIND_STREAM) {
		same(f, 0, f->bytes_got, bytes);
		f->bytes_got += bytes;
		return;
	}
	CHECK(item < f->given && !f->seen[item] && bytes == item_bytes(w, f, item));
	CHECK(f->kind != XLANE_KIND_MESSAGE || item == f->got);
	f->seen[item] = 1;
	f->got++;
	same(f, item, 0, bytes);
}

static void end_of(struct world *w, struct flow *f)
{
	CHECK(f->shut);
	CHECK(f->kind != XLANE_KIND_STREAM || f->bytes_got == f->bytes_given);
	CHECK(f->kind == XLANE_KIND_STREAM || f->kind == XLANE_KIND_DATAGRAM || f->got == f->items);
	f->ended = true;
	f->used = false;
	xl_conn_close(w->p.h[0].e, f->j.a, w->p.now);
	xl_conn_close(w->p.h[1].e, f->j.b, w->p.now);
}

static void read_some(struct world *w, struct flow *f, u32 times)
{
	for (u32 i = 0; i < times; i++) {
		u64 most = f->kind == XLANE_KIND_STREAM ? 1 + below(w, 1u << below(w, 18)) : sizeof buf;
		s64 n = xl_conn_recv(w->p.h[1].e, f->j.b, buf, most, w->p.now);

		if (n == -EAGAIN)
			return;
		if (n == -ENODATA || (n == 0 && f->kind == XLANE_KIND_STREAM)) {
			end_of(w, f);
			return;
		}
		if (n < 0)
			dead(f, n, "recv");
		took(w, f, (u64)n);
	}
}

/* By loan, and in parts. */
static void peek_some(struct world *w, struct flow *f)
{
	const u8 *p;
	u64 left;
	s64 n = xl_conn_peek(w->p.h[1].e, f->j.b, &p, &left);
	u64 done = 0, total = left;

	if (n <= 0 || f->kind == XLANE_KIND_STREAM || left > sizeof buf) {
		read_some(w, f, 1);
		return;
	}
	while (done < total) {
		n = xl_conn_peek(w->p.h[1].e, f->j.b, &p, &left);
		CHECK(n > 0 && left == total - done);
		memcpy(buf + done, p, (size_t)n);
		done += (u64)n;
		xl_conn_consume(w->p.h[1].e, f->j.b, (u64)n, w->p.now);
		whole(w);
	}
	took(w, f, total);
}

static void read_flow(struct world *w, struct flow *f)
{
	static const u32 pause_us[READERS] = { 0, 3000, 150000, 0 };

	if (f->reader == STOPPED || w->p.now < f->read_ns)
		return;
	f->read_ns = w->p.now + below(w, 1 + pause_us[f->reader]) * XL_US;
	if (below(w, 4) == 0)
		peek_some(w, f);
	else
		read_some(w, f, f->reader == SLOW ? 1 : f->reader == BURSTY ? 50 : 4);
}

static void move(struct world *w, struct flow *f)
{
	struct host *h = &w->p.h[1];
	const struct xl_conn *c = &h->e->conns[f->j.b];
	bool takes = c->backed || c->large_in.state == XL_LARGE_GRANTED; /* more than it holds */
	s64 n;

	if (takes && (h->e->backing.count || h->e->large_ages.count))
		return; /* who waits would get that meanwhile */
	n = xl_conn_export(h->e, f->j.b, exported, sizeof exported);
	CHECK(n > 0);
	CHECK(xl_conn_import(h->e, exported, (u64)n, w->p.now, &f->j.b) == 0);
}

static bool joined(const struct world *w, const struct flow *f)
{
	u8 s = info_of(&w->p.h[1], f->j.b).state;

	return xl_state_joined(s);
}

/* Something rare happens to a connection. */
static void event(struct world *w, struct flow *f)
{
	switch (below(w, 12)) {
	case 0:
		xl_conn_abort(w->p.h[0].e, f->j.a, XLANE_WIRE_CANCELLED, w->p.now);
		xl_conn_abort(w->p.h[1].e, f->j.b, XLANE_WIRE_CANCELLED, w->p.now);
		f->used = false;
		return;
	case 1: /* the reader goes, what comes is dropped */
		xl_conn_close(w->p.h[1].e, f->j.b, w->p.now);
		if (below(w, 2))
			xl_conn_close(w->p.h[0].e, f->j.a, w->p.now);
		else
			xl_conn_abort(w->p.h[0].e, f->j.a, XLANE_WIRE_CANCELLED, w->p.now);
		f->used = false;
		return;
	case 2: case 3: case 4:
		if (joined(w, f))
			move(w, f);
		return;
	default:
		f->reader = (u8)below(w, READERS);
		f->moved_ns = w->p.now;
	}
}

/* --- those who break the rules --------------------------------------------------------------------- */
static void raw_step(struct world *w, u32 i)
{
	static struct raw r;
	struct peer *x = &w->raw[i];
	u64 at = w->raw_at[i];

	if (!w->raw_used[i]) {
		*x = peer_open(&w->p, (u8)(10 + i), (u16)(100 + w->opened++), (u8)(XLANE_KIND_STREAM + below(w, 4)), 1 << 20);
		w->raw_used[i] = true;
		w->raw_at[i] = 0;
		return;
	}
	if (info_of(&w->p.h[1], x->conn).error) {
		xl_conn_close(w->p.h[1].e, x->conn, w->p.now);
		w->raw_used[i] = false;
		return;
	}
	switch (below(w, 6)) {
	case 0: /* a head of which no more comes */
		head(&w->p, x, at, below(w, 2) ? 60000 : 70000, (u8)(below(w, 3) == 0));
		w->raw_at[i] += 8;
		return;
	case 1: /* behind a hole */
		peer_data(&w->p, x, (u8)(2 * below(w, 2)), at + below(w, 130000), (u8)below(w, 2), (u16)(1 + below(w, 1000)));
		return;
	case 2:
		part(&w->p, x, at ? at - 8 : 0, below(w, 70000), 'x', (u16)(1 + below(w, 1000)));
		return;
	case 3: /* a fragment */
		peer_header(x, &r);
		raw_record(&r, 0x03, 0, 16 + 100);
		raw64(&r, below(w, 1000));
		raw32(&r, 200 + below(w, 65000));
		raw32(&r, below(w, 100));
		raw_fill(&r, 'd', 100);
		break;
	case 4: /* stands without credit, it says */
		peer_header(x, &r);
		raw_record(&r, 0x14, 0, 8);
		raw64(&r, below(w, 200000));
		break;
	default:
		peer_header(x, &r);
		raw_record(&r, 0x13, 0, 0);
	}
	raw_seal(&r);
	peer_send(&w->p, x, &r);
}

/* --- a world --------------------------------------------------------------------------------------- */
static void world_open(struct world *w)
{
	static const u32 blocks[] = { XLANE_BLOCKS_MIN, 40, 60, 76, 90, 120, 160, 300 };
	static const u32 packets[] = { 700, 1500, 1500, 9000 };
	struct xl_engine_config like = { .conns_max = 200, .tx_frames_max = 900 };

	memset(w, 0, sizeof *w);
	for (u32 i = 0; i < PACKETS; i++)
		w->net[i] = &flights[i];
	xl_prng_seed(&w->prng, the_seed);
	like.blocks = blocks[below(w, XL_ARRAY_SIZE(blocks))];
	like.max_packet = packets[below(w, XL_ARRAY_SIZE(packets))];
	like.segs_max = 3;
	like.recv_window_bytes = XLANE_RECV_WINDOW_MIN_BYTES << below(w, 4);
	like.congestion = (u8)below(w, 4);
	pair_open(&w->p, &like);
	w->loss = below(w, 3) * below(w, 60);
	w->repeat = below(w, 2) * below(w, 60);
	w->delay_us = 1 + below(w, 4) * below(w, 200);
	w->step_ns = (u64[]){ 20, 100, 500 }[below(w, 3)] * XL_US;
	w->storm_end = w->p.now + STORM_NS;
}

static void step(struct world *w)
{
	u64 next, wait = 20 * XL_US + below(w, 5) * below(w, 2000) * XL_US;
	bool stuck = false;

	accept_flows(w);
	for (u32 i = 0, from = below(w, FLOWS); i < FLOWS; i++) {
		struct flow *f = &w->flow[(from + i) % FLOWS];

		if (!f->used && !w->calm && below(w, 50) == 0)
			open_flow(w, f);
		if (!f->used || f->j.b == XL_NONE)
			continue;
		give(w, f);
		if (!w->calm && below(w, 300) == 0)
			event(w, f);
		if (f->used)
			read_flow(w, f);
		/* Datagrams for which there is no memory are dropped. */
		stuck |= f->used && w->calm && f->kind != XLANE_KIND_DATAGRAM && w->p.now - f->moved_ns > PATIENCE_NS;
		if (stuck)
			fail_msg("seed %llu: a connection of kind %u does not get on: got %u of %u (%u given), %llu bytes of %llu, state %s",
				 (unsigned long long)the_seed, f->kind, f->got, f->items, f->given, (unsigned long long)f->bytes_got,
				 (unsigned long long)f->bytes_given, xl_conn_state_name(info_of(&w->p.h[1], f->j.b).state));
	}
	for (u32 i = 0; i < RAWS && !w->calm; i++)
		if (w->p.now >= w->raw_ns[i] && (w->raw_ns[i] = w->p.now + below(w, 100) * XL_MS))
			raw_step(w, i);
	gather(w);
	next = deliver(w);
	for (u32 i = 0; i < 2; i++) {
		xl_engine_advance(w->p.h[i].e, w->p.now);
		next = xl_min(next, xl_engine_deadline(w->p.h[i].e));
	}
	whole(w);
	w->p.now = xl_max(w->p.now + w->step_ns, xl_min(next, w->p.now + wait));
}

static bool busy(const struct world *w)
{
	for (u32 i = 0; i < FLOWS; i++)
		if (w->flow[i].used)
			return true;
	return false;
}

static void calm_down(struct world *w)
{
	w->calm = true;
	w->step_ns = xl_max(w->step_ns, 200 * XL_US);
	for (u32 i = 0; i < RAWS; i++)
		if (w->raw_used[i])
			xl_conn_abort(w->p.h[1].e, w->raw[i].conn, XLANE_WIRE_CANCELLED, w->p.now);
	for (u32 i = 0; i < FLOWS; i++) {
		w->flow[i].reader = FAST;
		w->flow[i].moved_ns = w->p.now;
	}
	w->loss = w->loss > 10 ? 10 : w->loss;
}

static void all_free(struct world *w)
{
	xl_conn_close(w->p.h[0].e, w->p.a, w->p.now);
	xl_conn_close(w->p.h[1].e, w->p.b, w->p.now);
	for (u64 end = w->p.now + 400 * XL_S; w->p.now < end;) {
		step(w);
		if (!w->flights)
			w->p.now = xl_min(xl_min(xl_engine_deadline(w->p.h[0].e), xl_engine_deadline(w->p.h[1].e)), end);
	}
	for (u32 i = 0; i < 2; i++) {
		const struct xl_engine *e = w->p.h[i].e;

		CHECK(xl_engine_conns(e) == 0 && e->nblock_free == e->cfg.blocks && !e->promised && !e->granted && !e->away);
		CHECK(!e->grants && !e->backing.count && !e->large_ages.count && !e->grant_classes && !e->tx_frames);
	}
}

static void test_receive_mix(void **state)
{
	const char *asked = getenv("XLANE_RECEIVE_MIX_SEEDS"), *first = getenv("XLANE_RECEIVE_MIX_FIRST");
	u64 seeds = asked ? strtoull(asked, NULL, 10) : SEEDS, from = first ? strtoull(first, NULL, 10) : 1;
	struct world *w = calloc(1, sizeof *w);

	(void)state;
	for (the_seed = from; the_seed < from + seeds; the_seed++) {
		world_open(w);
		while (w->p.now < w->storm_end)
			step(w);
		calm_down(w);
		while (busy(w))
			step(w);
		all_free(w);
		pair_close(&w->p);
	}
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_receive_mix) };

	return RUN_TAP(tests);
}
