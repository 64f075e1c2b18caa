/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.h - a packet as drivers, workers and the engine hand it to each other: a list of pieces of frames, and the
 * path it came from or goes to.
 *
 * Ownership: a packet given to a function is borrowed for the call; what happens to its frames is said at each
 * function that takes one.
 */
#ifndef XL_PACKET_H
#define XL_PACKET_H

#include <xlane/limits.h>
#include "types.h"

/* Where a packet goes or came from. Opaque to the engine, which only compares, stores and hashes it. `remote` and
 * `local` are of one form, so that both ends hash the pair to the same value. Unused bytes are zero. For Ethernet
 * (user/worker/link.c): the MAC in the first 6 bytes; `extra` = TPID and TCI of
 * up to two VLAN tags, outer first, TPID zero where there is none. */
struct xl_path {
	u8 remote[12];
	u8 local[12];
	u8 extra[8];
};
_Static_assert(sizeof(struct xl_path) == 32, "a path is at most 32 opaque bytes");

struct xl_seg {
	u32 frame;   /* index in the frame pool */
	u16 off;     /* first byte, from the start of the frame */
	u16 len;
};

struct xl_packet {
	u32 nsegs;   /* 1..XLANE_PACKET_SEGS_MAX */
	u32 queue;   /* receive: the queue it arrived on; transmit: a hint that spreads flows over TX queues */
	u64 stamp_ns;/* receive: it arrived then, or not before; CLOCK_MONOTONIC; 0: not known */
	struct xl_seg seg[XLANE_PACKET_SEGS_MAX];
	struct xl_path path;
};

static inline u32 xl_packet_bytes(const struct xl_packet *p)
{
	u32 sum = 0;

	for (u32 i = 0; i < p->nsegs; i++)
		sum += p->seg[i].len;
	return sum;
}

#endif
