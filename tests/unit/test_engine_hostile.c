/* SPDX-License-Identifier: BSD-2-Clause */
/* What one hostile or unlucky peer must not be able to do to the others. */
#include "engine_pair.h"

static struct raw r;

/* A packet malformed behind its first record, as the one that would confirm a connection: no effect at all. */
static void test_malformed_packet_does_not_confirm(void **state)
{
	struct pair p;
	struct peer x = peer_new(3, 100);
	u32 conn;

	(void)state;
	pair_open(&p, NULL);
	raw_init(&x, &r, XLANE_KIND_STREAM, 1 << 20);
	raw_init_end(&r);
	peer_send(&p, &x, &r);
	CHECK(peer_hears(&p, &x, &r));
	x.remote_id = xl_get64(r.b + 40);
	peer_header(&x, &r);
	raw_data(&r, 0, 0, 'x', 10);
	raw_record(&r, 0x11, 0, 7); /* a CREDIT of another size */
	raw_fill(&r, 0, 7);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(count_of(&p.h[1], XL_C_BAD_RECORD) == 1);
	CHECK(count_of(&p.h[1], XL_C_DATA_BYTES_IN) == 0);
	CHECK(xl_engine_accept(p.h[1].e, p.listener, 6, &conn) == -EAGAIN);
	pair_close(&p);
}

/* BLOCKED is answered by CREDIT. Who never acknowledges must not fill the table of sent packets for everybody. */
static void test_unacknowledged_answers_are_bounded(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	for (u32 i = 0; i < 10000; i++) {
		peer_header(&x, &r);
		raw_record(&r, 0x14, 0, 8);
		raw64(&r, 0);
		raw_seal(&r);
		peer_send(&p, &x, &r);
		while (peer_hears(&p, &x, &r))
			;
	}
	CHECK(info_of(&p.h[1], x.conn).inflight_bytes <= 1 << 16);
	bystander_lives(&p);
	pair_close(&p);
}

/* A network that gives every packet twice: what asks for no ACK must get none, or ACKs answer ACKs for ever (N-5). */
static void test_network_that_doubles(void **state)
{
	struct pair p;
	u32 n = 0;
	bool more = true;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	CHECK(xl_conn_send(p.h[0].e, p.a, "hello", 5, p.now) == 5);
	while (more) {
		more = false;
		for (u32 i = 0; i < 2; i++) {
			while (host_output(&p.h[i], &r, &to, p.now)) {
				host_input(&p.h[!i], &r, p.h[i].address, p.now);
				host_input(&p.h[!i], &r, p.h[i].address, p.now);
				more = true;
				CHECK(++n < 100);
			}
		}
	}
	CHECK(xl_conn_recv(p.h[1].e, p.b, r.b, 5, p.now) == 5);
	bystander_lives(&p);
	pair_close(&p);
}

/* A crossing first packet counts only when it comes from where the call went (5.1: the id is made of both ends). */
static void test_call_is_not_stolen_by_a_stranger(void **state)
{
	struct xl_connect how = { .path = path_of(2, 9), .port = 4000, .local_port = 4001, .kind = XLANE_KIND_STREAM };
	struct pair p;
	struct peer x = peer_new(3, 4000);
	u32 conn;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	CHECK(xl_engine_connect(p.h[1].e, &how, p.now, &conn) == 0);
	CHECK(host_output(&p.h[1], &r, &to, p.now) && to == 9);
	x.call_id = xl_get64(r.b + 4);
	raw_init(&x, &r, XLANE_KIND_STREAM, 1 << 20);
	xl_put16(r.b + 48 + 4 + 10, 4001);
	raw_init_end(&r);
	peer_send(&p, &x, &r);
	CHECK(state_is(&p.h[1], conn, "calling"));
	pair_close(&p);
}

