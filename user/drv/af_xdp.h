/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * af_xdp.h - the AF_XDP driver: one socket on each receive queue of an interface, one UMEM under all of them.
 *
 * The caller makes the memory, then a pool over all of it or over a part, then the driver:
 *     xl_umem_create(&umem, n, XLANE_FRAME_BYTES);
 *     xl_frames_init(&frames, umem.mem, umem.frame_bytes, umem.frames, tables);
 *     xl_drv_af_xdp_open(&config, &drv, why, sizeof why);
 * and puts the sockets (xl_drv_af_xdp_fds) into the program's XSKMAP: the driver itself attaches nothing. Order at the
 * end: close the driver, then the pool and the memory may go.
 *
 * rx gives -ENXIO once the interface is deleted or has left the namespace; then only close is of use. While it is down
 * rx gives nothing, what was handed to tx waits, and all goes on when it comes up. `mtu` and `mac` follow the
 * interface: compare them now and then. Queues are counted at open; the kernel takes none away that is in use.
 */
#ifndef XL_DRV_AF_XDP_H
#define XL_DRV_AF_XDP_H

#include "../xdp/umem.h"
#include "drv.h"

struct xl_drv_af_xdp_config {
	const char *ifname;
	const struct xl_umem *umem;  /* outlives the driver */
	struct xl_frames *frames;    /* lies inside the UMEM, same frame size; for this driver alone; outlives it */
	u32 queues;                  /* the first so many receive queues; 0: all */
	u32 ring_size;               /* slots per ring, power of two, 64..32768; 0: XLANE_RING_SIZE_DEFAULT */
	int zero_copy;               /* 1 needed, 0 where possible, -1 never */
	bool need_wakeup;
	u32 mtu;                     /* use at most this; 0: what interface and mode allow */
};

/* On failure *out is NULL and `why` (NULL: not wanted) says in one line what is wrong and what to do. -ENODEV,
 * -ENETDOWN, -EBUSY, -EPERM, -ENOBUFS, -ENOMEM, -EINVAL, -EOPNOTSUPP, -EAFNOSUPPORT: see xl_xsk_open. */
int xl_drv_af_xdp_open(const struct xl_drv_af_xdp_config *c, struct xl_drv **out, char *why, size_t why_bytes);
/* Socket of queue i at [i], *n of them (= queues). They stay the driver's. `d` is the driver itself, not a wrapper. */
const int *xl_drv_af_xdp_fds(const struct xl_drv *d, u32 *n);

#endif
