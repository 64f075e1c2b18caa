/* SPDX-License-Identifier: BSD-2-Clause */
/* af_xdp.c - the running driver, but for sending: receive, fill, wait, count, close. */
#include <errno.h>
#include <string.h>

#include "af_xdp_state.h"

#define CHECK_NS (10 * XL_MS)       /* a spinning worker reads the watch this often */

static struct xl_af_xdp *af_xdp_of(struct xl_drv *d)
{
	return (struct xl_af_xdp *)d;
}

/* The pool's frame that holds `len` bytes at address `addr` of the UMEM, or XL_NONE. */
static u32 locate(const struct xl_af_xdp *a, u64 addr, u32 len, u16 *off)
{
	const struct xl_frames *f = a->drv.frames;

	*off = addr % f->frame_bytes;
	if (addr / f->frame_bytes >= f->count || len > f->frame_bytes - *off)
		return XL_NONE;
	return addr / f->frame_bytes;
}

/* --- receive -------------------------------------------------------------------------------- */
static void drop_part(struct xl_af_xdp *a, struct xl_af_xdp_queue *q)
{
	for (u32 i = 0; i < q->part.nsegs; i++)
		xl_frames_move(a->drv.frames, q->part.seg[i].frame, XL_FRAME_RX, XL_FRAME_FREE);
	q->part.nsegs = 0;
	q->draining = true;
}

/* Add what a descriptor names to the packet under way, or drop that packet. */
static void add_desc(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, const struct xdp_desc *desc)
{
	struct xl_frames *f = a->drv.frames;
	struct xl_seg seg = { .len = desc->len };
	enum xl_frame_owner from;

	seg.frame = locate(a, desc->addr, desc->len, &seg.off);
	from = xl_frames_own(f, seg.frame) ? XL_FRAME_FILL : XL_FRAME_FOREIGN;
	if (seg.frame == XL_NONE || f->owner[seg.frame] != from) {
		a->drv.counters[XL_DRV_RX_BAD_DESC]++;
		drop_part(a, q);
		return;
	}
	q->taken++;
	xl_frames_move(f, seg.frame, from, XL_FRAME_RX);
	if (!q->draining && seg.len && q->part.nsegs < a->drv.segs_max) {
		q->part.seg[q->part.nsegs++] = seg;
		return;
	}
	xl_frames_move(f, seg.frame, XL_FRAME_RX, XL_FRAME_FREE);
	if (!q->draining) {
		a->drv.counters[seg.len ? XL_DRV_RX_TOO_MANY_SEGS : XL_DRV_RX_BAD_DESC]++;
		drop_part(a, q);
	}
}

/* True: a packet is complete, in *out. */
static bool take_desc(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, const struct xdp_desc *shared,
		      struct xl_packet *out)
{
	struct xdp_desc desc = *shared;

	add_desc(a, q, &desc);
	if (desc.options & XDP_PKT_CONTD)
		return false;
	if (q->draining) {
		q->draining = false;
		return false;
	}
	*out = q->part;
	out->queue = q->xsk->queue;
	q->part.nsegs = 0;
	a->drv.counters[XL_DRV_RX_PACKETS]++;
	a->drv.counters[XL_DRV_RX_BYTES] += xl_packet_bytes(out);
	return true;
}

static u32 rx_queue(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, struct xl_packet *packets, u32 max)
{
	u32 waiting = xl_xsk_waiting(&q->xsk->rx), n = 0, i = 0, at = 0;

	if (waiting == XL_NONE) {   /* indices that can not be: nothing in this ring is to be believed any more */
		a->drv.counters[XL_DRV_RX_BAD_DESC]++;
		a->gone = true;
		return 0;
	}
	if (!waiting)
		return 0;
	waiting = xsk_ring_cons__peek(&q->xsk->rx, waiting, &at);
	for (; i < waiting && n < max; i++)
		n += take_desc(a, q, xsk_ring_cons__rx_desc(&q->xsk->rx, at + i), &packets[n]);
	xsk_ring_cons__cancel(&q->xsk->rx, waiting - i);
	xsk_ring_cons__release(&q->xsk->rx, i);
	atomic_store_explicit(&a->place->taken[q->xsk->queue], q->taken, memory_order_release);
	q->look = !q->home;
	return n;
}

