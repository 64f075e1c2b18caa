/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transmit side of one queue, as a state machine:
 *
 *   idle --tx--> owed --flush: all taken--> idle (frames complete later, in any order)
 *                 |  \--flush: kernel busy (EAGAIN, ENOBUFS)--> owed, again at retry_ns, or when completions come
 *                 |  \--flush: interface down--------------> owed, again at retry_ns, or when the watch says up
 *                  \----interface deleted------------------> gone: only close is of use
 */
#include <errno.h>
#include <string.h>

#include "../base/assert.h"
#include "af_xdp_state.h"
#include "check.h"

#define CHECK_NS (10 * XL_MS)       /* a spinning worker reads the watch this often */
#define RETRY_BUSY_NS (50 * XL_US)
#define RETRY_DOWN_NS (10 * XL_MS)
#define TX_QUIET_NS XL_S            /* no completion for so long: the descriptors that the kernel refused are lost */
#define KICKS_MAX 128               /* send calls of one flush on one queue */

static struct xl_af_xdp *af_xdp_of(struct xl_drv *d)
{
	return (struct xl_af_xdp *)d;
}

/* The pool's frame that holds `len` bytes at address `addr` of the UMEM, or XL_NONE. */
static u32 locate(const struct xl_af_xdp *a, u64 addr, u32 len, u16 *off)
{
	const struct xl_frames *f = a->drv.frames;
	u64 at = addr - a->base;

	*off = at % f->frame_bytes;
	if (addr < a->base || at / f->frame_bytes >= f->count || len > f->frame_bytes - *off)
		return XL_NONE;
	return at / f->frame_bytes;
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

	seg.frame = locate(a, desc->addr, desc->len, &seg.off);
	if (seg.frame == XL_NONE || f->owner[seg.frame] != XL_FRAME_FILL) {
		a->drv.counters[XL_DRV_RX_BAD_DESC]++;
		drop_part(a, q);
		return;
	}
	q->fill_out -= q->fill_out > 0;
	xl_frames_move(f, seg.frame, XL_FRAME_FILL, XL_FRAME_RX);
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
	out->queue = q->xsk.queue;
	q->part.nsegs = 0;
	a->drv.counters[XL_DRV_RX_PACKETS]++;
	a->drv.counters[XL_DRV_RX_BYTES] += xl_packet_bytes(out);
	return true;
}

static u32 rx_queue(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, struct xl_packet *packets, u32 max)
{
	u32 waiting = xl_xsk_waiting(&q->xsk.rx), n = 0, i = 0, at = 0;

	if (waiting == XL_NONE) {   /* indices that can not be: nothing in this ring is to be believed any more */
		a->drv.counters[XL_DRV_RX_BAD_DESC]++;
		a->gone = true;
		return 0;
	}
	if (!waiting)
		return 0;
	waiting = xsk_ring_cons__peek(&q->xsk.rx, waiting, &at);
	for (; i < waiting && n < max; i++)
		n += take_desc(a, q, xsk_ring_cons__rx_desc(&q->xsk.rx, at + i), &packets[n]);
	xsk_ring_cons__cancel(&q->xsk.rx, waiting - i);
	xsk_ring_cons__release(&q->xsk.rx, i);
	return n;
}

/* --- transmit ------------------------------------------------------------------------------- */
/* After one send call. True: call again at once. */
static bool go_on(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, int err, u32 before, u32 after)
{
	u64 *counters = a->drv.counters;

	if (err == -EBUSY)        /* that frame is lost but completes as any other */
		counters[XL_DRV_TX_BUSY]++;
	q->owed = after > 0;
	if (!after)
		return false;
	if (err == -ENETDOWN || err == -ENXIO) {
		counters[XL_DRV_TX_DOWN]++;
		q->retry_ns = a->now_ns + RETRY_DOWN_NS;
		return false;
	}
	if (after == before) {
		counters[XL_DRV_TX_AGAIN]++;
		q->retry_ns = a->now_ns + RETRY_BUSY_NS;
		return false;
	}
	q->retry_ns = a->now_ns;
	return true;
}

