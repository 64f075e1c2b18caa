/* SPDX-License-Identifier: BSD-2-Clause */
#include "helped.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/assert.h"
#include "../worker/worker.h"

#define FDS_MAX (1 + XL_DRV_FDS_MAX)

struct helped {
	struct xl_backend b;           /* first */
	struct xl_backend *inner;
	pthread_t thread;
	int bell_fd;                   /* wakes the thread */
	int news_fd;                   /* wakes the program: among what its context sleeps on */
	u32 nfds;
	struct pollfd fds[FDS_MAX];    /* the thread's: bell, then the inner backend's */
	_Atomic bool wanted;           /* the program waits for the lock */
	pthread_mutex_t lock;          /* of all that follows, and of the inner backend */
	bool stop;
	bool program_armed;            /* the program sleeps, or said that it is about to */
	bool resting, helper_armed;    /* the thread does; and the inner backend was told */
	bool roused;                   /* something was readable, and nobody has seen to it yet */
	bool graced;                   /* the program was given its time to wake */
	int error;                     /* of the thread's last turn: the inner backend is gone */
	u64 here_ns;                   /* when the program last turned the worker, or looked whether to */
	struct xl_event news[XLANE_BATCH_MAX];
	u32 first, nnews;              /* news[first..nnews) are for the program, before what the inner backend has */
	bool told;                     /* news_fd is readable */
};

static struct helped *helped(const struct xl_backend *b)
{
	return (struct helped *)(uintptr_t)b;
}

static void ring(int fd)
{
	const u64 one = 1;

	/* it can not be full: each ring is answered by a read before the next, but for a handful */
	XL_ASSERT(write(fd, &one, sizeof one) == sizeof one);
}

static void quieten(int fd)
{
	u64 count;

	XL_ASSERT(read(fd, &count, sizeof count) == sizeof count || errno == EAGAIN);
}

/* The thread's sleep is over. */
static void rested(struct helped *h)
{
	h->resting = false;
	if (h->helper_armed && !h->program_armed)
		h->inner->source.arm(h->inner->source.arg, false);
	h->helper_armed = false;
}

/* --- the program's side ---------------------------------------------------------------------- */
/* Alone with the inner backend, until `left`. */
static struct xl_backend *enter(const struct xl_backend *b)
{
	struct helped *h = helped(b);

	if (pthread_mutex_trylock(&h->lock)) {
		atomic_store(&h->wanted, true);
		pthread_mutex_lock(&h->lock);
		atomic_store(&h->wanted, false);
	}
	/* what the program does may bring a nearer deadline than the thread sleeps for */
	if (h->resting) {
		rested(h);
		ring(h->bell_fd);
	}
	return h->inner;
}

static s64 left(const struct xl_backend *b, s64 result)
{
	pthread_mutex_unlock(&helped(b)->lock);
	return result;
}

static int run(struct xl_backend *b)
{
	struct xl_backend *in = enter(b);
	int n = in->ops->run(in);

	helped(b)->here_ns = in->ops->ran_ns(in);
	return (int)left(b, n);
}

static bool turn(struct xl_backend *b, u64 now_ns)
{
	struct xl_backend *in = enter(b);
	struct helped *h = helped(b);
	/* the thread may have begun a turn since the clock was read */
	bool did = now_ns >= in->ops->ran_ns(in) && in->ops->turn(in, now_ns);

	h->here_ns = now_ns;
	return left(b, did || h->told);
}

static void flush(struct xl_backend *b, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	in->ops->flush(in, now_ns);
	left(b, 0);
}

static u32 events(struct xl_backend *b, struct xl_event *out, u32 max)
{
	struct xl_backend *in = enter(b);
	struct helped *h = helped(b);
	u32 n = xl_min(max, h->nnews - h->first);

	memcpy(out, h->news + h->first, n * sizeof *out);
	h->first += n;
	if (n < max) {
		h->first = h->nnews = 0;
		n += in->ops->events(in, out + n, max - n);
	}
	if (n < max && h->told) {
		quieten(h->news_fd);
		h->told = false;
	}
	return (u32)left(b, n);
}

static u64 ran_ns(const struct xl_backend *b)
{
	struct xl_backend *in = enter(b);

	return (u64)left(b, (s64)in->ops->ran_ns(in));
}

static u64 deadline(const struct xl_backend *b)
{
	struct xl_backend *in = enter(b);

	return (u64)left(b, (s64)in->ops->deadline(in));
}

static u32 conns(const struct xl_backend *b)
{
	struct xl_backend *in = enter(b);

	return (u32)left(b, in->ops->conns(in));
}

static int do_listen(struct xl_backend *b, u16 port, u8 kind, u32 backlog, u64 user, u32 *listener)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->listen(in, port, kind, backlog, user, listener));
}

