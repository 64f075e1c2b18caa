/* SPDX-License-Identifier: BSD-2-Clause */
/* Many clients of a worker: slow ones beside fast ones, dying ones, sleeping ones, hostile ones, and a daemon that
 * ends. */
#include "channel_rig.h"

#include <errno.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xlane/wire.h>

#define PORT 20

static void drop_events(struct xl_backend *b)
{
	struct xl_event ev[16];

	while (b->ops->events(b, ev, 16) == 16)
		;
}

static void spin(struct xl_backend *b)
{
	drop_events(b);
	if (!b->ops->run(b))
		sched_yield();
}

static u32 must_connect(struct xl_backend *b, u32 to, u16 port, u8 kind)
{
	u32 conn;

	CHECK(!b->ops->connect(b, rig_mac[to], port, kind, 1, 0, &conn));
	b->ops->flush(b, 0);
	return conn;
}

static u32 must_listen(struct xl_backend *b, u16 port, u8 kind)
{
	u32 listener;

	CHECK(!b->ops->listen(b, port, kind, 64, 2, &listener));
	return listener;
}

static u32 must_accept(struct xl_backend *b, u32 listener)
{
	u32 conn;

	while (b->ops->accept(b, listener, 3, &conn) == -EAGAIN)
		spin(b);
	return conn;
}

static bool quiet(void *arg)
{
	struct rig *r = arg;

	return !rig_channels(r, 0) && !rig_channels(r, 1) && !rig_conns(r, 0) && !rig_conns(r, 1);
}

/* Send until nothing more is taken, looking again until the other side's memory is full, too. */
static u64 stuff(struct xl_backend *b, u32 conn)
{
	static u8 data[65536];
	u64 all = 0;
	u32 idle = 0;

	while (idle < 20000) {
		s64 n = b->ops->send(b, conn, data, sizeof data, 0);

		CHECK(n > 0 || n == -EAGAIN);
		all += n > 0 ? (u64)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		b->ops->flush(b, 0);
		spin(b);
	}
	return all;
}

/* One reader does not read: its ring, window and sender's ring are full. Another of the same channel goes on, to
 * the end. */
static void test_slow_beside_fast(void **state)
{
	struct rig r;
	struct xl_backend *a, *b;
	u32 listener, slow, fast, slow_in, fast_in;
	u8 buf[8192] = { 0 };
	u64 stuck, sent = 0, got = 0, all = 0;
	s64 n;

	(void)state;
	rig_open(&r, 1);
	a = rig_attach(&r, 0, 4, 64);
	b = rig_attach(&r, 1, 4, 64);
	listener = must_listen(b, PORT, XLANE_KIND_STREAM);
	slow = must_connect(a, 1, PORT, XLANE_KIND_STREAM);
	slow_in = must_accept(b, listener);
	stuck = stuff(a, slow);
	assert_true(stuck > 2 * 65536);
	assert_true(rig_counter(&r, 1, XL_CHANNEL_RING_FULL) > 0);
	fast = must_connect(a, 1, PORT, XLANE_KIND_STREAM);
	fast_in = must_accept(b, listener);
	while (got < 4000000) {
		n = sent < 4000000 ? a->ops->send(a, fast, buf, sizeof buf, 0) : 0;
		sent += n > 0 ? (u64)n : 0;
		a->ops->flush(a, 0);
		n = b->ops->recv(b, fast_in, buf, sizeof buf, 0);
		got += n > 0 ? (u64)n : 0;
		spin(a);
		spin(b);
	}
	assert_int_equal(a->ops->send(a, slow, buf, sizeof buf, 0), -EAGAIN);
	/* the slow one reads at last, and has all of it */
	a->ops->shutdown(a, slow, 0);
	do {
		n = b->ops->recv(b, slow_in, buf, sizeof buf, 0);
		all += n > 0 ? (u64)n : 0;
		spin(a);
		spin(b);
	} while (n);
	assert_int_equal(all, stuck);
	rig_leave(a);
	rig_leave(b);
	rig_until(quiet, &r);
	rig_close(&r);
}