/* An INIT that nobody has confirmed must not end other connections, whatever it says about its incarnation. */
static void test_forged_incarnation_ends_nothing(void **state)
{
	struct pair p;
	struct peer x = peer_new(3, 200);

	(void)state;
	pair_open(&p, NULL);
	x.node = NODE(1); /* host 0's */
	x.incarnation = UINT64_MAX;
	raw_init(&x, &r, XLANE_KIND_STREAM, 1 << 20);
	raw_init_end(&r);
	peer_send(&p, &x, &r);
	CHECK(count_of(&p.h[1], XL_C_PEER_REBOOTED) == 0);
	CHECK(state_is(&p.h[1], p.b, "open"));
	bystander_lives(&p);
	pair_close(&p);
}

/* A third host that names another node as its own must not draw that node's other connections to itself. */
static void test_path_of_others_is_not_moved(void **state)
{
	struct pair p;
	struct peer x = peer_new(3, 200);
	u8 to = 0;

	(void)state;
	pair_open(&p, NULL);
	x.node = NODE(1);
	x.incarnation = 77;
	raw_init(&x, &r, XLANE_KIND_STREAM, 1 << 20);
	raw_init_end(&r);
	peer_send(&p, &x, &r);
	CHECK(peer_hears(&p, &x, &r));
	x.remote_id = xl_get64(r.b + 40);
	peer_header(&x, &r);
	raw_record(&r, 0x13, 0, 0);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	while (host_output(&p.h[1], &r, &to, p.now))
		;
	CHECK(xl_conn_send(p.h[1].e, p.b, "secret", 6, p.now) == 6);
	CHECK(host_output(&p.h[1], &r, &to, p.now) && to == 1);
	pair_close(&p);
}

/* Closed by our program, read to the end by nobody: a peer that only answers pings must not hold it for ever. */
static void test_closed_connection_goes_some_day(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 0);
	CHECK(xl_conn_send(p.h[1].e, x.conn, "never read", 10, p.now) == 10);
	xl_conn_close(p.h[1].e, x.conn, p.now);
	for (u32 i = 0; i < 600; i++) { /* ten minutes in which the peer acknowledges whatever it hears */
		pair_run(&p, XL_S / 2);
		p.now += XL_S / 2;
		xl_engine_advance(p.h[1].e, p.now);
		while (peer_hears(&p, &x, &r)) {
			u64 number = xl_get64(r.b + 12);

			peer_header(&x, &r);
			raw_record(&r, 0x10, 0, 20);
			raw64(&r, number);
			raw_fill(&r, 0, 12);
			raw_seal(&r);
			peer_send(&p, &x, &r);
		}
	}
	CHECK(xl_engine_conns(p.h[1].e) == 1);
	pair_close(&p);
}

/* First packets from nowhere must not shut out a caller that answers cookies, however short the queue. */
static void test_short_backlog_is_not_filled_by_forgers(void **state)
{
	struct pair p;
	u32 conn;
	int l;

	(void)state;
	pair_open(&p, NULL);
	l = xl_engine_listen(p.h[1].e, 20, XLANE_KIND_STREAM, 8, 3);
	CHECK(l >= 0);
	for (u16 i = 0; i < 8; i++) {
		struct peer x = peer_new((u8)(10 + i), (u16)(300 + i));

		raw_init(&x, &r, XLANE_KIND_STREAM, 1 << 20);
		xl_put16(r.b + 48 + 4 + 10, 20);
		raw_init_end(&r);
		peer_send(&p, &x, &r);
	}
	conn = pair_connect(&p, 20, XLANE_KIND_STREAM);
	pair_run(&p, 100 * XL_MS);
	CHECK(state_is(&p.h[0], conn, "open"));
	pair_close(&p);
}

/* Graceful at our end, which the program still holds; the peer has missed our last ACK and asks much later (H-20). */
static void test_late_question_after_a_graceful_end_is_answered(void **state)
{
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	peer_data(&p, &x, 1, 0, 'e', 5);
	CHECK(xl_conn_shutdown(p.h[1].e, x.conn, p.now) == 0);
	while (peer_hears(&p, &x, &r)) {
		u64 number = xl_get64(r.b + 12);

		peer_header(&x, &r);
		raw_record(&r, 0x10, 0, 20);
		raw64(&r, number);
		raw_fill(&r, 0, 12);
		raw_seal(&r);
		peer_send(&p, &x, &r);
	}
	CHECK(state_is(&p.h[1], x.conn, "linger"));
	pair_run(&p, 11 * XL_S);
	CHECK(state_is(&p.h[1], x.conn, "dead"));
	raw_outer(&r, 0, 3, x.remote_id, x.next);
	raw_ext(&r, x.node, NODE(2), x.id);
	raw_record(&r, 0x13, 0, 0);
	raw_record(&r, 0, 0, 20);
	raw_fill(&r, 0, 20);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	CHECK(peer_hears(&p, &x, &r) && (r.b[0] & 15) == 4 && xl_get32(r.b + 52) == XLANE_WIRE_NONE);
	pair_close(&p);
}

