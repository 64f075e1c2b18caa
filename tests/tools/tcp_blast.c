// SPDX-License-Identifier: BSD-2-Clause
/*
 * tcp_blast.c - a TCP transfer that is proved: seeded bytes in one direction, their count and hash back.
 *
 *     tcp_blast -l PORT                          one transfer; "ready" on standard output once it listens
 *     tcp_blast [-r BYTES-PER-SECOND] ADDRESS PORT   sends until SIGTERM or SIGINT
 *
 * The sender ends with status 0 when the other side has got the same bytes, and says how many.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../../user/base/prng.h"

#define PIECE_BYTES 16384
#define PIECE_MS 10          /* the sender writes at most rate * PIECE_MS at once */

struct digest { u64 bytes, hash; };

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static int complain(const char *what)
{
	fprintf(stderr, "tcp_blast: %s: %s\n", what, strerror(errno));
	return 1;
}

/* FNV-1a. */
static void add(struct digest *d, const u8 *p, size_t n)
{
	d->bytes += n;
	while (n--)
		d->hash = (d->hash ^ *p++) * 0x100000001b3ull;
}

static int write_all(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n) {
		ssize_t did = send(fd, p, n, MSG_NOSIGNAL);

		if (did < 0 && errno != EINTR)
			return -errno;
		if (did > 0) {
			p += did;
			n -= (size_t)did;
		}
	}
	return 0;
}

static int serve(const char *port)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons((u16)atoi(port)) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, fd;
	struct digest d = { .hash = 0xcbf29ce484222325ull };
	static u8 piece[PIECE_BYTES];
	ssize_t n;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 1))
		return complain("listen");
	puts("ready");
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		return complain("accept");
	while ((n = read(fd, piece, sizeof piece)) > 0)
		add(&d, piece, (size_t)n);
	if (n < 0)
		return complain("read");
	if (write_all(fd, &d, sizeof d))
		return complain("write");
	return 0;
}

static int connect_to(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((u16)atoi(port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
		errno = EINVAL;
		return -1;
	}
	return connect(fd, (struct sockaddr *)&to, sizeof to) ? -1 : fd;
}

/* Random bytes until a signal comes, at most `rate` a second. */
static int send_stream(int fd, u64 rate, struct digest *d)
{
	const struct timespec pause = { 0, PIECE_MS * (long)XL_MS };
	static u8 piece[PIECE_BYTES];
	struct xl_prng prng;

	xl_prng_seed(&prng, 1);
	while (!stop) {
		for (u64 budget = xl_max(rate * PIECE_MS / 1000, 1); budget && !stop; ) {
			size_t n = xl_min(budget, sizeof piece);

			for (size_t i = 0; i < n; i++)
				piece[i] = (u8)xl_prng_u64(&prng);
			if (write_all(fd, piece, n))
				return complain("send");
			add(d, piece, n);
			budget -= n;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int blast(const char *address, const char *port, u64 rate)
{
	struct digest mine = { .hash = 0xcbf29ce484222325ull }, theirs = { 0 };
	int fd = connect_to(address, port);
	ssize_t n;

	if (fd < 0)
		return complain("connect");
	if (send_stream(fd, rate, &mine))
		return 1;
	shutdown(fd, SHUT_WR);
	while ((n = recv(fd, &theirs, sizeof theirs, MSG_WAITALL)) < 0 && errno == EINTR)
		;
	if (n != sizeof theirs)
		return complain("no answer");
	if (memcmp(&mine, &theirs, sizeof mine)) {
		fprintf(stderr, "tcp_blast: sent %llu bytes, hash %016llx; the other side has %llu, %016llx\n",
			(unsigned long long)mine.bytes, (unsigned long long)mine.hash, (unsigned long long)theirs.bytes,
			(unsigned long long)theirs.hash);
		return 1;
	}
	printf("%llu\n", (unsigned long long)mine.bytes);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	bool listening = false;
	u64 rate = 8000000;
	int opt;

	while ((opt = getopt(argc, argv, "lr:")) != -1) {
		if (opt == 'l')
			listening = true;
		else if (opt == 'r')
			rate = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind != (listening ? 1 : 2)) {
		fprintf(stderr, "usage: tcp_blast -l PORT | [-r BYTES-PER-SECOND] ADDRESS PORT\n");
		return 2;
	}
	if (listening)
		return serve(argv[optind]);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return blast(argv[optind], argv[optind + 1], rate);
}
