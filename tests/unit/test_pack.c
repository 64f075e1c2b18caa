/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection moves between two engines of one host that share no memory, of every kind and in every state that moves, while
 * data goes both ways; without room it stays.
 */
#include "engine_moved.h"

#define SMALL 3000u
#define ROUNDS 400

/* --- in the middle of data ------------------------------------------------------------------------------ */
struct flow { u64 sent, got; u32 seed; };

static void send_some(struct host *h, u32 c, struct flow *f, bool stream)
{
	for (u32 i = 0; i < 8; i++) {
		u32 n = stream ? SMALL : 1 + (u32)(f->sent * 7 % SMALL);
		s64 sent;

		for (u32 k = 0; k < n; k++)
			data[k] = byte_at((stream ? f->sent : 0) + k, stream ? f->seed : n);
		sent = xl_conn_send(h->e, c, data, n, p.now);
		if (sent == -EAGAIN)
			return;
		CHECK(sent > 0 && sent <= n);
		f->sent += stream ? (u64)sent : 1;
	}
}

static void read_some(struct host *h, u32 c, struct flow *f, bool stream)
{
	for (s64 n; (n = xl_conn_recv(h->e, c, in, stream ? 1000 : sizeof in, p.now)) > 0;) {
		for (u64 k = 0; k < (u64)n; k++)
			CHECK(in[k] == byte_at((stream ? f->got : 0) + k, stream ? f->seed : (u32)n));
		f->got += stream ? (u64)n : 1;
	}
}

static void move_amid(u8 kind, u32 lose)
{
	struct flow up = { .seed = 1 }, down = { .seed = 2 };
	bool stream = kind == XLANE_KIND_STREAM;
	struct joined j;

	begin(NULL);
	j = pair_join(&p, kind);
	conn = j.a;
	for (u32 i = 0; i < ROUNDS; i++) {
		u8 to;

		send_some(at(), conn, &up, stream);
		send_some(&p.h[1], j.b, &down, stream);
		if (i % 3)
			read_some(at(), conn, &down, stream);
		if (i % 4)
			read_some(&p.h[1], j.b, &up, stream);
		for (u32 k = 0; k < 1 + i % 5 && host_output(at(), &r, &to, p.now); k++)
			if (k % 2)
				host_input(&p.h[1], &r, 1, p.now);
		move();
		run(xl_min(i * 10 * XL_US, XL_MS), lose);
		if (i % 7 == 0)
			move();
	}
	for (u32 i = 0; i < 200; i++) {
		run(10 * XL_MS, 0);
		read_some(at(), conn, &down, stream);
		read_some(&p.h[1], j.b, &up, stream);
	}
	if (kind == XLANE_KIND_DATAGRAM)
		CHECK(up.got && up.got <= up.sent && down.got && down.got <= down.sent);
	else
		CHECK(up.got == up.sent && down.got == down.sent && up.sent > 100);
	CHECK(info_of(at(), conn).srtt_ns < XL_S); /* no round trip was measured across two clocks */
	xl_conn_close(at()->e, conn, p.now);
	xl_conn_close(p.h[1].e, j.b, p.now);
	run(60 * XL_S, 0);
	whole();
	CHECK(xl_engine_conns(other.e) == 0 && xl_engine_conns(p.h[0].e) == 1); /* the bystander */
	CHECK(other.f.census[XL_FRAME_FREE] == other.f.count && other.e->nblock_free == other.cfg.blocks);
	bystander_lives(&p);
	end();
}

static void test_amid_data(void **state)
{
	(void)state;
	for (u8 kind = XLANE_KIND_STREAM; kind <= XLANE_KIND_DATAGRAM; kind++) {
		move_amid(kind, 0);
		move_amid(kind, 5);
	}
}

