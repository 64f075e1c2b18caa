/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection's life between two engines: frames and their owners, half-close, abort, moving, time that misbehaves. */
#include "engine_pair.h"

static struct raw r;

static void owners(const struct host *h, u32 queued, u32 tx, u32 inflight)
{
	CHECK(h->f.census[XL_FRAME_QUEUED] == queued && h->f.census[XL_FRAME_TX] == tx);
	CHECK(h->f.census[XL_FRAME_INFLIGHT] == inflight);
	CHECK(h->f.census[XL_FRAME_FREE] == h->f.count - queued - tx - inflight);
	CHECK(!xl_engine_check(h->e));
}

/* One packet of h, kept by the driver until the caller completes it. */
static struct xl_packet taken(struct host *h, u64 now)
{
	struct xl_packet p;

	CHECK(xl_engine_output(h->e, &p, 1, now) == 1);
	raw_copy(&r, h, &p);
	return p;
}

static void complete(struct host *h, const struct xl_packet *p)
{
	for (u32 i = p->nsegs; i-- > 0;)
		xl_engine_completed(h->e, &p->seg[i].frame, 1);
}

static void peer_acks(struct pair *p, struct peer *x, u64 number)
{
	peer_header(x, &r);
	raw_record(&r, 0x10, 0, 20);
	raw64(&r, number);
	raw_fill(&r, 0, 12);
	raw_seal(&r);
	peer_send(p, x, &r);
}

