/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "af_xdp_state.h"
#include "why.h"

u32 xl_af_xdp_mtu(const struct xl_af_xdp *a)
{
	u64 mtu = xl_min(a->watch.mtu, XLANE_MTU_MAX);

	if (a->shared->port->mtu_limit)
		mtu = xl_min(mtu, a->shared->port->mtu_limit);
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
	xl_watch_close(&a->watch);
	free(a->queue);
	free(a->in_tx);
	free(a->done);
	free(a);
}

static bool pool_ok(const struct xl_port *p, u32 worker, const struct xl_frames *f)
{
	return worker < p->workers && f->mem == p->umem.mem && f->frame_bytes == p->umem.frame_bytes &&
	       f->count == p->umem.frames && f->first == worker * p->frames && f->own == p->frames;
}

static int find_interface(struct xl_af_xdp *a, char *why, size_t n)
{
	const struct xl_port *p = a->shared->port;
	int err = xl_watch_open(&a->watch, p->ifname);

	if (err == -ENODEV || (!err && a->watch.ifindex != p->ifindex))
		return xl_why(-ENODEV, why, n, "%s: no such interface any more", p->ifname);
	if (err)
		return xl_why(err, why, n, "%s: asking the kernel about it failed: %s", p->ifname, strerror(-err));
	if (!a->watch.up)
		return xl_why(-ENETDOWN, why, n, "%s is down: ip link set %s up", p->ifname, p->ifname);
	return 0;
}

static int allocate(struct xl_af_xdp *a)
{
	a->queue = calloc(a->drv.queues, sizeof *a->queue);
	a->in_tx = calloc(a->drv.frames->count, sizeof *a->in_tx);
	a->done = calloc(a->drv.frames->own, sizeof *a->done);
	return a->queue && a->in_tx && a->done ? 0 : -ENOMEM;
}

/* Its socket on each queue, and the queues that it sends on: its own, or one of another worker. */
static void choose_queues(struct xl_af_xdp *a)
{
	const struct xl_port *p = a->shared->port;

	for (u32 q = 0; q < p->queues; q++) {
		a->queue[q].xsk = &p->xsk[q * p->workers + a->worker];
		a->queue[q].rings = &a->shared->rings[q];
		a->queue[q].home = xl_port_home(p, q) == a->worker;
		a->homes += a->queue[q].home;
		if (a->queue[q].home && q < p->tx_queues)
			a->tx[a->ntx++] = q;
	}
	if (!a->ntx)
		a->tx[a->ntx++] = a->worker % p->tx_queues;
}

static void describe(struct xl_af_xdp *a)
{
	const struct xl_port *p = a->shared->port;

	a->drv.segs_max = p->multi_buffer ? XLANE_PACKET_SEGS_MAX : 1;
	a->drv.features = (p->multi_buffer ? XL_DRV_MULTI_BUFFER : 0) | (p->zero_copy ? XL_DRV_ZERO_COPY : 0) |
			  (p->need_wakeup ? XL_DRV_NEED_WAKEUP : 0) | xl_af_xdp_native(a);
	a->drv.mtu = xl_af_xdp_mtu(a);
	memcpy(a->drv.mac, a->watch.mac, sizeof a->drv.mac);
}

int xl_drv_af_xdp_open(struct xl_af_xdp_shared *s, u32 worker, struct xl_frames *frames, struct xl_drv **out, char *why,
		       size_t why_bytes)
{
	struct xl_af_xdp *a;
	int err;

	*out = NULL;
	if (!pool_ok(s->port, worker, frames))
		return xl_why(-EINVAL, why, why_bytes, "AF_XDP driver: no pool of worker %u", worker);
	a = calloc(1, sizeof *a);
	if (!a)
		return xl_why(-ENOMEM, why, why_bytes, "out of memory");
	a->drv = (struct xl_drv){ .ops = &xl_af_xdp_ops, .frames = frames, .queues = s->port->queues };
	a->shared = s;
	a->place = &s->place[worker];
	a->worker = worker;
	a->workers = s->port->workers;
	err = find_interface(a, why, why_bytes);
	if (!err && (err = allocate(a)))
		xl_why(err, why, why_bytes, "out of memory");
	if (!err) {
		choose_queues(a);
		describe(a);
		if (a->drv.mtu < XLANE_MTU_MIN)
			err = xl_why(-EINVAL, why, why_bytes, "%s: MTU %u is below %u: ip link set %s mtu 1500",
				     s->port->ifname, a->drv.mtu, XLANE_MTU_MIN, s->port->ifname);
	}
	if (err) {
		xl_af_xdp_destroy(a);
		return err;
	}
	*out = &a->drv;
	return 0;
}