static void unlisten(struct xl_backend *b, u32 listener, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	in->ops->unlisten(in, listener, now_ns);
	left(b, 0);
}

static int do_accept(struct xl_backend *b, u32 listener, u64 user, u32 *conn)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->accept(in, listener, user, conn));
}

static int do_connect(struct xl_backend *b, const u8 mac[6], u16 port, u8 kind, u64 user, u64 now_ns, u32 *conn)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->connect(in, mac, port, kind, user, now_ns, conn));
}

static s64 do_send(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	return left(b, in->ops->send(in, conn, data, bytes, now_ns));
}

static int large_begin(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->large_begin(in, conn, bytes, now_ns));
}

static s64 large_more(struct xl_backend *b, u32 conn, const void *data, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	return left(b, in->ops->large_more(in, conn, data, bytes, now_ns));
}

static s64 do_recv(struct xl_backend *b, u32 conn, void *data, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	return left(b, in->ops->recv(in, conn, data, bytes, now_ns));
}

static s64 peek(struct xl_backend *b, u32 conn, const u8 **data, u64 *bytes_left)
{
	struct xl_backend *in = enter(b);

	return left(b, in->ops->peek(in, conn, data, bytes_left));
}

static void consume(struct xl_backend *b, u32 conn, u64 bytes, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	in->ops->consume(in, conn, bytes, now_ns);
	left(b, 0);
}

static s64 readable(const struct xl_backend *b, u32 conn)
{
	struct xl_backend *in = enter(b);

	return left(b, in->ops->readable(in, conn));
}

static u64 writable(const struct xl_backend *b, u32 conn)
{
	struct xl_backend *in = enter(b);

	return (u64)left(b, (s64)in->ops->writable(in, conn));
}

static u64 message_max(const struct xl_backend *b, u32 conn)
{
	struct xl_backend *in = enter(b);

	return (u64)left(b, (s64)in->ops->message_max(in, conn));
}

static int do_shutdown(struct xl_backend *b, u32 conn, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->shutdown(in, conn, now_ns));
}

static void do_close(struct xl_backend *b, u32 conn, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	in->ops->close(in, conn, now_ns);
	left(b, 0);
}

static void do_abort(struct xl_backend *b, u32 conn, u64 now_ns)
{
	struct xl_backend *in = enter(b);

	in->ops->abort(in, conn, now_ns);
	left(b, 0);
}

static int error_of(const struct xl_backend *b, u32 conn)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->error(in, conn));
}

static void peer(const struct xl_backend *b, u32 conn, u8 mac[6], u16 *port)
{
	struct xl_backend *in = enter(b);

	in->ops->peer(in, conn, mac, port);
	left(b, 0);
}

static int info(struct xl_backend *b, u32 conn, struct xl_conn_info *out)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->info(in, conn, out));
}

static int set(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 value)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->set(in, conn, option, value));
}

static int get(struct xl_backend *b, u32 conn, enum xl_conn_option option, u64 *value)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->get(in, conn, option, value));
}

static int counters(struct xl_backend *b, void (*each)(const char *name, const char *text, uint64_t value, void *arg),
		    void *arg)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->counters(in, each, arg));
}

static int census(struct xl_backend *b, void (*each)(const char *owner, uint64_t frames, void *arg), void *arg)
{
	struct xl_backend *in = enter(b);

	return (int)left(b, in->ops->census(in, each, arg));
}

/* --- what the context sleeps on --------------------------------------------------------------- */
static u32 source_fds(void *arg, int *fds, u32 max)
{
	struct helped *h = arg;
	const struct xl_wait_source *s = &h->inner->source;

	XL_ASSERT(max);
	fds[0] = h->news_fd;
	return 1 + s->fds(s->arg, fds + 1, max - 1);
}

static int source_arm(void *arg, bool sleep)
{
	struct helped *h = arg;
	const struct xl_wait_source *s = &enter(&h->b)->source;
	int err = 0;

	if (sleep)
		err = h->told ? -EAGAIN : s->arm(s->arg, true);
	else if (h->program_armed)
		s->arm(s->arg, false);
	h->program_armed = sleep && !err;
	return (int)left(&h->b, err);
}

/* --- the thread's side ------------------------------------------------------------------------ */
enum next { NEXT_LOOK, NEXT_PAUSE, NEXT_REST, NEXT_END };

/* There is something to do; else the inner backend is armed. */
static bool due(struct helped *h, u64 now_ns)
{
	const struct xl_wait_source *s = &h->inner->source;

	if (h->roused || h->inner->ops->deadline(h->inner) <= now_ns)
		return true;
	h->helper_armed = s->arm(s->arg, true) != -EAGAIN;
	return !h->helper_armed;
}

