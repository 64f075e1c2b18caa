/* SPDX-License-Identifier: BSD-2-Clause */
#include "helped.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/assert.h"
#include "../worker/worker.h"
#include "helped_state.h"

/* --- for both sides ------------------------------------------------------------------------- */
void xl_helped_ring(int fd)
{
	const u64 one = 1;

	/* it can not be full: each ring is answered by a read before the next, but for a handful */
	XL_ASSERT(write(fd, &one, sizeof one) == sizeof one);
}

void xl_helped_quieten(int fd)
{
	u64 count;

	XL_ASSERT(read(fd, &count, sizeof count) == sizeof count || errno == EAGAIN);
}

void xl_helped_rested(struct xl_helped *h)
{
	h->resting = false;
	if (h->helper_armed && !h->program_armed)
		h->inner->source.arm(h->inner->source.arg, false);
	h->helper_armed = false;
}

struct xl_backend *xl_helped_enter(const struct xl_backend *b)
{
	struct xl_helped *h = xl_helped(b);

	if (pthread_mutex_trylock(&h->lock)) {
		atomic_store(&h->wanted, true);
		pthread_mutex_lock(&h->lock);
		atomic_store(&h->wanted, false);
	}
	/* what the program does may bring a nearer deadline than the thread sleeps for */
	if (h->resting) {
		xl_helped_rested(h);
		xl_helped_ring(h->bell_fd);
	}
	return h->inner;
}

s64 xl_helped_left(const struct xl_backend *b, s64 result)
{
	pthread_mutex_unlock(&xl_helped(b)->lock);
	return result;
}

/* --- the thread's side ------------------------------------------------------------------------ */
enum next { NEXT_LOOK, NEXT_PAUSE, NEXT_REST, NEXT_WAIT, NEXT_END };   /* to wait: for the program alone */

/* There is something to do; else the inner backend is armed. */
static bool due(struct xl_helped *h, u64 now_ns)
{
	const struct xl_wait_source *s = &h->inner->source;

	if (h->roused || h->inner->ops->deadline(h->inner) <= now_ns)
		return true;
	h->helper_armed = s->arm(s->arg, true) != -EAGAIN;
	return !h->helper_armed;
}

/* A turn in place of the program. Returns what run did. */
static int stand_in(struct xl_helped *h)
{
	struct xl_backend *in = h->inner;
	const u32 before = in->ops->conns(in);
	int n;

	if (h->program_armed)
		in->source.arm(in->source.arg, false);
	n = in->ops->run(in);
	h->error = n < 0 ? n : 0;
	/* what does not fit stays, and is merged, in the inner backend */
	if (!h->nnews)
		h->nnews = in->ops->events(in, h->news, XLANE_BATCH_MAX);
	if (!h->told && (h->nnews || h->error || in->ops->conns(in) != before)) {
		xl_helped_ring(h->news_fd);
		h->told = true;
	}
	/* work that this finds is found again at the next look */
	if (h->program_armed)
		in->source.arm(in->source.arg, true);
	return n;
}

static enum next decide(struct xl_helped *h, u64 now_ns, u64 *until_ns)
{
	int n;

	xl_helped_rested(h);
	*until_ns = now_ns + XL_HELPED_AWAY_NS;
	if (h->stop)
		return NEXT_END;
	if (h->error || !h->begun) {
		h->resting = true;
		*until_ns = XL_NEVER;
		return NEXT_WAIT;
	}
	if (h->here_ns + XL_HELPED_AWAY_NS > now_ns) {
		h->roused = h->graced = false;
		*until_ns = h->here_ns + XL_HELPED_AWAY_NS;
		return NEXT_PAUSE;
	}
	if (!due(h, now_ns)) {
		h->graced = false;
		h->resting = true;
		*until_ns = h->inner->ops->deadline(h->inner);
		return NEXT_REST;
	}
	if (h->program_armed && !h->graced) {
		h->graced = true;
		return NEXT_PAUSE;
	}
	n = stand_in(h);
	/* a descriptor that is readable for nothing is not asked all the time */
	if (h->roused && !n) {
		h->roused = false;
		return NEXT_PAUSE;
	}
	h->roused = false;
	return NEXT_LOOK;
}

static enum next look(struct xl_helped *h, u64 *until_ns)
{
	u64 now = xl_worker_clock();
	enum next next;

	*until_ns = now + XL_HELPED_AWAY_NS;
	/* the program is at work, or about to be: a lock that is taken again at once would never be its */
	if (atomic_load(&h->wanted) || pthread_mutex_trylock(&h->lock))
		return NEXT_PAUSE;
	next = decide(h, now, until_ns);
	pthread_mutex_unlock(&h->lock);
	return next;
}