/* A large message each way: its sender moves, and its receiver. */
static void test_amid_large(void **state)
{
	struct joined j;

	(void)state;
	for (u8 kind = XLANE_KIND_MESSAGE; kind <= XLANE_KIND_UNORDERED; kind++) {
		u64 left;

		begin(NULL);
		j = pair_join(&p, kind);
		conn = j.a;
		fill_data(3 << 20, 11);
		CHECK(xl_conn_large_begin(at()->e, conn, 3 << 20, p.now) == 0);
		CHECK(xl_conn_large_begin(p.h[1].e, j.b, 3 << 20, p.now) == 0);
		for (bool through = false; !through;) {
			move();
			through = true;
			for (u32 side = 0; side < 2; side++) {
				struct xl_engine *e = side ? p.h[1].e : at()->e;
				u32 c = side ? j.b : conn;

				left = xl_conn_large_left(e, c);
				if (left && xl_conn_large_more(e, c, data + (3 << 20) - left, xl_min(left, 50000), p.now) == -EINVAL)
					fail_msg("more is refused");
				through = through && !xl_conn_large_left(e, c);
			}
			run(200 * XL_US, 50);
		}
		run(2 * XL_S, 0);
		move();
		CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 3 << 20 && !memcmp(in, data, 3 << 20));
		CHECK(xl_conn_recv(at()->e, conn, in, sizeof in, p.now) == 3 << 20 && !memcmp(in, data, 3 << 20));
		whole();
		end();
	}
}

/* Datagrams of which some fragments are here, and not the others. */
static void test_amid_fragments(void **state)
{
	struct joined j;
	u8 to;

	(void)state;
	begin(NULL);
	j = pair_join(&p, XLANE_KIND_DATAGRAM);
	conn = j.a;
	fill_data(40000, 3);
	CHECK(xl_conn_send(p.h[1].e, j.b, data, 40000, p.now) == 40000);
	for (u32 i = 0; i < 4 && host_output(&p.h[1], &r, &to, p.now); i++)
		host_input(at(), &r, 2, p.now);
	CHECK(at()->e->conns[conn].partial_due_ns != XL_NEVER);
	move();
	CHECK(at()->e->conns[conn].partial_due_ns > at()->e->now_ns);
	run(50 * XL_MS, 0);
	CHECK(xl_conn_recv(at()->e, conn, in, sizeof in, p.now) == 40000 && !memcmp(in, data, 40000));
	whole();
	end();
}

/* --- in every state ---------------------------------------------------------------------------------------- */
/* A call: moved before its INIT leaves, before the answer comes; the answer's packet goes where it is now. */
static void test_calling(void **state)
{
	struct xl_event ev[8];
	u32 b;
	u8 to;

	(void)state;
	for (u32 sent = 0; sent < 2; sent++) {
		begin(NULL);
		conn = pair_connect(&p, PORT, XLANE_KIND_STREAM);
		CHECK(xl_conn_send(at()->e, conn, "early", 5, p.now) == 5);
		if (sent) {
			CHECK(host_output(at(), &r, &to, p.now));
			host_input(&p.h[1], &r, 1, p.now);
		}
		move();
		xl_engine_events(other.e, ev, 8);
		run(10 * XL_MS, 0);
		CHECK(state_is(at(), conn, "open"));
		CHECK(xl_engine_events(other.e, ev, 8) == 1 && ev[0].bits & XL_EVENT_OPEN && ev[0].index == conn && ev[0].user == 9);
		CHECK(xl_engine_accept(p.h[1].e, p.listener, 5, &b) == 0 && xl_conn_recv(p.h[1].e, b, in, 100, p.now) == 5);
		whole();
		end();
	}
}

