/* SPDX-License-Identifier: BSD-2-Clause */
/* The handshake under bad input: INIT, ACCEPT, COOKIE, RESET; crossing calls; queues. */
#include "engine_pair.h"

#define BODY 48   /* of a packet with extension */

static struct raw r;

/* The RESET that answers: its error; XL_NONE when there is none. */
static u32 refused_with(struct pair *p, const struct peer *x)
{
	if (!peer_hears(p, x, &r))
		return XL_NONE;
	CHECK(r.b[0] == 0x14 && r.n == 76 && xl_get64(r.b + 4) == x->id && xl_get64(r.b + 56) == x->call_id);
	return xl_get32(r.b + BODY + 4);
}

/* --- INIT ------------------------------------------------------------------------------------- */
static void init(const struct peer *x) { raw_init(x, &r, XLANE_KIND_STREAM, 1 << 20); }
static void resize(u16 by) { xl_put16(r.b + BODY + 2, (u16)(xl_get16(r.b + BODY + 2) + by)); }
static void init_small(void) { raw_seal(&r); CHECK(r.n < 160); }
static void init_159(void) { raw_fill(&r, 0, 155 - r.n); raw_seal(&r); }
static void init_other_record(void) { r.b[BODY] = 0x21; raw_init_end(&r); }
static void init_record_flags(void) { r.b[BODY + 1] = 1; raw_init_end(&r); }
static void init_record_past_end(void) { xl_put16(r.b + BODY + 2, 200); raw_init_end(&r); }
static void init_reserved(void) { r.b[BODY + 19] = 1; raw_init_end(&r); }
static void init_kind_0(void) { r.b[BODY + 16] = 0; raw_init_end(&r); }
static void init_kind_5(void) { r.b[BODY + 16] = 5; raw_init_end(&r); }
static void init_param_twice(void) { raw_param(&r, 0x8001, 4, 1500); resize(8); raw_init_end(&r); }
static void init_param_size(void) { raw_param(&r, 0x0003, 8, 5); resize(12); raw_init_end(&r); }
static void init_param_past_end(void) { raw_param(&r, 0x0077, 4, 5); resize(7); raw_init_end(&r); }
static void init_param_head(void) { raw_fill(&r, 0, 3); resize(3); raw_init_end(&r); }
static void init_params_17(void)
{
	for (u16 i = 0; i < 14; i++)
		raw_param(&r, (u16)(0x100 + i), 0, 0);
	resize(14 * 4);
	raw_init_end(&r);
}
static void init_unknown_must(void) { raw_param(&r, 0x8fff, 0, 0); resize(4); raw_init_end(&r); }
static void init_packet_255(void) { xl_put32(r.b + BODY + 24, 255); raw_init_end(&r); }
static void init_no_credit(void) { xl_put16(r.b + BODY + 28, 0x0002); raw_init_end(&r); }
static void init_no_packet(void) { xl_put16(r.b + BODY + 20, 0x0001); raw_init_end(&r); }
static void init_no_number(void) { xl_put16(r.b + BODY + 40, 0x0007); raw_init_end(&r); }
static void init_ack_delay(void) { raw_param(&r, 0x0003, 4, 1000000001); resize(8); raw_init_end(&r); }
static void init_message_max(void) { raw_param(&r, 0x0005, 4, 65535); resize(8); raw_init_end(&r); }
static void init_message_none(void) { raw_param(&r, 0x0005, 4, 0); resize(8); raw_init_end(&r); }
static void init_no_source(void) { memset(r.b + 40, 0, 8); raw_init_end(&r); }
static void init_no_node(void) { memset(r.b + 24, 0, 8); raw_init_end(&r); }
static void init_reflected(void) { xl_put64(r.b + 24, NODE(2)); raw_init_end(&r); }
static void init_port(void) { xl_put16(r.b + BODY + 14, 99); raw_init_end(&r); }
static void init_kind(void) { r.b[BODY + 16] = 2; raw_init_end(&r); }
static void init_kind_3(void) { r.b[BODY + 16] = 3; raw_init_end(&r); }

