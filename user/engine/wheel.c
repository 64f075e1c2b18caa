/* SPDX-License-Identifier: BSD-2-Clause */
#include "../base/assert.h"
#include "wheel.h"

/* Lists behind those of the slots. */
#define FAR    (XL_WHEEL_LEVELS * XL_WHEEL_SLOTS)   /* further away than the highest level reaches: years */
#define DUE    (FAR + 1)
#define MOVING (FAR + 2)
#define IDLE   XL_NONE                              /* node.list of a timer that is not set */

#define DIGIT(tick, level) ((u32)((tick) >> (level) * XL_WHEEL_LEVEL_BITS) & (XL_WHEEL_SLOTS - 1))
#define WHEEL_BITS (XL_WHEEL_LEVELS * XL_WHEEL_LEVEL_BITS)

static inline struct xl_wheel_node *head(const struct xl_wheel *w, u32 list)
{
	return &w->node[w->ids + list];
}

static inline bool list_empty(const struct xl_wheel *w, u32 list)
{
	return head(w, list)->next == w->ids + list;
}

size_t xl_wheel_bytes(u32 ids)
{
	return ((size_t)ids + XL_WHEEL_LISTS) * sizeof(struct xl_wheel_node);
}

void xl_wheel_init(struct xl_wheel *w, void *mem, u32 ids, u64 now_ns)
{
	XL_ASSERT(ids < XL_NONE - XL_WHEEL_LISTS);
	*w = (struct xl_wheel){ .node = mem, .ids = ids, .now_ns = now_ns, .due_ns_min = XL_NEVER };
	for (u32 i = 0; i < ids + XL_WHEEL_LISTS; i++)
		w->node[i] = (struct xl_wheel_node){ .when = XL_NEVER, .next = i, .prev = i, .list = IDLE };
}

static void take_out(struct xl_wheel *w, u32 id)
{
	struct xl_wheel_node *n = &w->node[id];
	u32 list = n->list;

	w->node[n->next].prev = n->prev;
	w->node[n->prev].next = n->next;
	n->list = IDLE;
	if (list < FAR && list_empty(w, list))
		w->used[list / XL_WHEEL_SLOTS] &= ~(1ull << list % XL_WHEEL_SLOTS);
	if (list == DUE && list_empty(w, DUE))
		w->due_ns_min = XL_NEVER;
}

static void append(struct xl_wheel *w, u32 list, u32 id)
{
	struct xl_wheel_node *n = &w->node[id], *h = head(w, list);

	n->list = list;
	n->next = w->ids + list;
	n->prev = h->prev;
	w->node[h->prev].next = id;
	h->prev = id;
	if (list < FAR)
		w->used[list / XL_WHEEL_SLOTS] |= 1ull << list % XL_WHEEL_SLOTS;
	if (list == DUE)
		w->due_ns_min = xl_min(w->due_ns_min, n->when);
}

/* The list where a timer for `when` belongs, seen from now. */
static u32 list_for(const struct xl_wheel *w, u64 when)
{
	u64 tick = when >> XL_WHEEL_TICK_BITS, differs = tick ^ w->now_ns >> XL_WHEEL_TICK_BITS;
	u32 level;

	if (when <= w->now_ns)
		return DUE;
	if (differs >> WHEEL_BITS)
		return FAR;
	level = differs ? (63 - (u32)__builtin_clzll(differs)) / XL_WHEEL_LEVEL_BITS : 0;
	return level * XL_WHEEL_SLOTS + DIGIT(tick, level);
}

void xl_wheel_set(struct xl_wheel *w, u32 id, u64 when_ns)
{
	XL_ASSERT(id < w->ids);
	if (w->node[id].list != IDLE) {
		take_out(w, id);
		w->armed--;
	}
	w->node[id].when = when_ns;
	if (when_ns == XL_NEVER)
		return;
	append(w, list_for(w, when_ns), id);
	w->armed++;
}

