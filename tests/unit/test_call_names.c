/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is who when calls cross or are answered: another kind, an older incarnation, a name that is taken, an answer to nobody. */
#include "engine/core.h"
#include "engine_pair.h"

#define BODY 48   /* of a packet with extension */

static struct raw r;
static struct pair p;

/* Host 1 calls x from `local` and x hears it; the connection. */
static u32 call(struct peer *x, u16 local)
{
	struct xl_connect how = { .path = path_of(2, x->address), .port = x->port, .local_port = local,
				  .kind = XLANE_KIND_STREAM };
	u32 c;

	CHECK(xl_engine_connect(p.h[1].e, &how, p.now, &c) == 0);
	CHECK(peer_hears(&p, x, &r) && r.b[0] == 0x11);
	x->remote_id = xl_get64(r.b + 40);
	x->call_id = xl_get64(r.b + 4);
	return c;
}

static void accept_from(const struct peer *x)
{
	raw_outer(&r, 2, 3, x->remote_id, x->next);
	raw_ext(&r, x->node, NODE(2), x->id);
	raw_record(&r, 0x21, 0, 16 + 8 + 12 + 12);
	raw64(&r, x->incarnation);
	raw64(&r, 77); /* host 1's own */
	raw_param(&r, 0x8001, 4, 1500);
	raw_param(&r, 0x8002, 8, 1 << 20);
	raw_param(&r, 0x8007, 8, x->next);
	raw_seal(&r);
}

static void begin(void) { pair_open(&p, &(struct xl_engine_config){ .blocks = 512 }); }

static void end(void)
{
	bystander_lives(&p);
	pair_close(&p);
}

/* --- crossing calls --------------------------------------------------------------------------------------- */
static void cross(struct peer *x, u8 kind)
{
	raw_init(x, &r, kind, 1 << 20);
	xl_put16(r.b + BODY + 14, PORT); /* from where host 1 called, whatever the kind */
	raw_init_end(&r);
	peer_send(&p, x, &r);
}

static void test_crossing(void **state)
{
	struct peer x = peer_new(3, 100);
	u32 c;

	(void)state;
	begin();
	c = call(&x, PORT);
	cross(&x, XLANE_KIND_STREAM);
	CHECK(count_of(&p.h[1], XL_C_SIMULTANEOUS_OPEN) == 1 && state_is(&p.h[1], c, "answering"));
	pair_check(&p);
	end();
}

static void test_crossing_with_another_kind(void **state)
{
	struct peer x = peer_new(3, 100);
	u32 c;

	(void)state;
	begin();
	c = call(&x, PORT);
	cross(&x, XLANE_KIND_MESSAGE);
	CHECK(count_of(&p.h[1], XL_C_INIT_REFUSED) == 1 && state_is(&p.h[1], c, "calling"));
	CHECK(peer_hears(&p, &x, &r) && r.b[0] == 0x14 && xl_get32(r.b + BODY + 4) == XLANE_WIRE_KIND);
	end();
}

/* The peer is known to have started anew since. */
static void test_crossing_of_an_older_incarnation(void **state)
{
	struct peer x = peer_new(3, 100), y;
	u32 c;

	(void)state;
	begin();
	y = peer_open(&p, 3, 99, XLANE_KIND_STREAM, 1 << 20);
	c = call(&x, PORT);
	x.incarnation = y.incarnation - 1;
	cross(&x, XLANE_KIND_STREAM);
	CHECK(count_of(&p.h[1], XL_C_INIT_STALE) == 1 && state_is(&p.h[1], c, "calling"));
	CHECK(peer_hears(&p, &x, &r) && r.b[0] == 0x14 && xl_get32(r.b + BODY + 4) == XLANE_WIRE_STALE);
	CHECK(state_is(&p.h[1], y.conn, "open"));
	end();
}

/* The id of the call is right, but one of the ports is not the call's: it crosses nothing, and is a call of nobody's. */
static void test_crossing_with_other_ports(void **state)
{
	struct peer x = peer_new(3, 100);
	u32 c;

	(void)state;
	begin();
	c = call(&x, PORT);
	for (u32 i = 0; i < 2; i++) {
		raw_init(&x, &r, XLANE_KIND_STREAM, 1 << 20);
		xl_put16(r.b + BODY + 12, (u16)(100 + i));
		xl_put16(r.b + BODY + 14, (u16)(PORT + !i));
		raw_init_end(&r);
		peer_send(&p, &x, &r);
		CHECK(state_is(&p.h[1], c, "calling") && count_of(&p.h[1], XL_C_SIMULTANEOUS_OPEN) == 0);
		pair_check(&p);
	}
	end();
}