static const struct { const char *name; void (*make)(void); u32 counter; u32 error; } inits[] = {
#define INIT(make, counter, error) { #make, make, XL_C_##counter, error }
	INIT(init_small, INIT_SMALL, XL_NONE), INIT(init_159, INIT_SMALL, XL_NONE),
	INIT(init_reserved, BAD_RECORD, XL_NONE), INIT(init_kind_0, BAD_RECORD, XL_NONE),
	INIT(init_kind_5, BAD_RECORD, XL_NONE), INIT(init_param_twice, BAD_RECORD, XL_NONE),
	INIT(init_param_size, BAD_RECORD, XL_NONE), INIT(init_param_past_end, BAD_RECORD, XL_NONE),
	INIT(init_param_head, BAD_RECORD, XL_NONE), INIT(init_params_17, BAD_RECORD, XL_NONE),
	INIT(init_unknown_must, INIT_REFUSED, XLANE_WIRE_PARAM), INIT(init_packet_255, INIT_REFUSED, XLANE_WIRE_PARAM),
	INIT(init_no_credit, INIT_REFUSED, XLANE_WIRE_PARAM), INIT(init_no_packet, INIT_REFUSED, XLANE_WIRE_PARAM),
	INIT(init_no_number, INIT_REFUSED, XLANE_WIRE_PARAM), INIT(init_ack_delay, INIT_REFUSED, XLANE_WIRE_PARAM),
	INIT(init_message_max, INIT_REFUSED, XLANE_WIRE_PARAM), INIT(init_message_none, INIT_REFUSED, XLANE_WIRE_PARAM),
	INIT(init_no_source, INIT_REFUSED, XL_NONE), INIT(init_no_node, INIT_REFUSED, XLANE_WIRE_PARAM),
	INIT(init_port, INIT_REFUSED, XLANE_WIRE_REFUSED), INIT(init_kind, INIT_REFUSED, XLANE_WIRE_KIND),
	INIT(init_kind_3, INIT_REFUSED, XLANE_WIRE_KIND),
}, not_inits[] = {
	INIT(init_other_record, BAD_RECORD, XL_NONE), INIT(init_record_flags, BAD_RECORD, XL_NONE),
	INIT(init_record_past_end, BAD_RECORD, XL_NONE), INIT(init_reflected, OWN_PACKET, XL_NONE),
};

static void test_bad_inits(void **state)
{
	struct counters before;
	struct pair p;
	u32 conns;

	(void)state;
	pair_open(&p, NULL);
	conns = xl_engine_conns(p.h[1].e);
	for (u32 i = 0; i < XL_ARRAY_SIZE(inits) + XL_ARRAY_SIZE(not_inits); i++) {
		bool is_init = i < XL_ARRAY_SIZE(inits);
		u32 k = is_init ? i : i - (u32)XL_ARRAY_SIZE(inits);
		struct peer x = peer_new(3, (u16)(100 + i));

		before = counters_of(&p.h[1]);
		init(&x);
		(is_init ? inits : not_inits)[k].make();
		peer_send(&p, &x, &r);
		only_counted(&p.h[1], &before, (is_init ? inits : not_inits)[k].counter,
			     is_init ? XL_C_INIT_RECEIVED : NO_COUNTER, (is_init ? inits : not_inits)[k].name);
		CHECK(refused_with(&p, &x) == (is_init ? inits : not_inits)[k].error);
		CHECK(xl_engine_conns(p.h[1].e) == conns);
	}
	bystander_lives(&p);
	pair_close(&p);
}

static void test_stale_incarnation(void **state)
{
	struct pair p;
	struct peer x, y = peer_new(3, 101);

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	y.incarnation = x.incarnation - 1;
	init(&y);
	raw_init_end(&r);
	peer_send(&p, &y, &r);
	CHECK(refused_with(&p, &y) == XLANE_WIRE_STALE && count_of(&p.h[1], XL_C_INIT_STALE) == 1);
	CHECK(state_is(&p.h[1], x.conn, "open"));
	bystander_lives(&p);
	pair_close(&p);
}