/* A turn in place of the program. Returns what run did. */
static int stand_in(struct helped *h)
{
	struct xl_backend *in = h->inner;
	const u32 before = in->ops->conns(in);
	int n;

	if (h->program_armed)
		in->source.arm(in->source.arg, false);
	n = in->ops->run(in);
	h->error = xl_min(n, 0);
	/* what does not fit stays, and is merged, in the inner backend */
	if (!h->nnews)
		h->nnews = in->ops->events(in, h->news, XLANE_BATCH_MAX);
	if (!h->told && (h->nnews || h->error || in->ops->conns(in) != before)) {
		ring(h->news_fd);
		h->told = true;
	}
	/* work that this finds is found again at the next look */
	if (h->program_armed)
		in->source.arm(in->source.arg, true);
	return n;
}

static enum next decide(struct helped *h, u64 now_ns, u64 *until_ns)
{
	int n;

	rested(h);
	*until_ns = now_ns + XL_HELPED_AWAY_NS;
	if (h->stop)
		return NEXT_END;
	if (h->here_ns + XL_HELPED_AWAY_NS > now_ns) {
		h->roused = h->graced = false;
		*until_ns = h->here_ns + XL_HELPED_AWAY_NS;
		return NEXT_PAUSE;
	}
	if (h->error || !due(h, now_ns)) {
		h->graced = false;
		h->resting = true;
		*until_ns = h->error ? XL_NEVER : h->inner->ops->deadline(h->inner);
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

static enum next look(struct helped *h, u64 *until_ns)
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
static bool sleep_on(struct helped *h, u32 n, u64 until_ns)
{
	u64 now = xl_worker_clock();
	u64 left_ns = until_ns > now ? until_ns - now : 0;
	struct timespec t = { .tv_sec = (time_t)(left_ns / XL_S), .tv_nsec = (long)(left_ns % XL_S) };
	int got = ppoll(h->fds, n, until_ns == XL_NEVER ? NULL : &t, NULL);

	if (got <= 0 || !h->fds[0].revents)
		return false;
	quieten(h->bell_fd);
	return true;
}

static void rouse(struct helped *h)
{
	pthread_mutex_lock(&h->lock);
	for (u32 i = 1; i < h->nfds; i++)
		h->roused |= h->fds[i].revents != 0;
	pthread_mutex_unlock(&h->lock);
}

static void *help(void *arg)
{
	struct helped *h = arg;
	enum next next;
	u64 until;

	while ((next = look(h, &until)) != NEXT_END) {
		if (next == NEXT_PAUSE)
			sleep_on(h, 1, until);
		else if (next == NEXT_REST && !sleep_on(h, h->error ? 1 : h->nfds, until))
			rouse(h);
		else if (next == NEXT_REST) /* the program is here */
			sleep_on(h, 1, xl_worker_clock() + XL_HELPED_AWAY_NS);
	}
	return NULL;
}

/* --- life --------------------------------------------------------------------------------------- */
static void let_go(struct helped *h)
{
	pthread_mutex_destroy(&h->lock);
	if (h->news_fd >= 0)
		close(h->news_fd);
	if (h->bell_fd >= 0)
		close(h->bell_fd);
	h->inner->ops->destroy(h->inner);
	free(h);
}

static void destroy(struct xl_backend *b)
{
	struct helped *h = helped(b);

	enter(b);
	h->stop = true;
	ring(h->bell_fd);
	left(b, 0);
	pthread_join(h->thread, NULL);
	let_go(h);
}

static const struct xl_backend_ops ops = {
	.name = "embedded, helped", .run = run, .turn = turn, .flush = flush, .events = events, .ran_ns = ran_ns,
	.deadline = deadline, .conns = conns, .listen = do_listen, .unlisten = unlisten, .accept = do_accept,
	.connect = do_connect, .send = do_send, .large_begin = large_begin, .large_more = large_more, .recv = do_recv,
	.peek = peek, .consume = consume, .readable = readable, .writable = writable, .message_max = message_max,
	.shutdown = do_shutdown, .close = do_close, .abort = do_abort, .error = error_of, .peer = peer, .info = info,
	.set = set, .get = get, .counters = counters, .census = census, .destroy = destroy,
};

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

static int open_fds(struct helped *h)
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
static int start(struct helped *h)
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
	struct helped *h = calloc(1, sizeof *h);
	int err = -ENOMEM;

	XL_ASSERT(!inner->ops->reserve && !inner->ops->give);
	if (!h)
		goto no_memory;
	h->inner = inner;
	h->b = *inner;
	h->b.ops = &ops;
	h->b.source = (struct xl_wait_source){ .fds = source_fds, .arm = source_arm, .arg = h };
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
