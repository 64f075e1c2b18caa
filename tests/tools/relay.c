// SPDX-License-Identifier: BSD-2-Clause
/*
 * relay.c - the host in the middle: forwards frames between two interfaces over AF_PACKET, with seeded loss, bursts,
 * duplication, reordering, corruption, delay and a rate limit, and counts what it did. One thread, which sleeps in epoll.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "relay_options.h"
#include "relay_report.h"

struct relay {
	struct relay_options options;
	struct relay_pool pool;
	struct relay_socket socket[2];
	struct relay_direction direction[2];
	int epoll, timer, signals;
	u64 started_ns;
};

static u64 clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * XL_S + (u64)t.tv_nsec;
}

static int watch(struct relay *r, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

/* Signals are blocked first of all, so that one that comes early is not lost. */
static int open_waiting(struct relay *r)
{
	sigset_t set;
	int err;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	r->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->signals < 0 || r->timer < 0 || r->epoll < 0)
		return -errno;
	err = watch(r, r->signals);
	return err ? err : watch(r, r->timer);
}

static int open_sockets(struct relay *r)
{
	for (int i = 0; i < 2; i++) {
		const char *name = r->options.interface[i];
		int err = relay_socket_open(&r->socket[i], name, &r->pool);

		if (!err)
			err = watch(r, r->socket[i].fd);
		if (err) {
			fprintf(stderr, "relay: %s: %s\n", name, strerror(-err));
			return err;
		}
	}
	return 0;
}

static int open_directions(struct relay *r)
{
	for (int i = 0; i < 2; i++) {
		struct relay_direction *d = &r->direction[i];

		d->from = &r->socket[i];
		d->to = &r->socket[1 - i];
		d->pool = &r->pool;
		if (relay_direction_init(d, &r->options.direction[i], r->options.seed * 2 + (u64)i)) {
			fprintf(stderr, "relay: these rates do not go together; try 'relay -h'\n");
			return -EINVAL;
		}
	}
	return 0;
}

static int tell_ready(const struct relay *r)
{
	int fd;

	if (!r->options.ready)
		return 0;
	fd = open(r->options.ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "ready\n") < 0) {
		fprintf(stderr, "relay: %s: %s\n", r->options.ready, strerror(errno));
		return -errno;
	}
	close(fd);
	return 0;
}

static int report(struct relay *r)
{
	double seconds = (double)(clock_ns() - r->started_ns) / (double)XL_S;
	int err = 0;

	for (int i = 0; i < 2; i++)
		relay_direction_update(&r->direction[i]);
	if (!r->options.quiet)
		relay_report_text(stdout, r->direction, seconds);
	fflush(stdout);
	if (r->options.json)
		err = relay_report_file(r->options.json, r->direction, seconds);
	if (err)
		fprintf(stderr, "relay: %s: %s\n", r->options.json, strerror(-err));
	return err;
}

/* 1: stop. 0, or the error of a report. */
static int take_signals(struct relay *r)
{
	struct signalfd_siginfo info;
	int err;

	while (read(r->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo != SIGUSR1)
			return 1;
		err = report(r);
		if (err)
			return err;
	}
	return 0;
}

/* Until something arrives or is due. `busy`: only look whether a signal has come. */
static int wait_for_work(struct relay *r, bool busy)
{
	struct epoll_event events[4];
	u64 at = xl_min(relay_direction_deadline(&r->direction[0]), relay_direction_deadline(&r->direction[1]));
	struct itimerspec when = { .it_value = { (time_t)(at / XL_S), (long)(at % XL_S) } };
	int n;

	if (!busy) {
		if (at == XL_NEVER)
			when = (struct itimerspec){ 0 };
		timerfd_settime(r->timer, TFD_TIMER_ABSTIME, &when, NULL);
	}
	n = epoll_wait(r->epoll, events, XL_ARRAY_SIZE(events), busy ? 0 : -1);
	for (int i = 0; i < n; i++)
		if (events[i].data.fd == r->signals)
			return take_signals(r);
	return n < 0 && errno != EINTR ? -errno : 0;
}

static int run(struct relay *r)
{
	int err = 0;

	while (!err) {
		u64 now_ns = clock_ns();
		u32 n = relay_direction_turn(&r->direction[0], now_ns) + relay_direction_turn(&r->direction[1], now_ns);

		err = wait_for_work(r, n > 0);
	}
	return err < 0 ? err : report(r);
}

int main(int argc, char **argv)
{
	static struct relay r;
	int err = relay_options_parse(&r.options, argc, argv);

	if (err)
		return err < 0 ? 2 : 0;
	if (relay_pool_init(&r.pool)) {
		fprintf(stderr, "relay: no memory for frames\n");
		return 1;
	}
	/* Who started it has gone: so does it. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	err = open_waiting(&r);
	if (!err)
		err = open_sockets(&r);
	if (!err)
		err = open_directions(&r);
	r.started_ns = clock_ns();
	if (!err)
		err = tell_ready(&r);
	if (!err)
		err = run(&r);
	return err ? 1 : 0;
}
