/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.h - where the parts of a channel's memory are (include/xlane/channel.h): one computation for both sides.
 *
 * Each side keeps its own struct xl_layout, made of constants that it has checked; the other side can not change it.
 */
#ifndef XL_LAYOUT_H
#define XL_LAYOUT_H

#include <xlane/channel.h>
#include "../base/types.h"

struct xl_layout {
	struct xlane_channel_head *head;
	struct xlane_channel_words *words;
	union { struct xlane_command entry; struct xlane_command_take take; } *commands;
	struct xlane_reply *replies;
	struct xlane_slot *slot;      /* [slots] */
	u8 *rings;
	u32 slots, ring_bytes;
	u64 bytes;                    /* of all */
};

/* Bytes of memory; 0 when slots or ring_bytes are outside the limits. */
u64 xl_layout_bytes(u32 slots, u32 ring_bytes);
/* `base`: that many bytes, aligned to a page. -EINVAL as above. */
int xl_layout_init(struct xl_layout *l, void *base, u32 slots, u32 ring_bytes);

static inline u8 *xl_layout_send_ring(const struct xl_layout *l, u32 slot)
{
	return l->rings + 2 * (u64)slot * l->ring_bytes;
}

static inline u8 *xl_layout_recv_ring(const struct xl_layout *l, u32 slot)
{
	return l->rings + (2 * (u64)slot + 1) * l->ring_bytes;
}

#endif
