/* SPDX-License-Identifier: BSD-2-Clause */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>

void *sim_alloc(size_t bytes)
{
	void *p = malloc(bytes ? bytes : 1);

	if (!p) {
		fprintf(stderr, "xlane-sim: out of memory\n");
		exit(2);
	}
	return p;
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->time_ns < b->time_ns || (a->time_ns == b->time_ns && a->sequence < b->sequence);
}

static void grow(struct sim_events *q)
{
	u32 room = q->room ? 2 * q->room : 256;
	struct sim_event *heap = realloc(q->heap, room * sizeof *heap);

	if (!heap) {
		fprintf(stderr, "xlane-sim: out of memory\n");
		exit(2);
	}
	q->heap = heap;
	q->room = room;
}

void sim_events_put(struct sim_events *q, struct sim_event e)
{
	u32 i;

	if (q->count == q->room)
		grow(q);
	e.sequence = q->sequence++;
	q->arrivals += e.data != NULL;
	for (i = q->count++; i > 0 && before(&e, &q->heap[(i - 1) / 2]); i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = e;
}

bool sim_events_take(struct sim_events *q, struct sim_event *out)
{
	struct sim_event last;
	u32 i = 0;

	if (!q->count)
		return false;
	*out = q->heap[0];
	q->arrivals -= out->data != NULL;
	last = q->heap[--q->count];
	for (;;) {
		u32 child = 2 * i + 1;

		if (child >= q->count)
			break;
		if (child + 1 < q->count && before(&q->heap[child + 1], &q->heap[child]))
			child++;
		if (!before(&q->heap[child], &last))
			break;
		q->heap[i] = q->heap[child];
		i = child;
	}
	q->heap[i] = last;
	return true;
}

void sim_events_clear(struct sim_events *q)
{
	for (u32 i = 0; i < q->count; i++)
		free(q->heap[i].data);
	free(q->heap);
	*q = (struct sim_events){ 0 };
}