/* One that was called: half-open, then in the queue of the listener. Host 1 calls the two engines here. */
static void test_answering(void **state)
{
	struct xl_connect how = { .path = path_of(2, 1), .port = PORT, .kind = XLANE_KIND_STREAM };
	struct xl_event ev[8];
	int listener;
	u32 a, b;
	u8 to;

	(void)state;
	for (u32 open = 0; open < 2; open++) {
		begin(NULL);
		listener = xl_engine_listen(p.h[0].e, PORT, XLANE_KIND_STREAM, 8, 4);
		CHECK(listener >= 0 && xl_engine_connect(p.h[1].e, &how, p.now, &b) == 0);
		CHECK(host_output(&p.h[1], &r, &to, p.now));
		host_input(&p.h[0], &r, 2, p.now);
		if (open)
			run(5 * XL_MS, 0);
		for (conn = 0; p.h[0].e->conns[conn].state == XL_STATE_FREE || p.h[0].e->conns[conn].listener == XL_NONE;)
			conn++;
		CHECK(p.h[0].e->conns[conn].state == (open ? XL_STATE_OPEN : XL_STATE_ANSWERING));
		xl_engine_events(other.e, ev, 8);
		move();
		CHECK(xl_engine_accept(p.h[0].e, (u32)listener, 6, &a) == -EAGAIN && p.h[0].e->half_open == 0);
		CHECK(p.h[0].e->listeners[listener].pending == 0);
		run(20 * XL_MS, 0);
		CHECK(xl_engine_events(other.e, ev, 8) == 1 && ev[0].bits == XL_EVENT_ACCEPT);
		CHECK(xl_engine_accept(other.e, ev[0].index, 6, &a) == 0 && a == conn);
		CHECK(xl_conn_send(p.h[1].e, b, "here", 4, p.now) == 4);
		run(5 * XL_MS, 0);
		CHECK(xl_conn_recv(other.e, a, in, 10, p.now) == 4);
		whole();
		/* Nobody listens there: it stays. */
		home = &other;
		CHECK(xl_engine_connect(p.h[1].e, &how, p.now, &b) == 0);
		xl_engine_unlisten(p.h[0].e, (u32)listener, p.now);
		CHECK(host_output(&p.h[1], &r, &to, p.now));
		host_input(&other, &r, 2, p.now);
		for (conn = 0; other.e->conns[conn].state != XL_STATE_ANSWERING;)
			conn++;
		CHECK(xl_conn_unpack(p.h[0].e, bytes, (u64)packed(), p.now, &a) == -ENOSPC);
		run(5 * XL_MS, 0);
		CHECK(other.e->conns[conn].state == XL_STATE_OPEN);
		whole();
		end();
	}
}

/* Ends: one of them, then both; over and known, or over and not heard of. */
static void test_ending(void **state)
{
	u64 ids[4];
	u32 walk = 0, n = 0, next;
	struct joined j;

	(void)state;
	begin(NULL);
	j = pair_join(&p, XLANE_KIND_STREAM);
	conn = j.a;
	CHECK(xl_conn_send(at()->e, conn, data, 5000, p.now) == 5000 && xl_conn_shutdown(at()->e, conn, p.now) == 0);
	move();
	run(5 * XL_MS, 0);
	CHECK(state_is(at(), conn, "local-done"));
	move();
	xl_conn_close(at()->e, conn, p.now);
	move();
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 5000);
	xl_conn_close(p.h[1].e, j.b, p.now);
	run(5 * XL_MS, 0);
	CHECK(state_is(at(), conn, "linger"));
	move();
	ids[3] = info_of(at(), conn).local_id;
	CHECK(at()->e->conns[conn].linger_until_ns > at()->e->now_ns);
	run(30 * XL_S, 0);
	CHECK(xl_engine_conns(at()->e) == (at() == &p.h[0])); /* the bystander */
	for (; walk != XL_NONE; n += next) {
		next = xl_engine_ended(at()->e, (u8)(ids[3] >> 56), &walk, ids, 1);
		CHECK(!next || ids[0] == ids[3]);
	}
	CHECK(n == 1);
	xl_engine_ended_also(away()->e, ids, 1);
	xl_engine_ended_also(away()->e, ids, 1);
	for (n = walk = 0; walk != XL_NONE;)
		n += xl_engine_ended(away()->e, (u8)(ids[3] >> 56), &walk, ids, 4);
	CHECK(n == 1 && ids[0] == ids[3]);
	/* What was aborted says so from where it is. */
	home = &p.h[0];
	j = pair_join(&p, XLANE_KIND_STREAM);
	xl_conn_abort(at()->e, j.a, XLANE_WIRE_CANCELLED, p.now);
	CHECK(xl_conn_pack(at()->e, j.a, bytes, sizeof bytes) == 0);
	whole();
	end();
}

