/* SPDX-License-Identifier: BSD-2-Clause */
/* Handshakes that somebody forged, repeated or flooded: what others have is not touched, and nothing is left of it. */
#include "base/prng.h"
#include "engine/call.h"
#include "engine_pair.h"

#define BODY 48   /* of a packet with extension */

static struct raw r;

static void init_of(struct pair *p, struct peer *x)
{
	raw_init(x, &r, XLANE_KIND_STREAM, 1 << 20);
	raw_init_end(&r);
	peer_send(p, x, &r);
}

/* INIT, ACCEPT, and a PING that confirms; nobody accepts. */
static bool confirm(struct pair *p, struct peer *x)
{
	init_of(p, x);
	if (!peer_hears(p, x, &r) || r.b[0] != 0x12)
		return false;
	x->remote_id = xl_get64(r.b + 40);
	peer_header(x, &r);
	raw_record(&r, 0x13, 0, 0);
	raw_seal(&r);
	peer_send(p, x, &r);
	while (peer_hears(p, x, &r))
		;
	return true;
}

static void abort_of(struct pair *p, struct peer *x)
{
	peer_header(x, &r);
	raw_record(&r, 0x15, 0, 4);
	raw32(&r, XLANE_WIRE_CANCELLED);
	raw_seal(&r);
	peer_send(p, x, &r);
}

/* --- crossing ------------------------------------------------------------------------------------- */
/* An INIT that seems to come from host 1, in answer to a call of host 0 from port 600 to 700. */
static void crossing(struct pair *p, u64 incarnation, u64 id)
{
	struct xl_path path = path_of(1, 2);
	struct peer x = { .node = NODE(2), .incarnation = incarnation, .id = id, .port = 700, .next = 30,
			  .call_id = xl_call_id(&path, 600, 700) };

	raw_init(&x, &r, XLANE_KIND_STREAM, 1 << 20);
	xl_put16(r.b + BODY + 14, 600); /* destination port */
	raw_init_end(&r);
	host_input(&p->h[0], &r, 2, p->now);
}

static u32 call(struct pair *p, u32 from, u16 local_port, u16 port)
{
	struct xl_connect how = { .path = path_of((u8)(1 + from), (u8)(2 - from)), .port = port, .local_port = local_port,
				  .kind = XLANE_KIND_STREAM };
	u32 c;

	CHECK(xl_engine_connect(p->h[from].e, &how, p->now, &c) == 0);
	return c;
}

/* The incarnation that it names counts when the connection is confirmed, not before (H-12). */
static void test_crossing_with_a_forged_incarnation(void **state)
{
	struct pair p;
	u32 c, l;

	(void)state;
	pair_open(&p, NULL);
	c = call(&p, 0, 600, 700);
	crossing(&p, 1000000, 0x4200000000000009ull);
	CHECK(count_of(&p.h[0], XL_C_SIMULTANEOUS_OPEN) == 1 && count_of(&p.h[0], XL_C_PEER_REBOOTED) == 0);
	CHECK(state_is(&p.h[0], p.a, "open"));
	pair_run(&p, 20 * XL_MS); /* host 1 knows no such call */
	CHECK(state_is(&p.h[0], c, "dead"));
	xl_conn_close(p.h[0].e, c, p.now);
	bystander_lives(&p);
	l = (u32)xl_engine_listen(p.h[0].e, 20, XLANE_KIND_STREAM, 3, 3);
	c = call(&p, 1, 601, 20);
	pair_exchange(&p);
	CHECK(state_is(&p.h[1], c, "open") && xl_engine_accept(p.h[0].e, l, 5, &c) == 0); /* not stale */
	bystander_lives(&p);
	pair_close(&p);
}

/* A forged one of a lower incarnation is refused, and the call goes on. */
static void test_crossing_of_a_stale_incarnation(void **state)
{
	struct pair p;
	int l;
	u32 c;

	(void)state;
	pair_open(&p, NULL);
	l = xl_engine_listen(p.h[1].e, 700, XLANE_KIND_STREAM, 3, 3);
	CHECK(l >= 0);
	c = call(&p, 0, 600, 700);
	crossing(&p, 1, 0x4200000000000009ull);
	CHECK(count_of(&p.h[0], XL_C_INIT_STALE) == 1 && state_is(&p.h[0], c, "calling"));
	pair_exchange(&p);
	CHECK(state_is(&p.h[0], c, "open"));
	bystander_lives(&p);
	pair_close(&p);
}

