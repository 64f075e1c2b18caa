/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket.h - one AF_XDP socket bound to one queue, with its four rings, set up straight over the kernel's interface.
 *
 * libxdp's ring structures are filled, so that its accessors (xdp/xsk.h) serve; libxdp itself creates no socket here:
 * its sockets are not close-on-exec and can not be adopted from a descriptor, and a socket that a child process still
 * holds keeps its XSKMAP slot filled after a crash. (The file is not named xsk.h: <xdp/xsk.h> is libxdp's.)
 *
 * Sockets on several queues of one interface share one UMEM: the first opened registers the memory, the others name it
 * in `first`. The first socket of each queue has FILL and COMPLETION rings; a sibling, on the same queue as the one it
 * names, has none, as the kernel wants it. One thread per socket.
 */
#ifndef XL_XDP_SOCKET_H
#define XL_XDP_SOCKET_H

#include <xdp/xsk.h>
#include "../base/types.h"
#include "umem.h"

/* What linux/if_xdp.h of the oldest supported system (6.1) does not have yet; values are kernel ABI. */
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)
#endif
#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9
#endif

#define XL_XSK_BIND_WAIT_MS 300   /* how long a bind waits for the kernel to release the queue's last owner */

enum xl_xsk_ring { XL_XSK_RX, XL_XSK_TX, XL_XSK_FILL, XL_XSK_COMP, XL_XSK_RINGS };

struct xl_xsk {
	int fd;
	u32 ifindex, queue;
	bool zero_copy;        /* bound in zero-copy mode */
	bool multi_buffer;     /* bound with XDP_USE_SG: packets of several descriptors */
	bool need_wakeup;
	u32 tx_budget;         /* descriptors that one send call takes in copy mode */
	struct xsk_ring_cons rx, comp;     /* comp and fill: zero for a sibling */
	struct xsk_ring_prod tx, fill;
	struct { void *mem; size_t bytes; } map[XL_XSK_RINGS];
};

struct xl_xsk_config {
	const struct xl_umem *umem;
	const struct xl_xsk *first;  /* NULL: register the UMEM; else share that socket's, whose modes are taken over */
	bool sibling;                /* on the queue of `first`, without FILL and COMPLETION rings */
	u32 ifindex, queue;
	u32 ring_size;               /* slots of each ring, power of two, 2..32768; FILL is twice that, at most 32768 */
	u32 comp_size;               /* slots of the COMPLETION ring, in the same bounds; 0: ring_size */
	int zero_copy;               /* 1 needed, 0 where the device has it, -1 never */
	int multi_buffer;            /* 1 preferred even over zero-copy, 0 where there, -1 never */
	bool need_wakeup;
};

/*
 * Open, map, bind. The interface must be up (the caller checks: a zero-copy bind to a downed interface has crashed
 * kernels). Modes are tried from the best wanted to the plainest allowed.
 * -EBUSY: the queue has another owner, still after XL_XSK_BIND_WAIT_MS (the one case in which this call waits).
 * -EPERM: CAP_NET_RAW is missing. -ENOBUFS: RLIMIT_MEMLOCK is below the UMEM's size and CAP_IPC_LOCK is missing.
 * -EOPNOTSUPP: zero-copy was needed. -ENODEV, -ENETDOWN, -EINVAL (no such queue), -EAFNOSUPPORT (kernel without
 * AF_XDP).
 */
int xl_xsk_open(struct xl_xsk *x, const struct xl_xsk_config *c);
/* Map the rings of a socket that another process has opened with this configuration (sizes and `sibling` count) and
 * bound. The descriptor becomes the socket's. -EOPNOTSUPP: a kernel before 6.4, which maps none of a bound socket. */
int xl_xsk_adopt(struct xl_xsk *x, int fd, const struct xl_xsk_config *c);
/* Unmap and close. The kernel releases the queue some time after. After a failed open it does nothing. */
void xl_xsk_close(struct xl_xsk *x);
/* Counters since the socket was made; fields unknown to an old kernel are zero. */
int xl_xsk_stats(const struct xl_xsk *x, struct xdp_statistics *out);

/* One send call: 0, or the negative errno that the kernel gave. Descriptors left: xl_xsk_tx_left. */
int xl_xsk_kick_tx(const struct xl_xsk *x);
/* Make a zero-copy driver look at the FILL ring. */
void xl_xsk_kick_rx(const struct xl_xsk *x);

/* Submitted TX descriptors that the kernel has not taken yet. */
static inline u32 xl_xsk_tx_left(const struct xl_xsk *x)
{
	return *x->tx.producer - __atomic_load_n(x->tx.consumer, __ATOMIC_ACQUIRE);
}

/* Entries that wait in a ring of the kernel's filling, or XL_NONE when the indices can not be true. */
static inline u32 xl_xsk_waiting(const struct xsk_ring_cons *r)
{
	u32 n = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) - r->cached_cons;

	return n <= r->size ? n : XL_NONE;
}

#endif