u64 xl_wheel_when(const struct xl_wheel *w, u32 id)
{
	XL_ASSERT(id < w->ids);
	return w->node[id].when;
}

/* Put every timer of a list where it belongs now. It may be this very list again, so they wait in MOVING meanwhile. */
static void sort_again(struct xl_wheel *w, u32 list)
{
	struct xl_wheel_node *h = head(w, list), *m = head(w, MOVING);

	if (list_empty(w, list))
		return;
	m->next = h->next;
	m->prev = h->prev;
	w->node[m->next].prev = w->node[m->prev].next = w->ids + MOVING;
	h->next = h->prev = w->ids + list;
	if (list < FAR)
		w->used[list / XL_WHEEL_SLOTS] &= ~(1ull << list % XL_WHEEL_SLOTS);
	while (!list_empty(w, MOVING)) {
		u32 id = m->next;

		m->next = w->node[id].next;
		w->node[m->next].prev = w->ids + MOVING;
		append(w, list_for(w, w->node[id].when), id);
	}
}

/* Levels below the highest digit in which time moved are due whole; in that level, the slots passed are; the slot that
 * time came to is spread over the levels below. Levels above are not concerned. */
static void advance(struct xl_wheel *w, u64 now_ns)
{
	u64 tick = now_ns >> XL_WHEEL_TICK_BITS, differs = tick ^ w->now_ns >> XL_WHEEL_TICK_BITS;
	u32 top = differs ? (63 - (u32)__builtin_clzll(differs)) / XL_WHEEL_LEVEL_BITS : 0;

	w->now_ns = now_ns;
	for (u32 level = 0; level < XL_WHEEL_LEVELS && level <= top; level++) {
		u64 passed = w->used[level];

		if (level == top)
			passed &= (2ull << DIGIT(tick, level)) - 1;
		for (; passed; passed &= passed - 1)
			sort_again(w, level * XL_WHEEL_SLOTS + (u32)__builtin_ctzll(passed));
	}
	if (top >= XL_WHEEL_LEVELS)
		sort_again(w, FAR);
}

u32 xl_wheel_expired(struct xl_wheel *w, u64 now_ns)
{
	u32 id;

	if (now_ns > w->now_ns)
		advance(w, now_ns);
	id = head(w, DUE)->next;
	if (id >= w->ids)
		return XL_NONE;
	take_out(w, id);
	w->armed--;
	w->node[id].when = XL_NEVER;
	return id;
}

/* When the first slot of the levels from `level` on begins that is not empty; before that, none of their timers is due. */
static u64 begins(const struct xl_wheel *w, u32 level)
{
	u64 tick = w->now_ns >> XL_WHEEL_TICK_BITS, next;

	for (; level < XL_WHEEL_LEVELS; level++) {
		u32 shift = level * XL_WHEEL_LEVEL_BITS;

		if (w->used[level]) {
			next = (tick >> shift & ~(u64)(XL_WHEEL_SLOTS - 1)) | (u64)__builtin_ctzll(w->used[level]);
			return next << shift << XL_WHEEL_TICK_BITS;
		}
	}
	return list_empty(w, FAR) ? XL_NEVER : ((tick >> WHEEL_BITS) + 1) << WHEEL_BITS << XL_WHEEL_TICK_BITS;
}

u64 xl_wheel_next(const struct xl_wheel *w)
{
	u64 next = XL_NEVER;
	u32 list;

	if (!list_empty(w, DUE))
		return w->due_ns_min;
	if (!w->used[0])
		return begins(w, 1);
	list = (u32)__builtin_ctzll(w->used[0]);
	for (u32 id = head(w, list)->next; id < w->ids; id = w->node[id].next)
		next = xl_min(next, w->node[id].when);
	return next;
}

u64 xl_wheel_soon(const struct xl_wheel *w)
{
	return list_empty(w, DUE) ? begins(w, 0) : w->due_ns_min;
}
