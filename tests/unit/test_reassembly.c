/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments of a stream in any order and with any overlap, against a byte map that keeps the first copy of each byte. */
#include <stdlib.h>

#include "engine_pair.h"

#define UNITS      6
#define DEPTH      4        /* fragments, in all orders; XLANE_REASSEMBLY_DEPTH=5 asks for all of five, a minute */
#define UNIT_BYTES 7
#define AREA       (3 * XLANE_BLOCK_BYTES)
#define FRAGMENTS  100000   /* at random; XLANE_REASSEMBLY_FRAGMENTS= asks for more */

struct world { struct pair p; struct peer x; u64 base; u8 map[AREA]; u32 bytes; };

static u8 in[AREA + 1];

static void fragment(struct world *w, u32 from, u32 to, u8 value)
{
	peer_data(&w->p, &w->x, 0, w->base + from, value, (u16)(to - from));
	for (u32 i = from; i < to; i++)
		if (!w->map[i])
			w->map[i] = value;
}

/* What is contiguous, and no more, can be read; then the holes are filled and all is compared. */
static void finish(struct world *w)
{
	u32 n = 0;

	while (n < w->bytes && w->map[n])
		n++;
	if (xl_conn_readable(w->p.h[1].e, w->x.conn) != (n ? (s64)n : -EAGAIN))
		fail_msg("%u contiguous bytes", n);
	for (u32 from = 0, to; from < w->bytes; from = to) {
		for (to = from + 1; to < w->bytes && !w->map[to] == !w->map[from] && to - from < 1000; to++)
			;
		if (!w->map[from])
			fragment(w, from, to, 'z');
	}
	CHECK(xl_conn_recv(w->p.h[1].e, w->x.conn, in, sizeof in, w->p.now) == (s64)w->bytes);
	CHECK(!memcmp(in, w->map, w->bytes));
	memset(w->map, 0, w->bytes);
	w->base += w->bytes;
}

static void world_open(struct world *w, u32 bytes)
{
	static struct raw r;

	memset(w, 0, sizeof *w);
	pair_open(&w->p, NULL);
	w->x = peer_open(&w->p, 3, 100, XLANE_KIND_STREAM, 0);
	w->bytes = bytes;
	while (peer_hears(&w->p, &w->x, &r))
		;
}

/* The credit is to be told, or nothing more may come. */
static void hear(struct world *w)
{
	static struct raw r;

	while (peer_hears(&w->p, &w->x, &r))
		;
	w->p.now += XL_US;
	if (w->base < 4 << 20)
		return;
	/* Of what it was told the peer has acknowledged nothing: that does not go on for ever. */
	pair_check(&w->p);
	pair_close(&w->p);
	world_open(w, w->bytes);
}

static u32 sequences(struct world *w, u8 at[][2], u32 depth, u32 n)
{
	u32 done = 0;

	for (u32 from = 0; from < UNITS; from++)
		for (u32 to = from + 1; to <= UNITS; to++) {
			at[n][0] = (u8)from;
			at[n][1] = (u8)to;
			if (n + 1 < depth) {
				done += sequences(w, at, depth, n + 1);
				continue;
			}
			for (u32 i = 0; i < depth; i++)
				fragment(w, at[i][0] * UNIT_BYTES, at[i][1] * UNIT_BYTES, (u8)('a' + i));
			finish(w);
			hear(w);
			done++;
		}
	return done;
}

static void test_all_orders(void **state)
{
	const char *asked = getenv("XLANE_REASSEMBLY_DEPTH");
	u32 most = asked ? (u32)xl_min(strtoul(asked, NULL, 10), 8) : DEPTH, count = 1;
	static struct world w;
	u8 at[8][2];

	(void)state;
	for (u32 depth = 1; depth <= most; depth++) {
		count *= UNITS * (UNITS + 1) / 2;
		world_open(&w, UNITS * UNIT_BYTES);
		CHECK(sequences(&w, at, depth, 0) == count);
		pair_check(&w.p);
		pair_close(&w.p);
	}
}

static void test_at_random(void **state)
{
	const char *asked = getenv("XLANE_REASSEMBLY_FRAGMENTS");
	u64 fragments = asked ? strtoull(asked, NULL, 10) : FRAGMENTS;
	static struct world w;
	struct xl_prng prng;

	(void)state;
	xl_prng_seed(&prng, 4);
	world_open(&w, AREA);
	for (u64 n = 0, round = 0; n < fragments; round++) {
		u32 some = xl_prng_below(&prng, 60);

		w.bytes = 1 + xl_prng_below(&prng, AREA);
		for (u32 i = 0; i < some; i++, n++) {
			u32 from = xl_prng_below(&prng, w.bytes);
			u32 most = (u32)xl_min(w.bytes - from, xl_prng_below(&prng, 2) ? 1400 : 40);

			fragment(&w, from, from + 1 + xl_prng_below(&prng, most), (u8)('a' + i % 25));
		}
		finish(&w);
		hear(&w);
		if (round % 64 == 0)
			CHECK(!xl_engine_check(w.p.h[1].e));
	}
	pair_check(&w.p);
	pair_close(&w.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_orders), cmocka_unit_test(test_at_random) };

	return RUN_TAP(tests);
}
