/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inbox.h - messages from one thread to another: a ring with one producer and one consumer, and an eventfd to sleep on.
 *
 * A message is a kind and a pointer. Guarantee: a message posted at any instant is seen before the consumer sleeps, or
 * wakes it. The producer never waits. Both threads are of this process and trust each other.
 */
#ifndef XL_DAEMON_INBOX_H
#define XL_DAEMON_INBOX_H

#include <stdatomic.h>
#include "../base/spsc.h"

#define XL_INBOX_KINDS 8   /* a kind lies in the low bits of a pointer */

struct xl_inbox {
	struct xl_spsc *ring;
	int fd;                   /* eventfd, non-blocking */
	_Atomic bool asleep;      /* the consumer sleeps, or is about to */
	_Atomic u64 rung;         /* times the producer rang, or is about to */
	u64 heard;                /* of these, how many the consumer has read from the eventfd */
};

/* `slots`: power of two, above the most messages that can ever be under way. -ENOMEM, -EMFILE. */
int xl_inbox_open(struct xl_inbox *b, u32 slots);
/* Fine on zeroed memory. What is still in it is dropped. */
void xl_inbox_close(struct xl_inbox *b);

/* Producer. `p` is aligned to 8, kind < XL_INBOX_KINDS. A full ring is a mistake of ours: asserted. */
void xl_inbox_post(struct xl_inbox *b, u32 kind, void *p);
/* Consumer: the next message; false: none. */
bool xl_inbox_take(struct xl_inbox *b, u32 *kind, void **p);
/* Consumer, as a struct xl_wait_source of the worker. */
u32 xl_inbox_fds(void *inbox, int *fds, u32 max);
int xl_inbox_arm(void *inbox, bool sleep);

#endif
