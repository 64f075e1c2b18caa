/* SPDX-License-Identifier: BSD-2-Clause */
#include "assert.h"
#include "frames.h"

#define COUNTED 0x80   /* mark in the owner table, only while xl_frames_census_ok runs */
_Static_assert(XL_FRAME_OWNER_COUNT < COUNTED, "the mark is no owner");

size_t xl_frames_table_bytes(u32 count)
{
	return (size_t)count * (sizeof(u32) + sizeof(u8));
}

void xl_frames_init(struct xl_frames *f, void *mem, u32 frame_bytes, u32 count, void *tables)
{
	xl_frames_init_part(f, mem, frame_bytes, count, 0, count, tables);
}

void xl_frames_init_part(struct xl_frames *f, void *mem, u32 frame_bytes, u32 count, u32 first, u32 own, void *tables)
{
	u32 *indices = tables;

	XL_ASSERT(first <= count && own <= count - first);
	*f = (struct xl_frames){
		.mem = mem, .frame_bytes = frame_bytes, .count = count, .first = first, .own = own, .nfree = own,
		.free = indices, .going = indices + own, .owner = (u8 *)(indices + count),
	};
	for (u32 i = 0; i < own; i++)
		f->free[i] = first + own - 1 - i;
	for (u32 i = 0; i < count; i++)
		f->owner[i] = xl_frames_own(f, i) ? XL_FRAME_FREE : XL_FRAME_FOREIGN;
	f->census[XL_FRAME_FREE] = own;
	f->census[XL_FRAME_FOREIGN] = count - own;
}

u32 xl_frames_take(struct xl_frames *f, enum xl_frame_owner owner)
{
	u32 frame;

	XL_ASSERT(owner > XL_FRAME_FREE && owner < XL_FRAME_FOREIGN);
	if (!f->nfree)
		return XL_NONE;
	frame = f->free[--f->nfree];
	XL_ASSERT(f->owner[frame] == XL_FRAME_FREE);
	f->owner[frame] = owner;
	f->census[XL_FRAME_FREE]--;
	f->census[owner]++;
	return frame;
}

void xl_frames_move(struct xl_frames *f, u32 frame, enum xl_frame_owner from, enum xl_frame_owner to)
{
	XL_ASSERT(frame < f->count);
	XL_ASSERT(from != XL_FRAME_FREE && to < XL_FRAME_FOREIGN);
	XL_ASSERT(f->owner[frame] == from);
	if (to == XL_FRAME_FREE && xl_frames_own(f, frame)) {
		f->free[f->nfree++] = frame;
	} else if (to == XL_FRAME_FREE) {
		XL_ASSERT(f->ngoing < f->count - f->own);
		f->going[f->ngoing++] = frame;
		to = XL_FRAME_FOREIGN;
	}
	f->owner[frame] = to;
	f->census[from]--;
	f->census[to]++;
}

/* list[0..n) are frames that `owner` owns, none is there twice: a frame is marked when it is met. */
static bool list_ok(const struct xl_frames *f, const u32 *list, u32 n, enum xl_frame_owner owner)
{
	u32 marked = 0;
	bool ok;

	for (; marked < n; marked++) {
		u32 frame = list[marked];

		if (frame >= f->count || f->owner[frame] != owner)
			break;
		f->owner[frame] |= COUNTED;
	}
	ok = marked == n;
	while (marked)
		f->owner[list[--marked]] &= ~COUNTED;
	return ok;
}

bool xl_frames_census_ok(const struct xl_frames *f)
{
	u32 found[XL_FRAME_OWNER_COUNT] = { 0 };
	bool ok = f->own <= f->count && f->first <= f->count - f->own;

	for (u32 i = 0; i < f->count; i++) {
		u8 owner = f->owner[i];

		if (owner >= XL_FRAME_OWNER_COUNT || owner == (xl_frames_own(f, i) ? XL_FRAME_FOREIGN : XL_FRAME_FREE))
			return false;
		found[owner]++;
	}
	for (u32 o = 0; o < XL_FRAME_OWNER_COUNT; o++)
		ok = ok && found[o] == f->census[o];
	ok = ok && f->nfree == found[XL_FRAME_FREE] && f->ngoing <= found[XL_FRAME_FOREIGN];
	return ok && list_ok(f, f->free, f->nfree, XL_FRAME_FREE) &&
	       list_ok(f, f->going, f->ngoing, XL_FRAME_FOREIGN);
}

const char *xl_frame_owner_name(enum xl_frame_owner owner)
{
	static const char *const name[] = {
#define NAME(id, key, text) key,
		XL_FRAME_OWNERS(NAME)
	};

	return owner < XL_FRAME_OWNER_COUNT ? name[owner] : "?";
}
