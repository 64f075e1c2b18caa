/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spsc.h - a ring of u64 between one producer thread and one consumer thread, without locks or system calls.
 *
 * What was written before a push is seen by the thread whose pop returns it (release, acquire). The ring lies whole in
 * one piece of memory without pointers in it, so the memory may be mapped at different addresses by two processes that
 * trust each other; it masks indices but does not defend against a hostile other end.
 */
#ifndef XL_SPSC_H
#define XL_SPSC_H

#include <stdatomic.h>
#include "types.h"

#define XL_SPSC_SLOTS_MAX (1u << 30)

struct xl_spsc {
	_Alignas(64) _Atomic u32 head;  /* next to pop; written by the consumer */
	u32 tail_seen;                  /* the consumer's copy of tail: it looks again only when this one says empty */
	_Alignas(64) _Atomic u32 tail;  /* next to push; written by the producer */
	u32 head_seen;                  /* the producer's copy of head */
	_Alignas(64) u32 mask;
	_Alignas(64) u64 slot[];
};

/* `slots`: a power of two, 1..XL_SPSC_SLOTS_MAX. */
size_t xl_spsc_bytes(u32 slots);
/* An empty ring in `mem` (xl_spsc_bytes(slots) bytes, aligned to 64), before either thread uses it. */
struct xl_spsc *xl_spsc_init(void *mem, u32 slots);
/* Producer: append up to n values in order; returns how many there was room for. */
u32 xl_spsc_push(struct xl_spsc *s, const u64 *values, u32 n);
/* Consumer: take up to max values in order; returns how many there were. */
u32 xl_spsc_pop(struct xl_spsc *s, u64 *values, u32 max);
/* Values in the ring at some moment of the call. Either thread: for the consumer at least so many are there to pop, for
 * the producer at most so many are still there. */
u32 xl_spsc_count(const struct xl_spsc *s);

#endif
