/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * af_xdp.h - the AF_XDP driver: one for each worker of an interface, over a port (user/xdp/port.h) that they share.
 *
 *     xl_port_open(&spec, &port, ...);                      or xl_port_unpack
 *     xl_af_xdp_shared_open(&port, &shared, ...);           maps what is not mapped yet
 *     for each worker, in any thread:
 *         xl_port_frames(&port, w, &frames, tables);
 *         xl_drv_af_xdp_open(shared, w, &frames, &drv, ...);
 * The sockets (xl_port_fd) go into the program's XSKMAP: the driver itself attaches nothing. Each driver is then its
 * own thread's. Order at the end: stop the threads of all workers; then, in one thread, close the drivers, the shared
 * part, the port; the pools may go after the drivers. No driver may be in use while another of its port is closed.
 *
 * Several workers: each has RX and TX rings on every queue. A queue's FILL and COMPLETION ring are served by its home
 * worker (queue mod workers), in every refill and complete; others serve it, never waiting for the lock, when they
 * need it and the home worker sleeps, was not there for XLANE_QUEUE_LATE_MS, or has let the queue run nearly dry.
 * Frames received into or completed by a worker that is not their owner go home through a ring for each ordered pair
 * of workers; a worker that sleeps is woken when XLANE_HOME_WAKE_FRAMES of them wait in one, or when a queue of its
 * runs dry. Until then they are FILL or TX in their owner's pool. A frame of others is FOREIGN in a pool, RX while it
 * is read, and moving it to FREE sends it home (frames.h): callers do nothing special. With one worker there are no
 * locks, rings or wakes.
 *
 * A worker sends on the queues that are its home, else on queue (worker mod transmit queues); packet->queue spreads
 * over them.
 *
 * rx gives -ENXIO once the interface is deleted or has left the namespace; then only close is of use. While it is down
 * rx gives nothing, what was handed to tx waits, and all goes on when it comes up. `mtu` and `mac` follow the
 * interface: compare them now and then. Queues are counted at open; the kernel takes none away that is in use.
 */
#ifndef XL_DRV_AF_XDP_H
#define XL_DRV_AF_XDP_H

#include "../xdp/port.h"
#include "drv.h"

struct xl_af_xdp_shared;

/* `port` outlives it. On failure *out is NULL and `why` (NULL: not wanted) says in one line what is wrong. -ENOMEM,
 * -EMFILE, and the errors of xl_port_map. */
int xl_af_xdp_shared_open(struct xl_port *port, struct xl_af_xdp_shared **out, char *why, size_t why_bytes);
/* After the drivers. NULL is fine. */
void xl_af_xdp_shared_close(struct xl_af_xdp_shared *s);

/* The driver of one worker, once for each: what it gave to the kernel stays there until the port is closed. `frames`
 * is the worker's pool (xl_port_frames) and outlives it. No privilege is needed. -ENODEV, -ENETDOWN, -EINVAL (MTU too
 * small, or no pool of this worker), -ENOMEM. */
int xl_drv_af_xdp_open(struct xl_af_xdp_shared *s, u32 worker, struct xl_frames *frames, struct xl_drv **out, char *why,
		       size_t why_bytes);

#endif
