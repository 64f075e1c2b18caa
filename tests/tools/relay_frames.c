// SPDX-License-Identifier: BSD-2-Clause
/* relay_frames.c - the pool of frames and queues of them. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "relay_frames.h"

#define COLOURS 32   /* frames begin at different cache lines of their pages */
#define STRIDE_BYTES 69632u
_Static_assert(RELAY_FRAME_BYTES + RELAY_HEADROOM_BYTES + 64 * COLOURS <= STRIDE_BYTES, "a frame fits its buffer");
_Static_assert(STRIDE_BYTES % 4096 == 0, "buffers do not share pages");

void relay_queue_push(struct relay_queue *q, struct relay_frame *f)
{
	f->next = NULL;
	if (q->last)
		q->last->next = f;
	else
		q->first = f;
	q->last = f;
	q->count++;
}

struct relay_frame *relay_queue_pop(struct relay_queue *q)
{
	struct relay_frame *f = q->first;

	if (!f)
		return NULL;
	q->first = f->next;
	if (!q->first)
		q->last = NULL;
	q->count--;
	return f;
}

void relay_queue_unpop(struct relay_queue *q, struct relay_frame *f)
{
	f->next = q->first;
	q->first = f;
	if (!q->last)
		q->last = f;
	q->count++;
}

int relay_pool_init(struct relay_pool *p)
{
	*p = (struct relay_pool){ .frames = calloc(RELAY_FRAMES_MAX, sizeof *p->frames) };
	if (!p->frames)
		return -ENOMEM;
	p->buffers = mmap(NULL, (size_t)RELAY_FRAMES_MAX * STRIDE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p->buffers == MAP_FAILED) {
		free(p->frames);
		return -ENOMEM;
	}
	for (u32 i = RELAY_FRAMES_MAX; i--; ) {
		p->frames[i].room = p->buffers + (size_t)i * STRIDE_BYTES + 64 * (i % COLOURS);
		relay_queue_unpop(&p->free, &p->frames[i]);
	}
	return 0;
}

void relay_pool_close(struct relay_pool *p)
{
	munmap(p->buffers, (size_t)RELAY_FRAMES_MAX * STRIDE_BYTES);
	free(p->frames);
}

struct relay_frame *relay_pool_take(struct relay_pool *p)
{
	struct relay_frame *f = relay_queue_pop(&p->free);

	if (f) {
		f->data = f->room + RELAY_HEADROOM_BYTES;
		f->len = 0;
		f->hold = 0;
		f->overtaken = false;
	}
	return f;
}

/* The one given back last is taken first: its buffer is warm. */
void relay_pool_give(struct relay_pool *p, struct relay_frame *f)
{
	relay_queue_unpop(&p->free, f);
}
