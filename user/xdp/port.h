/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port.h - everything that several workers need of one interface, made by whoever has the privilege to make it: the
 * UMEM, and one AF_XDP socket for each (queue, worker), bound.
 *
 * The first socket of a queue, that of worker 0, has the queue's FILL and COMPLETION ring; its siblings on that queue
 * have RX and TX rings only. One UMEM lies under all; worker w owns the frames [w * frames, (w + 1) * frames) of it.
 *
 * From the privileged process to the one that runs the workers there are two ways:
 *   - fork after xl_port_open: the child inherits descriptors and mappings and uses the port as it is, on any kernel;
 *     the parent closes its own (xl_port_close, which only unmaps and closes);
 *   - xl_port_pack, send form and descriptors, xl_port_unpack. The receiver maps the rings without any privilege
 *     (xl_af_xdp_shared_open does), but needs Linux 6.4: an older kernel maps none of a bound socket (-EOPNOTSUPP).
 * Both may close their copies at any time: a queue, and the slots of the XSKMAP, are held until the last one closes.
 *
 * Zero-copy drivers batch only where a queue has one TX socket. Workers send on the queues that are their home, so with
 * at least as many queues as workers no queue sees the TX ring of a second worker in use; the kernel counts
 * sockets, all the same. Where zero-copy rate matters more than several workers, use one worker.
 *
 * One thread per port. Errors are negative errno values.
 */
#ifndef XL_XDP_PORT_H
#define XL_XDP_PORT_H

#include <net/if.h>
#include <xlane/limits.h>
#include "../base/frames.h"
#include "umem.h"

#define XL_PORT_SOCKETS_MAX (XLANE_QUEUES_MAX * XLANE_WORKERS_MAX)
#define XL_PORT_FDS_MAX     (1 + XL_PORT_SOCKETS_MAX)   /* one SCM_RIGHTS message carries 253: send in parts */
#define XL_PORT_MAGIC       0x786c7074u

struct xl_port_spec {
	const char *ifname;
	u32 workers;       /* 1..XLANE_WORKERS_MAX */
	u32 frames;        /* of each worker, XLANE_FRAMES_MIN at least; 0: XLANE_FRAMES_DEFAULT, or fewer where so many
			    * workers would pass XLANE_FRAMES_MAX in all */
	u32 queues;        /* the first so many receive queues; 0: all */
	u32 ring_size;     /* slots of each RX and TX ring, power of two, 64..32768; 0: XLANE_RING_SIZE_DEFAULT */
	u32 frame_bytes;   /* 2048 or 4096; 0: XLANE_FRAME_BYTES */
	int zero_copy;     /* 1 needed, 0 where possible, -1 never */
	bool need_wakeup;
	u32 mtu;           /* use at most this; 0: what interface and mode allow */
};

struct xl_xsk;

struct xl_port {
	char ifname[IFNAMSIZ];
	u32 ifindex;
	u32 queues;        /* receive queues, each with a socket of every worker */
	u32 tx_queues;     /* of these, how many also transmit: the first so many */
	u32 workers;
	u32 frames;        /* of each worker; umem.frames = frames * workers */
	u32 ring_size;
	u32 mtu_limit;     /* 0: none */
	bool zero_copy, multi_buffer, need_wakeup;
	struct xl_umem umem;   /* mem NULL: not mapped in this process (after unpack, before xl_port_map) */
	bool mapped;           /* UMEM and rings, in this process or the one it was forked from */
	struct xl_xsk *xsk;    /* [queues * workers]: that of (queue, worker) at queue * workers + worker */
};

/* Make it all (CAP_NET_RAW, and CAP_IPC_LOCK or RLIMIT_MEMLOCK). On failure nothing is left and `why` (NULL: not
 * wanted) says in one line what is wrong and what to do. -ENODEV, -ENETDOWN, -EBUSY, -EPERM, -ENOBUFS, -ENOMEM,
 * -EINVAL,
 * -EOPNOTSUPP, -EAFNOSUPPORT: see xl_xsk_open. Waits up to XL_XSK_BIND_WAIT_MS for a queue that was just released. */
int xl_port_open(const struct xl_port_spec *spec, struct xl_port *out, char *why, size_t why_bytes);
/* Unmap and close what this process has of it. Fine on a port that was closed or zeroed. */
void xl_port_close(struct xl_port *p);
/* Map UMEM and rings in this process, if they are not yet. -EOPNOTSUPP: the kernel maps no ring of a bound socket. */
int xl_port_map(struct xl_port *p, char *why, size_t why_bytes);

/* The socket of (queue, worker), for the XSKMAP; it stays the port's. */
int xl_port_fd(const struct xl_port *p, u32 queue, u32 worker);
/* Who refills and completes a queue. */
static inline u32 xl_port_home(const struct xl_port *p, u32 queue)
{
	return queue % p->workers;
}
/* Worker `worker`'s pool over the mapped UMEM. `tables`: xl_frames_table_bytes(p->umem.frames), outlives the pool. */
void xl_port_frames(const struct xl_port *p, u32 worker, struct xl_frames *f, void *tables);

/* A port without its descriptors, for another process on this machine. */
struct xl_port_form {
	u32 magic, bytes;
	u32 ifindex, queues, tx_queues, workers, frames, frame_bytes, ring_size, mtu_limit;
	u32 zero_copy, multi_buffer, need_wakeup;   /* 0 or 1 */
	char ifname[IFNAMSIZ];
};
/* Fills the form and fds: the UMEM's memfd, then the sockets, queue by queue, in a queue worker by worker. Returns the
 * count of descriptors (1 + queues * workers), which stay the port's. */
u32 xl_port_pack(const struct xl_port *p, struct xl_port_form *form, int fds[XL_PORT_FDS_MAX]);
/* Nothing is believed: every field is checked against its bounds and the others, the memfd for its size and seals, each
 * socket for its kind (the kernel does not tell where it is bound), all for being different descriptors. On success the
 * descriptors are *out's, close-on-exec; else they stay the caller's. -EINVAL with `why`, -ENOMEM. */
int xl_port_unpack(const void *form, size_t bytes, const int *fds, u32 nfds, struct xl_port *out, char *why,
		   size_t why_bytes);

#endif
