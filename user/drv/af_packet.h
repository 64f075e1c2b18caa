/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * af_packet.h - the fallback driver: a packet socket, for kernels and interfaces without XDP sockets. Needs no program.
 *
 * It sees every frame of the ethertype, behind up to two VLAN tags, as it was on the wire: the outer tag, which the
 * kernel takes out of the frame, is put back. The kernel's own stack sees those frames too, and ignores them. Frames
 * that this host sends are not seen. Jumbo frames span several pool frames. rx gives -ENXIO once the interface is
 * deleted; while it is down, rx gives nothing, and what is sent is lost and counted. `mtu` is that at open. In a network
 * namespace one program at a time has the frames of an interface and ethertype.
 */
#ifndef XL_DRV_AF_PACKET_H
#define XL_DRV_AF_PACKET_H

#include "drv.h"

struct xl_drv_af_packet_config {
	const char *ifname;
	struct xl_frames *frames;   /* for this driver alone; outlives it */
	u16 ethertype;              /* host order */
	u32 ring_size;              /* packets that wait to be sent, and frames kept to receive into; 0: 512 */
	u32 mtu;                    /* use at most this; 0: the interface's */
};

/* As xl_drv_af_xdp_open. -EPERM: CAP_NET_RAW is missing. -EBUSY: another program has the interface by this driver. */
int xl_drv_af_packet_open(const struct xl_drv_af_packet_config *c, struct xl_drv **out, char *why, size_t why_bytes);

#endif
