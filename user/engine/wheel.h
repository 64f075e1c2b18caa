/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wheel.h - timers: one deadline for each id 0..ids-1, on a hierarchical timing wheel (Varghese, Lauck 1987).
 *
 * Guarantees: a timer never fires before its `when`; it fires on the first xl_wheel_expired whose now_ns is not before
 * `when`. Setting is O(1). Moving time forward, by however much, costs at most the slots of all levels and the timers
 * touched; a timer is touched at most once per level on its way down. Time that runs backwards is clamped.
 * The order in which timers that are due together fire depends on the calls made, not on addresses.
 *
 * A timer lies in the level of the highest 6-bit digit in which its tick differs from now's, in the slot of its own
 * digit there. So all of a lower level is due before any of a higher one, and no slot ever wraps round.
 */
#ifndef XL_WHEEL_H
#define XL_WHEEL_H

#include "../base/types.h"

#define XL_WHEEL_TICK_BITS   10     /* a tick is 1024 ns */
#define XL_WHEEL_LEVEL_BITS  6
#define XL_WHEEL_LEVELS      8
#define XL_WHEEL_SLOTS       (1u << XL_WHEEL_LEVEL_BITS)
#define XL_WHEEL_LISTS       (XL_WHEEL_LEVELS * XL_WHEEL_SLOTS + 3)  /* slots, far, due, and one for moving */

struct xl_wheel_node { u64 when; u32 next, prev; u32 list; } __attribute__((packed, aligned(4))); /* 20 bytes: there are many */
struct xl_wheel {
	struct xl_wheel_node *node;    /* [ids] timers, then [XL_WHEEL_LISTS] heads of circular lists */
	u32 ids;
	u32 armed;                     /* timers set */
	u64 now_ns;
	u64 due_ns_min;                /* not after any `when` in the due list */
	u64 used[XL_WHEEL_LEVELS];     /* a bit for each slot that is not empty */
};

size_t xl_wheel_bytes(u32 ids);
/* No timer set. `mem`: xl_wheel_bytes(ids) bytes, aligned to 8, outlives the wheel. */
void xl_wheel_init(struct xl_wheel *w, void *mem, u32 ids, u64 now_ns);
/* Set the timer of `id` to when_ns, whatever it was before; a time in the past is due at once; XL_NEVER disarms. */
void xl_wheel_set(struct xl_wheel *w, u32 id, u64 when_ns);
/* What it is set to; XL_NEVER when it is not. */
u64 xl_wheel_when(const struct xl_wheel *w, u32 id);
/* Move time to now_ns, disarm one timer that is due and return its id; XL_NONE when no more are due. */
u32 xl_wheel_expired(struct xl_wheel *w, u64 now_ns);
/* When to call xl_wheel_expired next: not after the earliest `when`, and exactly that when it is less than a level-0
 * turn away. May be early for later timers: the call then returns XL_NONE but has moved them nearer, so that a loop of
 * next and expired ends. Not after now when a timer is due. XL_NEVER when none is set. */
u64 xl_wheel_next(const struct xl_wheel *w);
/* The same as far as ticks go: not after the earliest `when`, and less than a tick before what xl_wheel_next says. O(1),
 * while that looks at every timer of the next tick. */
u64 xl_wheel_soon(const struct xl_wheel *w);

#endif
