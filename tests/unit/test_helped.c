/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper thread, over a backend whose worker counts what comes in through a descriptor. It notes who turns it, and
 * finds out when two are in it at once: its state has no lock of its own, so that the thread sanitizer sees every access
 * that the helper's does not cover.
 */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xlane/limits.h>
#include <xlane/xlane.h>

#include "lib/context.h"
#include "lib/helped.h"

#define CONNS 200              /* more than one batch of events */
#define PACKETS 20000
#define SOON_NS (3 * XL_MS)

static struct inner {
	struct xl_backend b;           /* first */
	struct xl_backend_ops ops;
	int wire_fd;                   /* packets: what is read from it */
	int turned_fd;                 /* one for each turn that the helper made and that found something */
	u64 ran_ns, deadline_ns, got;
	u32 runs_helped, runs_program, conns;
	u32 bits[CONNS];               /* events not told yet */
	u64 user[CONNS];
	char what;                     /* happens at the deadline */
	bool armed, gone, destroyed;
} inner;
static _Atomic int inside, signals;
static pthread_t program;

static void come(void) { CHECK(atomic_fetch_add(&inside, 1) == 0); }
static void go(void) { CHECK(atomic_fetch_sub(&inside, 1) == 1); }

static void put(int fd, u64 n) { CHECK(write(fd, &n, sizeof n) == sizeof n); }
static u64 take(int fd)
{
	u64 n = 0;

	return read(fd, &n, sizeof n) == sizeof n ? n : 0;
}

/* Until the helper has made a turn with work, however long that takes. */
static void wait_helped(void)
{
	struct pollfd p = { .fd = inner.turned_fd, .events = POLLIN };

	CHECK(poll(&p, 1, -1) == 1);
	take(inner.turned_fd);
}

static int in_run(struct xl_backend *b)
{
	const bool helper = !pthread_equal(pthread_self(), program);
	int work;
	u64 n;

	(void)b;
	come();
	n = take(inner.wire_fd);
	inner.got += n;
	inner.ran_ns = xl_worker_clock();
	*(helper ? &inner.runs_helped : &inner.runs_program) += 1;
	for (u64 i = 0; i < n && inner.conns; i++)
		inner.bits[i % inner.conns] |= XL_EVENT_READABLE;
	work = n != 0;
	if (inner.deadline_ns <= inner.ran_ns) {
		inner.deadline_ns = XL_NEVER;
		inner.conns -= inner.what == 'e';
		inner.gone |= inner.what == 'x';
		work = 1;
	}
	if (helper && work)
		put(inner.turned_fd, 1);
	work = inner.gone ? -ENETDOWN : work;
	go();
	return work;
}

static bool in_turn(struct xl_backend *b, u64 now_ns)
{
	CHECK(now_ns >= inner.ran_ns);
	if (now_ns - inner.ran_ns < XL_BACKEND_TURN_NS)
		return false;
	in_run(b);
	return true;
}

static u32 in_events(struct xl_backend *b, struct xl_event *out, u32 max)
{
	u32 n = 0;

	(void)b;
	come();
	for (u32 i = 0; i < CONNS && n < max; i++) {
		if (!inner.bits[i])
			continue;
		out[n++] = (struct xl_event){ inner.bits[i], i, inner.user[i] };
		inner.bits[i] = 0;
	}
	go();
	return n;
}

static int in_connect(struct xl_backend *b, const u8 mac[6], u16 port, u8 kind, u64 user, u64 now_ns, u32 *conn)
{
	(void)b, (void)mac, (void)port, (void)kind, (void)now_ns;
	come();
	*conn = inner.conns++;
	inner.user[*conn] = user;
	go();
	return 0;
}

/* What is sent says what comes of it, a little later: 'd' just a deadline, 'e' the end of a connection, 'x' of all. */
static s64 in_send(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	(void)b, (void)conn;
	come();
	inner.deadline_ns = now_ns + SOON_NS;
	inner.what = *(const char *)data;
	go();
	return (s64)bytes;
}

static void in_abort(struct xl_backend *b, u32 conn, u64 now_ns)
{
	(void)b, (void)conn, (void)now_ns;
	come();
	inner.conns -= inner.conns > 0;
	go();
}