/* An ACCEPT proves that the INIT was heard; a crossing INIT, forged or of an earlier call and late, proves nothing. */
static void test_crossing_does_not_hide_the_answer(void **state)
{
	struct pair p;
	int l;
	u32 c;

	(void)state;
	pair_open(&p, NULL);
	l = xl_engine_listen(p.h[1].e, 700, XLANE_KIND_STREAM, 3, 3);
	CHECK(l >= 0);
	c = call(&p, 0, 600, 700);
	CHECK(host_output(&p.h[0], &r, &(u8){ 0 }, p.now) && r.b[0] == 0x11);
	host_input(&p.h[1], &r, 1, p.now); /* it is on its way when the forged one arrives */
	crossing(&p, 77, 0x4200000000000009ull);
	CHECK(count_of(&p.h[0], XL_C_SIMULTANEOUS_OPEN) == 1);
	CHECK(host_output(&p.h[1], &r, &(u8){ 0 }, p.now) && r.b[0] == 0x12);
	host_input(&p.h[0], &r, 2, p.now);
	pair_run(&p, 10 * XL_MS);
	CHECK(state_is(&p.h[0], c, "open"));
	CHECK(xl_engine_accept(p.h[1].e, (u32)l, 5, &c) == 0 && state_is(&p.h[1], c, "open"));
	bystander_lives(&p);
	pair_close(&p);
}

