/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.h - a driver without a device: two ends joined back to back, or one end whose transport a simulator plays.
 *
 * It behaves as AF_XDP in copy mode: packets wait in a TX ring until flush; flush copies their bytes into FILL frames
 * of the other end (each end has a pool of its own) and completes the sender's frames; rings are bounded and what does
 * not fit is lost and counted at the receiver. No system call after open. Deterministic.
 */
#ifndef XL_DRV_MEMORY_H
#define XL_DRV_MEMORY_H

#include "drv.h"

#define XL_MEMORY_RING_MIN 2
#define XL_MEMORY_RING_MAX 4096

/* Called at flush for each packet sent, instead of handing it to the other end. The packet's bytes are readable during
 * the call only. It may inject into any driver, also into `from`. */
struct xl_drv_memory_hook {
	void (*sent)(void *arg, const struct xl_drv *from, const struct xl_packet *p, u64 now_ns);
	void *arg;
};

struct xl_drv_memory_config {
	struct xl_frames *frames;    /* for this end alone; outlives it */
	u32 ring_size;               /* slots of RX, TX and FILL, each counted in frames; 2..4096, any number between */
	u32 mtu;                     /* XLANE_MTU_MIN.. XLANE_MTU_MAX */
	u32 segs_max;                /* 1..XLANE_PACKET_SEGS_MAX */
	u32 queues;                  /* 0: 1. Only named: all queues share the rings */
	u32 completion_delay;        /* calls of complete after a flush that return nothing yet; 0: the first does */
	u8 mac[6];
	struct xl_drv_memory_hook hook; /* hook.sent NULL: the joined end receives; none joined: what is sent is lost */
};

/* -EINVAL for values outside the ranges above, -ENOMEM. */
int xl_drv_memory_open(const struct xl_drv_memory_config *c, struct xl_drv **out);
/* What one sends the other receives. Closing one end leaves the other without a partner. */
void xl_drv_memory_join(struct xl_drv *a, struct xl_drv *b);
/* A frame of `len` bytes (Ethernet header first) arrives at `to` on `queue` (taken modulo its queues). Copied.
 * -ENOBUFS: no FILL frames (counted RX_NO_FRAME), -ENOSPC: RX ring full (RX_RING_FULL), -EMSGSIZE: longer than mtu and
 * link header (RX_DROPPED), or more frames than segs_max (RX_TOO_MANY_SEGS); -EINVAL: no bytes. `to` is the driver
 * itself, not a wrapper. */
int xl_drv_memory_inject(struct xl_drv *to, const void *bytes, u32 len, u32 queue, u64 now_ns);

#endif
