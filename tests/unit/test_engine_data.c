/* SPDX-License-Identifier: BSD-2-Clause */
/* Data as it arrives: any order, overlaps, ends, messages. */
#include "engine_pair.h"

static struct raw r;

static void ends_by_protocol(struct pair *p, const struct peer *x, enum xl_engine_counter why)
{
	struct xl_conn_info i = info_of(&p->h[1], x->conn);

	CHECK(!strcmp(xl_conn_state_name(i.state), "dead") && i.error == -EPROTO);
	CHECK(count_of(&p->h[1], why) == 1);
	CHECK(peer_hears(p, x, &r));
	CHECK(r.b[1] == 3 && r.n >= 76); /* ABORT, with the extension, as large as the answer */
	for (u32 at = 48; at < r.n; at += 4 + xl_get16(r.b + at + 2))
		if (r.b[at] == 0x15)
			CHECK(xl_get32(r.b + at + 4) == XLANE_WIRE_PROTOCOL);
	bystander_lives(p);
}

/* --- ends ------------------------------------------------------------------------------------- */
static void test_bad_ends(void **state)
{
	static const struct { u8 flags; u64 offset; u16 bytes; } firsts[] = { { 1, 90, 10 }, { 1, 90, 10 }, { 1, 90, 10 },
		{ 1, 90, 10 }, { 0, 90, 10 }, { 0, 90, 10 }, { 1, 0, 10 } }, seconds[] = {
		{ 0, 100, 1 },  /* data past the end */
		{ 0, 95, 6 },   /* data across the end */
		{ 1, 101, 0 },  /* another end, later */
		{ 1, 0, 99 },   /* another end, earlier */
		{ 1, 99, 0 },   /* an end below data */
		{ 1, 0, 0 },
		{ 0, 10, 1 },   /* past an end that has been reached */
	};

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(firsts); i++) {
		struct pair p;
		struct peer x;

		pair_open(&p, NULL);
		x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
		peer_data(&p, &x, firsts[i].flags, firsts[i].offset, 'a', firsts[i].bytes);
		CHECK(!info_of(&p.h[1], x.conn).error);
		peer_data(&p, &x, seconds[i].flags, seconds[i].offset, 'b', seconds[i].bytes);
		ends_by_protocol(&p, &x, XL_C_DATA_PAST_FIN);
		pair_close(&p);
	}
}

static void test_legal_ends(void **state)
{
	struct pair p;
	struct peer x;
	u8 in[200];

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	peer_data(&p, &x, 1, 100, 'e', 0);  /* the bare end, early */
	peer_data(&p, &x, 1, 90, 'e', 10);  /* the same end, with data */
	peer_data(&p, &x, 1, 100, 'e', 0);  /* again */
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == -EAGAIN && state_is(&p.h[1], x.conn, "open"));
	peer_data(&p, &x, 0, 0, 'a', 90);
	CHECK(state_is(&p.h[1], x.conn, "remote-shut"));
	peer_data(&p, &x, 1, 50, 'z', 50);  /* all of it again */
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == 100 && in[89] == 'a' && in[90] == 'e' && in[99] == 'e');
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == 0);
	CHECK(xl_conn_send(p.h[1].e, x.conn, "still", 5, p.now) == 5);
	CHECK(peer_hears(&p, &x, &r));
	bystander_lives(&p);
	pair_close(&p);
}

/* --- overlap: the first copy wins ------------------------------------------------------------- */
static void test_first_copy_wins(void **state)
{
	struct pair p;
	struct peer x;
	u8 in[100];

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	peer_data(&p, &x, 0, 10, 'A', 10);   /* 10..20 */
	peer_data(&p, &x, 0, 30, 'B', 10);   /* 30..40 */
	peer_data(&p, &x, 0, 5, 'C', 40);    /* 5..45: fills 5..10, 20..30, 40..45 */
	peer_data(&p, &x, 0, 10, 'D', 10);
	peer_data(&p, &x, 0, 0, 'E', 50);    /* 0..5, 45..50 */
	peer_data(&p, &x, 0, 0, 'F', 60);    /* 50..60 */
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == 60);
	CHECK(!memcmp(in, "EEEEECCCCCAAAAAAAAAACCCCCCCCCCBBBBBBBBBBCCCCCEEEEEFFFFFFFFFF", 60));
	bystander_lives(&p);
	pair_close(&p);
}