/* --- the rest ------------------------------------------------------------------------------- */
/* What does not happen on each call: the interface, and descriptors that the kernel refused. */
static void look_around(struct xl_af_xdp *a)
{
	int changed;

	a->slept = false;
	a->checked_ns = a->now_ns;
	for (u32 i = 0; i < a->ntx; i++)
		xl_af_xdp_take_back_refused(a, &a->queue[a->tx[i]]);
	changed = xl_watch_read(&a->watch);
	if (changed <= 0)
		return;
	if (changed & XL_WATCH_GONE)
		a->gone = true;
	if (changed & XL_WATCH_MTU)
		a->drv.mtu = xl_af_xdp_mtu(a);
	if (changed & XL_WATCH_MAC)
		memcpy(a->drv.mac, a->watch.mac, sizeof a->drv.mac);
	if (changed & XL_WATCH_XDP)
		a->drv.features = (a->drv.features & ~XL_DRV_NATIVE) | xl_af_xdp_native(a);
	if (changed & XL_WATCH_UPDOWN && a->watch.up)
		xl_af_xdp_retry(a, true);
}

static int af_xdp_rx(struct xl_drv *d, struct xl_packet *packets, u32 max, u64 now_ns)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 n = 0;

	a->now_ns = now_ns;
	atomic_store_explicit(&a->place->beat_ns, now_ns, memory_order_relaxed);
	if (a->slept || now_ns >= a->checked_ns + CHECK_NS)
		look_around(a);
	for (u32 i = 0; i < d->queues && n < max; i++)
		n += rx_queue(a, &a->queue[(a->next_rx + i) % d->queues], packets + n, max - n);
	a->next_rx = (a->next_rx + 1) % d->queues;   /* a busy queue does not starve the next */
	if (a->gone && !n)
		return -ENXIO;
	xl_af_xdp_retry(a, false);
	return n;
}

/* --- fill ----------------------------------------------------------------------------------- */
static u32 spare(const struct xl_af_xdp *a)
{
	u32 nfree = a->drv.frames->nfree;

	return nfree > a->leave ? nfree - a->leave : 0;
}

/* Frames from the pool to FILL. Under the queue's lock. */
static void put(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, u32 want)
{
	struct xsk_ring_prod *fill = &q->rings->fill;
	struct xl_frames *f = a->drv.frames;
	u32 n = xl_min(want, xsk_prod_nb_free(fill, want)), at;

	if (n && xsk_ring_prod__reserve(fill, n, &at)) {
		for (u32 i = 0; i < n; i++)
			*xsk_ring_prod__fill_addr(fill, at + i) =
				(u64)xl_frames_take(f, XL_FRAME_FILL) * f->frame_bytes;
		xsk_ring_prod__submit(fill, n);
		atomic_store_explicit(&q->rings->filled, q->rings->filled + n, memory_order_relaxed);
	}
	if (q->xsk->need_wakeup && xsk_ring_prod__needs_wakeup(fill))
		xl_xsk_kick_rx(q->xsk);
}

/* Frames in the queue's FILL ring, in the kernel, or in the RX rings of its sockets. */
static u32 out(const struct xl_af_xdp *a, const struct xl_af_xdp_queue *q)
{
	u32 taken = 0;

	for (u32 w = 0; w < a->workers; w++)   /* first these: a frame is filled before it is taken */
		taken += atomic_load_explicit(&a->shared->place[w].taken[q->xsk->queue], memory_order_acquire);
	return atomic_load_explicit(&q->rings->filled, memory_order_relaxed) - taken;
}

