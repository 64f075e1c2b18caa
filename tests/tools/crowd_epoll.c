// SPDX-License-Identifier: BSD-2-Clause
/* crowd_epoll.c - all connections at once, none waited for: the context's descriptor and the commands in one epoll. */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "crowd.h"

#define EVENTS 64
#define LOOK_MS 200    /* datagrams given up, and the end of patience, are looked for so often */

static void accept_all(struct crowd *w)
{
	xlane_conn *c;
	int err;

	while ((err = xlane_accept(w->listener, 0, &c)) == 0) {
		struct crowd_conn *k = crowd_conn_new(w, c, CROWD_RUNNING);

		if (k)
			crowd_conn_step(w, k, 0);
		else
			xlane_conn_abort(c);
	}
	if (err != -EAGAIN)
		crowd_error(w, err);
}

static int take_events(struct crowd *w)
{
	struct xlane_event ev[EVENTS];
	int n;

	do {
		n = xlane_poll(w->x, ev, EVENTS, 0);
		for (int i = 0; i < n; i++) {
			struct crowd_conn *k = ev[i].conn ? xlane_conn_user(ev[i].conn) : NULL;

			if (ev[i].listener)
				accept_all(w);
			else if (k && k->c == ev[i].conn)
				crowd_conn_step(w, k, 0);
		}
	} while (n == EVENTS);
	return n < 0 ? n : 0;
}

/* What no event tells of: datagrams that are given up, and the end that was asked for. */
static void look_at_all(struct crowd *w)
{
	for (unsigned i = 0; i < w->o.conns; i++) {
		struct crowd_conn *k = &w->conns[i];

		if (k->state == CROWD_RUNNING && (w->quit || w->o.type == XLANE_DATAGRAM))
			crowd_conn_step(w, k, 0);
	}
}

static bool out_of_patience(const struct crowd *w)
{
	return w->o.work != CROWD_HOLD && w->paused == 0 && w->o.quiet_s &&
	       crowd_now_ns() - w->moved_ns > (uint64_t)w->o.quiet_s * 1000000000;
}

static int sleep_until(struct crowd *w, int epoll)
{
	struct epoll_event ready[2];
	uint64_t wait_ns = xlane_prepare_wait(w->x);
	int ms = wait_ns >= LOOK_MS * 1000000ull ? LOOK_MS : (int)((wait_ns + 999999) / 1000000);

	if (w->o.work == CROWD_HOLD && !w->quit && wait_ns == UINT64_MAX)
		ms = -1;
	else if (w->o.work == CROWD_HOLD && !w->quit && wait_ns >= LOOK_MS * 1000000ull)
		ms = wait_ns > 3600000000000ull ? 3600000 : (int)(wait_ns / 1000000);
	return epoll_wait(epoll, ready, 2, ms) < 0 && errno != EINTR ? -errno : 0;
}

static int run(struct crowd *w, int epoll)
{
	uint64_t looked_ns = 0;
	int err = w->o.serve ? 0 : crowd_connect_all(w);

	for (;;) {
		if (!err)
			err = take_events(w);
		if (err)
			return err;
		crowd_control(w, false);
		if (crowd_now_ns() - looked_ns > LOOK_MS * 1000000ull || w->quit) {
			looked_ns = crowd_now_ns();
			look_at_all(w);
		}
		if (!w->told_open && w->opened == w->o.conns) {
			w->told_open = true;
			crowd_say("open %u", w->opened);
		}
		if (crowd_over(w))
			return 0;
		if (out_of_patience(w))
			return -ETIME;
		err = sleep_until(w, epoll);
		if (!err) {
			err = xlane_progress(w->x);
			err = err < 0 ? err : 0;
		}
	}
}

int crowd_run_epoll(struct crowd *w)
{
	struct epoll_event in = { .events = EPOLLIN };
	int fd = epoll_create1(EPOLL_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	if (epoll_ctl(fd, EPOLL_CTL_ADD, xlane_fd(w->x), &in) ||
	    (w->control >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, w->control, &in)))
		err = -errno;
	else
		err = run(w, fd);
	close(fd);
	return err;
}
