/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames.h - the frame pool: which frames exist, and who owns each.
 *
 * Guarantee: every frame has exactly one owner at any time, and the census (count per owner) always adds up to the
 * pool. A move from an owner that does not own the frame is an assertion failure: only xlane's own code moves frames.
 * One thread per pool. The pool allocates nothing: memory and tables come from the caller.
 *
 * Several workers share one memory: each has a pool over all of it, in which its own part (`own` frames from `first`
 * on) is for it to take, and every other frame is FOREIGN: it may come to be read (FOREIGN -> RX), and is FOREIGN
 * again when it is moved to FREE. Those that came back so wait in a list (`going`) for the driver to send them to
 * their owner. Whatever is reserved or bounded by the size of a pool counts `own` frames.
 */
#ifndef XL_FRAMES_H
#define XL_FRAMES_H

#include <xlane/limits.h>
#include "types.h"

#define XL_FRAME_OWNERS(X) \
	X(FREE, "free", "in the pool") \
	X(FILL, "fill", "with the driver, to receive into") \
	X(RX, "rx", "received, being read by the worker") \
	X(QUEUED, "queued", "holds data that waits for its first or next transmission") \
	X(TX, "tx", "with the driver, being sent (acknowledged or not)") \
	X(INFLIGHT, "inflight", "sent and back from the driver, not acknowledged") \
	X(LENT, "lent", "with the program: reserved for sending") \
	X(FOREIGN, "foreign", "of another worker's part")
enum xl_frame_owner {
#define XL_FRAME_OWNER_ENUM(name, key, text) XL_FRAME_##name,
	XL_FRAME_OWNERS(XL_FRAME_OWNER_ENUM)
	XL_FRAME_OWNER_COUNT
};

struct xl_frames {
	u8 *mem;          /* frame i is at mem + i * frame_bytes */
	u32 frame_bytes;  /* XLANE_FRAME_BYTES, or 2048 where a test says so */
	u32 count;        /* frames of the memory; an index is below it */
	u32 first, own;   /* the part that this pool owns: all of it, but where several workers share the memory */
	u32 nfree;        /* free[0..nfree) are the indices of the free frames: a stack, so warm frames go out first */
	u32 ngoing;       /* going[0..ngoing) are frames of others that wait to be sent home */
	u32 *free;        /* [own] */
	u32 *going;       /* [count - own] */
	u8 *owner;        /* [count], enum xl_frame_owner */
	u32 census[XL_FRAME_OWNER_COUNT];
};

/* Bytes of table memory that a pool of `count` frames needs (not the frames themselves). */
size_t xl_frames_table_bytes(u32 count);
/* All frames free. `mem` is count * frame_bytes bytes, `tables` xl_frames_table_bytes(count), both outlive the pool. */
void xl_frames_init(struct xl_frames *f, void *mem, u32 frame_bytes, u32 count, void *tables);
/* The same for one part of the memory; all other frames are FOREIGN. Asserts that the part lies inside. */
void xl_frames_init_part(struct xl_frames *f, void *mem, u32 frame_bytes, u32 count, u32 first, u32 own, void *tables);
/* Take a free frame for `owner`; XL_NONE when there is none. */
u32 xl_frames_take(struct xl_frames *f, enum xl_frame_owner owner);
/* Change the owner of a frame. `to` XL_FRAME_FREE puts it back, a frame of another part on the list of those that go
 * home. Asserts that `from` owns it, and that a frame is made FOREIGN in no other way. */
void xl_frames_move(struct xl_frames *f, u32 frame, enum xl_frame_owner from, enum xl_frame_owner to);
/* Recount everything from the owner table: true if the census, the free stack, the list of frames that go home and the
 * parts agree. O(count). */
bool xl_frames_census_ok(const struct xl_frames *f);
const char *xl_frame_owner_name(enum xl_frame_owner owner);

static inline u8 *xl_frames_ptr(const struct xl_frames *f, u32 frame)
{
	return f->mem + (u64)frame * f->frame_bytes;
}

/* Whether the frame is of this pool's part. */
static inline bool xl_frames_own(const struct xl_frames *f, u32 frame)
{
	return frame - f->first < f->own;
}

#endif
