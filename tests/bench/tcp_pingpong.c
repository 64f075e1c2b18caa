// SPDX-License-Identifier: BSD-2-Clause
/*
 * tcp_pingpong.c - round trips of small messages over the kernel's TCP between two programs that sleep in recv: the
 * figure to hold against xlane_pingpong -D, which does the same through two daemons.
 *
 *     tcp_pingpong -l [-p PORT]                                    answer one connection; prints "ready" first
 *     tcp_pingpong [-p PORT] [-n COUNT] [-b BYTES] [-j] ADDRESS    measure
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pingpong.h"

static int complain(const char *what)
{
	fprintf(stderr, "tcp_pingpong: %s: %s\n", what, strerror(errno));
	return 1;
}

static int serve(uint16_t port)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(port) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, fd;
	static char data[PINGPONG_BYTES_MAX];
	ssize_t n;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 1))
		return complain("listen");
	puts("ready");
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		return complain("accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	while ((n = recv(fd, data, sizeof data, 0)) > 0)
		if (send(fd, data, (size_t)n, MSG_NOSIGNAL) != n)
			return complain("send");
	return n ? complain("recv") : 0;
}

static int once(int fd, char *data, size_t bytes, unsigned long i, uint64_t *ns)
{
	const uint64_t begun = pingpong_now_ns();
	unsigned long got;

	memcpy(data, &i, sizeof i);
	if (send(fd, data, bytes, MSG_NOSIGNAL) != (ssize_t)bytes ||
	    recv(fd, data, bytes, MSG_WAITALL) != (ssize_t)bytes)
		return complain("round trip");
	*ns = pingpong_now_ns() - begun;
	memcpy(&got, data, sizeof got);
	errno = EBADMSG;
	return got == i ? 0 : complain("round trip");
}

static int call(const char *address, uint16_t port, unsigned long count, size_t bytes, int json)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, err = 0;
	uint64_t *rtt = calloc(count, sizeof *rtt), warm;
	static char data[PINGPONG_BYTES_MAX];

	errno = ENOMEM;
	if (!rtt || inet_pton(AF_INET, address, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof to)) {
		free(rtt);
		return complain("connect");
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	for (unsigned long i = 0; i < PINGPONG_WARM_UP && !err; i++)
		err = once(fd, data, bytes, i, &warm);
	for (unsigned long i = 0; i < count && !err; i++)
		err = once(fd, data, bytes, i, &rtt[i]);
	if (!err)
		pingpong_print(rtt, count, bytes, json);
	free(rtt);
	close(fd);
	return err;
}

int main(int argc, char **argv)
{
	unsigned long count = PINGPONG_COUNT, bytes = PINGPONG_BYTES, port = PINGPONG_PORT;
	int opt, listening = 0, json = 0;

	while ((opt = getopt(argc, argv, "lp:n:b:j")) != -1) {
		switch (opt) {
		case 'l': listening = 1; break;
		case 'p': port = strtoul(optarg, NULL, 10); break;
		case 'n': count = strtoul(optarg, NULL, 10); break;
		case 'b': bytes = strtoul(optarg, NULL, 10); break;
		case 'j': json = 1; break;
		default: return 2;
		}
	}
	if (argc - optind != !listening || !port || port > 65535 || !count || bytes < sizeof count ||
	    bytes > PINGPONG_BYTES_MAX) {
		fprintf(stderr, "usage: tcp_pingpong -l | [-n COUNT] [-b BYTES] [-j] ADDRESS\n");
		return 2;
	}
	return listening ? serve((uint16_t)port) : call(argv[optind], (uint16_t)port, count, bytes, json);
}
