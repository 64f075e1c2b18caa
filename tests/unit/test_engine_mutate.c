/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Valid packets of two talking engines, spoilt and given again with a right checksum: nothing may break, and in the end
 * everything is given back. Arguments: rounds and seed, for longer runs than the one of the suite.
 */
#include "engine_pair.h"

#define KEPT    128
#define CONNS   8
#define KIND_OF(k) (u8)(XLANE_KIND_STREAM + (k) % 4)
#define ROUNDS  30000

static u64 rounds = ROUNDS, seed = 1;
static struct { struct raw r; u32 to; } kept[KEPT + KEPT / 8];
static u32 nkept;
static u64 top_number[2];       /* above every number that was sent to host i: such a packet is no repeat */

struct world {
	struct pair p;
	struct xl_prng rng;
	u32 conn[2][CONNS];         /* XL_NONE: none */
	u64 mutants;
};

static u32 pick(struct world *w, u32 n) { return (u32)xl_prng_below(&w->rng, n); }

static void keep(struct world *w, const struct raw *r, u32 to)
{
	u64 number = xl_get64(r->b + 12);
	bool data = !(r->b[0] & 15);  /* the handshake has the last eighth of the places to itself */
	u32 i = !data ? KEPT + pick(w, KEPT / 8) : nkept < KEPT ? nkept++ : pick(w, KEPT);

	kept[i].r = *r;
	kept[i].to = to;
	if (number < 1ull << 40)
		top_number[to] = xl_max(top_number[to], number);
}

/* A value that sits on an edge, or anything. */
static u64 edge(struct world *w, u64 old)
{
	static const u64 edges[] = { 0, 1, 2, 255, 256, 4095, 4096, 65535, 65536, 131071, 131072, 1ull << 31, 1ull << 32,
				     1ull << 63, UINT64_MAX, UINT64_MAX - 1 };

	switch (pick(w, 4)) {
	case 0:
		return edges[pick(w, XL_ARRAY_SIZE(edges))];
	case 1:
		return old + pick(w, 5) - 2;
	case 2:
		return old ^ 1ull << pick(w, 64);
	default:
		return any_size(&w->rng);
	}
}

static void add_record(struct world *w, struct raw *r)
{
	static const u8 types[] = { 0, 1, 1, 1, 2, 2, 3, 3, 0x12, 0x10, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x20, 0x80, 0xff };
	u8 type = types[pick(w, sizeof types)];

	if (type == 0x15 && pick(w, 8)) /* an end of everything, seldom */
		type = 0x13;
	if (type == 1) {
		raw_data(r, (u8)(pick(w, 20) == 0) | (u8)(pick(w, 2) << 1), pick(w, 2) ? pick(w, 140000) : edge(w, 0),
			 (u8)pick(w, 256), (u16)pick(w, 60));
	} else if (type == 0x10) {
		u32 ranges = pick(w, 17);

		raw_record(r, type, 0, (u16)(20 + 8 * ranges));
		raw64(r, FIRST + pick(w, (u32)xl_min(top_number[0] + top_number[1], 100000) + 1));
		raw64(r, any_size(&w->rng));
		raw32(r, pick(w, 30));
		for (; ranges; ranges--) {
			raw32(r, 1 + pick(w, 4));
			raw32(r, pick(w, 4));
		}
	} else if (type == 2) {
		u16 n = (u16)(1 + pick(w, 400));

		raw_record(r, type, 0, (u16)(12 + n));
		raw64(r, pick(w, 2) ? 0 : pick(w, 4000) * 4);
		raw32(r, pick(w, 2) ? pick(w, 100000) : (u32)edge(w, 0));
		raw_fill(r, (u8)pick(w, 256), n);
	} else if (type == 3) {
		u16 n = (u16)pick(w, 400);

		raw_record(r, type, 0, (u16)(16 + n));
		raw64(r, pick(w, 4) ? pick(w, 300) : edge(w, 0));
		raw32(r, pick(w, 2) ? n : pick(w, 65537));
		raw32(r, pick(w, 2) ? 0 : pick(w, 2000));
		raw_fill(r, (u8)pick(w, 256), n);
	} else if (type == 0x12) {
		raw_record(r, type, 0, 12);
		raw64(r, pick(w, 4000) * 4);
		raw32(r, (u32)edge(w, 100000));
	} else {
		u16 bytes = type == 0x13 ? 0 : type == 0x15 ? 4 : 8;

		raw_record(r, type, 0, bytes);
		raw_fill(r, (u8)edge(w, 0), bytes);
	}
}

