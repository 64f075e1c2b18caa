/* SPDX-License-Identifier: BSD-2-Clause */
/* Which packet goes next: what is to be said is said later when there is no room to remember a packet. */
#include "engine/core.h"
#include "engine_pair.h"

#define ENTRIES 4

static void peer_acks(struct pair *p, struct peer *x, u64 number)
{
	static struct raw r;

	peer_header(x, &r);
	raw_record(&r, 0x10, 0, 20);
	raw64(&r, number);
	raw32(&r, 0);
	raw32(&r, 0);
	raw32(&r, 0);
	raw_seal(&r);
	peer_send(p, x, &r);
}

/* The connection has all sent packets that it may have when its program reads: the credit is told once one is acknowledged. */
static void test_credit_when_full(void **state)
{
	static u8 data[30000], in[XLANE_RECV_WINDOW_MIN_BYTES];
	static struct raw r;
	struct pair p;
	struct peer x;
	u64 number = 0, at = 0;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 9, 77, XLANE_KIND_STREAM, 1 << 20);
	p.h[1].e->sents_per_conn = ENTRIES;
	for (u32 i = 0; i < 40; i++, at += 1000)
		peer_data(&p, &x, 0, at, 5, 1000);
	while (peer_hears(&p, &x, &r))
		;
	CHECK(xl_conn_send(p.h[1].e, x.conn, data, sizeof data, p.now) > 0);
	for (u32 i = 0; peer_hears(&p, &x, &r); i++) {
		CHECK(i < ENTRIES && !raw_find(&r, 0x11));
		number = xl_get64(r.b + 12);
	}
	CHECK(p.h[1].e->conns[x.conn].sent.count == ENTRIES);
	CHECK(xl_conn_recv(p.h[1].e, x.conn, in, sizeof in, p.now) == 40000);
	CHECK(!peer_hears(&p, &x, &r));
	CHECK(p.h[1].e->conns[x.conn].control & XL_CTL_CREDIT);
	pair_check(&p);
	/* an ACK needs no entry */
	peer_header(&x, &r);
	raw_record(&r, 0x13, 0, 0);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(peer_hears(&p, &x, &r) && raw_find(&r, 0x10) && !raw_find(&r, 0x11));
	CHECK(!peer_hears(&p, &x, &r));
	peer_acks(&p, &x, number);
	CHECK(peer_hears(&p, &x, &r) && raw_find(&r, 0x11));
	CHECK(xl_get64(raw_find(&r, 0x11)) == XLANE_RECV_WINDOW_MIN_BYTES + 40000);
	bystander_lives(&p);
	pair_close(&p);
}

/* Nothing is acknowledged and there is no entry left: probes go all the same. */
static void test_probe_when_full(void **state)
{
	static u8 data[30000];
	static struct raw r;
	struct pair p;
	struct peer x;
	u64 number = 0;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 9, 77, XLANE_KIND_STREAM, 1 << 20);
	p.h[1].e->sents_per_conn = ENTRIES;
	CHECK(xl_conn_send(p.h[1].e, x.conn, data, sizeof data, p.now) > 0);
	while (peer_hears(&p, &x, &r))
		number = xl_get64(r.b + 12);
	CHECK(p.h[1].e->conns[x.conn].sent.count == ENTRIES);
	for (u32 i = 0; i < 100 && !peer_hears(&p, &x, &r); i++) {
		p.now += 1 * XL_MS;
		xl_engine_advance(p.h[1].e, p.now);
	}
	CHECK(xl_get64(r.b + 12) > number && raw_find(&r, 0x01));
	CHECK(p.h[1].e->conns[x.conn].sent.count <= ENTRIES);
	pair_check(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_credit_when_full), cmocka_unit_test(test_probe_when_full) };

	return RUN_TAP(tests);
}
