/* SPDX-License-Identifier: BSD-2-Clause */
/* af_xdp_state.h - what af_xdp.c (the running driver) and af_xdp_open.c (its making) share; for these two alone. */
#ifndef XL_DRV_AF_XDP_STATE_H
#define XL_DRV_AF_XDP_STATE_H

#include "../xdp/socket.h"
#include "../xdp/watch.h"
#include "af_xdp.h"

struct xl_af_xdp_queue {
	struct xl_xsk xsk;
	u32 fill_out;             /* frames in the FILL ring or inside the kernel */
	u32 tx_out;               /* frames submitted and not completed */
	bool owed;                /* submitted descriptors wait for a send call */
	u64 retry_ns;             /* when owed: not before this */
	u64 tx_ns;                /* last submission or completion */
	u64 refused;              /* refused descriptors that were taken back */
	bool draining;            /* the rest of the packet under way is thrown away */
	struct xl_packet part;    /* packet under way, its frames RX */
	struct xdp_statistics seen;
};

struct xl_af_xdp {
	struct xl_drv drv;
	u64 base;                 /* address of the pool's first frame in the UMEM */
	struct xl_watch watch;
	bool gone, slept;
	u32 mtu_limit;
	u32 tx_queues, next_rx;
	u64 now_ns, checked_ns;
	u8 *in_tx;                /* [frames]: queue + 1 while in that queue's TX ring or the kernel, else 0 */
	u32 *done;                /* [frames]: completed without the kernel */
	u32 ndone;
	int fds[XLANE_QUEUES_MAX];
	struct xl_af_xdp_queue *queue;
};

extern const struct xl_drv_ops xl_af_xdp_ops;

/* Largest link payload that interface, mode and the caller's limit allow now. */
u32 xl_af_xdp_mtu(const struct xl_af_xdp *a);
/* XL_DRV_NATIVE when the interface's program runs in the driver, else 0. */
u32 xl_af_xdp_native(const struct xl_af_xdp *a);
/* Undo whatever has been made of `a`. */
void xl_af_xdp_destroy(struct xl_af_xdp *a);

#endif
