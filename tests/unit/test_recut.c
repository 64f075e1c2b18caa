/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers made for larger packets are cut when they are sent under a smaller MTU: every kind, queued and sent before. */
#include "engine_path.h"

#define BYTES 65536u

static const struct xl_engine_config jumbo = { .max_packet = 9000, .segs_max = 3 };
static const u32 sizes[] = { 4352, 1500, 300, 256 };

static void fill(u8 *p, u32 n, u64 salt)
{
	for (u32 i = 0; i < n; i++)
		p[i] = path_byte(i, salt);
}

static u32 send_all(struct pair *p, u32 conn, u32 bytes, u64 salt)
{
	static u8 buf[BYTES];

	fill(buf, bytes, salt);
	return (u32)xl_conn_send(p->h[0].e, conn, buf, bytes, p->now);
}

static void lower(struct pair *p, struct path_state *s, u32 bytes)
{
	assert_int_equal(xl_engine_set_max_packet(p->h[0].e, bytes, p->now), 0);
	s->largest[0] = 0;
	s->most[0] = bytes;
	pair_check(p);
}

static void expect(struct pair *p, u32 conn, u32 bytes, u64 salt)
{
	static u8 in[BYTES], out[BYTES];

	fill(out, bytes, salt);
	assert_int_equal(xl_conn_recv(p->h[1].e, conn, in, sizeof in, p->now), bytes);
	assert_memory_equal(in, out, bytes);
}

/* U-3: what was queued and never sent, of every kind. */
static void test_queued(void **state)
{
	(void)state;
	for (u8 kind = XLANE_KIND_STREAM; kind <= XLANE_KIND_DATAGRAM; kind++) {
		for (u32 i = 0; i < XL_ARRAY_SIZE(sizes); i++) {
			struct path_state s = path_open(9000);
			struct joined j;
			struct pair p;

			pair_open(&p, &jumbo);
			j = pair_join(&p, kind);
			path_run(&p, &s, 1 * XL_MS);
			assert_int_equal(send_all(&p, j.a, 30000, kind), 30000);
			lower(&p, &s, sizes[i]);
			path_run(&p, &s, 100 * XL_MS);
			assert_true(s.largest[0] <= sizes[i]);
			assert_true(count_of(&p.h[0], XL_C_RECUT) >= 30000 / sizes[i]);
			expect(&p, j.b, 30000, kind);
			pair_check(&p);
			pair_close(&p);
		}
	}
}

/* D-4, U-3: what was sent, and partly arrived, is sent again in smaller packets: overlaps are nothing special. */
static void test_sent(void **state)
{
	(void)state;
	for (u8 kind = XLANE_KIND_STREAM; kind < XLANE_KIND_DATAGRAM; kind++) {
		for (u32 i = 0; i < XL_ARRAY_SIZE(sizes); i++) {
			struct path_state s = path_open(9000);
			struct joined j;
			struct pair p;

			pair_open(&p, &jumbo);
			j = pair_join(&p, kind);
			path_run(&p, &s, 1 * XL_MS);
			s.most[1] = 0; /* it arrives, but no ACK comes back */
			s.loss_ppm = 500000;
			assert_int_equal(send_all(&p, j.a, 60000, kind), 60000);
			path_exchange(&p, &s);
			path_run(&p, &s, 3 * XL_MS);
			lower(&p, &s, sizes[i]);
			s.loss_ppm = 0;
			s.most[1] = 9000;
			path_run(&p, &s, 2 * XL_S);
			assert_true(s.largest[0] <= sizes[i]);
			assert_true(count_of(&p.h[0], XL_C_RECUT) > 0);
			expect(&p, j.b, 60000, kind);
			assert_int_equal(p.h[0].e->conns[j.a].buffered, 0);
			pair_check(&p);
			pair_close(&p);
		}
	}
}

/* An ACK for the whole, sent before the cut and late, acknowledges the rest; the beginning is sent again. */
static void test_late_ack(void **state)
{
	static struct raw acks[64], r;
	struct path_state s = path_open(9000);
	u32 n = 0;
	struct pair p;
	u8 to;

	(void)state;
	pair_open(&p, &jumbo);
	path_run(&p, &s, 1 * XL_MS);
	assert_int_equal(send_all(&p, p.a, 17000, 3), 17000);
	while (host_output(&p.h[0], &r, &to, p.now))
		path_carry(&p, &s, 0, &r, to);
	xl_engine_advance(p.h[1].e, p.now += 300 * XL_US);
	while (n < XL_ARRAY_SIZE(acks) && host_output(&p.h[1], &acks[n], &to, p.now))
		n++;
	lower(&p, &s, 600);
	for (u32 i = 0; i < 64 && !count_of(&p.h[0], XL_C_RECUT); i++) { /* a timeout: some of it is cut and sent again */
		p.now = xl_max(p.now, xl_engine_deadline(p.h[0].e));
		xl_engine_advance(p.h[0].e, p.now);
		while (host_output(&p.h[0], &r, &to, p.now))
			CHECK(r.n <= 600);
	}
	assert_true(count_of(&p.h[0], XL_C_RECUT) > 0);
	for (u32 i = 0; i < n; i++)
		host_input(&p.h[0], &acks[i], 2, p.now);
	pair_check(&p);
	path_run(&p, &s, 2 * XL_S);
	expect(&p, p.b, 17000, 3);
	assert_int_equal(p.h[0].e->conns[p.a].buffered, 0);
	pair_close(&p);
}