static void test_repeated_init(void **state)
{
	struct pair p;
	struct peer x = peer_new(3, 100);
	u32 conns;

	(void)state;
	pair_open(&p, NULL);
	for (u32 i = 0; i < 3; i++) { /* the ACCEPT each time, one connection */
		init(&x);
		raw_init_end(&r);
		peer_send(&p, &x, &r);
		CHECK(peer_hears(&p, &x, &r) && r.b[0] == 0x12);
		if (i == 0)
			x.remote_id = xl_get64(r.b + 40);
		CHECK(x.remote_id == xl_get64(r.b + 40));
		CHECK(xl_get64(r.b + BODY + 4) == p.h[1].cfg.incarnation && xl_get64(r.b + BODY + 12) == x.incarnation);
	}
	CHECK(count_of(&p.h[1], XL_C_INIT_REPEATED) == 2);
	conns = xl_engine_conns(p.h[1].e);
	peer_data(&p, &x, 0, 0, 'a', 1);
	pair_run(&p, XL_MS);
	init(&x);
	raw_init_end(&r);
	peer_send(&p, &x, &r);
	CHECK(!peer_hears(&p, &x, &r) && xl_engine_conns(p.h[1].e) == conns);
	bystander_lives(&p);
	pair_close(&p);
}

/* Nothing covers a link header: the address of the first INIT may have been wrong. */
static void test_init_from_elsewhere(void **state)
{
	static const u8 from[] = { 7, 3 };
	struct pair p;
	struct peer x = peer_new(3, 100);

	(void)state;
	pair_open(&p, NULL);
	for (u32 i = 0; i < XL_ARRAY_SIZE(from); i++) {
		x.address = from[i];
		init(&x);
		raw_init_end(&r);
		peer_send(&p, &x, &r);
		CHECK(peer_hears(&p, &x, &r) && r.b[0] == 0x12);
	}
	CHECK(count_of(&p.h[1], XL_C_INIT_REPEATED) == 1);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- cookies ------------------------------------------------------------------------------------ */
static void flood(struct pair *p, u32 n)
{
	for (u16 i = 0; i < n; i++) {
		struct peer f = peer_new((u8)(20 + i), 77);

		init(&f);
		raw_init_end(&r);
		peer_send(p, &f, &r);
	}
}

static void init_with_cookie(const struct peer *x, const u8 cookie[16])
{
	init(x);
	raw16(&r, 0x8006);
	raw16(&r, 16);
	for (u32 i = 0; i < 16; i++)
		raw8(&r, cookie[i]);
	resize(20);
	raw_init_end(&r);
}

static void test_cookies(void **state)
{
	struct counters before;
	struct pair p;
	struct peer x = peer_new(3, 100), y;
	u8 cookie[16];
	u32 conns;

	(void)state;
	pair_open(&p, NULL);
	flood(&p, XLANE_HALF_OPEN_COOKIE);
	conns = xl_engine_conns(p.h[1].e);
	CHECK(conns == 1 + XLANE_HALF_OPEN_COOKIE);
	init(&x);
	raw_init_end(&r);
	peer_send(&p, &x, &r);
	CHECK(peer_hears(&p, &x, &r) && r.b[0] == 0x13 && r.n == 72 && xl_engine_conns(p.h[1].e) == conns);
	memcpy(cookie, r.b + BODY + 4, 16);
	for (u32 i = 0; i < 5; i++) { /* what the cookie holds for is changed, one thing each time */
		y = x;
		y.incarnation += i == 0;
		y.port += i == 1;
		y.id += i == 2;
		y.node += i == 3;
		before = counters_of(&p.h[1]);
		init_with_cookie(&y, cookie);
		if (i == 4)
			y.address = 4;
		peer_send(&p, &y, &r);
		only_counted(&p.h[1], &before, XL_C_COOKIE_BAD, XL_C_INIT_RECEIVED, "cookie of another");
		CHECK(peer_hears(&p, &y, &r) && r.b[0] == 0x13 && xl_engine_conns(p.h[1].e) == conns);
	}
	cookie[15] ^= 1;
	init_with_cookie(&x, cookie);
	peer_send(&p, &x, &r);
	CHECK(peer_hears(&p, &x, &r) && r.b[0] == 0x13);
	cookie[15] ^= 1;
	init_with_cookie(&x, cookie);
	peer_send(&p, &x, &r);
	CHECK(count_of(&p.h[1], XL_C_COOKIE_GOOD) == 1);
	CHECK(peer_hears(&p, &x, &r) && r.b[0] == 0x12 && xl_engine_conns(p.h[1].e) == conns + 1);
	bystander_lives(&p);
	pair_close(&p);
}

/* A cookie holds for its period and the next, not for the one after. */
static void test_cookies_expire(void **state)
{
	(void)state;
	for (u32 late = 0; late < 2; late++) {
		struct pair p;
		struct peer x = peer_new(3, 100);
		u8 cookie[16];

		pair_open(&p, NULL);
		p.now = p.now / (5 * XL_S) * (5 * XL_S) + 5 * XL_S; /* the start of a period */
		xl_engine_advance(p.h[1].e, p.now);
		flood(&p, XLANE_HALF_OPEN_COOKIE);
		init(&x);
		raw_init_end(&r);
		peer_send(&p, &x, &r);
		CHECK(peer_hears(&p, &x, &r) && r.b[0] == 0x13);
		memcpy(cookie, r.b + BODY + 4, 16);
		p.now += 10 * XL_S - !late;
		init_with_cookie(&x, cookie);
		peer_send(&p, &x, &r);
		CHECK(count_of(&p.h[1], XL_C_COOKIE_GOOD) == !late && count_of(&p.h[1], XL_C_COOKIE_BAD) == late);
		CHECK(!xl_engine_check(p.h[1].e));
		pair_close(&p);
	}
}

/* A caller that is asked for a cookie gives it, and gets through. */
static void test_caller_answers_cookies(void **state)
{
	struct pair p;
	u32 c;

	(void)state;
	pair_open(&p, NULL);
	flood(&p, XLANE_HALF_OPEN_COOKIE);
	c = pair_connect(&p, PORT, XLANE_KIND_STREAM);
	pair_exchange(&p);
	CHECK(state_is(&p.h[0], c, "open") && count_of(&p.h[1], XL_C_COOKIE_GOOD) == 1);
	pair_check(&p);
	pair_close(&p);
}

/* --- RESET -------------------------------------------------------------------------------------- */
static void reset(u64 to, u64 echoed, u64 number, u32 error)
{
	raw_outer(&r, 4, 3, to, 1);
	raw_ext(&r, NODE(3), NODE(2), 0);
	raw_record(&r, 0x23, 0, 20);
	raw32(&r, error);
	raw64(&r, echoed);
	raw64(&r, number);
	raw_seal(&r);
}

static void test_reset_needs_an_exact_match(void **state)
{
	struct counters before;
	struct pair p;
	struct peer x;
	u64 last;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	CHECK(xl_conn_send(p.h[1].e, x.conn, "a", 1, p.now) == 1);
	CHECK(peer_hears(&p, &x, &r));
	peer_header(&x, &r);
	raw_record(&r, 0x10, 0, 20);
	raw64(&r, FIRST + info_of(&p.h[1], x.conn).packets_sent - 1);
	raw_fill(&r, 0, 12);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(info_of(&p.h[1], x.conn).inflight_bytes == 0);
	CHECK(xl_conn_send(p.h[1].e, x.conn, "b", 1, p.now) == 1);
	CHECK(peer_hears(&p, &x, &r));
	last = FIRST + info_of(&p.h[1], x.conn).packets_sent - 1;
	for (u32 i = 0; i < 8; i++) {
		before = counters_of(&p.h[1]);
		reset(x.remote_id + (i == 0) - (i == 1), x.id + (i == 2) - (i == 3),
		      i == 4 ? last - 1 : i == 5 ? last + 1 : i == 6 ? 0 : i == 7 ? UINT64_MAX : last, XLANE_WIRE_UNKNOWN);
		peer_send(&p, &x, &r);
		only_counted(&p.h[1], &before, XL_C_REFUSE_IGNORED, NO_COUNTER, "RESET");
		CHECK(state_is(&p.h[1], x.conn, "open"));
	}
	before = counters_of(&p.h[1]);
	reset(x.remote_id, x.id, last, XLANE_WIRE_UNKNOWN);
	xl_put16(r.b + BODY + 2, 19);
	raw_tag(&r);
	peer_send(&p, &x, &r);
	only_counted(&p.h[1], &before, XL_C_BAD_RECORD, NO_COUNTER, "RESET of another size");
	reset(x.remote_id, x.id, last, XLANE_WIRE_UNKNOWN);
	peer_send(&p, &x, &r);
	CHECK(state_is(&p.h[1], x.conn, "dead") && info_of(&p.h[1], x.conn).error == -ECONNRESET);
	CHECK(!peer_hears(&p, &x, &r)); /* never answered */
	reset(x.remote_id + 99, x.id, last, XLANE_WIRE_UNKNOWN);
	peer_send(&p, &x, &r);
	CHECK(!peer_hears(&p, &x, &r));
	bystander_lives(&p);
	pair_close(&p);
}

/* A peer that says it has ended gracefully can not have what was not sent: the program is told that it is lost. */
static void test_reset_before_the_end_was_sent(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	for (u32 sent = 0; sent < 2; sent++) {
		pair_open(&p, NULL);
		x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 10);
		CHECK(xl_conn_send(p.h[1].e, x.conn, "0123456789abcdef", sent ? 10 : 16, p.now) > 0);
		CHECK(xl_conn_shutdown(p.h[1].e, x.conn, p.now) == 0);
		peer_data(&p, &x, XLANE_DATA_FIN, 0, 'x', 1);
		while (peer_hears(&p, &x, &r))
			;
		CHECK(state_is(&p.h[1], x.conn, "both-shut"));
		reset(x.remote_id, x.id, FIRST + info_of(&p.h[1], x.conn).packets_sent - 1, XLANE_WIRE_NONE);
		peer_send(&p, &x, &r);
		CHECK(state_is(&p.h[1], x.conn, sent ? "linger" : "dead"));
		CHECK(info_of(&p.h[1], x.conn).error == (sent ? 0 : -ECONNRESET));
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* --- ACCEPT, COOKIE at the caller ----------------------------------------------------------------- */
static void accept_packet(u64 to, u64 echoed, u64 source_id)
{
	raw_outer(&r, 2, 3, to, 9);
	raw_ext(&r, NODE(3), NODE(2), source_id);
	raw_record(&r, 0x21, 0, 16 + 8 + 12 + 12);
	raw64(&r, 60);
	raw64(&r, echoed);
	raw_param(&r, 0x8001, 4, 1500);
	raw_param(&r, 0x8002, 8, 1 << 20);
	raw_param(&r, 0x8007, 8, 9);
	raw_seal(&r);
}

static void test_bad_accepts(void **state)
{
	struct xl_connect how = { .path = path_of(2, 3), .port = 50, .kind = XLANE_KIND_STREAM };
	struct counters before;
	struct pair p;
	struct peer x = peer_new(3, 50);
	u64 id;
	u32 c;

	(void)state;
	pair_open(&p, NULL);
	CHECK(xl_engine_connect(p.h[1].e, &how, p.now, &c) == 0);
	id = info_of(&p.h[1], c).local_id;
	CHECK(peer_hears(&p, &x, &r) && r.b[0] == 0x11 && r.n >= 160 && xl_get64(r.b + 40) == id);
	for (u32 i = 0; i < 4; i++) {
		before = counters_of(&p.h[1]);
		accept_packet(id + (i == 1), 77 + (i == 0), 0x4200000000000005ull);
		if (i == 2)
			xl_put32(r.b + BODY + 24, 100); /* MAX_PACKET */
		if (i == 3)
			memset(r.b + 40, 0, 8);          /* source id */
		raw_tag(&r);
		peer_send(&p, &x, &r);
		only_counted(&p.h[1], &before, i == 0 ? XL_C_ILLEGAL_EVENT : i == 1 ? XL_C_UNKNOWN_CONNECTION : XL_C_BAD_RECORD,
			     NO_COUNTER, "ACCEPT");
		CHECK(state_is(&p.h[1], c, "calling"));
		while (peer_hears(&p, &x, &r)) /* who accepts what is not there is told */
			CHECK(i == 1 && r.b[0] == 0x14);
	}
	accept_packet(id, 77, 0x4200000000000005ull);
	peer_send(&p, &x, &r);
	CHECK(state_is(&p.h[1], c, "open") && peer_hears(&p, &x, &r) && raw_acked(&r) == 9);
	before = counters_of(&p.h[1]);
	accept_packet(id, 77, 0x4200000000000006ull);
	peer_send(&p, &x, &r);
	only_counted(&p.h[1], &before, XL_C_ILLEGAL_EVENT, NO_COUNTER, "ACCEPT of another");
	raw_outer(&r, 3, 3, id, 9);
	raw_ext(&r, NODE(3), NODE(2), 0);
	raw_record(&r, 0x22, 0, 16);
	raw_fill(&r, 1, 16);
	raw_seal(&r);
	before = counters_of(&p.h[1]);
	peer_send(&p, &x, &r);
	only_counted(&p.h[1], &before, XL_C_ILLEGAL_EVENT, NO_COUNTER, "COOKIE when open");
	bystander_lives(&p);
	pair_close(&p);
}

/* --- queues and addresses ------------------------------------------------------------------------- */
static void test_backlog(void **state)
{
	struct pair p;
	u32 c[4];
	int l;

	(void)state;
	pair_open(&p, NULL);
	l = xl_engine_listen(p.h[1].e, 20, XLANE_KIND_STREAM, 3, 3);
	CHECK(l >= 0);
	CHECK(xl_engine_listen(p.h[1].e, 20, XLANE_KIND_MESSAGE, 3, 3) == -EADDRINUSE);
	for (u32 i = 0; i < 4; i++) {
		c[i] = pair_connect(&p, 20, XLANE_KIND_STREAM);
		pair_exchange(&p);
		CHECK(state_is(&p.h[0], c[i], i < 3 ? "open" : "dead"));
	}
	CHECK(info_of(&p.h[0], c[3]).error == -ECONNREFUSED);
	bystander_lives(&p);
	xl_engine_unlisten(p.h[1].e, (u32)l, p.now);
	pair_exchange(&p);
	for (u32 i = 0; i < 3; i++)
		CHECK(info_of(&p.h[0], c[i]).error == -ECONNREFUSED);
	bystander_lives(&p);
	pair_close(&p);
}

static void test_same_two_ends(void **state)
{
	struct xl_connect how = { .path = path_of(1, 2), .port = PORT, .local_port = 600, .kind = XLANE_KIND_STREAM };
	struct pair p;
	u32 c, d;

	(void)state;
	pair_open(&p, NULL);
	CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &c) == 0);
	CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &d) == -EADDRINUSE);
	pair_exchange(&p);
	CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &d) == -EADDRINUSE);
	xl_conn_abort(p.h[0].e, c, XLANE_WIRE_CANCELLED, p.now);
	pair_run(&p, XL_S);
	CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &d) == 0);
	pair_exchange(&p);
	CHECK(state_is(&p.h[0], d, "open"));
	bystander_lives(&p);
	pair_close(&p);
}