/* Closing with a full ring and the handle gone: everything still arrives. */
static void test_close_drains(void **state)
{
	struct rig r;
	struct xl_backend *a, *b;
	u32 listener, out, in;
	static u8 buf[65536];
	u64 stuck, all = 0;
	s64 n;

	(void)state;
	rig_open(&r, 1);
	a = rig_attach(&r, 0, 1, 1024);
	b = rig_attach(&r, 1, 1, 16);
	listener = must_listen(b, PORT, XLANE_KIND_STREAM);
	out = must_connect(a, 1, PORT, XLANE_KIND_STREAM);
	in = must_accept(b, listener);
	stuck = stuff(a, out);
	a->ops->close(a, out, 0);
	a->ops->flush(a, 0);
	assert_int_equal(a->ops->conns(a), 1);
	/* its slot is not free yet */
	assert_int_equal(a->ops->connect(a, rig_mac[1], PORT, XLANE_KIND_STREAM, 1, 0, &out), -ENOSPC);
	do {
		n = b->ops->recv(b, in, buf, sizeof buf, 0);
		CHECK(n >= 0 || n == -EAGAIN);
		all += n > 0 ? (u64)n : 0;
		spin(a);
		spin(b);
	} while (n);
	assert_int_equal(all, stuck);
	while (a->ops->conns(a))
		spin(a);
	rig_leave(a);
	rig_leave(b);
	rig_until(quiet, &r);
	rig_close(&r);
}

static void act(struct xl_prng *p, struct xl_backend *b, u32 *conn, u32 *n, u32 listener)
{
	static u8 data[100000];
	u32 c = *n ? conn[xl_prng_below(p, *n)] : 0;
	struct xl_conn_info info;

	switch (xl_prng_below(p, 8)) {
	case 0:
		if (*n < 16 && !b->ops->connect(b, rig_mac[1], PORT, XLANE_KIND_STREAM, 1, 0, &conn[*n]))
			++*n;
		break;
	case 1:
		if (*n < 16 && !b->ops->accept(b, listener, 1, &conn[*n]))
			++*n;
		break;
	case 2:
		if (*n)
			b->ops->info(b, c, &info);
		break;
	case 3:
		if (*n)
			b->ops->recv(b, c, data, sizeof data, 0);
		break;
	default:
		if (*n)
			b->ops->send(b, c, data, xl_prng_below(p, sizeof data), 0);
		b->ops->flush(b, 0);
	}
	spin(b);
}

/* Clients that end at any point: the peers are told, and nothing of them stays. */
static void test_deaths(void **state)
{
	struct xl_backend *a, *b;
	struct xl_prng p;
	struct rig r;

	(void)state;
	rig_open(&r, 2);
	b = rig_attach(&r, 1, 64, 16);
	for (u32 i = 0; i < 60; i++) {
		u32 conn[16], n = 0, listener, mine;

		xl_prng_seed(&p, i);
		listener = must_listen(b, PORT, XLANE_KIND_STREAM);
		a = rig_attach(&r, 0, 12, 16);
		mine = must_listen(a, PORT, XLANE_KIND_STREAM);
		for (u64 steps = xl_prng_below(&p, 60); steps; steps--) {
			act(&p, a, conn, &n, mine);
			spin(b);
		}
		rig_leave(a);
		b->ops->unlisten(b, listener, 0);
		while (b->ops->conns(b))
			spin(b);
		while (rig_channels(&r, 0))
			sched_yield();
	}
	rig_leave(b);
	rig_until(quiet, &r);
	/* the port is free for whoever comes */
	assert_int_equal(xl_ports_owner(r.host[0].ports, PORT), 0);
	rig_close(&r);
}

/* The peer of a client that dies is told. */
static void test_peer_told(void **state)
{
	struct xl_backend *a, *b;
	u32 listener, in;
	struct rig r;
	u8 byte;
	s64 n;

	(void)state;
	rig_open(&r, 1);
	a = rig_attach(&r, 0, 2, 16);
	b = rig_attach(&r, 1, 2, 16);
	listener = must_listen(b, PORT, XLANE_KIND_STREAM);
	must_connect(a, 1, PORT, XLANE_KIND_STREAM);
	in = must_accept(b, listener);
	rig_leave(a);
	while ((n = b->ops->recv(b, in, &byte, 1, 0)) == -EAGAIN) {
		drop_events(b);
		rig_wait(b);
	}
	assert_int_equal(n, -ECONNRESET);
	rig_leave(b);
	rig_until(quiet, &r);
	assert_int_equal(rig_counter(&r, 0, XL_CHANNEL_CLIENTS_DIED), 1);
	rig_close(&r);
}

