/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drv.h - what a worker asks of anything that moves frames: AF_XDP, AF_PACKET, memory, and the wrappers around them.
 *
 * Frames carry the whole link frame (Ethernet header first). Ownership by enum xl_frame_owner of the pool that was
 * handed in at creation; the driver itself makes the moves named here, so the census is right at every return:
 *   rx:       FILL -> RX    the caller moves RX -> FREE when it has read the packet, then the driver refills
 *   tx:       the caller moves QUEUED/INFLIGHT/LENT -> TX before the call for packets that it offers, and back for
 *             those that were not accepted; accepted frames stay TX until `complete` hands them back
 *   complete: the frames returned are still TX; the caller moves them on
 *   refill:   FREE -> FILL  as many as the driver wants to have (it takes them from the pool itself)
 *   close:    everything the driver holds (FILL, and TX not yet completed) -> FREE
 * Where workers share a memory (af_xdp.h), rx may give frames of others, FOREIGN -> RX; RX -> FREE sends those home.
 * One thread per driver. No function blocks. Errors are negative errno values.
 */
#ifndef XL_DRV_H
#define XL_DRV_H

#include "../base/frames.h"
#include "../base/packet.h"

/* Why a driver refused or lost something: one list for all drivers; a driver leaves at zero what it can not see. */
#define XL_DRV_COUNTERS(X) \
	X(RX_PACKETS, "rx_packets", "packets received") \
	X(RX_BYTES, "rx_bytes", "bytes received, link header included") \
	X(TX_PACKETS, "tx_packets", "packets accepted for sending") \
	X(TX_BYTES, "tx_bytes", "bytes accepted for sending") \
	X(TX_KICKS, "tx_kicks", "system calls made to send") \
	X(TX_AGAIN, "tx_again", "sends put off by the kernel (EAGAIN, ENOBUFS)") \
	X(TX_BUSY, "tx_busy", "packets that the kernel dropped on sending (EBUSY, ENOBUFS several times)") \
	X(TX_DOWN, "tx_down", "sends refused because the interface is down or gone") \
	X(RX_BAD_DESC, "rx_bad_desc", "received descriptors outside the pool or not owned by the driver") \
	X(RX_TOO_MANY_SEGS, "rx_too_many_segs", "received packets of more frames than xlane takes, dropped") \
	X(RX_NO_FRAME, "rx_no_frame", "packets lost because no frame was there to receive into (kernel's count)") \
	X(RX_RING_FULL, "rx_ring_full", "packets lost because the RX ring was full (kernel's count)") \
	X(RX_DROPPED, "rx_dropped", "packets dropped by the kernel on receive (kernel's count)") \
	X(TX_BAD_DESC, "tx_bad_desc", "descriptors that the kernel found invalid (kernel's count)") \
	X(COMP_BAD_DESC, "comp_bad_desc", "completions outside the pool or not owned by the driver") \
	X(HOME_SENT, "home_sent", "frames of other workers, sent home to them") \
	X(HOME_CAME, "home_came", "frames of this worker that came home from others") \
	X(HOME_LOST, "home_lost", "frames not sent home: the ring was full, of frames that were there twice") \
	X(HOME_WAKES, "home_wakes", "workers woken: frames waited for them, or a queue of theirs ran dry") \
	X(QUEUE_HELPED, "queue_helped", "times a queue was served in place of its home worker") \
	X(QUEUE_TAKEN, "queue_taken", "times a queue could not be served as another worker was about it") \
	X(FAULT_DROPPED, "fault_dropped", "packets dropped by the fault wrapper") \
	X(FAULT_DUPLICATED, "fault_duplicated", "packets duplicated by the fault wrapper") \
	X(FAULT_CORRUPTED, "fault_corrupted", "packets corrupted by the fault wrapper") \
	X(FAULT_DELAYED, "fault_delayed", "packets delayed by the fault wrapper")
enum xl_drv_counter {
#define XL_DRV_COUNTER_ENUM(name, key, text) XL_DRV_##name,
	XL_DRV_COUNTERS(XL_DRV_COUNTER_ENUM)
	XL_DRV_COUNTER_COUNT
};

enum xl_drv_feature {
	XL_DRV_MULTI_BUFFER = 1,   /* packets of several frames, both ways */
	XL_DRV_ZERO_COPY = 2,
	XL_DRV_NEED_WAKEUP = 4,
	XL_DRV_NATIVE = 8,         /* the XDP program runs in the driver, not in generic mode */
};

#define XL_DRV_FDS_MAX (XLANE_QUEUES_MAX + 2)   /* a socket on each queue, news of the interface, wakes */

struct xl_drv;

struct xl_drv_ops {
	const char *name;                                                       /* "af_xdp", "af_packet", "memory", ... */
	/* Up to `max` received packets. Fills nsegs, seg, queue, stamp_ns. Returns the count, or a negative errno when the
	 * device is gone (-ENETDOWN, -ENXIO); a device that is merely down returns 0. */
	int (*rx)(struct xl_drv *d, struct xl_packet *packets, u32 max, u64 now_ns);
	/* How many packets of `segs` frames each tx would accept now. */
	u32 (*tx_room)(struct xl_drv *d, u32 segs);
	/* Accept packets for sending, in order; returns how many were accepted (0..n). A driver may choose the TX queue by
	 * packet->queue modulo its queues. Data must be readable until the frames complete. */
	u32 (*tx)(struct xl_drv *d, const struct xl_packet *packets, u32 n, u64 now_ns);
	/* Push what was accepted towards the wire (one system call a batch). Returns 0, or a negative errno that is only
	 * informative: retrying is the driver's own work on the next flush, rx or complete. */
	int (*flush)(struct xl_drv *d, u64 now_ns);
	/* Frames whose sending is over, in any order. Returns the count. */
	u32 (*complete)(struct xl_drv *d, u32 *frames, u32 max);
	/* Top up what the driver receives into, from the pool's free frames, leaving at least `leave` of them free. */
	void (*refill)(struct xl_drv *d, u32 leave);
	/* Descriptors to wait on for readability (poll/epoll), up to max; returns the count. `arm` true: about to sleep,
	 * ask the kernel to wake; returns -EAGAIN from arm when there is work already. */
	u32 (*fds)(struct xl_drv *d, int *fds, u32 max);
	int (*arm)(struct xl_drv *d, bool sleep);
	/* When the driver itself next needs a call (a delayed packet, a retry), CLOCK_MONOTONIC ns, or XL_NEVER. */
	u64 (*deadline)(struct xl_drv *d);
	/* Bring counters kept by the kernel up to date in d->counters. */
	void (*update_counters)(struct xl_drv *d);
	void (*close)(struct xl_drv *d);
};

struct xl_drv {
	const struct xl_drv_ops *ops;
	struct xl_frames *frames;
	u32 mtu;           /* largest link payload both ways, bytes (Ethernet header and tags not counted) */
	u32 segs_max;      /* frames one packet may span (1 without multi-buffer) */
	u32 features;      /* enum xl_drv_feature bits */
	u32 queues;
	u8 mac[6];
	u64 counters[XL_DRV_COUNTER_COUNT];
};

const char *xl_drv_counter_name(enum xl_drv_counter c);

#endif
