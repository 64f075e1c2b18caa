/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - doubly linked lists by index. The links live in the objects (struct xl_link inside an array of objects), a
 * list is three integers, so a list head may be part of state that is exported. All operations are O(1).
 */
#ifndef XL_LIST_H
#define XL_LIST_H

#include "assert.h"
#include "types.h"

struct xl_link { u32 next, prev; };            /* XL_NONE at the ends */
struct xl_list { u32 head, tail, count; };

/* Where the links of one kind of list are: the link of object i is at first + i * stride. */
struct xl_links { u8 *first; u32 stride; };

#define XL_LIST_EMPTY ((struct xl_list){ XL_NONE, XL_NONE, 0 })

static inline struct xl_link *xl_link_at(const struct xl_links *k, u32 i)
{
	return (struct xl_link *)(k->first + (u64)i * k->stride);
}

static inline u32 xl_list_next(const struct xl_links *k, u32 i)
{
	return xl_link_at(k, i)->next;
}

/* Put i behind `after`, or first when `after` is XL_NONE. */
static inline void xl_list_insert(const struct xl_links *k, struct xl_list *l, u32 after, u32 i)
{
	struct xl_link *n = xl_link_at(k, i);

	n->prev = after;
	n->next = after == XL_NONE ? l->head : xl_link_at(k, after)->next;
	if (after == XL_NONE)
		l->head = i;
	else
		xl_link_at(k, after)->next = i;
	if (n->next == XL_NONE)
		l->tail = i;
	else
		xl_link_at(k, n->next)->prev = i;
	l->count++;
}

static inline void xl_list_append(const struct xl_links *k, struct xl_list *l, u32 i)
{
	xl_list_insert(k, l, l->tail, i);
}

static inline void xl_list_prepend(const struct xl_links *k, struct xl_list *l, u32 i)
{
	xl_list_insert(k, l, XL_NONE, i);
}

static inline void xl_list_remove(const struct xl_links *k, struct xl_list *l, u32 i)
{
	struct xl_link *n = xl_link_at(k, i);

	XL_ASSERT(l->count > 0);
	if (n->prev == XL_NONE)
		l->head = n->next;
	else
		xl_link_at(k, n->prev)->next = n->next;
	if (n->next == XL_NONE)
		l->tail = n->prev;
	else
		xl_link_at(k, n->next)->prev = n->prev;
	l->count--;
}

static inline u32 xl_list_pop(const struct xl_links *k, struct xl_list *l)
{
	u32 i = l->head;

	if (i != XL_NONE)
		xl_list_remove(k, l, i);
	return i;
}

#endif
