/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_socket.h - one interface of the relay: an AF_PACKET socket that takes and sends whole frames of every ethertype.
 *
 * Frames sent through it are not received by it. A VLAN tag that the kernel took out of a frame is put back. Errors are
 * negative errno values. Nothing blocks.
 */
#ifndef RELAY_SOCKET_H
#define RELAY_SOCKET_H

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "relay_frames.h"

#define RELAY_BATCH 64             /* frames moved by one system call */
#define RELAY_POOL_RESERVE 256     /* free frames that receiving leaves for copies */
_Static_assert(RELAY_POOL_RESERVE >= 2 * RELAY_BATCH, "each frame of a batch on both sides can be duplicated");

struct relay_socket {
	int fd;
	char name[IF_NAMESIZE];
	struct relay_frame *armed[RELAY_BATCH];   /* what the next batch is received into */
	struct mmsghdr message[RELAY_BATCH];
	struct iovec iov[RELAY_BATCH];
	struct {
		_Alignas(struct cmsghdr) char space[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control[RELAY_BATCH];
	u64 received, received_bytes;
	u64 pool_dropped;      /* received and dropped: all frames are in use */
	u64 unfinished;        /* received with a checksum left to hardware: the sender's offloads are on */
	u64 kernel_dropped;    /* not received: the socket's buffer was full (relay_socket_update) */
	u64 sent, sent_bytes, refused, retries;
	u32 drops;             /* times in a row that the kernel dropped the next frame */
};

/* Bind to `ifname`, promiscuous. -ENODEV, -ENETDOWN, -EPERM, -ENOMEM. The socket must not move in memory afterwards. */
int relay_socket_open(struct relay_socket *s, const char *ifname, struct relay_pool *pool);
void relay_socket_close(struct relay_socket *s, struct relay_pool *pool);
/* Received frames, at most RELAY_BATCH, are added to `out`. Returns their count, those dropped included. */
int relay_socket_receive(struct relay_socket *s, struct relay_pool *pool, struct relay_queue *out);
/* Send from the front of `q`; frames sent or refused for good go back to the pool. True: the kernel has no room now, what
 * is left in `q` is to be tried again. */
bool relay_socket_send(struct relay_socket *s, struct relay_pool *pool, struct relay_queue *q);
/* Bring kernel_dropped up to date. */
void relay_socket_update(struct relay_socket *s);

#endif
