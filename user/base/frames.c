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
	*f = (struct xl_frames){
		.mem = mem, .frame_bytes = frame_bytes, .count = count, .nfree = count,
		.free = tables, .owner = (u8 *)tables + (size_t)count * sizeof(u32),
	};
	for (u32 i = 0; i < count; i++) {
		f->free[i] = count - 1 - i;
		f->owner[i] = XL_FRAME_FREE;
	}
	f->census[XL_FRAME_FREE] = count;
}

u32 xl_frames_take(struct xl_frames *f, enum xl_frame_owner owner)
{
	u32 frame;

	XL_ASSERT(owner > XL_FRAME_FREE && owner < XL_FRAME_OWNER_COUNT);
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
	XL_ASSERT(from != XL_FRAME_FREE && to < XL_FRAME_OWNER_COUNT);
	XL_ASSERT(f->owner[frame] == from);
	f->owner[frame] = to;
	f->census[from]--;
	f->census[to]++;
	if (to == XL_FRAME_FREE)
		f->free[f->nfree++] = frame;
}

bool xl_frames_census_ok(const struct xl_frames *f)
{
	u32 found[XL_FRAME_OWNER_COUNT] = { 0 }, marked = 0;
	bool ok = f->nfree <= f->count;

	for (u32 i = 0; i < f->count; i++) {
		if (f->owner[i] >= XL_FRAME_OWNER_COUNT)
			return false;
		found[f->owner[i]]++;
	}
	for (u32 o = 0; o < XL_FRAME_OWNER_COUNT; o++)
		ok = ok && found[o] == f->census[o];
	/* Every entry of the stack is a free frame and none is there twice: a frame is marked when it is met. */
	for (; ok && marked < f->nfree; marked++) {
		u32 frame = f->free[marked];

		if (frame >= f->count || f->owner[frame] != XL_FRAME_FREE)
			break;
		f->owner[frame] |= COUNTED;
	}
	ok = ok && marked == f->nfree && f->nfree == found[XL_FRAME_FREE];
	while (marked)
		f->owner[f->free[--marked]] &= ~COUNTED;
	return ok;
}

const char *xl_frame_owner_name(enum xl_frame_owner owner)
{
	static const char *const name[] = {
#define NAME(id, key, text) key,
		XL_FRAME_OWNERS(NAME)
	};

	return owner < XL_FRAME_OWNER_COUNT ? name[owner] : "?";
}