static void fill_home(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, u32 target)
{
	u32 is_out = out(a, q), need = is_out < target ? target - is_out : 0, in_fill;

	/* What lies unread in the rings of others does not count when the kernel runs short. */
	if (a->workers > 1 && (in_fill = xl_af_xdp_in_fill(q->rings)) < target / 2)
		need = xl_max(need, target / 2 - in_fill);
	q->missed = need && spare(a) && !xl_af_xdp_trylock(a, q->rings);
	a->drv.counters[XL_DRV_QUEUE_TAKEN] += q->missed;
	if (need && !q->missed && spare(a)) {
		put(a, q, xl_min(need, spare(a)));
		xl_af_xdp_unlock(a, q->rings);
	}
	if (xl_af_xdp_low(q->rings) != target / 2)   /* others read it: written when it changes */
		atomic_store_explicit(&q->rings->low, target / 2, memory_order_relaxed);
}

/* A queue that packets came from, and whose home worker may not see that it runs dry: up to `most` frames then. */
static void fill_for_home(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, u32 most)
{
	u32 home = xl_port_home(a->shared->port, q->xsk->queue), low = xl_af_xdp_low(q->rings), in_fill;

	in_fill = xl_af_xdp_in_fill(q->rings);
	q->look = in_fill < low;
	if (!q->look || (in_fill >= low / 2 && !xl_af_xdp_sleeps(a->shared, home) && !xl_af_xdp_absent(a, home)))
		return;
	if (spare(a) && xl_af_xdp_trylock(a, q->rings)) {
		in_fill = xl_af_xdp_in_fill(q->rings);
		most = xl_min(most, low);
		if (in_fill < most)
			put(a, q, xl_min(most - in_fill, spare(a)));
		xl_af_xdp_unlock(a, q->rings);
		a->drv.counters[XL_DRV_QUEUE_HELPED]++;
	}
	q->look = xl_af_xdp_in_fill(q->rings) < low;
	if (q->look)
		xl_af_xdp_wake(a, home);
}

static void af_xdp_refill(struct xl_drv *d, u32 leave)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	struct xl_frames *f = d->frames;
	u32 usable, help, share;

	a->leave = leave;
	if (f->ngoing) {
		xl_af_xdp_send_home(a, f->going, f->ngoing);
		f->ngoing = 0;
	}
	/* An equal share of all that may receive, so that an idle queue can not hoard what a busy one gives back; a quarter
	 * stays for queues of others that need help, in equal shares, too. */
	usable = f->census[XL_FRAME_FILL] + spare(a);
	help = a->workers > 1 ? usable / (a->homes ? 4 : 1) : 0;
	share = xl_max((usable - help) / xl_max(a->homes, 1), 1);
	help = xl_max(help / xl_max(d->queues - a->homes, 1), 1);
	for (u32 i = 0; i < d->queues; i++)
		if (a->queue[i].home)
			fill_home(a, &a->queue[i], xl_min(share, a->queue[i].xsk->rx.size));
	for (u32 i = 0; i < d->queues; i++)
		if (a->queue[i].look)
			fill_for_home(a, &a->queue[i], help);
}

/* --- waiting -------------------------------------------------------------------------------- */
static u32 af_xdp_fds(struct xl_drv *d, int *fds, u32 max)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 n = 0;

	for (; n < d->queues && n < max; n++)
		fds[n] = a->queue[n].xsk->fd;
	if (n < max)
		fds[n++] = xl_watch_fd(&a->watch);
	if (n < max && a->workers > 1)
		fds[n++] = a->place->event_fd;
	return n;
}

/* What this worker has to do on a queue before it may sleep. */
static bool has_work(struct xl_af_xdp *a, struct xl_af_xdp_queue *q)
{
	if (xl_xsk_waiting(&q->xsk->rx))
		return true;
	if (!q->home)
		return q->tx_out && xl_af_xdp_completed(q->rings) &&
		       xl_af_xdp_absent(a, xl_port_home(a->shared->port, q->xsk->queue));
	if (q->xsk->need_wakeup && xsk_ring_prod__needs_wakeup(&q->rings->fill))
		xl_xsk_kick_rx(q->xsk);
	return q->missed || xl_af_xdp_completed(q->rings) ||
	       (a->workers > 1 && spare(a) && xl_af_xdp_in_fill(q->rings) < xl_af_xdp_low(q->rings));
}

