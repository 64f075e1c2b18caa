/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_link.h - a link of a given rate, delay and jitter, with a finite queue before it.
 *
 * Pure arithmetic over CLOCK_MONOTONIC nanoseconds that the caller hands in. Frames leave in the order in which they
 * were admitted: jitter delays, it does not reorder (relay_hold.h does that, where it is asked for and counted).
 */
#ifndef RELAY_LINK_H
#define RELAY_LINK_H

#include "../../user/base/prng.h"

struct relay_link_config {
	u64 rate_bps;      /* 0: without limit */
	u64 queue_bytes;   /* with a rate: bytes that may wait or be under way into the wire; a frame that finds the link idle
			      always fits */
	u64 delay_ns;
	u64 jitter_ns;     /* 0..this is added to the delay, evenly distributed */
};

struct relay_link {
	struct relay_link_config config;
	struct xl_prng prng;
	u64 free_at_ns;    /* when the last bit of the queue will be on the wire */
	u64 latest_ns;     /* latest arrival given out */
};

void relay_link_init(struct relay_link *l, const struct relay_link_config *config, u64 seed);
/* A link that does nothing: frames need not wait at all. */
bool relay_link_idle(const struct relay_link_config *config);
/* A frame of `bytes` comes at now_ns: when it arrives at the other end, or false: the queue is full. */
bool relay_link_admit(struct relay_link *l, u32 bytes, u64 now_ns, u64 *arrives_ns);
/* Bytes in the queue at now_ns. */
u64 relay_link_backlog(const struct relay_link *l, u64 now_ns);

#endif
