/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../xdp/queues.h"
#include "af_xdp_state.h"
#include "why.h"

#define RING_SIZE_MIN 64
#define RING_SIZE_MAX 32768

u32 xl_af_xdp_mtu(const struct xl_af_xdp *a)
{
	u64 mtu = xl_min(a->watch.mtu, XLANE_MTU_MAX);

	if (a->mtu_limit)
		mtu = xl_min(mtu, a->mtu_limit);
	/* One frame then holds a packet, either way: the room that a sender keeps for headers is the larger one. */
	if (a->drv.segs_max == 1)
		mtu = xl_min(mtu, a->drv.frames->frame_bytes - XLANE_TX_HEADROOM_BYTES);
	return mtu;
}

u32 xl_af_xdp_native(const struct xl_af_xdp *a)
{
	return a->watch.xdp == XL_WATCH_XDP_DRV || a->watch.xdp == XL_WATCH_XDP_HW ? XL_DRV_NATIVE : 0;
}

void xl_af_xdp_destroy(struct xl_af_xdp *a)
{
	for (u32 i = a->queue ? a->drv.queues : 0; i--; )   /* the first, which registered the memory, last */
		xl_xsk_close(&a->queue[i].xsk);
	xl_watch_close(&a->watch);
	free(a->queue);
	free(a->in_tx);
	free(a->done);
	free(a);
}

static bool config_ok(const struct xl_drv_af_xdp_config *c, u32 ring_size)
{
	const struct xl_umem *u = c->umem;
	const struct xl_frames *f = c->frames;

	return c->ifname && u && f && f->frame_bytes == u->frame_bytes && f->mem >= u->mem && f->count &&
	       (u64)(f->mem - u->mem) % u->frame_bytes == 0 &&
	       (u64)(f->mem - u->mem) + (u64)f->count * f->frame_bytes <= u->bytes &&
	       ring_size >= RING_SIZE_MIN && ring_size <= RING_SIZE_MAX && !(ring_size & (ring_size - 1)) &&
	       c->queues <= XLANE_QUEUES_MAX;
}

/* The line for an error of xl_xsk_open on queue `queue`. */
static int explain(int err, const struct xl_drv_af_xdp_config *c, u32 queue, char *why, size_t n)
{
	const char *name = c->ifname;

	switch (err) {
	case -EBUSY:
		return xl_why(err, why, n, "%s: another program has an XDP socket on queue %u: stop it", name, queue);
	case -EPERM:
		return xl_why(err, why, n, "%s: no permission to make XDP sockets: run as root or give CAP_NET_RAW",
			      name);
	case -ENOBUFS:
		return xl_why(err, why, n, "%s: the kernel refuses to lock %llu KiB of frames for each queue: raise "
			      "RLIMIT_MEMLOCK (ulimit -l), or use fewer frames or queues", name,
			      (unsigned long long)c->umem->bytes / 1024);
	case -EAFNOSUPPORT:
		return xl_why(err, why, n, "this kernel has no XDP sockets (CONFIG_XDP_SOCKETS): use the packet socket "
			      "driver");
	case -EOPNOTSUPP:
	case -EINVAL:
		if (c->zero_copy > 0)
			return xl_why(err, why, n, "%s: queue %u has no zero-copy mode: do not ask for it", name,
				      queue);
		return xl_why(err, why, n, "%s: the kernel refuses an XDP socket on queue %u (%s)", name, queue,
			      strerror(-err));
	default:
		return xl_why(err, why, n, "%s: XDP socket on queue %u: %s", name, queue, strerror(-err));
	}
}

static int find_interface(struct xl_af_xdp *a, const struct xl_drv_af_xdp_config *c, char *why, size_t n)
{
	u32 rx, tx;
	int err = xl_watch_open(&a->watch, c->ifname);

	if (err == -ENODEV)
		return xl_why(err, why, n, "%s: no such interface (ip link shows those there are)", c->ifname);
	if (err)
		return xl_why(err, why, n, "%s: asking the kernel about it failed: %s", c->ifname, strerror(-err));
	if (!a->watch.up)
		return xl_why(-ENETDOWN, why, n, "%s is down: ip link set %s up", c->ifname, c->ifname);
	err = xl_queues_count(c->ifname, &rx, &tx);
	if (err)
		return xl_why(err, why, n, "%s: its queues can not be counted: %s", c->ifname, strerror(-err));
	if (c->queues > rx)
		return xl_why(-EINVAL, why, n, "%s has %u receive queues, %u were asked for", c->ifname, rx, c->queues);
	if (!c->queues && rx > XLANE_QUEUES_MAX)
		return xl_why(-EINVAL, why, n, "%s has %u receive queues, at most %u can be served: lower them with "
			      "ethtool -L, or ask for fewer", c->ifname, rx, XLANE_QUEUES_MAX);
	a->drv.queues = c->queues ? c->queues : rx;
	a->tx_queues = xl_min(a->drv.queues, tx);
	return 0;
}

