/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket: answers and refusals, descriptors, and whoever is not what it should be. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel/control.h"

static int fds_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void make_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
}

static struct xl_control_request request(u32 op)
{
	return (struct xl_control_request){ .magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION, .op = op };
}

static struct xl_control_answer answer(int error)
{
	return (struct xl_control_answer){ .magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION, .error = error,
					   .workers = 1, .client = 4 };
}

/* The answer lies there before it is asked for: one thread plays both. */
static int ask(int pair[2], const void *a, size_t bytes, char *why, struct xl_control_answer *got)
{
	struct xl_control_request q = request(XL_CONTROL_ATTACH), seen;
	int fds[XL_CONTROL_FDS_MAX], err;
	u32 n;

	assert_int_equal(send(pair[1], a, bytes, 0), bytes);
	err = xl_control_ask(pair[0], &q, got, fds, &n, why, 256);
	assert_int_equal(xl_control_take(pair[1], &seen), 1);
	assert_memory_equal(&q, &seen, sizeof q);
	assert_int_equal(n, 0);
	return err;
}

static void test_answers(void **state)
{
	struct xl_control_answer a = answer(0), got;
	char why[256];
	int pair[2];

	(void)state;
	make_pair(pair);
	assert_int_equal(ask(pair, &a, sizeof a, why, &got), 0);
	assert_int_equal(got.client, 4);
	a = answer(-EDQUOT);
	strcpy(a.why, "clients_per_uid");
	assert_int_equal(ask(pair, &a, sizeof a, why, &got), -EDQUOT);
	assert_string_equal(why, "clients_per_uid");
	a = answer(1);
	assert_int_equal(ask(pair, &a, sizeof a, why, &got), -EPROTO);
	a = answer(0);
	a.version++;
	assert_int_equal(ask(pair, &a, sizeof a, why, &got), -EPROTO);
	assert_non_null(strstr(why, "version 2"));
	/* of another version everything may be different but the first two words */
	assert_int_equal(ask(pair, &a, 8, why, &got), -EPROTO);
	assert_non_null(strstr(why, "version 2"));
	a = answer(0);
	a.magic ^= 1;
	assert_int_equal(ask(pair, &a, sizeof a, why, &got), -EPROTO);
	a = answer(0);
	assert_int_equal(ask(pair, &a, sizeof a - 1, why, &got), -EPROTO);
	memset(a.why, 'x', sizeof a.why);
	assert_int_equal(ask(pair, &a, sizeof a, why, &got), -EPROTO);
	close(pair[1]);
	close(pair[0]);
}

static void test_hangup(void **state)
{
	struct xl_control_request q = request(XL_CONTROL_ATTACH);
	struct xl_control_answer got;
	int pair[2], fds[XL_CONTROL_FDS_MAX];
	char why[256];
	u32 n;

	(void)state;
	make_pair(pair);
	assert_int_equal(xl_control_take(pair[1], &q), -EAGAIN);
	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	assert_int_equal(xl_control_ask(pair[0], &q, &got, fds, &n, why, sizeof why), -ECONNRESET);
	close(pair[0]);
	/* what was asked is still there, then the end */
	assert_int_equal(xl_control_take(pair[1], &q), 1);
	assert_int_equal(xl_control_take(pair[1], &q), 0);
	close(pair[1]);
}

static void test_requests(void **state)
{
	struct xl_control_request q = request(XL_CONTROL_QUERY), got;
	int pair[2];
	u8 big[8192] = { 0 };

	(void)state;
	make_pair(pair);
	strcpy(q.what, "status");
	assert_int_equal(send(pair[0], &q, sizeof q, 0), sizeof q);
	assert_int_equal(xl_control_take(pair[1], &got), 1);
	assert_string_equal(got.what, "status");
	memset(q.what, 'x', sizeof q.what);
	assert_int_equal(send(pair[0], &q, sizeof q, 0), sizeof q);
	assert_int_equal(xl_control_take(pair[1], &got), -EPROTO);
	q = request(7);
	assert_int_equal(send(pair[0], &q, sizeof q, 0), sizeof q);
	assert_int_equal(xl_control_take(pair[1], &got), -EPROTO);
	q = request(XL_CONTROL_ATTACH);
	q.version++;
	assert_int_equal(send(pair[0], &q, sizeof q, 0), sizeof q);
	assert_int_equal(xl_control_take(pair[1], &got), -EPROTO);
	memset(q.interface, 'x', sizeof q.interface);
	q.version--;
	assert_int_equal(send(pair[0], &q, sizeof q, 0), sizeof q);
	assert_int_equal(xl_control_take(pair[1], &got), -EPROTO);
	memcpy(big, &q, sizeof q);
	for (size_t n = 1; n < sizeof q; n += 7) {
		assert_int_equal(send(pair[0], &q, n, 0), n);
		assert_int_equal(xl_control_take(pair[1], &got), -EPROTO);
	}
	assert_int_equal(send(pair[0], big, sizeof big, 0), sizeof big);
	assert_int_equal(xl_control_take(pair[1], &got), -EPROTO);
	close(pair[0]);
	close(pair[1]);
}