/* Random overlapping pieces over a few blocks, against a map of bytes. */
static void test_overlaps_against_a_byte_map(void **state)
{
	static u8 map[20000], in[20000];
	struct xl_prng rng;
	struct pair p;
	struct peer x;

	(void)state;
	xl_prng_seed(&rng, 5);
	pair_open(&p, NULL);
	for (u16 round = 0; round < 20; round++) {
		u64 want = 0;

		x = peer_open(&p, 3, (u16)(100 + round), XLANE_KIND_STREAM, 1 << 20);
		memset(map, 0, sizeof map);
		for (u32 i = 0; i < 300; i++) {
			u64 at = xl_prng_below(&rng, sizeof map), n = 1 + xl_prng_below(&rng, 400);
			u8 byte = (u8)(1 + xl_prng_below(&rng, 255));

			n = xl_min(n, sizeof map - at);
			peer_data(&p, &x, 0, at, byte, (u16)n);
			for (u64 k = at; k < at + n; k++)
				map[k] = map[k] ? map[k] : byte;
			CHECK(!xl_engine_check(p.h[1].e));
		}
		while (want < sizeof map && map[want])
			want++;
		CHECK(info_of(&p.h[1], x.conn).bytes_received == want);
		for (u64 at = 0; at < sizeof map; at += 1000)
			peer_data(&p, &x, 0, at, 0, 1000);
		CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == sizeof in);
		CHECK(!memcmp(in, map, sizeof in));
		xl_conn_abort(p.h[1].e, x.conn, XLANE_WIRE_CANCELLED, p.now);
		while (peer_hears(&p, &x, &r))
			;
	}
	bystander_lives(&p);
	pair_close(&p);
}

/* --- all orders of five fragments, the end among them ------------------------------------------- */
static const u32 cuts[] = { 0, 1, 7, 1200, 1201, 2300 };
static u32 orders;

static void one_order(struct pair *p, const u32 order[5])
{
	struct peer x = peer_open(p, 3, (u16)(100 + orders++), XLANE_KIND_STREAM, 1 << 20);
	u8 in[4000];
	bool there[6] = { 0 };

	for (u32 i = 0; i < 5; i++) {
		u32 k = order[i], prefix = 0;

		peer_data(p, &x, k == 4, cuts[k], (u8)('a' + k), (u16)(cuts[k + 1] - cuts[k]));
		there[k] = true;
		while (there[prefix])
			prefix++;
		CHECK(info_of(&p->h[1], x.conn).bytes_received == cuts[prefix]);
		CHECK(!xl_engine_check(p->h[1].e));
	}
	CHECK(xl_conn_recv(p->h[1].e, x.conn, in, sizeof in, p->now) == 2300);
	for (u32 k = 0; k < 5; k++)
		CHECK(in[cuts[k]] == 'a' + k && in[cuts[k + 1] - 1] == 'a' + k);
	CHECK(xl_conn_recv(p->h[1].e, x.conn, in, sizeof in, p->now) == 0);
	CHECK(peer_hears(p, &x, &r) && raw_acked(&r) == x.next - 1);
	xl_conn_abort(p->h[1].e, x.conn, XLANE_WIRE_CANCELLED, p->now);
	while (peer_hears(p, &x, &r))
		;
}

static void permute(struct pair *p, u32 order[5], u32 n)
{
	if (n == 5) {
		one_order(p, order);
		return;
	}
	for (u32 i = n; i < 5; i++) {
		u32 t = order[n];

		order[n] = order[i];
		order[i] = t;
		permute(p, order, n + 1);
		order[i] = order[n];
		order[n] = t;
	}
}

static void test_all_orders(void **state)
{
	u32 order[5] = { 0, 1, 2, 3, 4 };
	struct pair p;

	(void)state;
	for (u32 first = 0; first < 5; first++) { /* a new world now and then: aborted connections stay for a while */
		u32 mine[5];

		pair_open(&p, NULL);
		memcpy(mine, order, sizeof mine);
		mine[0] = order[first];
		mine[first] = order[0];
		permute(&p, mine, 1);
		bystander_lives(&p);
		pair_close(&p);
	}
	CHECK(orders == 120);
}

/* More holes than the table has places: refused, not acknowledged, and filled from the front in the end. */
static void test_too_many_holes(void **state)
{
	struct pair p;
	struct peer x;
	u8 in[2000];

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	for (u32 i = 0; i < XLANE_HOLES_MAX + 10; i++)
		peer_data(&p, &x, 0, 2 * i + 1, 'o', 1);
	CHECK(count_of(&p.h[1], XL_C_DATA_HOLES) == 10);
	CHECK(peer_hears(&p, &x, &r) && raw_acked(&r) == x.next - 11);
	pair_check(&p);
	for (u32 i = 0; i < XLANE_HOLES_MAX; i++)
		peer_data(&p, &x, 0, 2 * i, 'e', 1);
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == 2 * XLANE_HOLES_MAX);
	CHECK(in[0] == 'e' && in[1] == 'o' && in[2 * XLANE_HOLES_MAX - 1] == 'o');
	bystander_lives(&p);
	pair_close(&p);
}

