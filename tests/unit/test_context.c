/* SPDX-License-Identifier: BSD-2-Clause */
/* A context over a backend that is driven by hand: who may call, the descriptor to wait on, events, options. */
#include "fake_backend.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fake fake;
static xlane *context;
static xlane_conn *conn;
static xlane_listener *listener;

static void each_counter(const char *name, const char *text, uint64_t value, void *arg)
{
	(void)name, (void)text, (void)value;
	++*(int *)arg;
}

static void each_owner(const char *owner, uint64_t frames, void *arg)
{
	each_counter(owner, owner, frames, arg);
}

/* Every public function that has an error to give, called by somebody who must not. 0, or the first that did not give
 * it. */
static int calls_that_pass(int wanted)
{
	const struct xlane_address to = { { 2, 1 }, 7 };
	struct xlane_token token = { { 7 } };
	struct xlane_address peer = { .port = 1 };
	struct xlane_event ev;
	xlane_listener *l = listener;
	xlane_conn *c = conn;
	const void *loan;
	char byte = 0;
	uint64_t value;
	void *room;
	int n = 0;
	const int64_t got[] = {
		xlane_fd(context), xlane_progress(context), xlane_poll(context, &ev, 1, 0),
		xlane_listen(context, 5, XLANE_STREAM, 1, &l), xlane_accept(listener, 0, &c),
		xlane_connect(context, &to, XLANE_STREAM, 0, &c), xlane_conn_take(context, &token, &c),
		xlane_conn_give(conn, &token), xlane_send(conn, "x", 1, 0), xlane_recv(conn, &byte, 1, 0),
		xlane_recv_loan(conn, &loan, 0), xlane_send_reserve(conn, 1, &room, 0), xlane_send_commit(conn, 1),
		xlane_readable(conn), xlane_shutdown(conn), xlane_conn_close(conn, 0),
		xlane_conn_set(conn, XLANE_OPTION_PRIORITY, 1), xlane_conn_get(conn, XLANE_OPTION_PRIORITY, &value),
		xlane_counters(context, each_counter, &n), xlane_census(context, each_owner, &n),
	};

	for (size_t i = 0; i < XL_ARRAY_SIZE(got); i++)
		if (got[i] != wanted)
			return (int)i + 1;
	/* those without an error to give do nothing */
	xlane_release(conn, 1);
	xlane_conn_abort(conn);
	xlane_listener_close(listener);
	xlane_close(context, 0);
	xlane_conn_peer(conn, &peer);
	return n || xlane_writable(conn) || xlane_prepare_wait(context) || peer.port ? -1 : 0;
}

static void *elsewhere(void *arg)
{
	*(int *)arg = calls_that_pass(-EPERM);
	return NULL;
}

