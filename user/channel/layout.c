/* SPDX-License-Identifier: BSD-2-Clause */
#include "layout.h"

#include <errno.h>

#define ENTRIES_BYTES (XLANE_CHANNEL_COMMANDS * (u64)sizeof(struct xlane_command))
#define COMMANDS_AT (2 * XLANE_CHANNEL_PAGE)
#define REPLIES_AT (COMMANDS_AT + ENTRIES_BYTES)
#define SLOTS_AT (REPLIES_AT + ENTRIES_BYTES)

static u64 rings_at(u32 slots)
{
	u64 end = SLOTS_AT + slots * (u64)sizeof(struct xlane_slot);

	return (end + XLANE_CHANNEL_PAGE - 1) / XLANE_CHANNEL_PAGE * XLANE_CHANNEL_PAGE;
}

u64 xl_layout_bytes(u32 slots, u32 ring_bytes)
{
	if (!slots || slots > XLANE_CHANNEL_SLOTS_MAX || ring_bytes < XLANE_CHANNEL_RING_MIN_BYTES ||
	    ring_bytes > XLANE_CHANNEL_RING_MAX_BYTES || ring_bytes & (ring_bytes - 1))
		return 0;
	return rings_at(slots) + 2 * (u64)slots * ring_bytes;
}

int xl_layout_init(struct xl_layout *l, void *base, u32 slots, u32 ring_bytes)
{
	u64 bytes = xl_layout_bytes(slots, ring_bytes);
	u8 *at = base;

	if (!bytes)
		return -EINVAL;
	*l = (struct xl_layout){
		.head = base, .words = (void *)(at + XLANE_CHANNEL_PAGE), .commands = (void *)(at + COMMANDS_AT),
		.replies = (void *)(at + REPLIES_AT), .slot = (void *)(at + SLOTS_AT), .rings = at + rings_at(slots),
		.slots = slots, .ring_bytes = ring_bytes, .bytes = bytes,
	};
	return 0;
}