static void in_flush(struct xl_backend *b, u64 now_ns) { (void)b, (void)now_ns; come(); go(); }
static u64 in_ran_ns(const struct xl_backend *b) { (void)b; come(); go(); return inner.ran_ns; }
static u64 in_deadline(const struct xl_backend *b) { (void)b; come(); go(); return inner.deadline_ns; }
static u32 in_conns(const struct xl_backend *b) { (void)b; come(); go(); return inner.conns; }
static s64 in_readable(const struct xl_backend *b, u32 conn) { (void)b, (void)conn; return (s64)inner.got; }
static int in_error(const struct xl_backend *b, u32 conn) { (void)b, (void)conn; return 0; }
static void in_destroy(struct xl_backend *b) { (void)b; inner.destroyed = true; }

static int in_counters(struct xl_backend *b, void (*each)(const char *, const char *, uint64_t, void *), void *arg)
{
	(void)b;
	each("got", "got", inner.got, arg);
	return 1;
}

static u32 in_fds(void *arg, int *fds, u32 max)
{
	(void)arg;
	CHECK(max);
	fds[0] = inner.wire_fd;
	return 1;
}

static int in_arm(void *arg, bool sleep)
{
	struct pollfd p = { .fd = inner.wire_fd, .events = POLLIN };

	(void)arg;
	come();
	inner.armed = sleep && !poll(&p, 1, 0);
	go();
	return sleep && !inner.armed ? -EAGAIN : 0;
}

static void make_inner(void)
{
	memset(&inner, 0, sizeof inner);
	program = pthread_self();
	inner.wire_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	inner.turned_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(inner.wire_fd >= 0 && inner.turned_fd >= 0);
	inner.deadline_ns = XL_NEVER;
	inner.ops = (struct xl_backend_ops){
		.name = "inner", .run = in_run, .turn = in_turn, .flush = in_flush, .events = in_events,
		.ran_ns = in_ran_ns, .deadline = in_deadline, .conns = in_conns, .connect = in_connect, .send = in_send,
		.abort = in_abort, .readable = in_readable, .error = in_error, .counters = in_counters, .destroy = in_destroy,
	};
	inner.b = (struct xl_backend){
		.ops = &inner.ops, .source = { in_fds, in_arm, NULL }, .conns_max = CONNS, .mtu = 1500,
		.send_whole_bytes = XLANE_MESSAGE_SMALL_MAX_BYTES, .mac = { 2 }, .text = "inner",
	};
}

static void let_inner_go(void)
{
	CHECK(inner.destroyed && !inside);
	close(inner.wire_fd);
	close(inner.turned_fd);
}

static xlane *open_helped(void)
{
	struct xl_backend *b = NULL;
	struct xlane_config c;
	char why[256] = "";
	xlane *x;

	make_inner();
	xlane_config_init(&c);
	c.wait = XLANE_WAIT_SLEEP;
	x = xl_context_new(&c);
	CHECK(x && !xl_helped_open(&inner.b, &b, why, sizeof why) && !why[0]);
	CHECK(!xl_context_make(x, &c, b, why, sizeof why));
	return x;
}

static void close_helped(xlane *x)
{
	xlane_close(x, 0);
	let_inner_go();
}

static xlane_conn *connect_one(xlane *x)
{
	const struct xlane_address to = { { 2, 1 }, 7 };
	xlane_conn *c;

	CHECK(!xlane_connect(x, &to, XLANE_STREAM, 0, &c));
	return c;
}

static void compute(u64 ns)
{
	const u64 end = xl_worker_clock() + ns;

	while (xl_worker_clock() < end)
		;
}

/* The program's descriptor becomes readable, however long that takes. */
static void wait_readable(xlane *x)
{
	struct pollfd p = { .fd = xlane_fd(x), .events = POLLIN };

	CHECK(poll(&p, 1, -1) == 1);
}

