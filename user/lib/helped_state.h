/* SPDX-License-Identifier: BSD-2-Clause */
/* helped_state.h - what the two sides of a helped backend share: the program's (helped_ops.c), the thread's (helped.c). */
#ifndef XL_HELPED_STATE_H
#define XL_HELPED_STATE_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "helped.h"

#define XL_HELPED_FDS_MAX (1 + XL_DRV_FDS_MAX)

struct xl_helped {
	struct xl_backend b;           /* first */
	struct xl_backend *inner;
	pthread_t thread;
	int bell_fd;                   /* wakes the thread */
	int news_fd;                   /* wakes the program: among what its context sleeps on */
	u32 nfds;
	struct pollfd fds[XL_HELPED_FDS_MAX]; /* the thread's: bell, then the inner backend's */
	_Atomic bool wanted;           /* the program waits for the lock */
	pthread_mutex_t lock;          /* of all that follows, and of the inner backend */
	bool stop;
	bool begun;                    /* the program has listened, connected or turned the worker */
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

static inline struct xl_helped *xl_helped(const struct xl_backend *b)
{
	return (struct xl_helped *)(uintptr_t)b;
}

extern const struct xl_backend_ops xl_helped_ops;
/* What the context sleeps on. */
struct xl_wait_source xl_helped_source(struct xl_helped *h);
/* One of the two descriptors becomes readable, or ceases to be. */
void xl_helped_ring(int fd);
void xl_helped_quieten(int fd);
/* The thread's sleep is over. Under the lock. */
void xl_helped_rested(struct xl_helped *h);
/* The operation of this name (backend.h). */
void xl_helped_destroy(struct xl_backend *b);
/* Alone with the inner backend, until left, which returns `result`. */
struct xl_backend *xl_helped_enter(const struct xl_backend *b);
s64 xl_helped_left(const struct xl_backend *b, s64 result);

#endif