/* A copying kernel sends during the call, some descriptors of it; a zero-copy driver is only woken. */
static int push(struct xl_af_xdp *a, struct xl_af_xdp_queue *q)
{
	int err = 0;
	u32 before;

	if (q->xsk.zero_copy) {
		if (!q->xsk.need_wakeup || xsk_ring_prod__needs_wakeup(&q->xsk.tx)) {
			err = xl_xsk_kick_tx(&q->xsk);
			a->drv.counters[XL_DRV_TX_KICKS]++;
		}
		q->owed = err != 0;
		q->retry_ns = a->now_ns + RETRY_BUSY_NS;
		return err;
	}
	for (u32 i = 0; i < KICKS_MAX && (before = xl_xsk_tx_left(&q->xsk)); i++) {
		err = xl_xsk_kick_tx(&q->xsk);
		a->drv.counters[XL_DRV_TX_KICKS]++;
		if (!go_on(a, q, err, before, xl_xsk_tx_left(&q->xsk)))
			return err;
	}
	q->owed = xl_xsk_tx_left(&q->xsk) > 0;
	return 0;
}

static void retry(struct xl_af_xdp *a, bool now)
{
	for (u32 i = 0; i < a->tx_queues; i++) {
		struct xl_af_xdp_queue *q = &a->queue[i];

		if (q->owed && (now || a->now_ns >= q->retry_ns))
			push(a, q);
	}
}

static u32 af_xdp_tx_room(struct xl_drv *d, u32 segs)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 least = XL_NONE;

	if (!segs || segs > d->segs_max || a->gone)
		return 0;
	for (u32 i = 0; i < a->tx_queues; i++)   /* whichever queue the packets ask for */
		least = xl_min(least, xsk_prod_nb_free(&a->queue[i].xsk.tx, a->queue[i].xsk.tx.size) / segs);
	return least;
}

static void submit(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, const struct xl_packet *p, u32 at)
{
	for (u32 i = 0; i < p->nsegs; i++) {
		const struct xl_seg *s = &p->seg[i];

		XL_ASSERT(!a->in_tx[s->frame]);   /* one owner: a frame on its way out can not be sent again */
		a->in_tx[s->frame] = q->xsk.queue + 1;
		*xsk_ring_prod__tx_desc(&q->xsk.tx, at + i) = (struct xdp_desc){
			.addr = a->base + (u64)s->frame * a->drv.frames->frame_bytes + s->off,
			.len = s->len, .options = i + 1 < p->nsegs ? XDP_PKT_CONTD : 0,
		};
	}
	xsk_ring_prod__submit(&q->xsk.tx, p->nsegs);
	q->tx_out += p->nsegs;
	q->owed = true;
	q->tx_ns = a->now_ns;
}

/* A packet that must not reach the kernel: its frames come back as if sent. */
static void refuse(struct xl_af_xdp *a, const struct xl_packet *p)
{
	a->drv.counters[XL_DRV_TX_BAD_DESC]++;
	for (u32 i = 0; i < p->nsegs && i < XLANE_PACKET_SEGS_MAX; i++) {
		if (p->seg[i].frame < a->drv.frames->count && a->ndone < a->drv.frames->count)
			a->done[a->ndone++] = p->seg[i].frame;
	}
}

static u32 af_xdp_tx(struct xl_drv *d, const struct xl_packet *packets, u32 n, u64 now_ns)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 done = 0, at;

	a->now_ns = now_ns;
	for (; done < n && !a->gone; done++) {
		const struct xl_packet *p = &packets[done];
		struct xl_af_xdp_queue *q = &a->queue[p->queue % a->tx_queues];

		if (!xl_drv_packet_ok(d, p)) {
			refuse(a, p);
			continue;
		}
		if (!xsk_ring_prod__reserve(&q->xsk.tx, p->nsegs, &at))
			break;
		submit(a, q, p, at);
		d->counters[XL_DRV_TX_PACKETS]++;
		d->counters[XL_DRV_TX_BYTES] += xl_packet_bytes(p);
	}
	return done;
}

static int af_xdp_flush(struct xl_drv *d, u64 now_ns)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	int err = 0;

	a->now_ns = now_ns;
	for (u32 i = 0; i < a->tx_queues; i++) {
		int e = a->queue[i].owed ? push(a, &a->queue[i]) : 0;

		err = e ? e : err;
	}
	return err;
}