/* Change what the records say, header by header. */
static void change_record(struct world *w, struct raw *r)
{
	u32 at = 20 + (r->b[1] & 1 ? 28 : 0), skip = pick(w, 4);

	while (skip-- && at + 4 < r->n && at + 8u + xl_get16(r->b + at + 2) < r->n)
		at += 4u + xl_get16(r->b + at + 2);
	if (at + 12 > r->n)
		return;
	switch (pick(w, 4)) {
	case 0:
		r->b[at] = (u8)edge(w, r->b[at]);
		break;
	case 1:
		r->b[at + 1] ^= (u8)(1u << pick(w, 8));
		break;
	case 2:
		xl_put16(r->b + at + 2, (u16)edge(w, xl_get16(r->b + at + 2)));
		break;
	default:
		xl_put64(r->b + at + 4, edge(w, xl_get64(r->b + at + 4)));
	}
}

static void mutate(struct world *w, struct raw *r, u32 to)
{
	u32 tag = r->b[1] & 2 ? 4 : 0;

	r->n -= xl_min(tag, r->n);
	for (u32 n = 1 + pick(w, 3); n; n--) {
		switch (pick(w, 8)) {
		case 0:
			r->b[pick(w, r->n)] ^= (u8)(1u << pick(w, 8));
			break;
		case 1:
			r->b[pick(w, r->n)] = (u8)edge(w, 0);
			break;
		case 2:
			xl_put64(r->b + 12, edge(w, xl_get64(r->b + 12)));
			break;
		case 3:
		case 4:
			change_record(w, r);
			break;
		case 5:
			r->n = 20 + pick(w, r->n - 19);
			break;
		default:
			if (r->n < 1000)
				add_record(w, r);
		}
	}
	if (pick(w, 4))
		xl_put64(r->b + 12, ++top_number[to]);
	if (pick(w, 50))
		raw_seal(r);
}

/* All that h sends reaches the other, most of it, and is kept to be spoilt. */
static void carry(struct world *w)
{
	static struct raw r;
	bool more;
	u8 to;

	do {
		more = false;
		for (u32 i = 0; i < 2; i++) {
			for (u32 n = 0; n < 64 && host_output(&w->p.h[i], &r, &to, w->p.now); n++) {
				more = n == 0 || more;
				if (to != w->p.h[!i].address)
					continue;
				keep(w, &r, !i);
				if (pick(w, 20))
					host_input(&w->p.h[!i], &r, w->p.h[i].address, w->p.now);
			}
		}
	} while (more && pick(w, 8));
}

static void attack(struct world *w)
{
	static struct raw r;
	u32 k = pick(w, 8) ? pick(w, nkept) : KEPT + pick(w, KEPT / 8), to = kept[k].to;

	if (!kept[k].r.n)
		return;

	r = kept[k].r;
	mutate(w, &r, to);
	host_input_split(&w->p.h[to], r.b, r.n, pick(w, 30) ? w->p.h[!to].address : 3,
			 pick(w, 4) ? XL_NONE : pick(w, r.n + 1), 4096, w->p.now);
	w->mutants++;
}

static void let_go(struct world *w, u32 i, u32 k)
{
	u32 c = w->conn[i][k];

	if (c == XL_NONE)
		return;
	w->conn[i][k] = XL_NONE;
	if (pick(w, 3))
		xl_conn_close(w->p.h[i].e, c, w->p.now);
	else
		xl_conn_abort(w->p.h[i].e, c, XLANE_WIRE_CANCELLED, w->p.now);
}

