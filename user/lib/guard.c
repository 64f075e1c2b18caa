/* SPDX-License-Identifier: BSD-2-Clause */
#include "guard.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static _Atomic u64 threads;            /* numbers given out */
static _Thread_local u64 this_thread;  /* 0: none yet */
static u32 forks;                      /* written only in a child, which has one thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int atfork_error;

static void in_child(void)
{
	forks++;
}

static void install(void)
{
	atfork_error = -pthread_atfork(NULL, NULL, in_child);
}

int xl_guard_init(struct xl_guard *g)
{
	pthread_once(&once, install);
	if (atfork_error)
		return atfork_error;
	if (!this_thread)
		this_thread = atomic_fetch_add(&threads, 1) + 1;
	g->thread = this_thread;
	g->forks = forks;
	return 0;
}

int xl_guard_check(const struct xl_guard *g)
{
	if (g->forks != forks)
		return -ECHILD;
	return g->thread == this_thread ? 0 : -EPERM;
}