/* H-8 for DATA on a connection that exists. */
static void test_reflected_data_is_dropped(void **state)
{
	struct counters before;
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	before = counters_of(&p.h[1]);
	raw_outer(&r, 0, 3, x.remote_id, x.next);
	raw_ext(&r, NODE(2), NODE(2), x.id);
	raw_data(&r, 0, 0, 'x', 10);
	raw_seal(&r);
	peer_send(&p, &x, &r);
	only_counted(&p.h[1], &before, XL_C_OWN_PACKET, NO_COUNTER, "reflected DATA");
	pair_close(&p);
}

/* A repeated ACCEPT from elsewhere has no new largest number: it moves nobody (S-7). */
static void test_repeated_accept_moves_nobody(void **state)
{
	static struct raw accept, data;
	struct pair p;
	u32 conn;
	u8 to;

	(void)state;
	pair_open(&p, NULL);
	conn = pair_connect(&p, PORT, XLANE_KIND_STREAM);
	CHECK(host_output(&p.h[0], &r, &to, p.now));
	host_input(&p.h[1], &r, 1, p.now);
	CHECK(host_output(&p.h[1], &accept, &to, p.now));
	host_input(&p.h[0], &accept, 2, p.now);
	pair_exchange(&p);
	CHECK(state_is(&p.h[0], conn, "open"));
	host_input(&p.h[0], &accept, 9, p.now);
	while (host_output(&p.h[0], &data, &to, p.now))
		CHECK(to == 2);
	pair_close(&p);
}

/* Exported, its frames taken by another, imported again: what is too much is refused, and nothing fails later. */
static void test_import_keeps_the_bound_on_frames(void **state)
{
	struct xl_engine_config like = { .tx_frames_max = 40 };
	static u8 bytes[65536], buf[1 << 20];
	struct pair p;
	struct peer x, y;
	u32 conn;
	s64 n;

	(void)state;
	pair_open(&p, &like);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 0);
	y = peer_open(&p, 3, 101, XLANE_KIND_MESSAGE, 0);
	while (xl_conn_send(p.h[1].e, x.conn, bytes, sizeof bytes, p.now) > 0)
		;
	n = xl_conn_export(p.h[1].e, x.conn, buf, sizeof buf);
	CHECK(n > 0);
	CHECK(xl_conn_send(p.h[1].e, y.conn, bytes, 20000, p.now) == 20000);
	if (!xl_conn_import(p.h[1].e, buf, (u64)n, p.now, &conn))
		while ((n = xl_conn_send(p.h[1].e, y.conn, bytes, 9000, p.now)) == 9000)
			;
	CHECK(n != 0 && xl_engine_check(p.h[1].e) == NULL);
	free(p.h[0].memory);
	for (u32 i = 0; i < 2; i++) {
		free(p.h[i].frames);
		free(p.h[i].tables);
	}
	free(p.h[1].memory);
}

/* Between export and import an engine is whole too. */
static void test_engine_is_whole_after_an_export(void **state)
{
	static u8 buf[1 << 20];
	struct pair p;
	struct peer x;
	u32 conn;
	s64 n;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 0);
	CHECK(xl_conn_send(p.h[1].e, x.conn, "abc", 3, p.now) == 3);
	n = xl_conn_export(p.h[1].e, x.conn, buf, sizeof buf);
	CHECK(n > 0);
	pair_check(&p);
	CHECK(xl_conn_import(p.h[1].e, buf, (u64)n, p.now, &conn) == 0);
	CHECK(xl_conn_import(p.h[1].e, buf, (u64)n, p.now, &conn) < 0); /* it is here already */
	pair_close(&p);
}