/* --- answers ------------------------------------------------------------------------------------------------ */
/* Another connection has shown a later incarnation of this node: what answers is of the past. */
static void test_accept_of_an_older_incarnation(void **state)
{
	struct peer x = peer_new(3, 100), y;
	u32 c;

	(void)state;
	begin();
	y = peer_open(&p, 3, 99, XLANE_KIND_STREAM, 1 << 20);
	c = call(&x, 50);
	x.incarnation = y.incarnation - 1;
	accept_from(&x);
	peer_send(&p, &x, &r);
	CHECK(state_is(&p.h[1], c, "dead") && info_of(&p.h[1], c).error && state_is(&p.h[1], y.conn, "open"));
	end();
}

/* A newer one: the connections of the past end, those of others do not. */
static void test_accept_of_a_newer_incarnation(void **state)
{
	struct peer x = peer_new(3, 100), y, z;
	u32 c;

	(void)state;
	begin();
	y = peer_open(&p, 3, 99, XLANE_KIND_STREAM, 1 << 20);
	z = peer_open(&p, 4, 99, XLANE_KIND_STREAM, 1 << 20);
	c = call(&x, 50);
	x.incarnation = y.incarnation + 1;
	accept_from(&x);
	peer_send(&p, &x, &r);
	CHECK(state_is(&p.h[1], c, "open") && state_is(&p.h[1], y.conn, "dead") && state_is(&p.h[1], z.conn, "open"));
	CHECK(count_of(&p.h[1], XL_C_PEER_REBOOTED) == 1);
	end();
}

/* Whoever answers with the name of a node that lives elsewhere gets no part of it. */
static void test_accept_with_a_taken_name(void **state)
{
	struct peer x = peer_new(3, 100), y;
	struct xl_peer_info info[8];
	u32 c, at = 0, n;

	(void)state;
	begin();
	y = peer_open(&p, 4, 99, XLANE_KIND_STREAM, 1 << 20);
	c = call(&x, 50);
	x.node = y.node;
	accept_from(&x);
	peer_send(&p, &x, &r);
	CHECK(state_is(&p.h[1], c, "open") && state_is(&p.h[1], y.conn, "open"));
	n = xl_engine_peer_list(p.h[1].e, &at, info, 8);
	CHECK(n == 3);
	for (u32 i = 0; i < n; i++)
		CHECK(info[i].node != y.node || info[i].path.remote[5] == 4);
	end();
}

/* One node behind two addresses: its idle entry moves to where it is heard now. */
static void test_accept_of_a_node_that_moved(void **state)
{
	struct peer x = peer_new(5, 100), y;
	u32 c;

	(void)state;
	begin();
	y = peer_open(&p, 3, 99, XLANE_KIND_STREAM, 1 << 20);
	xl_conn_abort(p.h[1].e, y.conn, XLANE_WIRE_CANCELLED, p.now);
	while (peer_hears(&p, &y, &r))
		;
	pair_run(&p, 3 * XL_S); /* nothing is left of it but its name */
	c = call(&x, 50);
	x.node = y.node;
	accept_from(&x);
	peer_send(&p, &x, &r);
	CHECK(state_is(&p.h[1], c, "open") && info_of(&p.h[1], c).peer_node == y.node);
	CHECK(info_of(&p.h[1], c).path.remote[5] == 5);
	end();
}

