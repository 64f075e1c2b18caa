// SPDX-License-Identifier: BSD-2-Clause
/* server.c - the control thread's loop. */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "logs.h"

#define EVENTS_MAX 64

int xl_server_watch(struct xl_server *s, int fd, enum xl_server_source source, u32 a, u32 b)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = (u64)source << 48 | (u64)b << 32 | a };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

void xl_server_apply(struct xl_server *s, const struct xl_reload *r)
{
	xl_logs_level((int)r->log_level);
	s->quota.most =
		(struct xl_quota_use){ r->clients_per_uid, r->connections_per_uid, (u64)r->memory_mib_per_uid << 20 };
}

static void on_helper(struct xl_server *s)
{
	int got = xl_request_news(&s->helper);

	if (got == 1) {
		s->helper.reloaded = false;
		s->counters[XL_SERVER_RELOADS]++;
		xl_server_apply(s, &s->helper.reload);
	} else if (got != -EAGAIN) {
		xl_error("the privileged helper is gone: ending");
		s->ending = true;
	}
}

static void on_signal(struct xl_server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == sizeof info)
		if (info.ssi_signo != SIGHUP)
			s->ending = true;
}

void xl_server_report(struct xl_server *s, u32 interface, struct xl_thread *t, u32 kind, void *p)
{
	switch (kind) {
	case XL_THREAD_GONE:
		xl_clients_channel_gone(s, p);
		break;
	case XL_THREAD_SNAPSHOT_DONE:
		xl_queries_filled(s, interface, t, p);
		break;
	default:
		break;
	}
}

static void on_thread(struct xl_server *s, u32 interface, u32 worker)
{
	struct xl_interface *i = &s->interface[interface];
	struct xl_thread *t = worker < i->workers ? i->thread[worker] : NULL;
	bool down = false;
	u32 kind;
	void *p;
	u64 n;

	if (!t)
		return;   /* an event of a worker that has just been taken apart */
	if (read(t->out.fd, &n, sizeof n) < 0 && errno != EAGAIN)
		xl_error("can not read an eventfd: %s", strerror(errno));
	while (xl_thread_report(t, &kind, &p)) {
		down = down || kind == XL_THREAD_DOWN;
		xl_server_report(s, interface, t, kind, p);
	}
	if (down)
		xl_presence_lost(s, interface, -ENETDOWN, "its device is gone");
}

static void dispatch(struct xl_server *s, u64 data)
{
	u32 a = (u32)data, b = (data >> 32) & 0xffff;

	switch (data >> 48) {
	case XL_ON_LISTENER:
		xl_clients_accept(s);
		break;
	case XL_ON_SIGNAL:
		on_signal(s);
		break;
	case XL_ON_HELPER:
		on_helper(s);
		break;
	case XL_ON_WATCH:
		xl_presence_watch_event(s, a);
		break;
	case XL_ON_THREAD:
		on_thread(s, a, b);
		break;
	default:
		xl_clients_event(s, a);
		break;
	}
}

static int patience_ms(const struct xl_server *s)
{
	u64 until = xl_min(xl_presence_deadline(s), xl_queries_deadline(s)), now = xl_worker_clock();

	if (until == XL_NEVER)
		return -1;
	return until <= now ? 0 : (int)((until - now + XL_MS - 1) / XL_MS);
}

int xl_server_run(struct xl_server *s)
{
	struct epoll_event ev[EVENTS_MAX];

	while (!s->ending) {
		int n = epoll_wait(s->epoll, ev, EVENTS_MAX, patience_ms(s));
		u64 now;

		if (n < 0 && errno != EINTR) {
			xl_error("epoll_wait: %s", strerror(errno));
			s->status = 1;
			break;
		}
		for (int i = 0; i < n; i++)
			dispatch(s, ev[i].data.u64);
		now = xl_worker_clock();
		xl_presence_tick(s, now);
		xl_queries_tick(s, now);
		if (s->helper.broken && !s->ending) {
			xl_error("the privileged helper does not answer: ending");
			s->ending = true;
			s->status = 1;
		}
	}
	if (xl_presence_end(s)) {
		xl_error("a worker does not stop: ending without it");
		s->status = 1;
	}
	return s->status;
}
