/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_direction.h - one direction of the relay: from a socket, through the impairments and the link, to the other.
 *
 *   receive -> [other ethertype?] ----------------------------------------------------------> ready -> send
 *                   \-> loss -> corruption -> duplication -> held back? -> rate, queue, delay -/
 *
 * Every frame received is forwarded or in exactly one counter of why not: see relay_direction_lacks.
 */
#ifndef RELAY_DIRECTION_H
#define RELAY_DIRECTION_H

#include "relay_hold.h"
#include "relay_impair.h"
#include "relay_link.h"
#include "relay_socket.h"

#define RELAY_COUNTERS(X) \
	X(RECEIVED, "received", "frames that came in") \
	X(RECEIVED_BYTES, "received_bytes", "their bytes") \
	X(OTHER, "other", "of them, frames of other ethertypes: forwarded as they are") \
	X(LOST, "lost", "frames lost one by one") \
	X(BURST_LOST, "burst_lost", "frames lost in bursts") \
	X(DUPLICATED, "duplicated", "frames that were copied") \
	X(HELD, "held", "frames held back for later ones to pass") \
	X(REORDERED, "reordered", "of them, frames that later ones have overtaken") \
	X(CORRUPTED, "corrupted", "frames with bits flipped") \
	X(HOLD_FULL, "hold_full", "frames that were to be held back, but too many were already") \
	X(QUEUE_DROPPED, "queue_dropped", "frames that found the link's queue full") \
	X(DELAYED, "delayed", "frames that went through the link's queue or delay") \
	X(POOL_DROPPED, "pool_dropped", "frames dropped as all of the relay's frames were in use") \
	X(FORWARDED, "forwarded", "frames sent on, copies included") \
	X(FORWARDED_BYTES, "forwarded_bytes", "their bytes") \
	X(SEND_REFUSED, "send_refused", "frames that the kernel refused to send") \
	X(SEND_RETRIES, "send_retries", "times that the kernel had no room to send and was asked again") \
	X(PENDING, "pending", "frames still in the relay") \
	X(UNFINISHED, "unfinished", "frames received with an unfinished checksum: offloads are on at the sender") \
	X(KERNEL_DROPPED, "kernel_dropped", "frames lost by the kernel before the relay could read them")
enum relay_counter {
#define RELAY_COUNTER_ENUM(name, key, text) RELAY_##name,
	RELAY_COUNTERS(RELAY_COUNTER_ENUM)
	RELAY_COUNTER_COUNT
};

struct relay_direction_config {
	struct relay_impair_config impair;
	struct relay_link_config link;
	u64 hold_ns;         /* a frame held back goes on after this long though nothing has passed */
	u32 ethertype;       /* only frames of it are touched; 0: all */
};

struct relay_direction {
	struct relay_direction_config config;
	struct relay_socket *from, *to;
	struct relay_pool *pool;
	struct relay_impair impair;
	struct relay_link link;
	struct relay_hold hold;
	struct relay_queue under_way, ready;
	u64 retry_ns;        /* the kernel had no room: when to ask again; XL_NEVER */
	u64 counters[RELAY_COUNTER_COUNT];
};

/* -EINVAL as relay_impair_init. */
int relay_direction_init(struct relay_direction *d, const struct relay_direction_config *config, u64 seed);
/* A received frame, which is now the direction's. */
void relay_direction_take(struct relay_direction *d, struct relay_frame *f, u64 now_ns);
/* What is due by now_ns moves to `ready`. */
void relay_direction_advance(struct relay_direction *d, u64 now_ns);
/* Receive a batch, advance, send. Returns the frames received. */
u32 relay_direction_turn(struct relay_direction *d, u64 now_ns);
/* When the next turn is needed without anything arriving: CLOCK_MONOTONIC ns, XL_NEVER. */
u64 relay_direction_deadline(const struct relay_direction *d);
/* Bring d->counters up to date with those of the sockets and queues. */
void relay_direction_update(struct relay_direction *d);
/* Frames that are in no counter (0 always, after an update). */
s64 relay_direction_lacks(const struct relay_direction *d);

#endif