/* A frame goes home when it is both completed and acknowledged, in either order. */
static void test_frames_go_home(void **state)
{
	(void)state;
	for (u32 first = 0; first < 2; first++) {
		struct xl_packet data;
		struct pair p;
		struct peer x;
		u64 number;

		pair_open(&p, NULL);
		pair_run(&p, 10 * XL_MS);
		x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
		owners(&p.h[1], 0, 0, 0);
		CHECK(xl_conn_send(p.h[1].e, x.conn, "data", 4, p.now) == 4);
		owners(&p.h[1], 1, 0, 0);
		data = taken(&p.h[1], p.now);
		number = xl_get64(r.b + 12);
		owners(&p.h[1], 0, 1, 0);
		if (first) {
			complete(&p.h[1], &data);
			owners(&p.h[1], 0, 0, 1);
			peer_acks(&p, &x, number);
		} else {
			peer_acks(&p, &x, number);
			owners(&p.h[1], 0, 1, 0);
			complete(&p.h[1], &data);
		}
		owners(&p.h[1], 0, 0, 0);
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* Lost while the driver still has it: sent again only when it is back; the first transmission's ACK frees it. */
static void test_lost_in_the_ring(void **state)
{
	struct xl_packet data;
	struct pair p;
	struct peer x;
	u64 number;

	(void)state;
	pair_open(&p, NULL);
	pair_run(&p, 10 * XL_MS);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	CHECK(xl_conn_send(p.h[1].e, x.conn, "data", 4, p.now) == 4);
	data = taken(&p.h[1], p.now);
	number = xl_get64(r.b + 12);
	p.now += 50 * XL_MS;
	xl_engine_advance(p.h[1].e, p.now);
	CHECK(info_of(&p.h[1], x.conn).ptos == 1);
	while (peer_hears(&p, &x, &r))
		for (u32 at = 20; at + 4 < r.n; at += 4 + xl_get16(r.b + at + 2))
			CHECK(r.b[at] != 1);
	owners(&p.h[1], 0, 1, 0);
	complete(&p.h[1], &data);
	owners(&p.h[1], 1, 0, 0);
	CHECK(peer_hears(&p, &x, &r) && info_of(&p.h[1], x.conn).packets_retransmitted == 1);
	owners(&p.h[1], 0, 0, 1);
	peer_acks(&p, &x, number);
	owners(&p.h[1], 0, 0, 0);
	CHECK(info_of(&p.h[1], x.conn).bytes_acked == 4);
	bystander_lives(&p);
	pair_close(&p);
}

/* A connection ends while the driver has its frames, of several each: they come home one by one. */
static void test_abort_with_frames_in_the_ring(void **state)
{
	struct xl_engine_config like = { .max_packet = 9000, .segs_max = 3 };
	static u8 bytes[9000];
	struct xl_packet data;
	struct pair p;
	u32 c;

	(void)state;
	pair_open(&p, &like);
	pair_run(&p, 10 * XL_MS);
	c = pair_connect(&p, PORT, XLANE_KIND_STREAM);
	pair_run(&p, 10 * XL_MS);
	CHECK(xl_conn_send(p.h[0].e, c, bytes, sizeof bytes, p.now) == sizeof bytes);
	data = taken(&p.h[0], p.now);
	CHECK(data.nsegs == 3);
	xl_conn_abort(p.h[0].e, c, XLANE_WIRE_CANCELLED, p.now);
	CHECK(p.h[0].f.census[XL_FRAME_TX] == 3 && p.h[0].f.census[XL_FRAME_QUEUED] == 0);
	pair_run(&p, XL_S);
	owners(&p.h[0], 0, 3, 0);
	complete(&p.h[0], &data);
	owners(&p.h[0], 0, 0, 0);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- ends ------------------------------------------------------------------------------------------ */
static void pair_accept(struct pair *p, u32 *a, u32 *b, u8 kind)
{
	*a = pair_connect(p, kind == XLANE_KIND_STREAM ? PORT : PORT + 1, kind);
	pair_run(p, XL_MS);
	CHECK(xl_engine_accept(p->h[1].e, p->listener_of[kind], 5, b) == 0);
}

static void test_half_close(void **state)
{
	struct pair p;
	u32 c[2];
	u8 in[8];

	(void)state;
	for (u32 who = 0; who < 2; who++) {
		struct xl_engine *e, *f;

		pair_open(&p, NULL);
		e = p.h[who].e;
		f = p.h[!who].e;
		pair_accept(&p, &c[0], &c[1], XLANE_KIND_STREAM);
		CHECK(xl_conn_send(e, c[who], "last", 4, p.now) == 4 && xl_conn_shutdown(e, c[who], p.now) == 0);
		CHECK(xl_conn_send(e, c[who], "more", 4, p.now) == -EPIPE);
		pair_run(&p, XL_MS);
		CHECK(state_is(&p.h[who], c[who], "local-done") && state_is(&p.h[!who], c[!who], "remote-shut"));
		CHECK(xl_conn_recv(f, c[!who], in, 8, p.now) == 4 && xl_conn_recv(f, c[!who], in, 8, p.now) == 0);
		CHECK(xl_conn_send(f, c[!who], "answer", 6, p.now) == 6);
		pair_run(&p, XL_MS);
		CHECK(xl_conn_recv(e, c[who], in, 8, p.now) == 6);
		CHECK(xl_conn_shutdown(f, c[!who], p.now) == 0);
		pair_run(&p, XL_MS);
		CHECK(xl_conn_recv(e, c[who], in, 8, p.now) == 0);
		CHECK(state_is(&p.h[0], c[0], "linger") && state_is(&p.h[1], c[1], "linger"));
		xl_conn_close(e, c[who], p.now);
		xl_conn_close(f, c[!who], p.now);
		bystander_lives(&p);
		pair_run(&p, 11 * XL_S);
		CHECK(xl_engine_conns(e) == 1 && xl_engine_conns(f) == 1);
		bystander_lives(&p);
		pair_close(&p);
	}
}

static void test_abort(void **state)
{
	struct pair p;
	u32 c[2];

	(void)state;
	for (u32 who = 0; who < 2; who++) {
		struct xl_event event;

		pair_open(&p, NULL);
		pair_accept(&p, &c[0], &c[1], XLANE_KIND_STREAM);
		while (xl_engine_events(p.h[!who].e, &event, 1))
			;
		xl_conn_abort(p.h[who].e, c[who], XLANE_WIRE_CANCELLED, p.now);
		pair_run(&p, XL_MS);
		CHECK(info_of(&p.h[!who], c[!who]).error == -ECONNRESET);
		CHECK(xl_engine_events(p.h[!who].e, &event, 1) == 1 && event.bits & XL_EVENT_CLOSED && event.index == c[!who]);
		CHECK(xl_conn_send(p.h[!who].e, c[!who], "x", 1, p.now) == -ECONNRESET);
		xl_conn_close(p.h[!who].e, c[!who], p.now);
		pair_run(&p, XL_S);
		CHECK(xl_engine_conns(p.h[0].e) == 1 && xl_engine_conns(p.h[1].e) == 1);
		bystander_lives(&p);
		pair_close(&p);
	}
}

/* --- out of everything ------------------------------------------------------------------------------ */
static void test_out_of_connections(void **state)
{
	struct xl_engine_config like = { .conns_max = 3, .peers_max = 2 };
	struct xl_connect how = { .path = path_of(1, 9), .port = 1, .kind = XLANE_KIND_STREAM };
	struct peer x = peer_new(3, 100);
	struct pair p;
	u32 c;

	(void)state;
	pair_open(&p, &like);
	CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &c) == 0);
	how.path.remote[5] = 10;
	CHECK(xl_engine_connect(p.h[0].e, &how, p.now, &c) == -ENOSPC); /* no peer left */
	CHECK(xl_engine_connect(p.h[1].e, &how, p.now, &c) == 0);
	raw_init(&x, &r, XLANE_KIND_STREAM, 1 << 20);
	raw_init_end(&r);
	peer_send(&p, &x, &r);
	CHECK(count_of(&p.h[1], XL_C_INIT_REFUSED) == 1 && peer_hears(&p, &x, &r) && r.b[0] == 0x14);
	CHECK(xl_get32(r.b + 52) == XLANE_WIRE_RESOURCES);
	bystander_lives(&p);
	pair_run(&p, 12 * XL_S); /* the calls fail, and what they held is there again */
	c = pair_connect(&p, PORT, XLANE_KIND_STREAM);
	pair_run(&p, 10 * XL_MS);
	CHECK(state_is(&p.h[0], c, "open"));
	bystander_lives(&p);
	pair_close(&p);
}

/* --- moving ----------------------------------------------------------------------------------------- */
static void test_export_changes_nothing(void **state)
{
	static u8 buf[1 << 20], again[1 << 20], bytes[5000], in[6000];
	struct pair p;
	u32 c[2], moved;
	s64 n;

	(void)state;
	pair_open(&p, NULL);
	pair_accept(&p, &c[0], &c[1], XLANE_KIND_STREAM);
	for (u32 round = 0; round < 20; round++) {
		struct xl_conn_info before, after;
		u32 i = round % 2;

		memset(bytes, (int)round, sizeof bytes);
		CHECK(xl_conn_send(p.h[0].e, c[0], bytes, sizeof bytes, p.now) == sizeof bytes);
		CHECK(xl_conn_send(p.h[1].e, c[1], bytes, 100, p.now) == 100);
		if (round % 3) {
			u8 to;

			CHECK(host_output(&p.h[i], &r, &to, p.now)); /* lost */
		}
		before = info_of(&p.h[i], c[i]);
		CHECK(xl_conn_export(p.h[i].e, c[i], buf, 10) == -ENOSPC);
		n = xl_conn_export(p.h[i].e, c[i], buf, sizeof buf);
		CHECK(n > 0);
		CHECK(xl_conn_import(p.h[i].e, buf, (u64)n - 1, p.now, &moved) == -EINVAL);
		CHECK(xl_conn_import(p.h[i].e, buf, (u64)n, p.now, &c[i]) == 0);
		pair_check(&p);
		after = info_of(&p.h[i], c[i]);
		CHECK(before.local_id == after.local_id && before.remote_id == after.remote_id && before.state == after.state);
		CHECK(before.inflight_bytes == after.inflight_bytes && before.cwnd_bytes == after.cwnd_bytes);
		CHECK(before.bytes_sent == after.bytes_sent && before.bytes_acked == after.bytes_acked);
		CHECK(before.srtt_ns == after.srtt_ns && before.peer_node == after.peer_node);
		CHECK(xl_conn_export(p.h[i].e, c[i], again, sizeof again) == n);
		CHECK(xl_conn_import(p.h[i].e, again, (u64)n, p.now, &c[i]) == 0);
		pair_run(&p, XL_S / 2);
		CHECK(xl_conn_recv(p.h[1].e, c[1], in, sizeof in, p.now) == 5000 && !memcmp(in, bytes, 5000));
		CHECK(xl_conn_recv(p.h[0].e, c[0], in, sizeof in, p.now) == 100 && !memcmp(in, bytes, 100));
	}
	bystander_lives(&p);
	pair_close(&p);
}

static void test_export_is_refused(void **state)
{
	static u8 buf[1 << 16];
	struct xl_packet data;
	struct pair p;
	u32 c;

	(void)state;
	pair_open(&p, NULL);
	pair_run(&p, 10 * XL_MS);
	c = pair_connect(&p, PORT, XLANE_KIND_STREAM);
	CHECK(xl_conn_export(p.h[0].e, c, buf, sizeof buf) == -EBUSY); /* half-open */
	pair_run(&p, 10 * XL_MS);
	CHECK(xl_conn_send(p.h[0].e, p.a, "x", 1, p.now) == 1);
	data = taken(&p.h[0], p.now);
	CHECK(xl_conn_export(p.h[0].e, p.a, buf, sizeof buf) == -EBUSY);
	complete(&p.h[0], &data);
	host_input(&p.h[1], &r, 1, p.now);
	CHECK(xl_conn_recv(p.h[1].e, p.b, buf, 1, p.now) == 1);
	bystander_lives(&p);
	pair_close(&p);
}

/* --- time ------------------------------------------------------------------------------------------- */
static void test_clock_goes_back(void **state)
{
	struct counters before;
	struct pair p;
	u8 in[8];

	(void)state;
	pair_open(&p, NULL);
	bystander_lives(&p);
	before = counters_of(&p.h[0]);
	CHECK(xl_conn_send(p.h[0].e, p.a, "x", 1, p.now - XL_S) == 1);
	xl_engine_advance(p.h[0].e, 0);
	CHECK(count_of(&p.h[0], XL_C_CLOCK_BACK) == before.n[XL_C_CLOCK_BACK] + 2);
	pair_check(&p);
	pair_run(&p, XL_MS);
	CHECK(xl_conn_recv(p.h[1].e, p.b, in, 8, p.now) == 1);
	bystander_lives(&p);
	pair_close(&p);
}

/* Timers run at the pace of a clock that has gone back; they do not wait until it is where it was. */
static void test_clock_goes_on(void **state)
{
	static struct raw r;
	struct pair p;
	u64 then, due;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	bystander_lives(&p);
	then = p.now - XL_S;
	CHECK(xl_conn_send(p.h[0].e, p.a, "x", 1, then) == 1);
	while (host_output(&p.h[0], &r, &to, then))
		; /* lost */
	do {
		due = xl_engine_deadline(p.h[0].e);
		CHECK(due >= then && due < then + XL_S / 2);
		xl_engine_advance(p.h[0].e, due);
	} while (!host_output(&p.h[0], &r, &to, due));
	pair_check(&p);
	pair_close(&p);
}

static void test_clock_leaps(void **state)
{
	static const u64 leaps[] = { 6 * XL_S, 3600 * XL_S, 86400 * XL_S, 1000000000 * XL_S };

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(leaps); i++) {
		struct pair p;
		u64 sent;
		u8 in[8], to;

		pair_open(&p, NULL);
		bystander_lives(&p);
		CHECK(xl_conn_send(p.h[0].e, p.a, "x", 1, p.now) == 1);
		CHECK(host_output(&p.h[0], &r, &to, p.now)); /* lost */
		sent = count_of(&p.h[0], XL_C_PACKETS_OUT);
		p.now += leaps[i];
		xl_engine_advance(p.h[0].e, p.now);
		CHECK(count_of(&p.h[0], XL_C_CLOCK_LEAP) == 1 && state_is(&p.h[0], p.a, "open"));
		while (host_output(&p.h[0], &r, &to, p.now))
			host_input(&p.h[1], &r, 1, p.now);
		CHECK(count_of(&p.h[0], XL_C_PACKETS_OUT) - sent <= 3); /* no burst */
		pair_run(&p, 10 * XL_MS);
		CHECK(xl_conn_recv(p.h[1].e, p.b, in, 8, p.now) == 1);
		CHECK(info_of(&p.h[0], p.a).srtt_ns < XL_S); /* no round trip across the leap */
		bystander_lives(&p);
		pair_run(&p, 30 * XL_S);
		bystander_lives(&p);
		pair_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_go_home),
		cmocka_unit_test(test_lost_in_the_ring),
		cmocka_unit_test(test_abort_with_frames_in_the_ring),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_out_of_connections),
		cmocka_unit_test(test_export_changes_nothing),
		cmocka_unit_test(test_export_is_refused),
		cmocka_unit_test(test_clock_goes_back),
		cmocka_unit_test(test_clock_goes_on),
		cmocka_unit_test(test_clock_leaps),
	};

	return RUN_TAP(tests);
}
