/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.h - follow one interface through rtnetlink: up or down, deleted, renamed, MTU, XDP program.
 *
 * An XDP socket says nothing when its interface is deleted or moved to another network namespace, so whoever uses one
 * watches. The state in the struct is that of the last read. Nothing blocks after open. One thread per watch.
 */
#ifndef XL_WATCH_H
#define XL_WATCH_H

#include <net/if.h>
#include "../base/types.h"

struct mnl_socket;

enum xl_watch_change {
	XL_WATCH_UPDOWN = 1,  /* `up` changed */
	XL_WATCH_GONE = 2,    /* deleted, or moved to another network namespace: final */
	XL_WATCH_MTU = 4,
	XL_WATCH_NAME = 8,
	XL_WATCH_MAC = 16,
	XL_WATCH_XDP = 32,    /* a program was attached, detached, or replaced in another mode */
};

enum xl_watch_xdp { XL_WATCH_XDP_NONE, XL_WATCH_XDP_DRV, XL_WATCH_XDP_SKB, XL_WATCH_XDP_HW, XL_WATCH_XDP_MULTI };

struct xl_watch {
	struct mnl_socket *nl;
	u32 ifindex;
	char name[IFNAMSIZ];
	bool up;             /* administratively (IFF_UP) */
	bool running;        /* and its link is there (IFF_RUNNING) */
	bool gone;
	u32 mtu;
	u8 mac[6];
	u8 xdp;              /* enum xl_watch_xdp */
};

/* Start watching and fill the state. -ENODEV: no such interface. */
int xl_watch_open(struct xl_watch *w, const char *ifname);
void xl_watch_close(struct xl_watch *w);
/* Readable when xl_watch_read has something to do. It stays the watch's. */
int xl_watch_fd(const struct xl_watch *w);
/* Take in what happened: enum xl_watch_change bits, 0 for nothing, or a negative errno. When the kernel dropped
 * notifications, the state is asked for anew, so no change is missed for long. */
int xl_watch_read(struct xl_watch *w);

#endif