static void test_query(void **state)
{
	struct xl_control_answer a = answer(0);
	char why[256], *text;
	int pair[2], fd, before;

	(void)state;
	make_pair(pair);
	before = fds_open();
	assert_int_equal(xl_control_text_fd("a\t1\n", 4, &fd), 0);
	assert_true(write(fd, "x", 1) < 0);
	assert_int_equal(xl_control_answer(pair[1], &a, &fd, 1), 0);
	assert_int_equal(xl_control_query(pair[0], "counters", "eth0", &text, why, sizeof why), 0);
	assert_string_equal(text, "a\t1\n");
	free(text);
	/* no descriptor, or too many: not an answer to a query, and none stays */
	assert_int_equal(xl_control_answer(pair[1], &a, NULL, 0), 0);
	assert_int_equal(xl_control_query(pair[0], "counters", NULL, &text, why, sizeof why), -EPROTO);
	assert_int_equal(xl_control_answer(pair[1], &a, (int[]){ fd, fd }, 2), 0);
	assert_int_equal(xl_control_query(pair[0], "counters", NULL, &text, why, sizeof why), -EPROTO);
	assert_int_equal(xl_control_query(pair[0], "a name of more than thirty-two characters", NULL, &text, why,
					  sizeof why), -EINVAL);
	close(fd);
	assert_int_equal(fds_open(), before);
	close(pair[0]);
	close(pair[1]);
}

/* Each failure says what to do. */
static void test_connect(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char why[256];
	int fd, s;

	(void)state;
	assert_int_equal(xl_control_connect("/nonexistent/xlaned.sock", &fd, why, sizeof why), -ENOENT);
	assert_non_null(strstr(why, "is xlaned running? systemctl start xlaned"));
	snprintf(a.sun_path, sizeof a.sun_path, "/tmp/test_control.%d", (int)getpid());
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof a), 0);
	/* nobody listens */
	assert_int_equal(xl_control_connect(a.sun_path, &fd, why, sizeof why), -ECONNREFUSED);
	assert_non_null(strstr(why, "xlaned --interface"));
	assert_int_equal(listen(s, 1), 0);
	assert_int_equal(setenv(XL_CONTROL_ENV, a.sun_path, 1), 0);
	assert_int_equal(xl_control_connect(NULL, &fd, why, sizeof why), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	unsetenv(XL_CONTROL_ENV);
	close(fd);
	close(s);
	unlink(a.sun_path);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(s, 1), 0);
	assert_int_equal(xl_control_connect(a.sun_path, &fd, why, sizeof why), -EPROTOTYPE);
	close(s);
	unlink(a.sun_path);
	memset(why, 'x', sizeof why - 1);
	why[sizeof why - 1] = 0;
	assert_int_equal(xl_control_connect(why, &fd, (char[256]){ 0 }, 256), -ENAMETOOLONG);
}

struct crowd { struct sockaddr_un at; atomic_uint asking; int got; };

static void *ask_in(void *arg)
{
	struct crowd *c = arg;
	char why[256];
	int fd;

	atomic_fetch_add(&c->asking, 1);
	c->got = xl_control_connect(c->at.sun_path, &fd, why, sizeof why);
	close(fd);
	return NULL;
}

/* More at once than the daemon's queue holds: they wait for their turn. */
static void test_crowd(void **state)
{
	struct crowd c = { .at.sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), fd[2];
	char why[256];
	pthread_t t;

	(void)state;
	snprintf(c.at.sun_path, sizeof c.at.sun_path, "/tmp/test_control.%d", (int)getpid());
	assert_int_equal(bind(s, (struct sockaddr *)&c.at, sizeof c.at), 0);
	assert_int_equal(listen(s, 1), 0);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(xl_control_connect(c.at.sun_path, &fd[i], why, sizeof why), 0);
	assert_int_equal(pthread_create(&t, NULL, ask_in, &c), 0);
	while (!atomic_load(&c.asking))
		sched_yield();
	for (u32 i = 0; i < 1000; i++)
		sched_yield();
	for (u32 i = 0; i < 3; i++)
		close(accept(s, NULL, NULL));
	pthread_join(t, NULL);
	assert_int_equal(c.got, 0);
	close(fd[0]);
	close(fd[1]);
	close(s);
	unlink(c.at.sun_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_hangup),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_crowd),
	};

	return RUN_TAP(tests);
}