/* The daemon ends: every call says so, asleep or not. */
static void test_daemon_ends(void **state)
{
	struct xl_backend *a, *b;
	u32 listener, conn;
	struct rig r;
	u8 byte = 0;

	(void)state;
	rig_open(&r, 2);
	a = rig_attach(&r, 0, 2, 16);
	b = rig_attach(&r, 0, 2, 16);
	listener = must_listen(a, PORT, XLANE_KIND_STREAM);
	conn = must_connect(b, 1, PORT, XLANE_KIND_STREAM);
	rig_kill(&r, 0);
	while (a->ops->run(a) != -ENETDOWN)
		rig_wait(a);
	while (b->ops->run(b) != -ENETDOWN)
		;
	assert_int_equal(b->ops->send(b, conn, &byte, 1, 0), -ENETDOWN);
	assert_int_equal(b->ops->recv(b, conn, &byte, 1, 0), -ENETDOWN);
	assert_int_equal(a->ops->accept(a, listener, 1, &conn), -ENETDOWN);
	assert_int_equal(a->ops->connect(a, rig_mac[1], PORT, XLANE_KIND_STREAM, 1, 0, &conn), -ENETDOWN);
	assert_int_equal(a->ops->conns(a), 0);
	rig_leave(a);
	rig_leave(b);
	rig_close(&r);
}

#define ECHOES 3000

static void *echo_server(void *arg)
{
	struct xl_backend *b = arg;
	u32 listener = must_listen(b, PORT, XLANE_KIND_MESSAGE), conn;
	u8 buf[64];
	s64 n;

	while (b->ops->accept(b, listener, 3, &conn) == -EAGAIN) {
		drop_events(b);
		rig_wait(b);
	}
	while ((n = b->ops->recv(b, conn, buf, sizeof buf, 0)) != -ENODATA) {
		if (n < 0) {
			CHECK(n == -EAGAIN);
			drop_events(b);
			rig_wait(b);
			continue;
		}
		CHECK(b->ops->send(b, conn, buf, (u64)n, 0) == n);
		b->ops->flush(b, 0);
	}
	b->ops->close(b, conn, 0);
	b->ops->unlisten(b, listener, 0);
	while (b->ops->conns(b)) {
		drop_events(b);
		rig_wait(b);
	}
	return NULL;
}

/* Two clients and the workers that all sleep whenever they can: no wake is ever lost. */
static void test_sleepers(void **state)
{
	struct xl_backend *a, *b;
	pthread_t server;
	struct rig r;
	u8 out[64], in[64];
	u32 conn;
	s64 n;

	(void)state;
	rig_open(&r, 1);
	a = rig_attach(&r, 0, 2, 4);
	b = rig_attach(&r, 1, 2, 4);
	CHECK(!pthread_create(&server, NULL, echo_server, b));
	while (!xl_ports_owner(r.host[1].ports, PORT))
		sched_yield();
	conn = must_connect(a, 1, PORT, XLANE_KIND_MESSAGE);
	for (u32 i = 0; i < ECHOES; i++) {
		memset(out, (int)i, sizeof out);
		CHECK(a->ops->send(a, conn, out, sizeof out, 0) == sizeof out);
		a->ops->flush(a, 0);
		while ((n = a->ops->recv(a, conn, in, sizeof in, 0)) == -EAGAIN) {
			drop_events(a);
			rig_wait(a);
		}
		CHECK(n == sizeof in && !memcmp(in, out, sizeof in));
	}
	a->ops->shutdown(a, conn, 0);
	a->ops->close(a, conn, 0);
	while (a->ops->conns(a)) {
		drop_events(a);
		rig_wait(a);
	}
	pthread_join(server, NULL);
	rig_leave(a);
	rig_leave(b);
	rig_until(quiet, &r);
	rig_close(&r);
}

#if !defined(__SANITIZE_THREAD__)
/* Random words all over the memory of one client, while another's transfer must be right to the last byte. Writing
 * past all atomics is what the thread sanitizer exists to forbid, so it does not see this test. */
struct scribbler { struct rig *r; _Atomic bool stop; _Atomic u32 lost; };

