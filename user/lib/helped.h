/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helped.h - a backend with a thread beside it, which turns the worker while the program is away.
 *
 * Guarantees:
 *   One at a time: every operation, and every turn of the thread, runs alone. Signals never reach the thread.
 *   The program goes first: the thread does nothing before the program has not turned the worker for
 *     XL_HELPED_AWAY_NS; while the program sleeps on the backend's descriptors, it has as long again to come when they
 *     become readable or a deadline passes. Then the thread serves packets and deadlines as they come, until the
 *     program is back.
 *   Nothing before the program's first listen, connect or turn: calls that come while it sets out wait for it, and are
 *     not refused because it does not listen yet.
 *   No wakeup is lost: the thread takes only what the program would have handled in a turn. What the program has to
 *     hear of (events, a connection less, the end of the interface) makes its descriptor readable and keeps it from
 *     sleeping until it has taken it.
 *   What is lent stays: a turn frees nothing that a connection of the program's has received. Received memory goes back
 *     when the program consumes it or lets go of the connection (user/engine/recv.c, conn.c), and the inner backend
 *     reserves nothing itself: room to fill is the library's.
 *   Idle costs nothing: the thread sleeps until something is readable, a deadline, or the program's next operation.
 *     While the program works, it looks once each XL_HELPED_AWAY_NS.
 *
 *	              program turned lately, or has the lock
 *	 +-------+ <------------------------------------------ +------+   nothing to do    +------+
 *	 | pause | ------------------------------------------> | look | -----------------> | rest |
 *	 +-------+   XL_HELPED_AWAY_NS are over                +------+                    +------+
 *	     ^                                                  |    ^ ^  readable, deadline   |  |
 *	     |                                            turn  +----+ +-----------------------+  |
 *	     +------------------------------------------------------------------------------------+
 *	                                  the program's next operation
 */
#ifndef XL_HELPED_H
#define XL_HELPED_H

#include "backend.h"

#define XL_HELPED_AWAY_NS XL_MS

/* A helper for `inner`, which has neither reserve nor give, and which is destroyed with it. On failure (-EMFILE, -ENOMEM,
 * -EAGAIN: no more threads) `inner` is destroyed, and `why` says it in one line. */
int xl_helped_open(struct xl_backend *inner, struct xl_backend **out, char *why, size_t why_bytes);

#endif
