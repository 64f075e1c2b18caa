/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_scale.c - very many connections in one worker: what an idle one costs, that all of them work, and that those who are
 * busy do not notice the others.
 */
#include "engine/flow.h"
#include "engine_pair.h"

#define MANY        100000u
#define PORTS       8u            /* of one pair of ports there is one connection; of one port, as many as local ports */
#define FIRST_PORT  200
#define BATCH       48u           /* fewer than half-open ones that cookies are asked from */
#define IDLE_BYTES_MAX 1024u
#define LINGERING   500u

static struct xl_engine_config config(u32 conns)
{
	return (struct xl_engine_config){ .conns_max = conns, .peers_max = 8, .blocks = 4096 };
}

/* Everything that grows with the number of connections: the connection, its timer, its places in the maps. */
static void test_idle_bytes(void **state)
{
	struct host h;
	struct xl_engine_config less, more;

	(void)state;
	less = config(MANY);
	host_open(&h, 1, &less);
	less = more = h.cfg;
	more.conns_max = 2 * MANY;
	print_message("# %zu bytes an idle connection, receive memory none\n",
		      (xl_engine_bytes(&more) - xl_engine_bytes(&less)) / MANY);
	assert_in_range((xl_engine_bytes(&more) - xl_engine_bytes(&less)) / MANY, 1, IDLE_BYTES_MAX);
	host_close(&h);
}

static void accept_all(struct pair *p, const int *listeners, u32 *of_b, u32 *accepted)
{
	for (u32 i = 0; i < PORTS; i++)
		while (xl_engine_accept(p->h[1].e, (u32)listeners[i], 0, &of_b[*accepted]) == 0)
			++*accepted;
}

static void open_many(struct pair *p, u32 *of_a, u32 *of_b, u32 many)
{
	struct xl_connect how = { .path = path_of(1, 2), .kind = XLANE_KIND_STREAM };
	int listeners[PORTS];
	u32 accepted = 0;

	for (u32 i = 0; i < PORTS; i++) {
		listeners[i] = xl_engine_listen(p->h[1].e, (u16)(FIRST_PORT + i), XLANE_KIND_STREAM, BATCH * 2, 0);
		CHECK(listeners[i] >= 0);
	}
	for (u32 n = 0; n < many;) {
		for (u32 i = 0; i < BATCH && n < many; i++, n++) {
			how.port = (u16)(FIRST_PORT + n % PORTS);
			CHECK(xl_engine_connect(p->h[0].e, &how, p->now, &of_a[n]) == 0);
		}
		pair_exchange(p);
		accept_all(p, listeners, of_b, &accepted);
	}
	assert_int_equal(accepted, many);
}

/* A byte over each of [from, to), both ways. */
static void exchange_byte(struct pair *p, const u32 *of_a, const u32 *of_b, u32 from, u32 to)
{
	u8 out, in;

	for (u32 i = from; i < to; i++) {
		out = (u8)i;
		CHECK(xl_conn_send(p->h[0].e, of_a[i], &out, 1, p->now) == 1);
		out ^= 0xff;
		CHECK(xl_conn_send(p->h[1].e, of_b[i], &out, 1, p->now) == 1);
	}
	pair_run(p, 1 * XL_MS);
	for (u32 i = from; i < to; i++) {
		CHECK(xl_conn_recv(p->h[0].e, of_a[i], &in, 1, p->now) == 1);
		CHECK(xl_conn_recv(p->h[1].e, of_b[i], &in, 1, p->now) == 1);
	}
}

static void test_many(void **state)
{
	struct xl_engine_config like = config(MANY + 8);
	u32 *of_a = malloc(MANY * sizeof *of_a), *of_b = malloc(MANY * sizeof *of_b);
	struct pair p;

	(void)state;
	pair_open(&p, &like);
	open_many(&p, of_a, of_b, MANY);
	assert_int_equal(xl_engine_conns(p.h[0].e), MANY + 1);
	assert_int_equal(xl_engine_conns(p.h[1].e), MANY + 1);
	bystander_lives(&p);
	for (u32 n = 0; n < MANY; n += BATCH)
		exchange_byte(&p, of_a, of_b, n, (u32)xl_min(n + BATCH, MANY));
	/* More have sent by now than there are flows. */
	CHECK(count_of(&p.h[0], XL_C_FLOW_FORGOTTEN) == MANY - p.h[0].e->nflows + 1);
	bystander_lives(&p);
	pair_close(&p);
	free(of_a);
	free(of_b);
}

/* Connections that only linger do not keep their peer's timer from finding the one that does not, nor long at work. */
static void test_lingering(void **state)
{
	struct xl_engine_config like = config(LINGERING + 8);
	static u32 of_a[LINGERING], of_b[LINGERING];
	struct xl_peer *peer;
	struct pair p;
	u32 asked = 0;

	(void)state;
	like.linger_ns_min = XL_LINGER_NS_MAX;
	pair_open(&p, &like);
	open_many(&p, of_a, of_b, LINGERING);
	for (u32 i = 0; i < LINGERING; i++) {
		xl_conn_close(p.h[0].e, of_a[i], p.now);
		xl_conn_close(p.h[1].e, of_b[i], p.now);
	}
	pair_run(&p, 10 * XL_MS);
	assert_int_equal(xl_engine_conns(p.h[0].e), LINGERING + 1);
	peer = &p.h[0].e->peers[p.h[0].e->conns[p.a].peer];
	for (u64 end = p.now + 3 * XL_KEEPALIVE_NS + XL_KEEPALIVE_NS / 2; p.now < end; p.now += XL_SWEEP_GAP_NS) {
		u32 looked = peer->looked;

		xl_engine_advance(p.h[0].e, p.now);
		CHECK(peer->looked <= looked + XL_LIVING_AT_ONCE);
		asked += peer->looked > XL_LIVING_AT_ONCE;
		pair_exchange(&p);
	}
	CHECK(asked && count_of(&p.h[0], XL_C_KEEPALIVE_SENT) >= 2);
	bystander_lives(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_bytes),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_lingering),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