static void use(struct world *w, u32 i, u32 k)
{
	static u8 bytes[8192];
	struct xl_engine *e = w->p.h[i].e;
	u32 c = w->conn[i][k];

	switch (pick(w, 7)) {
	case 6:
		if (!xl_conn_large_left(e, c) && pick(w, 4) == 0)
			xl_conn_large_begin(e, c, 65537 + pick(w, 40000), w->p.now);
		else
			xl_conn_large_more(e, c, bytes, xl_min(sizeof bytes, xl_conn_large_left(e, c)), w->p.now);
		break;
	case 0:
	case 1:
		xl_conn_send(e, c, bytes, pick(w, sizeof bytes), w->p.now);
		break;
	case 2:
	case 3:
		xl_conn_recv(e, c, bytes, pick(w, 2) ? sizeof bytes : pick(w, 100), w->p.now);
		break;
	case 4:
		if (pick(w, 20) == 0)
			xl_conn_shutdown(e, c, w->p.now);
		break;
	default:
		if (pick(w, 40) == 0 || info_of(&w->p.h[i], c).error)
			let_go(w, i, k);
	}
}

static void call(struct world *w, u32 k)
{
	struct xl_connect how = { .path = path_of(1, 2), .port = PORT_OF(KIND_OF(k)), .kind = KIND_OF(k) };

	if (xl_engine_connect(w->p.h[0].e, &how, w->p.now, &w->conn[0][k]))
		w->conn[0][k] = XL_NONE;
}

/* The programs on both sides do something. */
static void program(struct world *w)
{
	u32 i = pick(w, 2), k = pick(w, CONNS), c;
	struct xl_event events[8];

	xl_engine_events(w->p.h[i].e, events, 8);
	if (w->conn[i][k] != XL_NONE)
		use(w, i, k);
	else if (i == 0)
		call(w, k);
	else if (!xl_engine_accept(w->p.h[1].e, w->p.listener_of[KIND_OF(k)], 6, &c))
		w->conn[1][k] = c;
}

/* All let go, faults over: nothing is left. */
static void drain(struct world *w)
{
	u32 c;

	for (u32 i = 0; i < 2; i++)
		for (u32 k = 0; k < CONNS; k++)
			let_go(w, i, k);
	for (u32 n = 0; n < 3000; n++) {
		carry(w);
		w->p.now += 20 * XL_MS;
		for (u32 i = 0; i < 2; i++)
			xl_engine_advance(w->p.h[i].e, w->p.now);
		for (u32 k = 0; k < 4; k++)
			while (!xl_engine_accept(w->p.h[1].e, w->p.listener_of[KIND_OF(k)], 6, &c))
				xl_conn_abort(w->p.h[1].e, c, XLANE_WIRE_CANCELLED, w->p.now);
	}
	pair_check(&w->p);
	for (u32 i = 0; i < 2; i++) {
		if (xl_engine_conns(w->p.h[i].e))
			fail_msg("host %u still has %u connections", i, xl_engine_conns(w->p.h[i].e));
		CHECK(w->p.h[i].f.nfree == w->p.h[i].f.count);
	}
}

static void test_mutants(void **state)
{
	static struct world w;

	(void)state;
	xl_prng_seed(&w.rng, seed);
	for (u64 done = 0; done < rounds; done += 10000) {
		pair_open(&w.p, NULL);
		memset(w.conn, 0xff, sizeof w.conn);
		nkept = 0;
		memset(kept, 0, sizeof kept);
		top_number[0] = top_number[1] = 0;
		w.conn[0][0] = w.p.a;
		w.conn[1][0] = w.p.b;
		for (u32 n = 0; n < 10000; n++) {
			program(&w);
			carry(&w);
			if (nkept)
				attack(&w);
			w.p.now += pick(&w, 50) ? pick(&w, 300 * XL_US) : pick(&w, 20 * XL_MS);
			for (u32 i = 0; i < 2; i++)
				xl_engine_advance(w.p.h[i].e, w.p.now);
			if (n % 64 == 0)
				pair_check(&w.p);
		}
		drain(&w);
		pair_close(&w.p);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_mutants) };

	if (argc > 1)
		rounds = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0);
	return RUN_TAP(tests);
}