static u32 complete_queue(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, u32 *frames, u32 max)
{
	u32 waiting = xl_xsk_waiting(&q->xsk.comp), n = 0, at = 0;
	u16 off;

	if (waiting == XL_NONE) {
		a->drv.counters[XL_DRV_COMP_BAD_DESC]++;
		a->gone = true;
		return 0;
	}
	if (!waiting || !max)
		return 0;
	waiting = xsk_ring_cons__peek(&q->xsk.comp, xl_min(waiting, max), &at);
	for (u32 i = 0; i < waiting; i++) {
		u32 frame = locate(a, *xsk_ring_cons__comp_addr(&q->xsk.comp, at + i), 0, &off);

		if (frame == XL_NONE || a->in_tx[frame] != q->xsk.queue + 1) {
			a->drv.counters[XL_DRV_COMP_BAD_DESC]++;
			continue;
		}
		a->in_tx[frame] = 0;
		frames[n++] = frame;
	}
	xsk_ring_cons__release(&q->xsk.comp, waiting);
	q->tx_out -= n;
	q->tx_ns = a->now_ns;
	return n;
}

static u32 af_xdp_complete(struct xl_drv *d, u32 *frames, u32 max)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 n = 0;

	while (n < max && a->ndone)
		frames[n++] = a->done[--a->ndone];
	for (u32 i = 0; i < a->tx_queues; i++) {
		u32 got = complete_queue(a, &a->queue[i], frames + n, max - n);

		n += got;
		if (got && a->queue[i].owed)   /* what was full may have room now */
			push(a, &a->queue[i]);
	}
	return n;
}

/* A descriptor that the kernel finds invalid is counted there; some kernels complete it all the same (6.18 does),
 * others never do. None that is submitted here should be invalid; if it happens, the frames come back once the queue
 * has been quiet for long and everything still out is explained by the kernel's count. */
static void take_back_refused(struct xl_af_xdp *a, struct xl_af_xdp_queue *q)
{
	struct xdp_statistics stats;

	if (!q->tx_out || a->now_ns < q->tx_ns + TX_QUIET_NS)
		return;
	q->tx_ns = a->now_ns;
	if (xl_xsk_tx_left(&q->xsk) || xl_xsk_waiting(&q->xsk.comp) || xl_xsk_stats(&q->xsk, &stats) ||
	    stats.tx_invalid_descs - q->refused < q->tx_out)
		return;
	for (u32 i = 0; i < a->drv.frames->count; i++) {
		if (a->in_tx[i] != q->xsk.queue + 1)
			continue;
		a->in_tx[i] = 0;
		a->done[a->ndone++] = i;
	}
	q->refused = stats.tx_invalid_descs;
	q->tx_out = 0;
}

/* --- the rest ------------------------------------------------------------------------------- */
/* What does not happen on each call: the interface, and descriptors that the kernel refused. */
static void look_around(struct xl_af_xdp *a)
{
	int changed;

	a->slept = false;
	a->checked_ns = a->now_ns;
	for (u32 i = 0; i < a->tx_queues; i++)
		take_back_refused(a, &a->queue[i]);
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
		retry(a, true);
}

static int af_xdp_rx(struct xl_drv *d, struct xl_packet *packets, u32 max, u64 now_ns)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 n = 0;

	a->now_ns = now_ns;
	if (a->slept || now_ns >= a->checked_ns + CHECK_NS)
		look_around(a);
	for (u32 i = 0; i < d->queues && n < max; i++)
		n += rx_queue(a, &a->queue[(a->next_rx + i) % d->queues], packets + n, max - n);
	a->next_rx = (a->next_rx + 1) % d->queues;   /* a busy queue does not starve the next */
	if (a->gone && !n)
		return -ENXIO;
	retry(a, false);
	return n;
}

static void refill_queue(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, u32 want)
{
	struct xl_frames *f = a->drv.frames;
	u32 n = xl_min(want, xsk_prod_nb_free(&q->xsk.fill, want)), at;

	if (n && xsk_ring_prod__reserve(&q->xsk.fill, n, &at)) {
		for (u32 i = 0; i < n; i++)
			*xsk_ring_prod__fill_addr(&q->xsk.fill, at + i) =
				a->base + (u64)xl_frames_take(f, XL_FRAME_FILL) * f->frame_bytes;
		xsk_ring_prod__submit(&q->xsk.fill, n);
		q->fill_out += n;
	}
	if (q->xsk.need_wakeup && xsk_ring_prod__needs_wakeup(&q->xsk.fill))
		xl_xsk_kick_rx(&q->xsk);
}