static bool is_readable(xlane *x)
{
	struct pollfd p = { .fd = xlane_fd(x), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* While the program computes, what comes in is handled, deadlines are kept, and the news waits for it. */
static void test_away(void **state)
{
	xlane *x = open_helped();
	struct xlane_event ev[CONNS];

	(void)state;
	connect_one(x);
	connect_one(x);
	put(inner.wire_fd, 1);
	wait_helped();
	wait_readable(x);
	/* events are there: no sleep before they are taken */
	assert_int_equal(xlane_prepare_wait(x), 0);
	assert_int_equal(xlane_poll(x, ev, CONNS, 0), 1);
	assert_int_equal(ev[0].ready, XLANE_READY_READ);
	assert_false(is_readable(x));
	assert_int_equal(inner.got, 1);
	/* and once more, now that it has been asleep */
	put(inner.wire_fd, 2);
	wait_helped();
	assert_int_equal(xlane_poll(x, ev, CONNS, -1), 2);
	close_helped(x);
}

static void note(const char *name, const char *text, uint64_t value, void *arg)
{
	(void)name, (void)text;
	*(uint64_t *)arg = value;
}

/* What comes before the program listens or connects waits for that. */
static void test_begin(void **state)
{
	xlane *x = open_helped();
	uint64_t got = 1;

	(void)state;
	put(inner.wire_fd, 1);
	compute(3 * XL_HELPED_AWAY_NS);
	assert_int_equal(xlane_counters(x, note, &got), 1);
	assert_int_equal(got, 0);
	connect_one(x);
	wait_helped();
	close_helped(x);
}

/* A deadline that an operation of the program brings, while the thread rests without one. */
static void test_deadline(void **state)
{
	xlane *x = open_helped();
	xlane_conn *c = connect_one(x);

	(void)state;
	for (int i = 0; i < 20; i++) {
		put(inner.wire_fd, 1);
		wait_helped();
		assert_int_equal(xlane_send(c, "d", 1, 0), 1);
		wait_helped();
	}
	close_helped(x);
}

/* What the program has said that it sleeps on, and does not, is served all the same. */
static void test_armed(void **state)
{
	xlane *x = open_helped();
	struct xlane_event ev;

	(void)state;
	connect_one(x);
	assert_int_equal(xlane_progress(x), 0);
	assert_true(xlane_prepare_wait(x) == UINT64_MAX);
	put(inner.wire_fd, 1);
	wait_helped();
	wait_readable(x);
	put(inner.wire_fd, 1);
	wait_helped();
	assert_int_equal(xlane_progress(x), 0);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	assert_true(xlane_prepare_wait(x) == UINT64_MAX);
	assert_false(is_readable(x));
	close_helped(x);
}

/* More events than one batch: none is lost, none told twice. */
static void test_many(void **state)
{
	xlane *x = open_helped();
	static struct xlane_event ev[CONNS];

	(void)state;
	for (int i = 0; i < CONNS; i++)
		connect_one(x);
	for (int i = 0; i < 10; i++) {
		put(inner.wire_fd, CONNS);
		wait_helped();
		assert_int_equal(xlane_poll(x, ev, CONNS, -1), CONNS);
		assert_int_equal(xlane_poll(x, ev, CONNS, 0), 0);
		assert_false(is_readable(x));
	}
	close_helped(x);
}

/* A connection that ends without an event: xlane_close waits for nothing else. The interface that is gone: every call
 * says so, and the thread leaves it alone. */
static void test_ends(void **state)
{
	xlane *x = open_helped();
	xlane_conn *c = connect_one(x);
	struct xlane_event ev;

	(void)state;
	connect_one(x);
	assert_int_equal(xlane_send(c, "e", 1, 0), 1);
	wait_readable(x);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 0);
	assert_false(is_readable(x));
	assert_int_equal(xlane_send(c, "x", 1, 0), 1);
	wait_readable(x);
	assert_int_equal(xlane_prepare_wait(x), 0);
	assert_int_equal(xlane_progress(x), -ENETDOWN);
	assert_int_equal(xlane_poll(x, &ev, 1, -1), -ENETDOWN);
	close_helped(x);
}

/* Packets from a thread of their own, while the program computes, polls, sleeps on its descriptor and sends. A wakeup
 * that is lost would leave it asleep. */
static void *peer(void *arg)
{
	struct xl_prng r;

	xl_prng_seed(&r, *(u64 *)arg);
	for (int i = 0; i < PACKETS; i++) {
		put(inner.wire_fd, 1);
		for (u64 n = xl_prng_below(&r, 64); n < 4; n++)
			sched_yield();
	}
	return NULL;
}

static void test_together(void **state)
{
	xlane *x = open_helped();
	xlane_conn *c = connect_one(x);
	struct xlane_event ev;
	struct xl_prng r;
	pthread_t t;
	u64 seed = 1;

	(void)state;
	xl_prng_seed(&r, 2);
	CHECK(!pthread_create(&t, NULL, peer, &seed));
	while (xlane_readable(c) < PACKETS) {
		switch (xl_prng_below(&r, 5)) {
		case 0:
			compute(xl_prng_below(&r, 3) * XL_HELPED_AWAY_NS);
			break;
		case 1:
			assert_int_equal(xlane_send(c, "d", 1, 0), 1);
			break;
		case 2:
			if (xlane_prepare_wait(x) && xlane_readable(c) < PACKETS)
				wait_readable(x);
			assert_true(xlane_progress(x) >= 0);
			break;
		default:
			if (xlane_readable(c) < PACKETS)
				assert_true(xlane_poll(x, &ev, 1, -1) >= 0);
		}
	}
	pthread_join(t, NULL);
	assert_int_equal(xlane_readable(c), PACKETS);
	print_message("# %u turns of the program, %u of its helper\n", inner.runs_program, inner.runs_helped);
	close_helped(x);
}

static void ask_again(const char *name, const char *text, uint64_t value, void *arg)
{
	(void)name, (void)text, (void)value;
	assert_int_equal(xlane_readable(arg), 0);
}

static void *elsewhere(void *arg)
{
	return (void *)(intptr_t)xlane_progress(arg);
}

/* The rule of one thread stays; a function that is given figures may ask for more; a child has nothing of it. */
static void test_guard(void **state)
{
	xlane *x = open_helped();
	xlane_conn *c = connect_one(x);
	pthread_t t;
	void *got = NULL;
	pid_t pid;
	int status;

	(void)state;
	CHECK(!pthread_create(&t, NULL, elsewhere, x) && !pthread_join(t, &got));
	assert_int_equal((intptr_t)got, -EPERM);
	assert_int_equal(xlane_counters(x, ask_again, c), 1);
	put(inner.wire_fd, 1);
	pid = fork();
	if (pid == 0) {
		int err = xlane_progress(x);

		xlane_close(x, -1);
		_exit(err == -ECHILD && !inner.destroyed ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	wait_helped();
	close_helped(x);
}

static void caught(int signal) { (void)signal; atomic_fetch_add(&signals, 1); }

/* A signal that the program holds back is not delivered in the thread. */
static void test_signals(void **state)
{
	struct sigaction act = { .sa_handler = caught }, before;
	xlane *x = open_helped();
	sigset_t usr1, pending, outside;

	(void)state;
	connect_one(x);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigaction(SIGUSR1, &act, &before);
	pthread_sigmask(SIG_BLOCK, &usr1, &outside);
	kill(getpid(), SIGUSR1);
	put(inner.wire_fd, 1);
	wait_helped();
	assert_int_equal(signals, 0);
	sigpending(&pending);
	assert_true(sigismember(&pending, SIGUSR1));
	pthread_sigmask(SIG_SETMASK, &outside, NULL);
	assert_int_equal(signals, 1);
	sigaction(SIGUSR1, &before, NULL);
	close_helped(x);
}

/* It ends whatever it is about. */
static void test_close(void **state)
{
	(void)state;
	for (u64 i = 0; i < 50; i++) {
		xlane *x = open_helped();

		connect_one(x);
		put(inner.wire_fd, 1);
		compute(i * 50 * XL_US);
		close_helped(x);
	}
}

/* No descriptors left: said, and nothing stays. */
static void test_refused(void **state)
{
	struct rlimit before, none;
	struct xl_backend *b = NULL;
	char why[256] = "";

	(void)state;
	make_inner();
	CHECK(!getrlimit(RLIMIT_NOFILE, &before));
	none = before;
	none.rlim_cur = 0;
	CHECK(!setrlimit(RLIMIT_NOFILE, &none));
	assert_int_equal(xl_helped_open(&inner.b, &b, why, sizeof why), -EMFILE);
	CHECK(!setrlimit(RLIMIT_NOFILE, &before));
	assert_true(why[0] != 0);
	let_inner_go();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_away), cmocka_unit_test(test_begin), cmocka_unit_test(test_deadline), cmocka_unit_test(test_armed),
		cmocka_unit_test(test_many), cmocka_unit_test(test_ends), cmocka_unit_test(test_together),
		cmocka_unit_test(test_guard), cmocka_unit_test(test_signals), cmocka_unit_test(test_close),
		cmocka_unit_test(test_refused),
	};

	return RUN_TAP(tests);
}