static void test_guard(void **state)
{
	pthread_t t;
	int passed = -2, status;
	pid_t pid;

	(void)state;
	context = fake_open(&fake);
	fake_with_handover(&fake);
	conn = fake_connected(context, &fake, XLANE_STREAM);
	fake_room(&fake, 0, 100);
	assert_int_equal(xlane_listen(context, 5, XLANE_STREAM, 1, &listener), 0);
	assert_int_equal(pthread_create(&t, NULL, elsewhere, &passed), 0);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(passed, 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(calls_that_pass(-ECHILD) & 0xff);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* and the owner goes on */
	assert_int_equal(xlane_send(conn, "x", 1, 0), 1);
	xlane_listener_close(listener);
	fake_close_all(&fake, context);
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

/* For a loop of the program's own: its sleep ends when the backend has something, and never begins when it has
 * already. */
static void test_descriptor(void **state)
{
	const u64 one = 1;
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_STREAM);
	int fd = xlane_fd(x);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(xlane_progress(x), 0);
	f.ran_ns = xl_worker_clock() + 3600 * XL_S;
	assert_true(xlane_prepare_wait(x) > 0);
	assert_false(readable(fd, 0));
	assert_int_equal(write(f.fd, &one, sizeof one), sizeof one);
	assert_true(readable(fd, -1));
	assert_int_equal(read(f.fd, &(u64){ 0 }, sizeof one), sizeof one);
	assert_int_equal(xlane_progress(x), 0);
	/* a deadline, too */
	assert_true(xlane_prepare_wait(x) > 0);
	assert_true(readable(fd, -1));
	xlane_progress(x);
	/* events that are there before the sleep, or that another call met */
	fake_event(&f, 0, XL_EVENT_READABLE);
	assert_int_equal(xlane_prepare_wait(x), 0);
	assert_int_equal(xlane_send(c, "x", 1, 1), -EAGAIN);
	assert_int_equal(xlane_prepare_wait(x), 0);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	f.run_error = -ENETDOWN;
	assert_int_equal(xlane_progress(x), -ENETDOWN);
	assert_int_equal(xlane_prepare_wait(x), 0);
	assert_int_equal(xlane_poll(x, &ev, 1, -1), -ENETDOWN);
	fake_close_all(&f, x);
}

static void accept_at_third(struct fake *f)
{
	if (f->runs % 3 == 0)
		f->acceptable = 1;
}

static void open_at_third(struct fake *f)
{
	if (f->runs % 3 == 0)
		fake_event(f, 1, f->conn[1].error ? XL_EVENT_CLOSED : XL_EVENT_OPEN);
}

static void test_open(void **state)
{
	const struct xlane_address to = { { 2, 1 }, 7 }, self = { { 2 }, 7 }, group = { { 3 }, 7 };
	const struct xlane_address nowhere = { { 2, 1 }, 0 };
	struct xlane_address peer;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_listener *l;
	xlane_conn *c;

	(void)state;
	assert_int_equal(xlane_listen(x, 9, XLANE_STREAM, 1, &l), -EADDRINUSE);
	assert_null(l);
	assert_int_equal(xlane_listen(x, 0, XLANE_STREAM, 1, &l), -EINVAL);
	assert_int_equal(xlane_listen(x, 5, (enum xlane_type)5, 1, &l), -EINVAL);
	assert_int_equal(xlane_listen(x, 5, XLANE_DATAGRAM, 0, &l), -EINVAL);
	assert_int_equal(xlane_listen(x, 5, XLANE_DATAGRAM, 1, &l), 0);
	assert_int_equal(xlane_accept(l, 5, &c), -EAGAIN);
	f.on_run = accept_at_third;
	assert_int_equal(xlane_accept(l, -1, &c), 0);
	assert_int_equal(xlane_conn_type(c), XLANE_DATAGRAM);
	f.on_run = NULL;
	assert_int_equal(xlane_connect(x, &self, XLANE_STREAM, 0, &c), -EINVAL);
	assert_int_equal(xlane_connect(x, &group, XLANE_STREAM, 0, &c), -EINVAL);
	assert_int_equal(xlane_connect(x, &nowhere, XLANE_STREAM, 0, &c), -EINVAL);
	assert_int_equal(xlane_connect(x, &to, (enum xlane_type)0, 0, &c), -EINVAL);
	f.on_run = open_at_third;
	assert_int_equal(xlane_connect(x, &to, XLANE_UNORDERED, -1, &c), 0);
	assert_int_equal(xlane_conn_type(c), XLANE_UNORDERED);
	xlane_conn_peer(c, &peer);
	assert_int_equal(peer.port, 2);
	f.on_run = NULL;
	assert_int_equal(xlane_connect(x, &to, XLANE_STREAM, 5, &c), -ETIMEDOUT);
	assert_null(c);
	assert_true(f.conn[2].aborted);
	fake_close_all(&f, x);
}

static void test_options(void **state)
{
	struct xlane_conn_stats s = { .size = sizeof s };
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_STREAM);
	uint64_t value;
	int n = 0;

	(void)state;
	for (enum xlane_option o = XLANE_OPTION_SEND_BUFFER; o <= XLANE_OPTION_DEADLINE_US; o++) {
		assert_int_equal(xlane_conn_set(c, o, 100 + o), 0);
		assert_int_equal(f.options[o - 1], 100 + o);
		assert_int_equal(xlane_conn_get(c, o, &value), 0);
		assert_int_equal(value, 100 + o);
	}
	assert_int_equal(xlane_conn_set(c, (enum xlane_option)0, 1), -EINVAL);
	assert_int_equal(xlane_conn_set(c, (enum xlane_option)6, 1), -EINVAL);
	assert_int_equal(xlane_conn_get(c, (enum xlane_option)6, &value), -EINVAL);
	assert_int_equal(xlane_conn_set(c, XLANE_OPTION_PRIORITY, 999), -EINVAL);
	fake_room(&f, 0, 3);
	assert_int_equal(xlane_send(c, "abc", 3, 0), 3);
	xlane_conn_stats(c, &s);
	assert_int_equal(s.bytes_sent, 3);
	assert_int_equal(xlane_counters(x, each_counter, &n), 1);
	assert_int_equal(xlane_census(x, each_owner, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(xlane_driver_text(x), "fake");
	assert_int_equal(xlane_mtu(x), 1500);
	fake_close_all(&f, x);
}

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	(void)number;
	handled++;
}

static void signal_at_third(struct fake *f)
{
	if (f->runs == 3)
		raise(SIGUSR1);
}

/* A signal ends every wait; the connections stay as they are. */
static void test_signal(void **state)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_STREAM), *other;
	xlane_listener *l;
	const void *loan;
	char byte;

	(void)state;
	sigaction(SIGUSR1, &sa, NULL);
	assert_int_equal(xlane_listen(x, 5, XLANE_STREAM, 1, &l), 0);
	f.on_run = signal_at_third;
	f.runs = 0;
	assert_int_equal(xlane_recv(c, &byte, 1, -1), -EINTR);
	f.runs = 0;
	assert_int_equal(xlane_recv_loan(c, &loan, -1), -EINTR);
	f.runs = 0;
	assert_int_equal(xlane_send(c, "x", 1, -1), -EINTR);
	f.runs = 0;
	assert_int_equal(xlane_accept(l, -1, &other), -EINTR);
	f.runs = 0;
	assert_int_equal(xlane_poll(x, &ev, 1, -1), -EINTR);
	assert_int_equal(handled, 5);
	fake_close_all(&f, x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_signal),
	};

	return RUN_TAP(tests);
}
