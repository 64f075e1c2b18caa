/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "../base/assert.h"
#include "received.h"

/* Range i of the list, newest first: the inline one, then the table. */
static inline const struct xl_ack_range *at(const struct xl_received *r, const struct xl_ack_range *table, u32 i)
{
	return i ? &table[i - 1] : &r->newest;
}

static inline struct xl_ack_range *at_mut(struct xl_received *r, struct xl_ack_range *table, u32 i)
{
	return i ? &table[i - 1] : &r->newest;
}

void xl_received_init(struct xl_received *r)
{
	*r = (struct xl_received){ 0 };
}

/* The newest range that does not lie wholly above `number`; count when all do. */
static u32 find(const struct xl_received *r, const struct xl_ack_range *table, u64 number)
{
	u32 low = 0, high = r->count;

	if (number >= r->newest.first)   /* nearly always */
		return 0;
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (at(r, table, middle)->first > number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Ranges i - 1 and i became one. */
static void merge(struct xl_received *r, struct xl_ack_range *table, u32 i)
{
	at_mut(r, table, i - 1)->first = at(r, table, i)->first;
	memmove(&table[i - 1], &table[i], (size_t)(r->count - 1 - i) * sizeof *table);
	r->count--;
}

/* A range of one number as range i. Room is made at the old end if need be. */
static void insert(struct xl_received *r, struct xl_ack_range *table, u32 i, u64 number)
{
	bool full = r->count == XLANE_ACK_RANGES_KEPT;
	u32 moved = i ? i - 1 : 0;      /* from this entry of the table on, all go down by one */

	r->count -= full;
	memmove(&table[moved + 1], &table[moved], (size_t)(r->count - 1 - moved) * sizeof *table);
	if (!i)
		table[0] = r->newest;
	*at_mut(r, table, i) = (struct xl_ack_range){ number, number };
	r->count++;
	if (full)
		r->floor = at(r, table, r->count - 1)->first;
}

enum xl_received_verdict xl_received_add(struct xl_received *r, struct xl_ack_range *table, u64 number)
{
	bool extends_up, extends_down;
	u32 i;

	if (!r->any) {
		r->newest = (struct xl_ack_range){ number, number };
		r->any = true;
		r->count = 1;
		return XL_RECEIVED_NEW;
	}
	if (number < r->floor)
		return XL_RECEIVED_OLD;
	if (r->count > 1 && !table)
		return XL_RECEIVED_NEED_TABLE;
	i = find(r, table, number);
	if (i < r->count && number <= at(r, table, i)->last)
		return XL_RECEIVED_DUPLICATE;
	/* The number lies between range i - 1 above it and range i below it. */
	extends_up = i < r->count && number - at(r, table, i)->last == 1;
	extends_down = i > 0 && at(r, table, i - 1)->first - number == 1;
	if (extends_up)
		at_mut(r, table, i)->last = number;
	if (extends_down)
		at_mut(r, table, i - 1)->first = number;
	if (extends_up && extends_down)
		merge(r, table, i);
	if (extends_up || extends_down)
		return XL_RECEIVED_NEW;
	if (r->count == XLANE_ACK_RANGES_KEPT && i == r->count)
		return XL_RECEIVED_OLD;
	if (!table)
		return XL_RECEIVED_NEED_TABLE;
	insert(r, table, i, number);
	return XL_RECEIVED_NEW;
}

enum xl_received_verdict xl_received_look(const struct xl_received *r, const struct xl_ack_range *table, u64 number)
{
	u32 i;

	if (!r->any)
		return XL_RECEIVED_NEW;
	if (number < r->floor)
		return XL_RECEIVED_OLD;
	i = find(r, table, number);
	if (i < r->count && number <= at(r, table, i)->last)
		return XL_RECEIVED_DUPLICATE;
	if (r->count == XLANE_ACK_RANGES_KEPT && i == r->count && at(r, table, i - 1)->first - number > 1)
		return XL_RECEIVED_OLD;
	return XL_RECEIVED_NEW;
}

void xl_received_forget(struct xl_received *r, const struct xl_ack_range *table, u64 below)
{
	u32 count = r->count;

	while (r->count > 1 && at(r, table, r->count - 1)->last < below)
		r->count--;
	if (r->count != count)
		r->floor = at(r, table, r->count - 1)->first;
}

void xl_received_newest(struct xl_received *r)
{
	if (!r->any)
		return;
	r->floor = r->newest.first;
	r->count = 1;
}

void xl_received_restart(struct xl_received *r, u64 number)
{
	if (number > r->newest.last)
		r->newest = (struct xl_ack_range){ number, number };
	xl_received_newest(r);
}

void xl_received_ack(const struct xl_received *r, const struct xl_ack_range *table, u32 max, struct xl_ack *out)
{
	u32 count = (u32)xl_min(r->count, xl_min(max, XLANE_ACK_RANGES_SENT));

	XL_ASSERT(table || r->count <= 1);
	for (u32 i = 0; i < count; i++)
		out->range[i] = *at(r, table, i);
	out->count = count;
}
