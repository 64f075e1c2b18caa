/* SPDX-License-Identifier: BSD-2-Clause */
/* When an ACK is sent, when a probe, and when the window grows. */
#include "engine_pair.h"

static struct raw r;
static u8 bytes[1 << 20];

static void acknowledge(struct pair *p, struct peer *x, u64 number)
{
	peer_header(x, &r);
	raw_record(&r, 0x10, 0, 20);
	raw64(&r, number);
	raw64(&r, 0);
	raw32(&r, (u32)(number - FIRST));
	raw_seal(&r);
	peer_send(p, x, &r);
}

/* A connection with a round trip of 1 ms, and nothing in flight. */
static struct peer sampled(struct pair *p)
{
	struct peer x = peer_open(p, 3, 100, XLANE_KIND_STREAM, 1 << 20);

	for (u32 i = 0; i < 20; i++) {
		u64 number = 0;

		CHECK(xl_conn_send(p->h[1].e, x.conn, "x", 1, p->now) == 1);
		while (peer_hears(p, &x, &r))
			number = xl_get64(r.b + 12);
		p->now += XL_MS;
		acknowledge(p, &x, number);
	}
	CHECK(info_of(&p->h[1], x.conn).inflight_bytes == 0);
	return x;
}

/* K-5: one packet may wait for the peer's delay; of two in flight an ACK comes at once, and a probe is due earlier. */
static void test_probe_of_several_does_not_wait_for_the_delay(void **state)
{
	(void)state;
	for (u32 packets = 1; packets <= 2; packets++) {
		struct pair p;
		struct peer x;
		u64 pto;

		pair_open(&p, NULL);
		x = sampled(&p);
		pto = info_of(&p.h[1], x.conn).pto_ns;
		CHECK(pto > XL_MS + 200 * XL_US);
		for (u32 i = 0; i < packets; i++) {
			CHECK(xl_conn_send(p.h[1].e, x.conn, bytes, 1000, p.now) == 1000);
			CHECK(peer_hears(&p, &x, &r));
		}
		p.now += pto - 100 * XL_US;
		xl_engine_advance(p.h[1].e, p.now);
		CHECK(count_of(&p.h[1], XL_C_PTO) == packets - 1);
		p.now += 150 * XL_US;
		xl_engine_advance(p.h[1].e, p.now);
		CHECK(count_of(&p.h[1], XL_C_PTO) == 1);
		pair_check(&p);
		pair_close(&p);
	}
}

/* K-1: data behind a hole and data that fills one are acknowledged at once, other data in order not before its second packet. */
static void test_what_fills_a_hole_is_acknowledged_at_once(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	peer_data(&p, &x, 0, 0, 'a', 100);
	CHECK(!peer_hears(&p, &x, &r));
	peer_data(&p, &x, 0, 300, 'd', 100);
	CHECK(peer_hears(&p, &x, &r) && raw_acked(&r) == x.next - 1);
	peer_data(&p, &x, 0, 200, 'c', 100);
	CHECK(peer_hears(&p, &x, &r) && raw_acked(&r) == x.next - 1);
	peer_data(&p, &x, 0, 100, 'b', 100);
	CHECK(peer_hears(&p, &x, &r) && raw_acked(&r) == x.next - 1);
	peer_data(&p, &x, 0, 400, 'e', 100);
	CHECK(!peer_hears(&p, &x, &r));
	CHECK(xl_conn_recv(p.h[1].e, x.conn, bytes, sizeof bytes, p.now) == 500);
	pair_close(&p);
}

/* K-8: what the credit limits does not make the window grow for ever. */
static void test_window_grows_only_with_its_use(void **state)
{
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, NULL);
	j = pair_join(&p, XLANE_KIND_STREAM);
	for (u64 all = 0; all < 40 << 20;) {
		while (xl_conn_send(p.h[0].e, j.a, bytes, 65536, p.now) > 0)
			;
		pair_run(&p, 100 * XL_US);
		for (s64 n; (n = xl_conn_recv(p.h[1].e, j.b, bytes, sizeof bytes, p.now)) > 0;)
			all += (u64)n;
	}
	CHECK(info_of(&p.h[0], j.a).cwnd_bytes <= 4 * XLANE_RECV_WINDOW_MIN_BYTES);
	bystander_lives(&p);
	pair_close(&p);
}

/* What is to be sent again lies in frames that the driver has still: somebody must look whether they have come back. */
static void test_frames_of_a_lost_packet_are_waited_for(void **state)
{
	struct xl_packet out[8];
	struct pair p;
	struct peer x;
	u32 n;

	(void)state;
	pair_open(&p, NULL);
	x = sampled(&p);
	CHECK(xl_conn_send(p.h[1].e, x.conn, bytes, 7000, p.now) == 7000);
	n = xl_engine_output(p.h[1].e, out, XL_ARRAY_SIZE(out), p.now);
	CHECK(n == 5 && xl_engine_output(p.h[1].e, out + n, 1, p.now) == 0);
	peer_header(&x, &r); /* the first is lost */
	raw_record(&r, 0x10, 0, 20);
	raw64(&r, xl_get64(xl_frames_ptr(&p.h[1].f, out[n - 1].seg[0].frame) + out[n - 1].seg[0].off + 12));
	raw64(&r, 0);
	raw32(&r, 3);
	raw_seal(&r);
	p.now += XL_MS;
	peer_send(&p, &x, &r);
	CHECK(count_of(&p.h[1], XL_C_LOST_BY_COUNT) == 1);
	CHECK(xl_engine_output(p.h[1].e, out + n, 1, p.now) == 0);
	CHECK(xl_engine_deadline(p.h[1].e) <= p.now + 100 * XL_US);
	for (u32 i = 0; i < n; i++)
		xl_engine_completed(p.h[1].e, &out[i].seg[0].frame, 1);
	CHECK(peer_hears(&p, &x, &r) && count_of(&p.h[1], XL_C_RETRANSMITTED) == 1);
	pair_check(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probe_of_several_does_not_wait_for_the_delay),
		cmocka_unit_test(test_what_fills_a_hole_is_acknowledged_at_once),
		cmocka_unit_test(test_window_grows_only_with_its_use),
		cmocka_unit_test(test_frames_of_a_lost_packet_are_waited_for),
	};

	return RUN_TAP(tests);
}
