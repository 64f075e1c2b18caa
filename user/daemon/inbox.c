// SPDX-License-Identifier: BSD-2-Clause
#include "inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/assert.h"

int xl_inbox_open(struct xl_inbox *b, u32 slots)
{
	size_t bytes = (xl_spsc_bytes(slots) + 63) & ~(size_t)63;
	void *mem = aligned_alloc(64, bytes);

	memset(b, 0, sizeof *b);
	b->fd = -1;
	if (!mem)
		return -ENOMEM;
	b->ring = xl_spsc_init(mem, slots);
	b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->fd < 0) {
		int err = -errno;

		xl_inbox_close(b);
		return err;
	}
	return 0;
}

void xl_inbox_close(struct xl_inbox *b)
{
	if (!b->ring)
		return;
	if (b->fd >= 0)
		close(b->fd);
	free(b->ring);
	b->ring = NULL;
	b->fd = -1;
}

static void ring_bell(struct xl_inbox *b)
{
	const u64 one = 1;

	/* counted before, so that the consumer looks for a ring that is still on its way */
	atomic_fetch_add(&b->rung, 1);
	while (write(b->fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

void xl_inbox_post(struct xl_inbox *b, u32 kind, void *p)
{
	u64 message = (uintptr_t)p | kind;

	XL_ASSERT(kind < XL_INBOX_KINDS && !((uintptr_t)p % XL_INBOX_KINDS));
	XL_ASSERT(xl_spsc_push(b->ring, &message, 1) == 1);
	/* the message first, then the look; the consumer the other way round */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load(&b->asleep))
		ring_bell(b);
}

bool xl_inbox_take(struct xl_inbox *b, u32 *kind, void **p)
{
	u64 message;

	if (!xl_spsc_pop(b->ring, &message, 1))
		return false;
	*kind = message % XL_INBOX_KINDS;
	*p = (void *)(uintptr_t)(message - *kind);
	return true;
}

u32 xl_inbox_fds(void *inbox, int *fds, u32 max)
{
	struct xl_inbox *b = inbox;

	if (!max)
		return 0;
	fds[0] = b->fd;
	return 1;
}

static void hear(struct xl_inbox *b)
{
	u64 n;

	if (b->heard != atomic_load(&b->rung) && read(b->fd, &n, sizeof n) == sizeof n)
		b->heard += n;
}

int xl_inbox_arm(void *inbox, bool sleep)
{
	struct xl_inbox *b = inbox;

	atomic_store(&b->asleep, sleep);
	if (!sleep) {
		hear(b);
		return 0;
	}
	atomic_thread_fence(memory_order_seq_cst);
	return xl_spsc_count(b->ring) ? -EAGAIN : 0;
}