/* Both call at once: one connection, whatever is lost on the way. */
static void test_simultaneous_open(void **state)
{
	struct xl_connect how[2] = {
		{ .path = path_of(1, 2), .port = 701, .local_port = 700, .kind = XLANE_KIND_STREAM },
		{ .path = path_of(2, 1), .port = 700, .local_port = 701, .kind = XLANE_KIND_STREAM },
	};

	(void)state;
	for (u32 lost = 0; lost < 64; lost++) { /* which of the first packets are lost */
		struct pair p;
		u32 c[2], n = 0;
		u8 in[8], to;

		pair_open(&p, NULL);
		for (u32 i = 0; i < 2; i++)
			CHECK(xl_engine_connect(p.h[i].e, &how[i], p.now, &c[i]) == 0);
		for (u32 round = 0; round < 3; round++) {
			static struct raw packets[2];
			bool there[2];

			for (u32 i = 0; i < 2; i++)
				there[i] = host_output(&p.h[i], &packets[i], &to, p.now);
			for (u32 i = 0; i < 2; i++)
				if (there[i] && !(lost & 1u << n++))
					host_input(&p.h[!i], &packets[i], p.h[i].address, p.now);
			pair_check(&p);
		}
		pair_run(&p, 100 * XL_MS);
		for (u32 i = 0; i < 2; i++) {
			CHECK(state_is(&p.h[i], c[i], "open") && xl_engine_conns(p.h[i].e) == 2);
			CHECK(xl_conn_send(p.h[i].e, c[i], "x", 1, p.now) == 1);
			pair_run(&p, 10 * XL_MS);
			CHECK(xl_conn_recv(p.h[!i].e, c[!i], in, 8, p.now) == 1);
		}
		bystander_lives(&p);
		pair_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_inits),
		cmocka_unit_test(test_stale_incarnation),
		cmocka_unit_test(test_repeated_init),
		cmocka_unit_test(test_init_from_elsewhere),
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_cookies_expire),
		cmocka_unit_test(test_caller_answers_cookies),
		cmocka_unit_test(test_reset_needs_an_exact_match),
		cmocka_unit_test(test_reset_before_the_end_was_sent),
		cmocka_unit_test(test_bad_accepts),
		cmocka_unit_test(test_backlog),
		cmocka_unit_test(test_same_two_ends),
		cmocka_unit_test(test_simultaneous_open),
	};

	return RUN_TAP(tests);
}