static int open_queues(struct xl_af_xdp *a, const struct xl_drv_af_xdp_config *c, u32 ring_size, char *why, size_t n)
{
	u64 mtu = c->mtu ? xl_min(c->mtu, a->watch.mtu) : a->watch.mtu;
	struct xl_xsk_config xc = {
		.umem = c->umem, .ifindex = a->watch.ifindex, .ring_size = ring_size, .zero_copy = c->zero_copy,
		.multi_buffer = mtu > c->umem->frame_bytes - XLANE_TX_HEADROOM_BYTES, .need_wakeup = c->need_wakeup,
	};

	for (u32 i = 0; i < a->drv.queues; i++)
		a->queue[i].xsk.fd = -1;
	for (u32 i = 0; i < a->drv.queues; i++) {
		int err;

		xc.queue = i;
		xc.first = i ? &a->queue[0].xsk : NULL;
		err = xl_xsk_open(&a->queue[i].xsk, &xc);
		if (err)
			return explain(err, c, i, why, n);
		a->fds[i] = a->queue[i].xsk.fd;
	}
	return 0;
}

static int allocate(struct xl_af_xdp *a)
{
	a->queue = calloc(a->drv.queues, sizeof *a->queue);
	a->in_tx = calloc(a->drv.frames->count, sizeof *a->in_tx);
	a->done = calloc(a->drv.frames->count, sizeof *a->done);
	if (a->queue && a->in_tx && a->done)
		return 0;
	free(a->queue);   /* destroy would take its queues for open */
	a->queue = NULL;
	return -ENOMEM;
}

static void describe(struct xl_af_xdp *a)
{
	const struct xl_xsk *x = &a->queue[0].xsk;

	a->drv.segs_max = x->multi_buffer ? XLANE_PACKET_SEGS_MAX : 1;
	a->drv.features = (x->multi_buffer ? XL_DRV_MULTI_BUFFER : 0) | (x->zero_copy ? XL_DRV_ZERO_COPY : 0) |
			  (x->need_wakeup ? XL_DRV_NEED_WAKEUP : 0) | xl_af_xdp_native(a);
	a->drv.mtu = xl_af_xdp_mtu(a);
	memcpy(a->drv.mac, a->watch.mac, sizeof a->drv.mac);
}

int xl_drv_af_xdp_open(const struct xl_drv_af_xdp_config *c, struct xl_drv **out, char *why, size_t why_bytes)
{
	u32 ring_size = c->ring_size ? c->ring_size : XLANE_RING_SIZE_DEFAULT;
	struct xl_af_xdp *a;
	int err;

	*out = NULL;
	if (!config_ok(c, ring_size))
		return xl_why(-EINVAL, why, why_bytes, "AF_XDP driver: ring size, queues or frame pool out of range");
	a = calloc(1, sizeof *a);
	if (!a)
		return xl_why(-ENOMEM, why, why_bytes, "out of memory");
	a->drv = (struct xl_drv){ .ops = &xl_af_xdp_ops, .frames = c->frames };
	a->base = c->frames->mem - c->umem->mem;
	a->mtu_limit = c->mtu;
	err = find_interface(a, c, why, why_bytes);
	if (!err && (err = allocate(a)))
		xl_why(err, why, why_bytes, "out of memory");
	if (!err)
		err = open_queues(a, c, ring_size, why, why_bytes);
	if (!err) {
		describe(a);
		if (a->drv.mtu < XLANE_MTU_MIN)
			err = xl_why(-EINVAL, why, why_bytes, "%s: MTU %u is below %u: ip link set %s mtu 1500",
				     c->ifname,
				     a->drv.mtu, XLANE_MTU_MIN, c->ifname);
	}
	if (err) {
		xl_af_xdp_destroy(a);
		return err;
	}
	*out = &a->drv;
	return 0;
}
