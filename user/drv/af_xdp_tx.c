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

#include "../base/assert.h"
#include "af_xdp_state.h"
#include "check.h"

#define RETRY_DOWN_NS (10 * XL_MS)
#define KICKS_MAX 128               /* send calls of one flush on one queue */
#define RUN 64                      /* completions taken at a time */

static struct xl_af_xdp *af_xdp_of(struct xl_drv *d)
{
	return (struct xl_af_xdp *)d;
}

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
		q->retry_ns = a->now_ns + XL_AF_XDP_RETRY_NS;
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

	if (q->xsk->zero_copy) {
		if (!q->xsk->need_wakeup || xsk_ring_prod__needs_wakeup(&q->xsk->tx)) {
			err = xl_xsk_kick_tx(q->xsk);
			a->drv.counters[XL_DRV_TX_KICKS]++;
		}
		q->owed = err != 0;
		q->retry_ns = a->now_ns + XL_AF_XDP_RETRY_NS;
		return err;
	}
	for (u32 i = 0; i < KICKS_MAX && (before = xl_xsk_tx_left(q->xsk)); i++) {
		err = xl_xsk_kick_tx(q->xsk);
		a->drv.counters[XL_DRV_TX_KICKS]++;
		if (!go_on(a, q, err, before, xl_xsk_tx_left(q->xsk)))
			return err;
	}
	q->owed = xl_xsk_tx_left(q->xsk) > 0;
	return 0;
}

void xl_af_xdp_retry(struct xl_af_xdp *a, bool now)
{
	for (u32 i = 0; i < a->ntx; i++) {
		struct xl_af_xdp_queue *q = &a->queue[a->tx[i]];

		if (q->owed && (now || a->now_ns >= q->retry_ns))
			push(a, q);
	}
}

u32 xl_af_xdp_tx_room(struct xl_drv *d, u32 segs)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 least = XL_NONE;

	if (!segs || segs > d->segs_max || a->gone)
		return 0;
	for (u32 i = 0; i < a->ntx; i++) {   /* whichever queue the packets ask for */
		struct xl_xsk *x = a->queue[a->tx[i]].xsk;

		least = xl_min(least, xsk_prod_nb_free(&x->tx, x->tx.size) / segs);
	}
	return least;
}

static void submit(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, const struct xl_packet *p, u32 at)
{
	for (u32 i = 0; i < p->nsegs; i++) {
		const struct xl_seg *s = &p->seg[i];

		XL_ASSERT(!a->in_tx[s->frame]);   /* one owner: a frame on its way out can not be sent again */
		a->in_tx[s->frame] = q->xsk->queue + 1;
		*xsk_ring_prod__tx_desc(&q->xsk->tx, at + i) = (struct xdp_desc){
			.addr = (u64)s->frame * a->drv.frames->frame_bytes + s->off,
			.len = s->len, .options = i + 1 < p->nsegs ? XDP_PKT_CONTD : 0,
		};
	}
	xsk_ring_prod__submit(&q->xsk->tx, p->nsegs);
	q->tx_out += p->nsegs;
	q->owed = true;
	q->tx_ns = a->now_ns;
}

/* A packet that must not reach the kernel: its frames come back as if sent. */
static void refuse(struct xl_af_xdp *a, const struct xl_packet *p)
{
	a->drv.counters[XL_DRV_TX_BAD_DESC]++;
	for (u32 i = 0; i < p->nsegs && i < XLANE_PACKET_SEGS_MAX; i++) {
		if (xl_frames_own(a->drv.frames, p->seg[i].frame) && a->ndone < a->drv.frames->own)
			a->done[a->ndone++] = p->seg[i].frame;
	}
}

u32 xl_af_xdp_tx(struct xl_drv *d, const struct xl_packet *packets, u32 n, u64 now_ns)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 done = 0, at;

	a->now_ns = now_ns;
	for (; done < n && !a->gone; done++) {
		const struct xl_packet *p = &packets[done];
		struct xl_af_xdp_queue *q = &a->queue[a->tx[p->queue % a->ntx]];

		if (!xl_drv_packet_ok(d, p)) {
			refuse(a, p);
			continue;
		}
		if (!xsk_ring_prod__reserve(&q->xsk->tx, p->nsegs, &at))
			break;
		submit(a, q, p, at);
		d->counters[XL_DRV_TX_PACKETS]++;
		d->counters[XL_DRV_TX_BYTES] += xl_packet_bytes(p);
	}
	return done;
}