/* Until the bell, which is quiet afterwards, or `until_ns`, or one of fds[1..n). True: the bell. */
static bool sleep_on(struct xl_helped *h, u32 n, u64 until_ns)
{
	u64 now = xl_worker_clock();
	u64 left_ns = until_ns > now ? until_ns - now : 0;
	struct timespec t = { .tv_sec = (time_t)(left_ns / XL_S), .tv_nsec = (long)(left_ns % XL_S) };
	int got = ppoll(h->fds, n, until_ns == XL_NEVER ? NULL : &t, NULL);

	if (got <= 0 || !h->fds[0].revents)
		return false;
	xl_helped_quieten(h->bell_fd);
	return true;
}

static void rouse(struct xl_helped *h)
{
	pthread_mutex_lock(&h->lock);
	for (u32 i = 1; i < h->nfds; i++)
		h->roused |= h->fds[i].revents != 0;
	pthread_mutex_unlock(&h->lock);
}

static void *help(void *arg)
{
	struct xl_helped *h = arg;
	enum next next;
	u64 until;

	while ((next = look(h, &until)) != NEXT_END) {
		if (next == NEXT_LOOK)
			continue;
		if (next == NEXT_PAUSE)
			sleep_on(h, 1, until);
		else if (!sleep_on(h, next == NEXT_WAIT ? 1 : h->nfds, until))
			rouse(h);
		else /* the program is here */
			sleep_on(h, 1, xl_worker_clock() + XL_HELPED_AWAY_NS);
	}
	return NULL;
}

/* --- life --------------------------------------------------------------------------------------- */
static void let_go(struct xl_helped *h)
{
	pthread_mutex_destroy(&h->lock);
	if (h->news_fd >= 0)
		close(h->news_fd);
	if (h->bell_fd >= 0)
		close(h->bell_fd);
	h->inner->ops->destroy(h->inner);
	free(h);
}

void xl_helped_destroy(struct xl_backend *b)
{
	struct xl_helped *h = xl_helped(b);

	xl_helped_enter(b);
	h->stop = true;
	xl_helped_ring(h->bell_fd);
	xl_helped_left(b, 0);
	pthread_join(h->thread, NULL);
	let_go(h);
}

/* Recursive, as figures are given to functions of the program's, which may call the library. */
static int make_lock(pthread_mutex_t *lock)
{
	pthread_mutexattr_t how;
	int err = -pthread_mutexattr_init(&how);

	if (err)
		return err;
	pthread_mutexattr_settype(&how, PTHREAD_MUTEX_RECURSIVE);
	err = -pthread_mutex_init(lock, &how);
	pthread_mutexattr_destroy(&how);
	return err;
}

static int open_fds(struct xl_helped *h)
{
	const struct xl_wait_source *s = &h->inner->source;
	int fds[XL_DRV_FDS_MAX];

	h->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->bell_fd < 0 || h->news_fd < 0)
		return -errno;
	h->nfds = 1 + s->fds(s->arg, fds, XL_ARRAY_SIZE(fds));
	for (u32 i = 0; i < h->nfds; i++)
		h->fds[i] = (struct pollfd){ .fd = i ? fds[i - 1] : h->bell_fd, .events = POLLIN };
	return 0;
}

/* Every signal is the program's: the thread is born with all of them held. */
static int start(struct xl_helped *h)
{
	sigset_t all, outside;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &outside);
	err = -pthread_create(&h->thread, NULL, help, h);
	pthread_sigmask(SIG_SETMASK, &outside, NULL);
	if (!err)
		pthread_setname_np(h->thread, "xlane-helper");
	return err;
}

int xl_helped_open(struct xl_backend *inner, struct xl_backend **out, char *why, size_t why_bytes)
{
	struct xl_helped *h = calloc(1, sizeof *h);
	int err = -ENOMEM;

	XL_ASSERT(!inner->ops->reserve && !inner->ops->give);
	if (!h)
		goto no_memory;
	h->inner = inner;
	h->b = *inner;
	h->b.ops = &xl_helped_ops;
	h->b.source = xl_helped_source(h);
	h->here_ns = xl_worker_clock();
	h->bell_fd = h->news_fd = -1;
	err = make_lock(&h->lock);
	if (err)
		goto no_lock;
	err = open_fds(h);
	if (!err)
		err = start(h);
	if (!err) {
		*out = &h->b;
		return 0;
	}
	snprintf(why, why_bytes, "no helper thread: %s", strerror(-err));
	let_go(h);
	return err;
no_lock:
	free(h);
no_memory:
	snprintf(why, why_bytes, "no helper thread: %s", strerror(-err));
	inner->ops->destroy(inner);
	return err;
}
