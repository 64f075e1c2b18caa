/* SPDX-License-Identifier: BSD-2-Clause */
#include "handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int xl_handles_init(struct xl_handles *t, u32 size)
{
	memset(t, 0, sizeof *t);
	t->slot = calloc(size, sizeof *t->slot);
	t->generation = calloc(size, sizeof *t->generation);
	t->free = malloc(size * sizeof *t->free);
	if (!t->slot || !t->generation || !t->free) {
		xl_handles_destroy(t);
		return -ENOMEM;
	}
	TAILQ_INIT(&t->ready);
	t->size = size;
	for (u32 i = 0; i < size; i++)
		t->free[i] = size - 1 - i;
	t->nfree = size;
	return 0;
}

void xl_handles_destroy(struct xl_handles *t)
{
	free(t->slot);
	free(t->generation);
	free(t->free);
	memset(t, 0, sizeof *t);
}

struct xl_handle *xl_handle_new(struct xl_handles *t, xlane *x, size_t bytes, int *err)
{
	struct xl_handle *h;

	if (!t->nfree) {
		*err = -ENOSPC;
		return NULL;
	}
	h = calloc(1, bytes);
	if (!h) {
		*err = -ENOMEM;
		return NULL;
	}
	h->x = x;
	h->slot = t->free[--t->nfree];
	t->slot[h->slot] = h;
	return h;
}

void xl_handle_release(struct xl_handles *t, struct xl_handle *h)
{
	xl_handle_forget(t, h, ~0u);
	t->slot[h->slot] = NULL;
	t->generation[h->slot]++;
	t->free[t->nfree++] = h->slot;
	free(h);
}

u64 xl_handle_user(const struct xl_handles *t, const struct xl_handle *h)
{
	return (u64)t->generation[h->slot] << 32 | h->slot;
}

struct xl_handle *xl_handle_find(const struct xl_handles *t, u64 user)
{
	u32 slot = (u32)user;

	if (slot >= t->size || t->generation[slot] != (u32)(user >> 32))
		return NULL;
	return t->slot[slot];
}

void xl_handle_notify(struct xl_handles *t, struct xl_handle *h, u32 bits)
{
	if (!h->ready && bits)
		TAILQ_INSERT_TAIL(&t->ready, h, link);
	h->ready |= bits;
}

void xl_handle_forget(struct xl_handles *t, struct xl_handle *h, u32 bits)
{
	if (!h->ready)
		return;
	h->ready &= ~bits;
	if (!h->ready)
		TAILQ_REMOVE(&t->ready, h, link);
}

struct xl_handle *xl_handle_next_ready(struct xl_handles *t, u32 *bits)
{
	struct xl_handle *h = TAILQ_FIRST(&t->ready);

	if (!h)
		return NULL;
	*bits = h->ready;
	xl_handle_forget(t, h, ~0u);
	return h;
}
