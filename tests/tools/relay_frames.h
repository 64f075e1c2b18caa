/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_frames.h - the relay's frames: a fixed pool, and first-in first-out queues of them.
 *
 * A frame is in one place: free, armed for receiving, held back, under way, or ready to send. A buffer takes the
 * largest frame that a packet socket gives; memory is only touched as far as frames are long.
 */
#ifndef RELAY_FRAMES_H
#define RELAY_FRAMES_H

#include <stddef.h>

#include "../../user/base/types.h"

#define RELAY_FRAMES_MAX 32768      /* frames in the relay at once: 100 ms at 300,000 a second */
#define RELAY_FRAME_BYTES 66000     /* the largest that the kernel aggregates, with its link header */
#define RELAY_HEADROOM_BYTES 8      /* before a received frame: a VLAN tag that the kernel took out goes back in */

struct relay_frame {
	struct relay_frame *next;
	u8 *data;          /* first byte of the frame */
	u8 *room;          /* start of its buffer */
	u32 len;
	u32 hold;          /* held back: frames still to let pass */
	bool overtaken;    /* held back: at least one has passed */
	u64 due_ns;        /* held back: goes then at the latest. Under way: arrives then */
};

struct relay_queue { struct relay_frame *first, *last; u32 count; };

struct relay_pool {
	struct relay_frame *frames;
	u8 *buffers;
	struct relay_queue free;
};

void relay_queue_push(struct relay_queue *q, struct relay_frame *f);
/* NULL when empty. */
struct relay_frame *relay_queue_pop(struct relay_queue *q);
/* To the front: what was popped and could not be used. */
void relay_queue_unpop(struct relay_queue *q, struct relay_frame *f);

/* -ENOMEM. */
int relay_pool_init(struct relay_pool *p);
void relay_pool_close(struct relay_pool *p);
/* A frame with its headroom before data and len 0, or NULL when all are in use. */
struct relay_frame *relay_pool_take(struct relay_pool *p);
void relay_pool_give(struct relay_pool *p, struct relay_frame *f);

#endif
