/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * epoll_server.c - a program with an epoll loop of its own: streams of any number of clients go back to them, byte by
 * byte.
 *
 *     epoll_server -i IFACE|-d PORT
 *
 * Runs until SIGINT or SIGTERM, which come through the same epoll.
 */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "echo.h"

/* What has arrived goes into room reserved for sending: one copy. Ends when one of both would have to wait. */
static void serve(xlane_conn *c)
{
	void *room;
	int64_t n;

	do {
		n = xlane_send_reserve(c, 65536, &room, 0);
		if (n > 0) {
			n = xlane_recv(c, room, (size_t)n, 0);
			xlane_send_commit(c, n > 0 ? (size_t)n : 0);
		}
		if (n == 0) {
			xlane_conn_close(c, 0);   /* the rest is done while others are served */
			return;
		}
	} while (n > 0);
	if (n != -EAGAIN) {
		fprintf(stderr, "epoll_server: a connection failed: %s\n", xlane_strerror((int)n));
		xlane_conn_abort(c);
	}
}

/* Everything that has news. Returns 0, or an error of the context. */
static int serve_all(xlane *x)
{
	struct xlane_event ev[64];
	xlane_conn *c;
	int n;

	while ((n = xlane_poll(x, ev, 64, 0)) > 0) {
		for (int i = 0; i < n; i++) {
			if (ev[i].conn)
				serve(ev[i].conn);
			else
				while (xlane_accept(ev[i].listener, 0, &c) == 0)
					serve(c);
		}
	}
	return n;
}

static int loop(xlane *x, int signals)
{
	struct epoll_event ev[2] = {
		{ .events = EPOLLIN, .data.fd = xlane_fd(x) }, { .events = EPOLLIN, .data.fd = signals },
	};
	int epoll = epoll_create1(EPOLL_CLOEXEC), err = 0;

	for (int i = 0; i < 2; i++)
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, ev[i].data.fd, &ev[i]))
			return -errno;
	while (!err) {
		/* armed, the descriptor is readable when something comes and when its own timers are due */
		int n = epoll_wait(epoll, ev, 2, xlane_prepare_wait(x) ? -1 : 0);

		for (int i = 0; i < n; i++)
			if (ev[i].data.fd == signals)
				return 0;
		err = xlane_progress(x);
		err = err < 0 ? err : serve_all(x);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct xlane_config config;
	xlane_listener *l;
	sigset_t stop;
	xlane *x;
	int opt, err;

	xlane_config_init(&config);
	while ((opt = getopt(argc, argv, CONTEXT_OPTIONS)) != -1)
		if (!context_option(&config, opt, optarg))
			return 2;
	if (argc - optind != 1)
		return fprintf(stderr, "usage: epoll_server -i IFACE|-d PORT\n"), 2;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	if (xlane_open(&config, &x))
		return fprintf(stderr, "epoll_server: %s\n", xlane_last_error()), 1;
	err = xlane_listen(x, (uint16_t)strtoul(argv[optind], NULL, 10), XLANE_STREAM, 128, &l);
	if (!err)
		err = loop(x, signalfd(-1, &stop, SFD_CLOEXEC));
	if (err)
		fprintf(stderr, "epoll_server: %s\n", xlane_strerror(err));
	xlane_close(x, 3000);
	return err != 0;
}
