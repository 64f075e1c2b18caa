/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait.h - how a worker waits: spin for a while after work, then arm the wakeups of all sources and sleep in one epoll.
 *
 * Guarantee: a packet that arrives at any instant before or during a sleep ends it (the kernel keeps a ring with
 * packets readable, and the rings are looked at again after arming); a sleep ends no later than its deadline, to within
 * the kernel's timer. One thread. The descriptor of xl_wait_fd serves a program's own poll or epoll.
 *
 *	  +------+  no work for spin_ns  +--------+  rings still empty   +-------+
 *	  | spin | --------------------> | arming | ------------------>  | sleep |
 *	  +------+                       +--------+                      +-------+
 *	      ^  ^ work (-EAGAIN of arm)     |                               |
 *	      |  +---------------------------+                               |
 *	      +--------------------------------------------------------------+
 *	            descriptor readable, deadline, or signal: disarm
 *
 * Signals: a handler that ran while the worker is awake would go unnoticed. So a wait that sleeps or takes longer holds
 * signals back, and lets them through where they are noticed: in the sleep, and in a look now and then. Signals of the
 * thread's own faults are never held.
 */
#ifndef XL_WAIT_H
#define XL_WAIT_H

#include <signal.h>

#include "../drv/drv.h"

/* What a worker waits for: descriptors, and a way to say that it is going to sleep. The driver is one; channels and
 * queues of requests are others. */
struct xl_wait_source {
	u32 (*fds)(void *arg, int *fds, u32 max);  /* once, at init: descriptors to be woken by; returns the count */
	int (*arm)(void *arg, bool sleep);         /* true: about to sleep, -EAGAIN: there is work; false: awake again */
	void *arg;
};
#define XL_WAIT_SOURCES_MAX 4

/* A wait holds signals back when it has been awake for so long, and then lets them through at such intervals. */
#define XL_WAIT_HOLD_NS (20 * XL_US)
#define XL_WAIT_LOOK_NS (50 * XL_US)

enum xl_wait_mode { XL_WAIT_ADAPTIVE, XL_WAIT_SPIN, XL_WAIT_SLEEP };

struct xl_wait {
	enum xl_wait_mode mode;
	struct xl_wait_source source[XL_WAIT_SOURCES_MAX];
	u32 sources;
	u64 spin_ns;       /* adaptive: spin for this long after the last work */
	u64 worked_ns;     /* when there last was work */
	int epoll_fd, timer_fd;
	bool no_pwait2;    /* the kernel has no epoll_pwait2 (before 5.11): sleep by the timerfd */
	bool armed;        /* the timerfd is set */
	u32 asleep;        /* the first so many sources were told that the worker sleeps */
	bool held;         /* signals are held back; `outside` is the thread's mask */
	u64 turned_ns;     /* first turn of this wait, 0: none yet; when held, the time of the last look */
	sigset_t outside;
};

/* Descriptors are close-on-exec. Lowers the thread's timer slack: else short sleeps overshoot by some 50 us. -errno. */
int xl_wait_init(struct xl_wait *w, enum xl_wait_mode mode, u64 spin_ns, const struct xl_wait_source *sources, u32 n);
/* A driver as a source. */
struct xl_wait_source xl_wait_drv(struct xl_drv *drv);
/* Closes the descriptors. Also right after a failed or missing xl_wait_init, on a zeroed structure: does nothing. */
void xl_wait_close(struct xl_wait *w);
/* Tell of the last round: `work` packets were handled at now_ns. */
void xl_wait_note(struct xl_wait *w, u32 work, u64 now_ns);
/* The policy: true while it is better to look again at once than to sleep. */
bool xl_wait_spins(const struct xl_wait *w, u64 now_ns);
/* One turn of spinning. Adaptive: whoever else wants this core gets it, maybe the very peer that is waited for. */
void xl_wait_spin(const struct xl_wait *w);
/* Tell of every turn of a wait that does not sleep. 0, or -EINTR: a signal handler has run. */
int xl_wait_turn(struct xl_wait *w, u64 now_ns);
/* The wait that began with the first turn or sleep is over: the thread's signal mask is what it was before. */
void xl_wait_end(struct xl_wait *w);
/* Sleep until a packet, a signal or `until_ns` (CLOCK_MONOTONIC; XL_NEVER: no limit). 0, also when there is work and it
 * did not sleep at all, or -EINTR, also for a signal that was held back. */
int xl_wait_sleep(struct xl_wait *w, u64 until_ns, u64 now_ns);

/* For a program's own poll: arm wakeups and set the timer for `until_ns`. Returns nanoseconds to sleep at most,
 * UINT64_MAX without limit, 0: there is work. xl_wait_woken undoes it. */
u64 xl_wait_prepare(struct xl_wait *w, u64 until_ns, u64 now_ns);
void xl_wait_woken(struct xl_wait *w);
static inline int xl_wait_fd(const struct xl_wait *w) { return w->epoll_fd; }

#endif