/* What an exported connection holds is not there for others, or a block could be missing to who was promised it. */
static void test_memory_of_an_exported_connection_is_not_promised(void **state)
{
	struct xl_engine_config like = { .blocks = 140 };
	static u8 buf[1 << 20];
	struct peer x, y, z;
	struct pair p;
	u32 conn;
	s64 n;

	(void)state;
	pair_open(&p, &like);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 0);
	for (u64 at = 0; at < XLANE_RECV_WINDOW_MIN_BYTES; at += 1024)
		peer_data(&p, &x, 0, at, 'x', 1024);
	n = xl_conn_export(p.h[1].e, x.conn, buf, sizeof buf);
	CHECK(n > 0);
	y = peer_open(&p, 4, 100, XLANE_KIND_STREAM, 0);
	z = peer_open(&p, 5, 100, XLANE_KIND_STREAM, 0);
	peer_data(&p, &y, 0, 0, 'y', 1);
	CHECK(xl_conn_readable(p.h[1].e, y.conn) == 1 && count_of(&p.h[1], XL_C_MEMORY_WAIT) == 0);
	peer_data(&p, &z, 0, 0, 'z', 1);
	CHECK(xl_conn_readable(p.h[1].e, z.conn) == -EAGAIN && count_of(&p.h[1], XL_C_MEMORY_WAIT) == 1);
	CHECK(xl_conn_import(p.h[1].e, buf, (u64)n, p.now, &conn) == 0);
	CHECK(xl_conn_readable(p.h[1].e, conn) == XLANE_RECV_WINDOW_MIN_BYTES);
	while (xl_conn_recv(p.h[1].e, conn, buf, sizeof buf, p.now) > 0)
		;
	peer_data(&p, &z, 0, 0, 'z', 1);
	CHECK(xl_conn_readable(p.h[1].e, z.conn) == 1);
	pair_close(&p);
}

/* */
static void test_one_ack_in_a_packet(void **state)
{
	struct counters before;
	struct pair p;
	struct peer x;

	(void)state;
	pair_open(&p, NULL);
	x = peer_open(&p, 3, 100, XLANE_KIND_STREAM, 1 << 20);
	for (u32 n = 1; n <= 2; n++) {
		before = counters_of(&p.h[1]);
		peer_header(&x, &r);
		for (u32 i = 0; i < n; i++) {
			raw_record(&r, 0x10, 0, 20);
			raw64(&r, FIRST);
			raw_fill(&r, 0, 12);
		}
		raw_seal(&r);
		peer_send(&p, &x, &r);
		if (n == 1)
			only_counted(&p.h[1], &before, XL_C_ACKS_IN, NO_COUNTER, "one ACK");
		else
			only_counted(&p.h[1], &before, XL_C_BAD_RECORD, XL_C_ACK_BAD, "two ACKs");
	}
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed_packet_does_not_confirm),
		cmocka_unit_test(test_unacknowledged_answers_are_bounded),
		cmocka_unit_test(test_network_that_doubles),
		cmocka_unit_test(test_call_is_not_stolen_by_a_stranger),
		cmocka_unit_test(test_forged_incarnation_ends_nothing),
		cmocka_unit_test(test_path_of_others_is_not_moved),
		cmocka_unit_test(test_closed_connection_goes_some_day),
		cmocka_unit_test(test_short_backlog_is_not_filled_by_forgers),
		cmocka_unit_test(test_late_question_after_a_graceful_end_is_answered),
		cmocka_unit_test(test_reflected_data_is_dropped),
		cmocka_unit_test(test_repeated_accept_moves_nobody),
		cmocka_unit_test(test_engine_is_whole_after_an_export),
		cmocka_unit_test(test_import_keeps_the_bound_on_frames),
		cmocka_unit_test(test_memory_of_an_exported_connection_is_not_promised),
		cmocka_unit_test(test_one_ack_in_a_packet),
	};

	return RUN_TAP(tests);
}