/* --- without room ------------------------------------------------------------------------------------------ */
static void test_without_room(void **state)
{
	struct xl_engine *e;
	struct joined j = laden();
	u32 taken[2048], n = 0;
	struct xl_list all;
	u64 length = (u64)packed();

	(void)state;
	e = other.e;
	while (other.f.nfree > 20)
		taken[n++] = xl_frames_take(&other.f, XL_FRAME_LENT);
	REFUSED(-ENOSPC, length);
	while (n)
		xl_frames_move(&other.f, taken[--n], XL_FRAME_LENT, XL_FRAME_FREE);
	while (e->nblock_free > 3)
		taken[n++] = xl_block_take(e);
	e->away += n;
	for (u32 i = 0; i < n; i++)
		e->block_state[taken[i]] = XL_BLOCK_AWAY;
	REFUSED(-ENOSPC, length);
	while (n) {
		e->block_state[taken[--n]] = XL_BLOCK_TAKEN;
		xl_block_give(e, taken[n]);
		e->away--;
	}
	all = e->conn_free;
	e->conn_free = XL_LIST_EMPTY;
	memcpy(spoilt, bytes, length);
	CHECK(xl_conn_unpack(e, spoilt, length, p.now, &n) == -ENOSPC && e->conns_used == 0);
	e->conn_free = all;
	/* There is room, and nothing was lost. */
	move();
	run(50 * XL_MS, 0);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 20000 && !memcmp(in, data, 20000));
	CHECK(xl_conn_recv(at()->e, conn, in, sizeof in, p.now) == 20000 && !memcmp(in, data, 20000));
	whole();
	end();
}

static void test_busy(void **state)
{
	struct xl_packet out;
	struct joined j;

	(void)state;
	begin(NULL);
	j = pair_join(&p, XLANE_KIND_STREAM);
	conn = j.a;
	CHECK(xl_conn_send(at()->e, conn, data, 100, p.now) == 100);
	CHECK(xl_engine_output(at()->e, &out, 1, p.now) == 1);
	CHECK(xl_conn_pack(at()->e, conn, bytes, sizeof bytes) == -EBUSY);
	xl_engine_completed(at()->e, &out.seg[0].frame, 1);
	move();
	run(100 * XL_MS, 0);
	CHECK(xl_conn_recv(p.h[1].e, j.b, in, sizeof in, p.now) == 100);
	end();
}

/* What one engine has learnt of a path is known where its connections go. */
static void test_path(void **state)
{
	struct joined j;

	(void)state;
	begin(NULL);
	j = pair_join(&p, XLANE_KIND_STREAM);
	conn = j.a;
	p.h[0].e->peers[p.h[0].e->conns[conn].peer].pmtu.packet = 1006;
	move();
	CHECK(info_of(at(), conn).max_packet == 1006 && info_of(at(), conn).peer_node == NODE(2));
	CHECK(other.e->peers[other.e->conns[conn].peer].pmtu.raise_ns > other.e->now_ns);
	CHECK(other.e->peers[other.e->conns[conn].peer].incarnation == 77);
	whole();
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_amid_data), cmocka_unit_test(test_amid_large),
		cmocka_unit_test(test_amid_fragments), cmocka_unit_test(test_calling),
		cmocka_unit_test(test_answering), cmocka_unit_test(test_ending),
		cmocka_unit_test(test_without_room), cmocka_unit_test(test_busy), cmocka_unit_test(test_path),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