static void scribble_once(struct rig *r, struct xl_prng *p, _Atomic bool *stop, _Atomic u32 *lost)
{
	struct rig_raw c;
	u8 byte;
	u64 words;

	rig_raw_open(r, 0, 8, 4096, &c);
	words = c.map.bytes / 8;
	for (u32 i = 0; i < 8; i++) {
		struct xlane_command q = { .op = XLANE_COMMAND_CONNECT, .slot = i, .port = PORT + 1,
			.kind = (u8)(1 + i % 4) };

		memcpy(q.mac, rig_mac[1], 6);
		rig_raw_do(&c, q, NULL);
	}
	for (u32 i = 0; i < 3000 && !atomic_load(stop); i++) {
		/* now and then anything anywhere, mostly something near in the pages that matter */
		u64 at = xl_prng_below(p, xl_prng_below(p, 8) ? 2 * 4096 / 8 : words);
		u64 value = any_size(p);

		if (xl_prng_below(p, 4) == 0)
			at = (u64)((u64 *)c.map.slot - (u64 *)c.map.head) +
			     xl_prng_below(p, 8 * sizeof(struct xlane_slot) / 8);
		/* the places that end it at once are spared most of the time */
		if (at >= 8 && at < 11 && xl_prng_below(p, 50))
			continue;
		((volatile u64 *)c.map.head)[at] = value;
		if (xl_prng_below(p, 8) == 0) {
			xl_bits_set(c.map.words->dirty, &c.map.head->dirty_summary, (u32)xl_prng_below(p, 4096));
			(void)!send(c.socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		}
		if (recv(c.socket, &byte, 1, MSG_DONTWAIT) == 0) {
			++*lost;
			break;
		}
	}
	rig_raw_close(&c);
}

static void *scribbling(void *arg)
{
	struct scribbler *s = arg;
	struct xl_prng p;

	for (u64 seed = 0; !atomic_load(&s->stop); seed++) {
		xl_prng_seed(&p, seed);
		scribble_once(s->r, &p, &s->stop, &s->lost);
	}
	return NULL;
}

static void transfer(struct xl_backend *a, struct xl_backend *b, u32 out, u32 in, u64 bytes, u64 seed)
{
	u8 *data = malloc(bytes), *got = malloc(bytes);
	struct xl_prng p;
	u64 sent = 0, have = 0;
	s64 n;

	CHECK(data && got);
	xl_prng_seed(&p, seed);
	fill_random(&p, data, bytes);
	while (have < bytes) {
		n = sent < bytes ? a->ops->send(a, out, data + sent, bytes - sent, 0) : 0;
		CHECK(n >= 0 || n == -EAGAIN);
		sent += n > 0 ? (u64)n : 0;
		a->ops->flush(a, 0);
		n = b->ops->recv(b, in, got + have, bytes - have, 0);
		CHECK(n > 0 || n == -EAGAIN);
		have += n > 0 ? (u64)n : 0;
		spin(a);
		spin(b);
	}
	CHECK(!memcmp(data, got, bytes));
	free(data);
	free(got);
}

static void test_scribbler(void **state)
{
	struct scribbler s = { 0 };
	struct xl_backend *a, *b;
	u32 listener, out, in;
	pthread_t t;
	struct rig r;

	(void)state;
	rig_open(&r, 1);
	a = rig_attach(&r, 0, 4, 16);
	b = rig_attach(&r, 1, 4, 16);
	listener = must_listen(b, PORT, XLANE_KIND_STREAM);
	out = must_connect(a, 1, PORT, XLANE_KIND_STREAM);
	in = must_accept(b, listener);
	s.r = &r;
	CHECK(!pthread_create(&t, NULL, scribbling, &s));
	/* however slow the scribbler is here, it must have been thrown out at least once */
	for (u64 i = 0; i < 16 || (i < 2000 && !atomic_load(&s.lost)); i++)
		transfer(a, b, out, in, 1000000, i);
	atomic_store(&s.stop, true);
	pthread_join(t, NULL);
	assert_true(s.lost > 0);
	assert_true(rig_counter(&r, 0, XL_CHANNEL_BAD_INDEX) > 0);
	print_message("# lost %u bad commands %llu\n", s.lost,
		      (unsigned long long)rig_counter(&r, 0, XL_CHANNEL_BAD_COMMAND));
	rig_leave(a);
	rig_leave(b);
	rig_until(quiet, &r);
	rig_close(&r);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_beside_fast),
		cmocka_unit_test(test_close_drains),
		cmocka_unit_test(test_deaths),
		cmocka_unit_test(test_peer_told),
		cmocka_unit_test(test_daemon_ends),
		cmocka_unit_test(test_sleepers),
#if !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(test_scribbler),
#endif
	};

	return RUN_TAP(tests);
}