/* Two nodes behind one address: each has its name. One with the name of a node elsewhere has none; nobody's path moves. */
static void test_accept_of_another_node_at_the_address(void **state)
{
	struct peer x = peer_new(3, 100), y, z;
	u32 c[2];

	(void)state;
	begin();
	y = peer_open(&p, 3, 99, XLANE_KIND_STREAM, 1 << 20);
	z = peer_open(&p, 4, 99, XLANE_KIND_STREAM, 1 << 20);
	for (u32 i = 0; i < 2; i++) {
		c[i] = call(&x, (u16)(50 + i));
		x.node = i ? z.node : NODE(9);
		x.id++;
		accept_from(&x);
		peer_send(&p, &x, &r);
		CHECK(state_is(&p.h[1], c[i], "open") && info_of(&p.h[1], c[i]).peer_node == (i ? 0 : NODE(9)));
		CHECK(info_of(&p.h[1], c[i]).path.remote[5] == 3);
		pair_check(&p);
		while (peer_hears(&p, &x, &r))
			;
	}
	CHECK(info_of(&p.h[1], y.conn).peer_node == y.node && info_of(&p.h[1], z.conn).path.remote[5] == 4);
	end();
}

/* There is no place for the name of who answers. */
static void test_accept_without_a_place_for_the_peer(void **state)
{
	struct peer x = peer_new(3, 100), y;
	u32 c;

	(void)state;
	pair_open(&p, &(struct xl_engine_config){ .blocks = 512, .peers_max = 2 });
	y = peer_open(&p, 3, 99, XLANE_KIND_STREAM, 1 << 20);
	c = call(&x, 50);
	x.node = NODE(9);
	accept_from(&x);
	peer_send(&p, &x, &r);
	CHECK(state_is(&p.h[1], c, "dead") && info_of(&p.h[1], c).error && state_is(&p.h[1], y.conn, "open"));
	end();
}

static void cookie_for(u64 id)
{
	raw_outer(&r, 3, 3, id, 9);
	raw_ext(&r, NODE(3), NODE(2), 0);
	raw_record(&r, 0x22, 0, 16);
	raw_fill(&r, 1, 16);
	raw_seal(&r);
}

/* Of a call that is none, and one without a cookie in it. */
static void test_odd_cookies(void **state)
{
	struct peer x = peer_new(3, 100);
	struct counters before;
	u32 c;

	(void)state;
	begin();
	c = call(&x, 50);
	before = counters_of(&p.h[1]);
	cookie_for(x.remote_id + 1);
	peer_send(&p, &x, &r);
	only_counted(&p.h[1], &before, XL_C_UNKNOWN_CONNECTION, NO_COUNTER, "COOKIE for nobody");
	while (peer_hears(&p, &x, &r))
		;
	before = counters_of(&p.h[1]);
	cookie_for(x.remote_id);
	r.b[BODY] = 0x23;
	raw_tag(&r);
	peer_send(&p, &x, &r);
	only_counted(&p.h[1], &before, XL_C_BAD_RECORD, NO_COUNTER, "another record than a cookie");
	CHECK(state_is(&p.h[1], c, "calling") && !peer_hears(&p, &x, &r));
	end();
}

/* --- ABORT that nobody answers ---------------------------------------------------------------------------- */
static void test_abort_is_repeated(void **state)
{
	struct peer x;
	u32 aborts = 0, conns;

	(void)state;
	begin();
	conns = xl_engine_conns(p.h[1].e);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	xl_conn_abort(p.h[1].e, x.conn, XLANE_WIRE_CANCELLED, p.now);
	for (u32 i = 0; i < 100000 && xl_engine_conns(p.h[1].e) > conns; i++) {
		while (peer_hears(&p, &x, &r))
			aborts += raw_find(&r, 0x15) != NULL;
		p.now += 1 * XL_MS;
		xl_engine_advance(p.h[1].e, p.now);
	}
	CHECK(aborts == XL_ABORT_TRIES && xl_engine_conns(p.h[1].e) == conns);
	pair_check(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crossing), cmocka_unit_test(test_crossing_with_another_kind),
		cmocka_unit_test(test_crossing_of_an_older_incarnation), cmocka_unit_test(test_crossing_with_other_ports),
		cmocka_unit_test(test_accept_of_an_older_incarnation), cmocka_unit_test(test_accept_of_a_newer_incarnation),
		cmocka_unit_test(test_accept_with_a_taken_name), cmocka_unit_test(test_accept_of_a_node_that_moved),
		cmocka_unit_test(test_accept_of_another_node_at_the_address),
		cmocka_unit_test(test_accept_without_a_place_for_the_peer),
		cmocka_unit_test(test_odd_cookies), cmocka_unit_test(test_abort_is_repeated),
	};

	return RUN_TAP(tests);
}