/* --- messages --------------------------------------------------------------------------------- */
static void raw_message(struct raw *m, u32 length, u8 class, u16 zero, u32 filled)
{
	raw_record(m, 1, 2, (u16)(8 + 8 + filled));
	raw64(m, 0);
	raw32(m, length);
	raw8(m, class);
	raw8(m, 0);
	raw16(m, zero);
	raw_fill(m, 'm', filled);
}

static void test_bad_messages(void **state)
{
	static const struct { u32 length; u8 class; u16 zero; u32 filled; u8 fin; } heads[] = {
		{ 5, 2, 0, 5, 0 }, { 5, 255, 0, 5, 0 }, { 5, 1, 0, 5, 0 }, { 5, 0, 1, 5, 0 }, { 5, 0, 0x8000, 0, 0 },
		{ 65537, 0, 0, 5, 0 }, { UINT32_MAX, 0, 0, 5, 0 }, { 6, 0, 0, 5, 1 }, { 1, 0, 0, 0, 1 }, { 1, 0, 0, 4, 1 },
	};

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(heads); i++) {
		struct pair p;
		struct peer x;

		pair_open(&p, NULL);
		x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
		peer_header(&x, &r);
		raw_message(&r, heads[i].length, heads[i].class, heads[i].zero, heads[i].filled);
		r.b[21] |= heads[i].fin;
		raw_seal(&r);
		peer_send(&p, &x, &r);
		ends_by_protocol(&p, &x, XL_C_DATA_BAD_MESSAGE);
		pair_close(&p);
	}
}

/* An end inside a message header. */
static void test_header_cut_by_the_end(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	peer_data(&p, &x, 1, 0, 0, 7);
	ends_by_protocol(&p, &x, XL_C_DATA_BAD_MESSAGE);
	pair_close(&p);
}

/* Empty messages and whole ones, byte by byte; one too large for the buffer stays. */
static void test_messages(void **state)
{
	struct pair p;
	struct peer x;
	u8 in[8];

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 1 << 20);
	for (u64 i = 0; i < 8; i++) {
		peer_data(&p, &x, 0, i, 0, 1);
		CHECK(xl_conn_readable(p.h[1].e, x.conn) == (i == 7 ? 0 : -EAGAIN));
	}
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == 0);
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == -EAGAIN);
	peer_data(&p, &x, 0, 8, 0, 3);
	peer_data(&p, &x, 0, 11, 9, 1);      /* length 9 */
	peer_data(&p, &x, 0, 12, 0, 4);
	peer_data(&p, &x, 1, 16, 'x', 9);
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == -EMSGSIZE);
	CHECK(xl_conn_readable(p.h[1].e, x.conn) == 9);
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, 8, p.now) == -EMSGSIZE);
	{
		u8 large[9];

		CHECK(xl_conn_recv(p.h[1].e, x.conn, large, 9, p.now) == 9 && large[8] == 'x');
	}
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == -ENODATA);
	bystander_lives(&p);
	pair_close(&p);
}

/* Packets that end where a frame ends, with and without a tag behind: every frame comes home. */
static void test_frames_at_their_end(void **state)
{
	static u8 out[4096], in[4096];

	(void)state;
	for (u32 k = 0; k < 2; k++) {
		struct xl_engine_config like = { .no_crc = k, .max_packet = 9000, .segs_max = 3 };
		struct joined j;
		struct pair p;

		pair_open(&p, &like);
		j = pair_join(&p, XLANE_KIND_STREAM);
		for (u32 n = 3740; n < 3790; n++) {
			CHECK(xl_conn_send(p.h[0].e, j.a, out, n, p.now) == n);
			pair_run(&p, 1 * XL_MS);
			CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == n);
		}
		CHECK(p.h[0].f.census[XL_FRAME_FREE] == p.h[0].f.count);
		bystander_lives(&p);
		pair_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_ends),
		cmocka_unit_test(test_legal_ends),
		cmocka_unit_test(test_first_copy_wins),
		cmocka_unit_test(test_overlaps_against_a_byte_map),
		cmocka_unit_test(test_all_orders),
		cmocka_unit_test(test_too_many_holes),
		cmocka_unit_test(test_bad_messages),
		cmocka_unit_test(test_header_cut_by_the_end),
		cmocka_unit_test(test_frames_at_their_end),
		cmocka_unit_test(test_messages),
	};

	return RUN_TAP(tests);
}
