/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demux.h - the demultiplexer that is attached to an interface, as a worker uses it.
 *
 * Guarantee: the maps that are opened are those of the program that runs on the interface now, wherever they are
 * pinned (or not pinned at all), as long as the process may look programs up (CAP_SYS_ADMIN); without that privilege
 * the maps pinned under the interface's own directory are used (pins.h), and frames of several buffers are not relied
 * on. Nothing here attaches or detaches anything.
 * Descriptors are close-on-exec. No function blocks, prints or keeps global state. One thread per handle.
 * Errors are negative errno values.
 */
#ifndef XL_XDP_DEMUX_H
#define XL_XDP_DEMUX_H

#include <xlane/bpf_abi.h>
#include "../base/types.h"
#include "port.h"

struct xl_demux;

/* Find the demux program of `ifname` and open its maps. On failure `why` (NULL is fine) holds one line without a final
 * newline: what is wrong and what to do. -ENODEV no such interface; -ENOENT no XDP program attached; -EBUSY the program
 * there is not xlane's; -EPERM privileges; -EPROTO a demux of another ABI. The caller closes *out. */
int xl_demux_open(const char *ifname, struct xl_demux **out, char *why, size_t why_bytes);

/* Put the sockets of all workers of a port into their slots, (queue, worker) each, and spread the buckets over the
 * workers: bucket mod workers, so frames of xlane's never go to a worker past the last. Nothing is redirected yet: the
 * program is disarmed, should somebody who was killed have left it armed. From then on the sockets may be closed
 * here, when another process has them: a slot empties itself when the last descriptor of its socket closes. On
 * failure the slots are empty. */
int xl_demux_enter(struct xl_demux *d, const struct xl_port *port);
/* The workers are ready: set the hook of `ethertype` (host order, 0x600 and above: -EINVAL), then arm the program. */
int xl_demux_arm(struct xl_demux *d, u16 ethertype);
/* Stop redirecting, which is for the interface with all its workers: disarm, then empty what xl_demux_enter of this
 * handle has filled, then give all buckets to worker 0, as a program with one worker expects it. The hook stays: with
 * nobody there, its frames are treated by the interface's policy and counted so. Needs no socket and no port. */
void xl_demux_leave(struct xl_demux *d);

/* The program's counters summed over CPUs, by enum xlane_bpf_counter. */
int xl_demux_counters(const struct xl_demux *d, u64 out[XLANE_BPF_COUNTER_COUNT]);
/* The program runs in the driver, not in generic (skb) mode. */
bool xl_demux_native(const struct xl_demux *d);
/* The program takes frames of several buffers: with false, an MTU past one buffer does not reach user space. */
bool xl_demux_frags(const struct xl_demux *d);
/* Closes the maps; the program and what is in the maps stay as they are. NULL is fine. */
void xl_demux_close(struct xl_demux *d);

#endif
