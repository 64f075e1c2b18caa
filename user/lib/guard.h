/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.h - who may use a context: the thread that opened it, in the process that opened it.
 *
 * Guarantee: a call of another thread gets -EPERM, of a forked child -ECHILD, at the cost of two loads: thread numbers
 * are never used twice, and a fork raises a generation in the child.
 */
#ifndef XL_GUARD_H
#define XL_GUARD_H

#include "../base/types.h"

struct xl_guard { u64 thread; u32 forks; };

/* The calling thread and process become the owner. -ENOMEM, -EAGAIN of pthread_atfork. */
int xl_guard_init(struct xl_guard *g);
/* 0, -EPERM or -ECHILD. */
int xl_guard_check(const struct xl_guard *g);

#endif