static int af_xdp_arm(struct xl_drv *d, bool sleep)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	bool busy = a->gone || a->ndone;

	if (!sleep) {
		xl_af_xdp_awake(a);
		return 0;
	}
	xl_af_xdp_to_sleep(a);
	for (u32 i = 0; i < d->queues && !busy; i++)
		busy = has_work(a, &a->queue[i]);
	if (busy || xl_af_xdp_expects(a)) {
		xl_af_xdp_awake(a);
		return -EAGAIN;
	}
	a->slept = true;
	return 0;
}

static u64 af_xdp_deadline(struct xl_drv *d)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u64 next = a->gone ? 0 : XL_NEVER;

	for (u32 i = 0; i < a->ntx; i++) {
		const struct xl_af_xdp_queue *q = &a->queue[a->tx[i]];

		if (q->owed)
			next = xl_min(next, q->retry_ns);
		if (q->tx_out >= q->xsk->tx.size / 2)   /* nothing wakes anybody for a completion */
			next = xl_min(next, a->now_ns + XL_AF_XDP_RETRY_NS);
		if (q->tx_out)
			next = xl_min(next, q->tx_ns + XL_AF_XDP_TX_QUIET_NS);
	}
	for (u32 i = 0; i < d->queues && a->workers > 1; i++)   /* short of frames, and its home worker may be late */
		if (a->queue[i].look)
			next = xl_min(next, a->now_ns + XL_AF_XDP_LATE_NS);
	return next;
}

static void af_xdp_update_counters(struct xl_drv *d)
{
	struct xl_af_xdp *a = af_xdp_of(d);

	for (u32 i = 0; i < d->queues; i++) {
		struct xl_af_xdp_queue *q = &a->queue[i];
		struct xdp_statistics s, was = q->seen;
		u64 dropped, empty;

		if (xl_xsk_stats(q->xsk, &s))
			continue;
		q->seen = s;
		if (!q->tx_out)
			q->refused = s.tx_invalid_descs;   /* those did come back */
		dropped = s.rx_dropped - was.rx_dropped;
		empty = s.rx_fill_ring_empty_descs - was.rx_fill_ring_empty_descs;
		if (!q->home)   /* the kernel tells of the queue by each of its sockets */
			empty = 0;
		if (!q->xsk->zero_copy) {   /* a copying kernel counts a packet without a frame in both */
			empty = xl_min(empty, dropped);
			dropped -= empty;
		}
		d->counters[XL_DRV_RX_DROPPED] += dropped;
		d->counters[XL_DRV_RX_NO_FRAME] += empty;
		d->counters[XL_DRV_RX_RING_FULL] += s.rx_ring_full - was.rx_ring_full;
		d->counters[XL_DRV_TX_BAD_DESC] += s.tx_invalid_descs - was.tx_invalid_descs;
		d->counters[XL_DRV_RX_BAD_DESC] += s.rx_invalid_descs - was.rx_invalid_descs;
	}
}

static void af_xdp_close(struct xl_drv *d)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	struct xl_frames *f = d->frames;

	for (u32 i = 0; i < d->queues; i++)
		drop_part(a, &a->queue[i]);
	/* What is out is out with the driver: no other is in use any more. */
	for (u32 i = f->first; i < f->first + f->own; i++) {
		if (f->owner[i] == XL_FRAME_FILL || f->owner[i] == XL_FRAME_TX)
			xl_frames_move(f, i, f->owner[i], XL_FRAME_FREE);
	}
	xl_af_xdp_destroy(a);
}

const struct xl_drv_ops xl_af_xdp_ops = {
	.name = "af_xdp", .rx = af_xdp_rx, .tx_room = xl_af_xdp_tx_room, .tx = xl_af_xdp_tx, .flush = xl_af_xdp_flush,
	.complete = xl_af_xdp_complete, .refill = af_xdp_refill, .fds = af_xdp_fds, .arm = af_xdp_arm,
	.deadline = af_xdp_deadline, .update_counters = af_xdp_update_counters, .close = af_xdp_close,
};
