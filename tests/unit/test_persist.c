/* SPDX-License-Identifier: BSD-2-Clause */
/* Senders that stand without credit, or wait for a grant. */
#include "engine_pair.h"

static struct raw r;
static u8 buf[1 << 18];

struct heard { u32 blocked; u64 last_ns, longest_ns; };

static void acknowledge(struct pair *p, struct peer *x, u64 number)
{
	static struct raw q;

	peer_header(x, &q);
	raw_record(&q, 0x10, 0, 20);
	raw64(&q, number);
	raw_fill(&q, 0, 12);
	raw_seal(&q);
	peer_send(p, x, &q);
}

/* For `ns` the peer hears host 1, and acknowledges if it is to. */
static struct heard listen(struct pair *p, struct peer *x, u64 ns, bool acks)
{
	struct heard h = { .last_ns = p->now };
	u64 end = p->now + ns;

	while (p->now < end) {
		xl_engine_advance(p->h[1].e, p->now);
		while (peer_hears(p, x, &r)) {
			if (raw_find(&r, 0x14)) {
				h.blocked++;
				h.longest_ns = xl_max(h.longest_ns, p->now - h.last_ns);
				h.last_ns = p->now;
			}
			if (acks && (r.b[24] != 0x10 || raw_find(&r, 0x14) || raw_find(&r, 0x13)))
				acknowledge(p, x, xl_get64(r.b + 12));
		}
		p->now = xl_min(end, xl_max(xl_engine_deadline(p->h[1].e), p->now + 1));
	}
	return h;
}

/* F-4: asked again and again, ever less often, for as long as the peer answers; then K-9 lets it go on. */
static void test_long_without_credit(void **state)
{
	struct heard h;
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1000);
	CHECK(xl_conn_send(p.h[1].e, x.conn, buf, 5000, p.now) == 5000);
	h = listen(&p, &x, 100 * XL_S, true);
	CHECK(h.blocked >= 50 && h.blocked < 75 && h.longest_ns >= XL_S && h.longest_ns < 3 * XL_S);
	CHECK(count_of(&p.h[1], XL_C_PERSIST) >= 50 && state_is(&p.h[1], x.conn, "open"));
	pair_check(&p);
	peer_header(&x, &r);
	raw_record(&r, 0x11, 0, 8);
	raw64(&r, 100000);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	listen(&p, &x, 100 * XL_MS, true);
	CHECK(info_of(&p.h[1], x.conn).bytes_acked == 5000);
	listen(&p, &x, 100 * XL_S, false);
	pair_close(&p);
}

/* S-8: it ends when the peer does not acknowledge that it was asked. */
static void test_peer_that_is_gone(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 0);
	CHECK(xl_conn_send(p.h[1].e, x.conn, buf, 5000, p.now) == 5000);
	listen(&p, &x, 20 * XL_S, true);
	CHECK(state_is(&p.h[1], x.conn, "open"));
	listen(&p, &x, 15 * XL_S, false);
	CHECK(info_of(&p.h[1], x.conn).error == -EHOSTDOWN);
	pair_close(&p);
}

/* F-2: credit that got lost, all of it for a while, comes after all. */
static void test_lost_credit(void **state)
{
	struct joined j;
	struct pair p;
	u64 sent = 0, got = 0;
	s64 n;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_STREAM);
	while ((n = xl_conn_send(p.h[0].e, j.a, buf, sizeof buf, p.now)) > 0)
		sent += (u64)n;
	pair_run(&p, 50 * XL_MS);
	CHECK(count_of(&p.h[0], XL_C_BLOCKED_OUT) > 1 && sent > XLANE_RECV_WINDOW_MIN_BYTES);
	while ((n = xl_conn_recv(p.h[1].e, j.b, buf, sizeof buf, p.now)) > 0)
		got += (u64)n;
	for (u64 end = p.now + 2 * XL_S; p.now < end; p.now += XL_MS) {
		xl_engine_advance(p.h[1].e, p.now);
		while (host_output(&p.h[1], &r, &to, p.now))
			;
	}
	for (u32 i = 0; i < 20; i++) {
		pair_run(&p, 200 * XL_MS);
		while ((n = xl_conn_recv(p.h[1].e, j.b, buf, sizeof buf, p.now)) > 0)
			got += (u64)n;
	}
	CHECK(got == sent);
	pair_close(&p);
}

/* K-10, K-16: a receiver that has no memory for the data answers the probes, and these become rare. */
static void test_peer_without_memory(void **state)
{
	struct xl_engine_config like = { .blocks = XLANE_BLOCKS_MIN + 1 }; /* for one, and what the dead one keeps */
	struct peer first;
	struct joined j;
	struct pair p;
	u64 packets;

	(void)state;
	pair_open(&p, &like);
	first = peer_open(&p, 3, 100, XLANE_KIND_MESSAGE, 0);
	peer_data(&p, &first, 0, 0, 'x', 1);
	j = pair_join(&p, XLANE_KIND_STREAM);
	CHECK(xl_conn_send(p.h[0].e, j.a, buf, 20000, p.now) == 20000);
	pair_run(&p, 4 * XL_S);
	packets = info_of(&p.h[0], j.a).packets_sent;
	pair_run(&p, 5 * XL_S);
	CHECK(info_of(&p.h[0], j.a).packets_sent - packets < 500);
	CHECK(state_is(&p.h[0], j.a, "open") && count_of(&p.h[1], XL_C_DATA_BYTES_IN) == 1);
	xl_conn_abort(p.h[1].e, first.conn, XLANE_WIRE_CANCELLED, p.now);
	pair_run(&p, 20 * XL_MS); /* it is told, and need not wait for its timer */
	CHECK(xl_conn_readable(p.h[1].e, j.b) == 20000);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_without_credit), cmocka_unit_test(test_peer_that_is_gone),
		cmocka_unit_test(test_lost_credit), cmocka_unit_test(test_peer_without_memory),
	};

	return RUN_TAP(tests);
}