/* --- names ---------------------------------------------------------------------------------------- */
/* Somebody takes the name of a node that is not connected, with an incarnation that the node never reaches. */
static void test_name_with_a_forged_incarnation(void **state)
{
	struct peer thief = peer_new(9, 100), x = peer_new(3, 100);
	struct pair p;

	(void)state;
	for (u32 known = 0; known < 2; known++) {
		pair_open(&p, NULL);
		if (known) {
			struct peer before = peer_new(3, 99);

			CHECK(confirm(&p, &before));
			abort_of(&p, &before);
		}
		thief = peer_new(9, 100);
		thief.node = NODE(3);
		thief.incarnation = 1ull << 63;
		CHECK(confirm(&p, &thief));
		abort_of(&p, &thief);
		pair_run(&p, XL_MS);
		x = peer_new(3, 100);
		CHECK(confirm(&p, &x) && count_of(&p.h[1], XL_C_INIT_STALE) == 0);
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* He stays connected: the node is served all the same, with more connections than there are peers. */
static void test_name_that_is_held(void **state)
{
	struct xl_engine_config like = { .peers_max = 8 };
	struct peer thief = peer_new(9, 100), x[20];
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	thief.node = NODE(3);
	CHECK(confirm(&p, &thief));
	for (u16 i = 0; i < XL_ARRAY_SIZE(x); i++) {
		x[i] = peer_new(3, 200 + i);
		CHECK(confirm(&p, &x[i]));
	}
	bystander_lives(&p);
	for (u16 i = 0; i < XL_ARRAY_SIZE(x); i++)
		abort_of(&p, &x[i]);
	abort_of(&p, &thief);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- what ended ----------------------------------------------------------------------------------- */
/* The program has not let go of a call that is over: its acceptor is told, and does not wait for PEER_DEATH. */
static void test_accept_of_a_dead_call(void **state)
{
	struct xl_connect how = { .path = path_of(1, 2), .port = PORT, .kind = XLANE_KIND_STREAM };
	static struct raw accept, copy;
	struct pair p;
	u64 number;
	u32 c;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &c) == 0);
	CHECK(host_output(&p.h[0], &copy, &to, p.now) && copy.b[0] == 0x11);
	number = xl_get64(copy.b + 12);
	host_input(&p.h[1], &copy, 1, p.now);
	CHECK(host_output(&p.h[1], &accept, &to, p.now) && accept.b[0] == 0x12); /* late */
	raw_outer(&r, 4, 3, info_of(&p.h[0], c).local_id, 1);
	raw_ext(&r, NODE(2), NODE(1), 0);
	raw_record(&r, 0x23, 0, 20);
	raw32(&r, XLANE_WIRE_REFUSED);
	raw64(&r, xl_get64(copy.b + 4));
	raw64(&r, number);
	raw_seal(&r);
	host_input(&p.h[0], &r, 2, p.now);
	CHECK(state_is(&p.h[0], c, "dead") && info_of(&p.h[0], c).error == -ECONNREFUSED);
	host_input(&p.h[0], &accept, 2, p.now);
	CHECK(host_output(&p.h[0], &r, &to, p.now) && r.b[0] == 0x14);
	host_input(&p.h[1], &r, 1, p.now);
	pair_exchange(&p);
	CHECK(xl_engine_conns(p.h[1].e) == 1);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- many ------------------------------------------------------------------------------------------ */
/* An answer that names an id which another connection of that node has: one of them can not be right. */
static void test_id_used_twice(void **state)
{
	struct xl_connect how = { .path = path_of(2, 3), .port = 50, .kind = XLANE_KIND_STREAM };
	struct pair p;
	struct peer x;
	u32 c;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	CHECK(xl_engine_connect(p.h[1].e, &how, p.now, &c) == 0);
	raw_outer(&r, 2, 3, info_of(&p.h[1], c).local_id, 9);
	raw_ext(&r, x.node, NODE(2), x.id);
	raw_record(&r, 0x21, 0, 16 + 8 + 12 + 12);
	raw64(&r, x.incarnation);
	raw64(&r, 77);
	raw_param(&r, 0x8001, 4, 1500);
	raw_param(&r, 0x8002, 8, 1 << 20);
	raw_param(&r, 0x8007, 8, 9);
	raw_seal(&r);
	host_input(&p.h[1], &r, 3, p.now);
	CHECK(state_is(&p.h[1], c, "dead") && state_is(&p.h[1], x.conn, "open"));
	pair_check(&p);
	peer_data(&p, &x, 0, 0, 'a', 1);
	CHECK(xl_conn_recv(p.h[1].e, x.conn, &(u8){ 0 }, 1, p.now) == 1);
	xl_conn_close(p.h[1].e, c, p.now);
	bystander_lives(&p);
	pair_close(&p);
}

/* What a call from nobody costs: at most one answer, no larger than the call; memory for 64 of them, and that for 10 s. */
#define CALLS 1000000
struct cost { u64 answers, bytes_in, bytes_out; };

static void flood(struct pair *p, struct cost *cost)
{
	static struct raw out;
	struct xl_prng prng;
	u32 conns = 0, largest = 0;
	u8 to;

	xl_prng_seed(&prng, 5);
	for (u32 i = 0; i < CALLS; i++) {
		struct peer f = peer_new((u8)(10 + xl_prng_below(&prng, 240)), (u16)i);

		f.node = xl_prng_u64(&prng) | 1;
		f.id = xl_prng_u64(&prng) | 1;
		f.incarnation = xl_prng_u64(&prng);
		raw_init(&f, &r, XLANE_KIND_STREAM, 1 << 20);
		if (i & 1) { /* with a cookie that is made up */
			raw16(&r, 0x8006);
			raw16(&r, 16);
			raw64(&r, xl_prng_u64(&prng));
			raw64(&r, xl_prng_u64(&prng));
			xl_put16(r.b + BODY + 2, (u16)(xl_get16(r.b + BODY + 2) + 20));
		}
		raw_init_end(&r);
		host_input(&p->h[1], &r, f.address, p->now);
		cost->bytes_in += r.n;
		for (u32 n = 0; host_output(&p->h[1], &out, &to, p->now); n++) {
			CHECK(n == 0 && out.n <= r.n && to == f.address);
			cost->answers++;
			cost->bytes_out += out.n;
		}
		conns = xl_engine_conns(p->h[1].e);
		largest = (u32)xl_max(largest, conns);
	}
	CHECK(largest == 1 + XLANE_HALF_OPEN_COOKIE && conns == largest);
}

static void test_million_calls_of_nobody(void **state)
{
	struct xl_engine_config like = { .blocks = 512 };
	struct cost cost = { 0 };
	struct pair p;
	u32 c;

	(void)state;
	pair_open(&p, &like);
	flood(&p, &cost);
	CHECK(cost.answers == CALLS && cost.bytes_out < cost.bytes_in / 2);
	CHECK(count_of(&p.h[1], XL_C_COOKIE_SENT) == CALLS - XLANE_HALF_OPEN_COOKIE);
	CHECK(count_of(&p.h[1], XL_C_CONNS_RESET) == 0 && count_of(&p.h[1], XL_C_CONNS_OPENED) == 1);
	c = pair_connect(&p, PORT, XLANE_KIND_STREAM); /* who hears what is sent to him gets through */
	pair_exchange(&p);
	CHECK(state_is(&p.h[0], c, "open"));
	CHECK(xl_engine_accept(p.h[1].e, p.listener, 5, &c) == 0);
	bystander_lives(&p);
	pair_run(&p, 11 * XL_S);
	CHECK(xl_engine_conns(p.h[1].e) == 2);
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crossing_with_a_forged_incarnation),
		cmocka_unit_test(test_crossing_of_a_stale_incarnation),
		cmocka_unit_test(test_crossing_does_not_hide_the_answer),
		cmocka_unit_test(test_name_with_a_forged_incarnation),
		cmocka_unit_test(test_name_that_is_held),
		cmocka_unit_test(test_accept_of_a_dead_call),
		cmocka_unit_test(test_id_used_twice),
		cmocka_unit_test(test_million_calls_of_nobody),
	};

	return RUN_TAP(tests);
}
