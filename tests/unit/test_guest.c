/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of those we do not trust: descriptors that come along neither stay nor make anybody wait. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel/control.h"
#include "channel/guest.h"
#include "unit.h"

#define PATIENCE_S 60   /* a call that waits for the linger time would wait far longer: the program is ended then */
#define LINGER_S 30000

struct trap { int held, peer; };   /* `held`: whoever drops it last waits, until `peer` is closed */

static bool make_trap(struct trap *t)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct linger linger = { 1, LINGER_S };
	socklen_t bytes = sizeof at;
	static char data[65536];
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	t->held = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ok = listener >= 0 && t->held >= 0 && !bind(listener, (struct sockaddr *)&at, sizeof at) &&
	     !listen(listener, 1) && !getsockname(listener, (struct sockaddr *)&at, &bytes) &&
	     !connect(t->held, (struct sockaddr *)&at, sizeof at);
	t->peer = ok ? accept(listener, NULL, NULL) : -1;
	close(listener);
	if (!ok) {
		close(t->held);
		return false;
	}
	while (send(t->held, data, sizeof data, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(setsockopt(t->held, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
	return true;
}

/* Data that was never read: closing resets the connection, and who waited for it goes on. */
static void end_trap(struct trap *t)
{
	close(t->peer);
}

static int send_fd(int to, int fd)
{
	union { char space[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof control };

	CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof fd);
	return sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -errno;
}

static void make_pair(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
}

/* As on a kernel that refuses nothing. First, since the program remembers what the kernel can. */
static void test_not_refused(void **state)
{
	struct xl_control_request q;
	struct trap t;
	int pair[2];
	char byte;

	(void)state;
	if (!make_trap(&t))
		skip();
	alarm(PATIENCE_S);
	make_pair(pair);
	assert_int_equal(send(pair[0], "a", 1, 0), 1);
	assert_int_equal(send_fd(pair[0], t.held), 0);
	close(t.held);
	assert_int_equal(xl_guest_recv(pair[1], &byte, 1), 1);
	assert_int_equal(xl_guest_recv(pair[1], &byte, 1), -EPROTO);
	assert_int_equal(xl_control_take(pair[1], &q), -EPROTO);
	xl_guest_close(pair[1]);
	/* the other side sees the end, whoever still waits: as a reset, once what was not read is thrown away */
	assert_true(recv(pair[0], &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
	alarm(0);
	close(pair[0]);
	end_trap(&t);
}

static void test_plain(void **state)
{
	char bytes[4];
	int pair[2];

	(void)state;
	make_pair(pair);
	assert_int_equal(xl_guest_recv(pair[1], bytes, sizeof bytes), -EAGAIN);
	assert_int_equal(send(pair[0], "abcdef", 6, 0), 6);
	assert_int_equal(xl_guest_recv(pair[1], bytes, sizeof bytes), 6);
	assert_int_equal(shutdown(pair[0], SHUT_WR), 0);
	assert_int_equal(xl_guest_recv(pair[1], bytes, sizeof bytes), 0);
	xl_guest_close(pair[1]);
	assert_int_equal(recv(pair[0], bytes, 1, 0), 0);
	close(pair[0]);
}

/* A kernel that can refuses at the sender, also on what is accepted. */
static void test_refused(void **state)
{
	struct sockaddr_un { sa_family_t family; char path[64]; } at = { .family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), client, fd, pair[2];
	socklen_t bytes = sizeof at;
	char byte;

	(void)state;
	make_pair(pair);
	xl_guest_init(pair[1]);
	if (send_fd(pair[0], pair[0]) != -EPERM) {
		close(listener);
		close(pair[0]);
		close(pair[1]);
		skip();
	}
	assert_int_equal(xl_guest_recv(pair[1], &byte, 1), -EAGAIN);
	xl_guest_close(pair[1]);
	assert_int_equal(recv(pair[0], &byte, 1, 0), 0);
	close(pair[0]);
	/* a name that the kernel makes up */
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at.family), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &bytes), 0);
	xl_guest_init(listener);
	assert_int_equal(listen(listener, 1), 0);
	client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, bytes), 0);
	assert_int_equal(send_fd(client, client), -EPERM);
	fd = accept(listener, NULL, NULL);
	assert_int_equal(send_fd(client, client), -EPERM);
	assert_int_equal(xl_guest_recv(fd, &byte, 1), -EAGAIN);
	xl_guest_close(fd);
	close(client);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_refused),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_refused),
	};

	return RUN_TAP(tests);
}
