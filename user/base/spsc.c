/* SPDX-License-Identifier: BSD-2-Clause */
#include "assert.h"
#include "spsc.h"

size_t xl_spsc_bytes(u32 slots)
{
	return sizeof(struct xl_spsc) + ((size_t)slots * sizeof(u64) + 63) / 64 * 64;
}

struct xl_spsc *xl_spsc_init(void *mem, u32 slots)
{
	struct xl_spsc *s = mem;

	XL_ASSERT(slots && !(slots & (slots - 1)) && slots <= XL_SPSC_SLOTS_MAX);
	atomic_init(&s->head, 0);
	atomic_init(&s->tail, 0);
	s->tail_seen = s->head_seen = 0;
	s->mask = slots - 1;
	return s;
}

u32 xl_spsc_push(struct xl_spsc *s, const u64 *values, u32 n)
{
	u32 tail = atomic_load_explicit(&s->tail, memory_order_relaxed), slots = s->mask + 1;

	/* Indices run freely and wrap at 2^32, a multiple of the slots. */
	if (slots - (tail - s->head_seen) < n)
		s->head_seen = atomic_load_explicit(&s->head, memory_order_acquire);
	n = (u32)xl_min(n, slots - (tail - s->head_seen));
	for (u32 i = 0; i < n; i++)
		s->slot[(tail + i) & s->mask] = values[i];
	atomic_store_explicit(&s->tail, tail + n, memory_order_release);
	return n;
}

u32 xl_spsc_pop(struct xl_spsc *s, u64 *values, u32 max)
{
	u32 head = atomic_load_explicit(&s->head, memory_order_relaxed), n;

	if (s->tail_seen - head < max)
		s->tail_seen = atomic_load_explicit(&s->tail, memory_order_acquire);
	n = (u32)xl_min(max, s->tail_seen - head);
	for (u32 i = 0; i < n; i++)
		values[i] = s->slot[(head + i) & s->mask];
	atomic_store_explicit(&s->head, head + n, memory_order_release);
	return n;
}

u32 xl_spsc_count(const struct xl_spsc *s)
{
	/* head first: it never passes a tail read later, so the difference is not negative; a consumer and a producer
	 * that both moved in between can make it larger than the ring, never the caller's own end. */
	u32 head = atomic_load_explicit(&s->head, memory_order_acquire);
	u32 tail = atomic_load_explicit(&s->tail, memory_order_acquire);

	return (u32)xl_min(tail - head, (u64)s->mask + 1);
}