/* The end, a large message, and many datagrams in one buffer. */
static void test_end(void **state)
{
	struct path_state s = path_open(9000);
	struct pair p;

	(void)state;
	pair_open(&p, &jumbo);
	path_run(&p, &s, 1 * XL_MS);
	assert_int_equal(send_all(&p, p.a, 5000, 3), 5000);
	assert_int_equal(xl_conn_shutdown(p.h[0].e, p.a, p.now), 0);
	s.most[0] = 0;
	path_exchange(&p, &s);
	lower(&p, &s, 512);
	path_run(&p, &s, 1 * XL_S);
	expect(&p, p.b, 5000, 3);
	assert_int_equal(xl_conn_readable(p.h[1].e, p.b), -ENODATA);
	assert_true(state_is(&p.h[1], p.b, "remote-shut"));
	assert_true(state_is(&p.h[0], p.a, "local-done"));
	pair_close(&p);
}

static void test_large(void **state)
{
	static u8 out[200000], in[200000];
	struct path_state s = path_open(9000);
	struct joined j;
	u64 fed = 0;
	struct pair p;

	(void)state;
	pair_open(&p, &jumbo);
	j = pair_join(&p, XLANE_KIND_MESSAGE);
	fill(out, sizeof out, 5);
	path_run(&p, &s, 1 * XL_MS);
	assert_int_equal(xl_conn_large_begin(p.h[0].e, j.a, sizeof out, p.now), 0);
	path_run(&p, &s, 1 * XL_MS);
	for (u32 i = 0; fed < sizeof out; i++) {
		s64 n = xl_conn_large_more(p.h[0].e, j.a, out + fed, xl_min(sizeof out - fed, 30000), p.now);

		fed += n > 0 ? (u64)n : 0;
		if (i % 3 == 0)
			path_exchange(&p, &s);
		lower(&p, &s, i % 2 ? 700 : 9000);
		path_run(&p, &s, 1 * XL_MS);
		pair_check(&p);
	}
	path_run(&p, &s, 1 * XL_S);
	assert_int_equal(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now), sizeof in);
	assert_memory_equal(in, out, sizeof in);
	assert_true(count_of(&p.h[0], XL_C_RECUT) > 0);
	pair_close(&p);
}

static void test_datagrams(void **state)
{
	struct path_state s = path_open(9000);
	struct joined j;
	struct pair p;

	(void)state;
	pair_open(&p, &jumbo);
	j = pair_join(&p, XLANE_KIND_DATAGRAM);
	path_run(&p, &s, 1 * XL_MS);
	for (u32 i = 0; i < 60; i++) /* several to a buffer, some larger than the packets to come, some empty */
		assert_int_equal(send_all(&p, j.a, i % 7 * 97, i), i % 7 * 97);
	lower(&p, &s, 300);
	path_run(&p, &s, 100 * XL_MS);
	assert_true(s.largest[0] <= 300);
	for (u32 i = 0; i < 60; i++)
		expect(&p, j.b, i % 7 * 97, i);
	assert_int_equal(p.h[0].e->conns[j.a].buffered, 0);
	pair_close(&p);
}

/* All frames are taken by large buffers: cutting has to go on with the few that others leave. */
static void test_no_frames(void **state)
{
	static const struct xl_engine_config tight = { .max_packet = 9000, .segs_max = 3, .tx_frames_max = 1000 };
	static u8 buf[BYTES];
	struct path_state s = path_open(0);
	struct path_flow f[4];
	struct pair p;
	u64 sent[4];

	(void)state;
	pair_open(&p, &tight);
	for (u32 i = 0; i < 4; i++) {
		struct joined j = i ? pair_join(&p, XLANE_KIND_STREAM) : (struct joined){ p.a, p.b };
		s64 n;

		f[i] = (struct path_flow){ .from = 0, .conn = j.a, .to_conn = j.b };
		for (sent[i] = 0; sent[i] < 4u << 20; sent[i] += (u64)n) {
			for (u32 k = 0; k < sizeof buf; k++)
				buf[k] = path_byte(sent[i] + k, 0);
			n = xl_conn_send(p.h[0].e, j.a, buf, sizeof buf, p.now);
			if (n <= 0)
				break;
		}
		f[i].sent = sent[i];
	}
	path_run(&p, &s, 1 * XL_MS);
	while (p.h[0].f.nfree > 16) /* somebody else needs them */
		CHECK(xl_frames_take(&p.h[0].f, XL_FRAME_RX) != XL_NONE);
	s.most[1] = 9000;
	lower(&p, &s, 256);
	for (u32 i = 0; i < 4; i++)
		assert_true(path_flow(&p, &s, &f[i], sent[i], 60 * XL_S));
	assert_true(s.largest[0] <= 256);
	assert_true(count_of(&p.h[0], XL_C_OUT_NO_FRAME) > 0);
	pair_check(&p);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queued), cmocka_unit_test(test_sent), cmocka_unit_test(test_late_ack),
		cmocka_unit_test(test_end), cmocka_unit_test(test_large), cmocka_unit_test(test_datagrams),
		cmocka_unit_test(test_no_frames),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
