/* SPDX-License-Identifier: BSD-2-Clause */
#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 8

static int watch(int epoll_fd, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static u32 drv_fds(void *arg, int *fds, u32 max)
{
	struct xl_drv *drv = arg;

	return drv->ops->fds(drv, fds, max);
}

static int drv_arm(void *arg, bool sleep)
{
	struct xl_drv *drv = arg;

	return drv->ops->arm(drv, sleep);
}

struct xl_wait_source xl_wait_drv(struct xl_drv *drv)
{
	return (struct xl_wait_source){ .fds = drv_fds, .arm = drv_arm, .arg = drv };
}

static int watch_sources(struct xl_wait *w)
{
	int fds[XL_DRV_FDS_MAX], err = 0;

	for (u32 s = 0; s < w->sources && !err; s++) {
		u32 n = w->source[s].fds(w->source[s].arg, fds, XL_ARRAY_SIZE(fds));

		for (u32 i = 0; i < n && !err; i++)
			err = watch(w->epoll_fd, fds[i]);
	}
	return err;
}

int xl_wait_init(struct xl_wait *w, enum xl_wait_mode mode, u64 spin_ns, const struct xl_wait_source *sources, u32 n)
{
	int err = 0;

	memset(w, 0, sizeof *w);
	if (!n || n > XL_WAIT_SOURCES_MAX)
		return -EINVAL;
	w->mode = mode;
	w->spin_ns = spin_ns;
	w->sources = n;
	memcpy(w->source, sources, n * sizeof *sources);
	w->timer_fd = -1;
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll_fd >= 0)
		w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->timer_fd < 0) {
		err = -errno;
		goto fail;
	}
	err = watch(w->epoll_fd, w->timer_fd);
	if (!err)
		err = watch_sources(w);
	if (err)
		goto fail;
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	return 0;
fail:
	xl_wait_close(w);
	return err;
}

void xl_wait_close(struct xl_wait *w)
{
	if (!w->sources)
		return;
	xl_wait_end(w);
	if (w->timer_fd >= 0)
		close(w->timer_fd);
	if (w->epoll_fd >= 0)
		close(w->epoll_fd);
	memset(w, 0, sizeof *w);
}

void xl_wait_note(struct xl_wait *w, u32 work, u64 now_ns)
{
	if (work)
		w->worked_ns = now_ns;
}

bool xl_wait_spins(const struct xl_wait *w, u64 now_ns)
{
	switch (w->mode) {
	case XL_WAIT_SPIN:
		return true;
	case XL_WAIT_SLEEP:
		return false;
	default:
		return now_ns < w->worked_ns + w->spin_ns;
	}
}

static void hold_signals(struct xl_wait *w)
{
	/* a fault that is held would end the program instead of reaching its handler */
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
	sigset_t set;

	sigfillset(&set);
	for (u32 i = 0; i < XL_ARRAY_SIZE(faults); i++)
		sigdelset(&set, faults[i]);
	w->held = !pthread_sigmask(SIG_BLOCK, &set, &w->outside);
}

/* Signals held back are delivered in here. ppoll starts anew by itself after one that has no handler. */
static int look(const struct xl_wait *w)
{
	const struct timespec now = { 0 };

	return ppoll(NULL, 0, &now, &w->outside) < 0 && errno == EINTR ? -EINTR : 0;
}

int xl_wait_turn(struct xl_wait *w, u64 now_ns)
{
	int err = 0;

	if (!w->turned_ns) {
		w->turned_ns = now_ns;
	} else if (!w->held && now_ns - w->turned_ns >= XL_WAIT_HOLD_NS) {
		hold_signals(w);
		w->turned_ns = now_ns;
	} else if (w->held && now_ns - w->turned_ns >= XL_WAIT_LOOK_NS) {
		err = look(w);
		w->turned_ns = now_ns;
	}
	return err;
}

void xl_wait_spin(const struct xl_wait *w)
{
	if (w->mode == XL_WAIT_ADAPTIVE) {
		sched_yield();
		return;
	}
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

void xl_wait_end(struct xl_wait *w)
{
	w->turned_ns = 0;
	if (w->held)
		pthread_sigmask(SIG_SETMASK, &w->outside, NULL);
	w->held = false;
}

static struct timespec timespec_of(u64 ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / XL_S), .tv_nsec = (long)(ns % XL_S) };
}

static void set_timer(struct xl_wait *w, u64 until_ns)
{
	struct itimerspec t = { .it_value = timespec_of(until_ns == XL_NEVER ? 0 : xl_max(until_ns, 1)) };

	/* setting it also clears an expiry that was not read */
	timerfd_settime(w->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
	w->armed = until_ns != XL_NEVER;
}

void xl_wait_woken(struct xl_wait *w)
{
	if (w->armed)
		set_timer(w, XL_NEVER);
	while (w->asleep) {
		struct xl_wait_source *s = &w->source[--w->asleep];

		s->arm(s->arg, false);
	}
}

/* True: the sources will wake us. False: there is work already. */
static bool arm(struct xl_wait *w)
{
	while (w->asleep < w->sources) {
		struct xl_wait_source *s = &w->source[w->asleep++];

		if (s->arm(s->arg, true) == -EAGAIN) {
			xl_wait_woken(w);
			return false;
		}
	}
	return true;
}

/* Until something is readable or `left_ns` are over. Negative errno or the count of epoll. */
static int sleep_for(struct xl_wait *w, u64 until_ns, u64 left_ns)
{
	struct epoll_event ev[EVENTS_MAX];
	const sigset_t *mask;
	int n;

	/* a look before, as epoll is interrupted also by a held signal that then has no handler */
	if (w->held && look(w))
		return -EINTR;
	if (!w->held)
		hold_signals(w);
	mask = w->held ? &w->outside : NULL;
	if (!w->no_pwait2) {
		struct timespec left = timespec_of(left_ns);

		n = epoll_pwait2(w->epoll_fd, ev, EVENTS_MAX, until_ns == XL_NEVER ? NULL : &left, mask);
		if (n >= 0 || errno != ENOSYS)
			return n < 0 ? -errno : n;
		w->no_pwait2 = true;
	}
	set_timer(w, until_ns);
	n = epoll_pwait(w->epoll_fd, ev, EVENTS_MAX, -1, mask);
	return n < 0 ? -errno : n;
}

int xl_wait_sleep(struct xl_wait *w, u64 until_ns, u64 now_ns)
{
	int n;

	if (until_ns <= now_ns)
		return 0;
	if (!arm(w))
		return 0;
	n = sleep_for(w, until_ns, until_ns - now_ns);
	xl_wait_woken(w);
	return n == -EINTR ? -EINTR : 0;
}

u64 xl_wait_prepare(struct xl_wait *w, u64 until_ns, u64 now_ns)
{
	if (until_ns <= now_ns || !arm(w))
		return 0;
	set_timer(w, until_ns);
	return until_ns == XL_NEVER ? UINT64_MAX : until_ns - now_ns;
}