int xl_af_xdp_flush(struct xl_drv *d, u64 now_ns)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	int err = 0;

	a->now_ns = now_ns;
	for (u32 i = 0; i < a->ntx; i++) {
		struct xl_af_xdp_queue *q = &a->queue[a->tx[i]];
		int e = q->owed ? push(a, q) : 0;

		err = e ? e : err;
	}
	return err;
}

/* Completions of one queue, `waiting` at most, until frames[] is full of own ones. Under the queue's lock. */
static u32 collect(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, u32 waiting, u32 *frames, u32 max)
{
	struct xsk_ring_cons *comp = &q->rings->comp;
	u32 n = 0, at, got, others[RUN], nothers;

	while (n < max && waiting && (got = xsk_ring_cons__peek(comp, xl_min(xl_min(RUN, waiting), max - n), &at))) {
		nothers = 0;
		for (u32 i = 0; i < got; i++) {
			u64 frame = *xsk_ring_cons__comp_addr(comp, at + i) / a->drv.frames->frame_bytes;

			if (frame >= a->drv.frames->count)
				a->drv.counters[XL_DRV_COMP_BAD_DESC]++;
			else if (!xl_frames_own(a->drv.frames, frame))
				others[nothers++] = frame;
			else if (xl_af_xdp_sent(a, frame, q->xsk->queue))
				frames[n++] = frame;
		}
		xsk_ring_cons__release(comp, got);
		waiting -= got;
		if (nothers)
			xl_af_xdp_send_home(a, others, nothers);
	}
	return n;
}

static u32 complete_queue(struct xl_af_xdp *a, struct xl_af_xdp_queue *q, u32 *frames, u32 max)
{
	u32 waiting = xl_af_xdp_completed(q->rings), n;

	if (waiting == XL_NONE) {
		a->drv.counters[XL_DRV_COMP_BAD_DESC]++;
		a->gone = true;
		return 0;
	}
	if (!waiting || !max)
		return 0;
	if (!xl_af_xdp_trylock(a, q->rings)) {
		a->drv.counters[XL_DRV_QUEUE_TAKEN]++;
		return 0;
	}
	n = collect(a, q, waiting, frames, max);
	xl_af_xdp_unlock(a, q->rings);
	a->drv.counters[XL_DRV_QUEUE_HELPED] += !q->home;
	return n;
}

u32 xl_af_xdp_complete(struct xl_drv *d, u32 *frames, u32 max)
{
	struct xl_af_xdp *a = af_xdp_of(d);
	u32 n = 0;

	while (n < max && a->ndone)
		frames[n++] = a->done[--a->ndone];
	n += xl_af_xdp_come_home(a, frames + n, max - n);
	for (u32 i = 0; i < d->queues; i++) {
		struct xl_af_xdp_queue *q = &a->queue[i];
		u32 got;

		if (!q->home && (!q->tx_out || !xl_af_xdp_absent(a, xl_port_home(a->shared->port, i))))
			continue;
		got = complete_queue(a, q, frames + n, max - n);
		n += got;
		if (got && q->owed)   /* what was full may have room now */
			push(a, q);
	}
	return n;
}

/* A descriptor that the kernel finds invalid is counted there; some kernels complete it all the same (6.18 does),
 * others never do. None that is submitted here should be invalid; if it happens, the frames come back once the queue
 * has been quiet for long and everything still out is explained by the kernel's count. */
void xl_af_xdp_take_back_refused(struct xl_af_xdp *a, struct xl_af_xdp_queue *q)
{
	struct xdp_statistics stats;
	bool quiet;

	if (!q->tx_out || a->now_ns < q->tx_ns + XL_AF_XDP_TX_QUIET_NS || !xl_af_xdp_trylock(a, q->rings))
		return;
	/* Under the lock nothing is on its way from the COMPLETION ring to a worker. */
	quiet = !xl_xsk_tx_left(q->xsk) && !xl_af_xdp_completed(q->rings) && !xl_af_xdp_expects(a);
	xl_af_xdp_unlock(a, q->rings);
	q->tx_ns = a->now_ns;
	if (!quiet || xl_xsk_stats(q->xsk, &stats) || stats.tx_invalid_descs - q->refused < q->tx_out)
		return;
	for (u32 i = 0; i < a->drv.frames->count; i++) {
		if (a->in_tx[i] != q->xsk->queue + 1)
			continue;
		a->in_tx[i] = 0;
		a->done[a->ndone++] = i;
	}
	q->refused = stats.tx_invalid_descs;
	q->tx_out = 0;
}