static void af_xdp_refill(struct xl_drv *d, u32 leave)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	struct xl_frames *f = d->frames;
	/* An equal share of all that may receive, so that an idle queue can not hoard what a busy one gives back. */
	u32 usable = f->census[XL_FRAME_FILL] + (f->nfree > leave ? f->nfree - leave : 0);
	u32 share = xl_max(usable / d->queues, 1);

	for (u32 i = 0; i < d->queues; i++) {
		struct xl_af_xdp_queue *q = &a->queue[i];
		u32 target = xl_min(share, q->xsk.rx.size), spare = f->nfree > leave ? f->nfree - leave : 0;

		if (q->fill_out < target)
			refill_queue(a, q, xl_min(target - q->fill_out, spare));
	}
}

static u32 af_xdp_fds(struct xl_drv *d, int *fds, u32 max)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 n = xl_min(d->queues, max);

	memcpy(fds, a->fds, n * sizeof *fds);
	if (n < max)
		fds[n++] = xl_watch_fd(&a->watch);
	return n;
}

static int af_xdp_arm(struct xl_drv *d, bool sleep)
{
	struct xl_af_xdp *a = af_xdp_of(d);

	if (!sleep)
		return 0;
	if (a->gone || a->ndone)
		return -EAGAIN;
	for (u32 i = 0; i < d->queues; i++) {
		struct xl_af_xdp_queue *q = &a->queue[i];

		if (q->xsk.need_wakeup && xsk_ring_prod__needs_wakeup(&q->xsk.fill))
			xl_xsk_kick_rx(&q->xsk);
		if (xl_xsk_waiting(&q->xsk.rx) || xl_xsk_waiting(&q->xsk.comp))
			return -EAGAIN;
	}
	a->slept = true;
	return 0;
}

static u64 af_xdp_deadline(struct xl_drv *d)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u64 next = a->gone ? 0 : XL_NEVER;

	for (u32 i = 0; i < a->tx_queues; i++) {
		const struct xl_af_xdp_queue *q = &a->queue[i];

		if (q->owed)
			next = xl_min(next, q->retry_ns);
		if (q->tx_out >= q->xsk.tx.size / 2)   /* nothing wakes anybody for a completion */
			next = xl_min(next, a->now_ns + RETRY_BUSY_NS);
		if (q->tx_out)
			next = xl_min(next, q->tx_ns + TX_QUIET_NS);
	}
	return next;
}

static void af_xdp_update_counters(struct xl_drv *d)
{
	struct xl_af_xdp *a = af_xdp_of(d);

	for (u32 i = 0; i < d->queues; i++) {
		struct xl_af_xdp_queue *q = &a->queue[i];
		struct xdp_statistics s, was = q->seen;
		u64 dropped, empty;

		if (xl_xsk_stats(&q->xsk, &s))
			continue;
		q->seen = s;
		if (!q->tx_out)
			q->refused = s.tx_invalid_descs;   /* those did come back */
		dropped = s.rx_dropped - was.rx_dropped;
		empty = s.rx_fill_ring_empty_descs - was.rx_fill_ring_empty_descs;
		if (!q->xsk.zero_copy) {   /* a copying kernel counts a packet without a frame in both */
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
	xl_af_xdp_destroy(a);
	for (u32 i = 0; i < f->count; i++) {   /* the pool is this driver's alone: what is out is out with it */
		if (f->owner[i] == XL_FRAME_FILL || f->owner[i] == XL_FRAME_TX)
			xl_frames_move(f, i, f->owner[i], XL_FRAME_FREE);
	}
}

const struct xl_drv_ops xl_af_xdp_ops = {
	.name = "af_xdp", .rx = af_xdp_rx, .tx_room = af_xdp_tx_room, .tx = af_xdp_tx, .flush = af_xdp_flush,
	.complete = af_xdp_complete, .refill = af_xdp_refill, .fds = af_xdp_fds, .arm = af_xdp_arm,
	.deadline = af_xdp_deadline, .update_counters = af_xdp_update_counters, .close = af_xdp_close,
};

const int *xl_drv_af_xdp_fds(const struct xl_drv *d, u32 *n)
{
	XL_ASSERT(d->ops == &xl_af_xdp_ops);
	*n = d->queues;
	return ((const struct xl_af_xdp *)d)->fds;
}
