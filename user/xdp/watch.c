/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "watch.h"

#define OPEN_WAIT_MS 1000       /* rtnetlink answers at once; this bounds a broken kernel */
#define WATCH_SEQ 1             /* of our own requests; notifications carry other numbers or 0 */
#define WATCH_BUFFER_BYTES 32768

/* What one round of reading brought. */
struct link_news {
	struct xl_watch *watch;
	u32 changed;
	bool any;                /* a message about our interface came */
	int error;
};

static int parse_xdp(const struct nlattr *a, void *arg)
{
	u8 *mode = arg;

	if (mnl_attr_get_type(a) == IFLA_XDP_ATTACHED && mnl_attr_get_payload_len(a) >= sizeof(u8))
		*mode = mnl_attr_get_u8(a);
	return MNL_CB_OK;
}

static void set_u8(struct link_news *n, u8 *field, u8 value, u32 bit)
{
	if (*field != value)
		n->changed |= bit;
	*field = value;
}

static int parse_link_attr(const struct nlattr *a, void *arg)
{
	struct link_news *n = arg;
	struct xl_watch *w = n->watch;
	u16 len = mnl_attr_get_payload_len(a);
	u8 xdp = XL_WATCH_XDP_NONE;

	switch (mnl_attr_get_type(a)) {
	case IFLA_MTU:
		if (len == sizeof(u32) && mnl_attr_get_u32(a) != w->mtu) {
			w->mtu = mnl_attr_get_u32(a);
			n->changed |= XL_WATCH_MTU;
		}
		break;
	case IFLA_IFNAME:
		if (len && len <= IFNAMSIZ && strncmp(w->name, mnl_attr_get_payload(a), len)) {
			memcpy(w->name, mnl_attr_get_payload(a), len);
			w->name[len - 1] = 0;
			n->changed |= XL_WATCH_NAME;
		}
		break;
	case IFLA_ADDRESS:
		if (len == sizeof w->mac && memcmp(w->mac, mnl_attr_get_payload(a), len)) {
			memcpy(w->mac, mnl_attr_get_payload(a), len);
			n->changed |= XL_WATCH_MAC;
		}
		break;
	case IFLA_XDP:
		mnl_attr_parse_nested(a, parse_xdp, &xdp);
		set_u8(n, &w->xdp, xdp, XL_WATCH_XDP);
		break;
	}
	return MNL_CB_OK;
}

static void parse_link(const struct nlmsghdr *h, struct link_news *n)
{
	struct xl_watch *w = n->watch;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(h);

	if ((h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK) ||
	    mnl_nlmsg_get_payload_len(h) < sizeof *info || (u32)info->ifi_index != w->ifindex || w->gone ||
	    info->ifi_family != AF_UNSPEC)   /* a bridge tells of its ports leaving it in the same words */
		return;
	n->any = true;
	if (h->nlmsg_type == RTM_DELLINK) {
		w->gone = true;
		w->up = w->running = false;
		n->changed |= XL_WATCH_GONE | XL_WATCH_UPDOWN;
		return;
	}
	if (w->up != !!(info->ifi_flags & IFF_UP))
		n->changed |= XL_WATCH_UPDOWN;
	w->up = info->ifi_flags & IFF_UP;
	w->running = info->ifi_flags & IFF_RUNNING;
	mnl_attr_parse(h, sizeof *info, parse_link_attr, n);
}

static void parse_message(const struct nlmsghdr *h, struct link_news *n)
{
	if (h->nlmsg_type == NLMSG_ERROR && h->nlmsg_seq == WATCH_SEQ) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

		n->any = true;
		if (mnl_nlmsg_get_payload_len(h) >= sizeof *e && e->error)
			n->error = e->error;
		return;
	}
	parse_link(h, n);
}

static int ask(struct xl_watch *w)
{
	char buf[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *info;

	h->nlmsg_type = RTM_GETLINK;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = WATCH_SEQ;
	info = mnl_nlmsg_put_extra_header(h, sizeof *info);
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = w->ifindex;
	return mnl_socket_sendto(w->nl, h, h->nlmsg_len) < 0 ? -errno : 0;
}

/* Read all that is there. */
static int drain(struct xl_watch *w, struct link_news *n)
{
	char buf[WATCH_BUFFER_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));

	for (;;) {
		ssize_t got = mnl_socket_recvfrom(w->nl, buf, sizeof buf);
		int left = got;

		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got < 0 && errno != ENOBUFS && errno != EINTR)
			return -errno;
		if (got < 0) {
			if (errno != EINTR && ask(w))   /* the kernel dropped notices: what is the state? */
				return -ENOBUFS;
			continue;
		}
		for (struct nlmsghdr *h = (void *)buf; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			parse_message(h, n);
	}
}

/* The interface may have left before the answer came: then asking gives ENODEV. */
static int settle(struct xl_watch *w, struct link_news *n)
{
	if (n->error == -ENODEV && !w->gone) {
		w->gone = true;
		w->up = w->running = false;
		n->changed |= XL_WATCH_GONE | XL_WATCH_UPDOWN;
		return 0;
	}
	return n->error;
}

static int first_state(struct xl_watch *w)
{
	struct link_news n = { .watch = w };
	int err = ask(w);

	while (!err && !n.any) {
		struct pollfd p = { .fd = mnl_socket_get_fd(w->nl), .events = POLLIN };
		int ready = poll(&p, 1, OPEN_WAIT_MS);

		if (ready < 0 && errno != EINTR)
			return -errno;
		if (!ready)
			return -ETIMEDOUT;
		err = drain(w, &n);
	}
	if (!err)
		err = settle(w, &n);
	return err ? err : w->gone ? -ENODEV : 0;
}

int xl_watch_open(struct xl_watch *w, const char *ifname)
{
	int err;

	memset(w, 0, sizeof *w);
	w->ifindex = if_nametoindex(ifname);
	if (!w->ifindex)
		return -ENODEV;
	w->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!w->nl)
		return -errno;
	if (mnl_socket_bind(w->nl, RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0)
		err = -errno;
	else
		err = first_state(w);
	if (err)
		xl_watch_close(w);
	return err;
}

void xl_watch_close(struct xl_watch *w)
{
	if (w->nl)
		mnl_socket_close(w->nl);
	w->nl = NULL;
}

int xl_watch_fd(const struct xl_watch *w)
{
	return mnl_socket_get_fd(w->nl);
}

int xl_watch_read(struct xl_watch *w)
{
	struct link_news n = { .watch = w };
	int err = drain(w, &n);

	if (!err)
		err = settle(w, &n);
	return err ? err : (int)n.changed;
}
