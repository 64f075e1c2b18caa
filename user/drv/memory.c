/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory.h"

struct slot {
	struct xl_seg seg;
	bool more;         /* the packet goes on in the next slot */
	u32 queue;
	u64 ns;            /* RX: arrival. COMP: the number of the complete call from which on it may be returned */
};

struct ring {
	struct slot *slot;
	u32 size, head, count;
};

enum { FILL, TX, RX, COMP, RINGS };

struct memory {
	struct xl_drv drv;
	struct memory *peer;
	struct xl_drv_memory_hook hook;
	u32 delay;
	u64 completes;     /* calls of complete so far */
	struct ring ring[RINGS];
	u8 bytes[XLANE_MTU_MAX + XLANE_LINK_HEADER_MAX_BYTES];
};

static struct memory *memory_of(struct xl_drv *d)
{
	return (struct memory *)d;
}

static u32 room(const struct ring *r)
{
	return r->size - r->count;
}

static void push(struct ring *r, struct slot s)
{
	r->slot[(r->head + r->count++) % r->size] = s;
}

static struct slot pop(struct ring *r)
{
	struct slot s = r->slot[r->head];

	r->head = (r->head + 1) % r->size;
	r->count--;
	return s;
}

/* The packet at the ring's head, taken out. Producers put whole packets in, so it ends before the ring does. */
static void pop_packet(struct ring *r, struct xl_packet *p)
{
	struct slot s;

	memset(p, 0, sizeof *p);
	do {
		s = pop(r);
		p->seg[p->nsegs++] = s.seg;
	} while (s.more);
	p->queue = s.queue;
	p->stamp_ns = s.ns;
}

/* As AF_XDP: the kernel's headroom stays free in each frame received. */
static u32 rx_bytes_per_frame(const struct xl_drv *d)
{
	return d->frames->frame_bytes - XLANE_KERNEL_HEADROOM_BYTES;
}

static int inject_error(struct memory *m, u32 len, u32 segs)
{
	if (!len)
		return -EINVAL;
	if (len > m->drv.mtu + XLANE_LINK_HEADER_MAX_BYTES) {
		m->drv.counters[XL_DRV_RX_DROPPED]++;
		return -EMSGSIZE;
	}
	if (segs > m->drv.segs_max) {
		m->drv.counters[XL_DRV_RX_TOO_MANY_SEGS]++;
		return -EMSGSIZE;
	}
	if (m->ring[FILL].count < segs) {
		m->drv.counters[XL_DRV_RX_NO_FRAME]++;
		return -ENOBUFS;
	}
	if (room(&m->ring[RX]) < segs) {
		m->drv.counters[XL_DRV_RX_RING_FULL]++;
		return -ENOSPC;
	}
	return 0;
}

int xl_drv_memory_inject(struct xl_drv *to, const void *bytes, u32 len, u32 queue, u64 now_ns)
{
	struct memory *m = memory_of(to);
	u32 per_frame = rx_bytes_per_frame(to);
	u32 segs = len / per_frame + (len % per_frame != 0);
	int err = inject_error(m, len, segs);

	if (err)
		return err;
	for (u32 done = 0; done < len; ) {
		struct slot s = pop(&m->ring[FILL]);

		s.seg.off = XLANE_KERNEL_HEADROOM_BYTES;
		s.seg.len = xl_min(len - done, per_frame);
		memcpy(xl_frames_ptr(to->frames, s.seg.frame) + s.seg.off, (const u8 *)bytes + done, s.seg.len);
		done += s.seg.len;
		s.more = done < len;
		s.queue = queue % to->queues;
		s.ns = now_ns;
		push(&m->ring[RX], s);
	}
	return 0;
}

static int memory_rx(struct xl_drv *d, struct xl_packet *packets, u32 max, u64 now_ns)
{
	struct memory *m = memory_of(d);
	u32 n = 0;

	(void)now_ns;
	for (; n < max && m->ring[RX].count; n++) {
		pop_packet(&m->ring[RX], &packets[n]);
		for (u32 i = 0; i < packets[n].nsegs; i++)
			xl_frames_move(d->frames, packets[n].seg[i].frame, XL_FRAME_FILL, XL_FRAME_RX);
		d->counters[XL_DRV_RX_PACKETS]++;
		d->counters[XL_DRV_RX_BYTES] += xl_packet_bytes(&packets[n]);
	}
	return n;
}

static u32 memory_tx_room(struct xl_drv *d, u32 segs)
{
	return segs && segs <= d->segs_max ? room(&memory_of(d)->ring[TX]) / segs : 0;
}

static void finish(struct memory *m, const struct xl_packet *p)
{
	for (u32 i = 0; i < p->nsegs && i < XLANE_PACKET_SEGS_MAX; i++) {
		if (p->seg[i].frame >= m->drv.frames->count)
			continue;
		push(&m->ring[COMP], (struct slot){ .seg = p->seg[i], .ns = m->completes + 1 + m->delay });
	}
}

static u32 memory_tx(struct xl_drv *d, const struct xl_packet *packets, u32 n, u64 now_ns)
{
	struct memory *m = memory_of(d);
	u32 done = 0;

	(void)now_ns;
	for (; done < n; done++) {
		const struct xl_packet *p = &packets[done];

		if (!xl_drv_packet_ok(d, p)) {
			d->counters[XL_DRV_TX_BAD_DESC]++;
			finish(m, p);
			continue;
		}
		if (room(&m->ring[TX]) < p->nsegs)
			break;
		for (u32 i = 0; i < p->nsegs; i++)
			push(&m->ring[TX], (struct slot){ p->seg[i], i + 1 < p->nsegs, p->queue % d->queues, 0 });
		d->counters[XL_DRV_TX_PACKETS]++;
		d->counters[XL_DRV_TX_BYTES] += xl_packet_bytes(p);
	}
	return done;
}

static void deliver(struct memory *m, const struct xl_packet *p, u64 now_ns)
{
	u32 len = 0;

	if (xl_packet_bytes(p) > sizeof m->bytes) {
		m->peer->drv.counters[XL_DRV_RX_DROPPED]++;
		return;
	}
	for (u32 i = 0; i < p->nsegs; i++) {
		memcpy(m->bytes + len, xl_frames_ptr(m->drv.frames, p->seg[i].frame) + p->seg[i].off, p->seg[i].len);
		len += p->seg[i].len;
	}
	xl_drv_memory_inject(&m->peer->drv, m->bytes, len, p->queue, now_ns); /* a loss is counted there */
}

static int memory_flush(struct xl_drv *d, u64 now_ns)
{
	struct memory *m = memory_of(d);
	struct xl_packet p;

	while (m->ring[TX].count) {
		pop_packet(&m->ring[TX], &p);
		if (m->hook.sent)
			m->hook.sent(m->hook.arg, d, &p, now_ns);
		else if (m->peer)
			deliver(m, &p, now_ns);
		finish(m, &p);
	}
	return 0;
}

static u32 memory_complete(struct xl_drv *d, u32 *frames, u32 max)
{
	struct memory *m = memory_of(d);
	struct ring *r = &m->ring[COMP];
	u32 n = 0;

	m->completes++;
	while (n < max && r->count && r->slot[r->head].ns <= m->completes)
		frames[n++] = pop(r).seg.frame;
	return n;
}

static void memory_refill(struct xl_drv *d, u32 leave)
{
	struct ring *r = &memory_of(d)->ring[FILL];

	while (room(r) && d->frames->nfree > leave)
		push(r, (struct slot){ .seg.frame = xl_frames_take(d->frames, XL_FRAME_FILL) });
}

static u32 memory_fds(struct xl_drv *d, int *fds, u32 max)
{
	(void)d, (void)fds, (void)max;
	return 0;
}

static int memory_arm(struct xl_drv *d, bool sleep)
{
	struct memory *m = memory_of(d);
	const struct ring *comp = &m->ring[COMP];

	return sleep && (m->ring[RX].count || (comp->count && comp->slot[comp->head].ns <= m->completes + 1)) ?
		-EAGAIN : 0;
}

static u64 memory_deadline(struct xl_drv *d)
{
	(void)d;
	return XL_NEVER;
}

static void memory_update_counters(struct xl_drv *d)
{
	(void)d;
}

static void release(struct ring *r, struct xl_frames *f, enum xl_frame_owner owner)
{
	while (r->count)
		xl_frames_move(f, pop(r).seg.frame, owner, XL_FRAME_FREE);
	free(r->slot);
}

static void memory_close(struct xl_drv *d)
{
	static const enum xl_frame_owner owner[RINGS] = {
		[FILL] = XL_FRAME_FILL, [TX] = XL_FRAME_TX, [RX] = XL_FRAME_FILL, [COMP] = XL_FRAME_TX,
	};
	struct memory *m = memory_of(d);

	if (m->peer)
		m->peer->peer = NULL;
	for (int i = 0; i < RINGS; i++)
		release(&m->ring[i], d->frames, owner[i]);
	free(m);
}

static const struct xl_drv_ops memory_ops = {
	.name = "memory", .rx = memory_rx, .tx_room = memory_tx_room, .tx = memory_tx, .flush = memory_flush,
	.complete = memory_complete, .refill = memory_refill, .fds = memory_fds, .arm = memory_arm,
	.deadline = memory_deadline, .update_counters = memory_update_counters, .close = memory_close,
};

static bool config_ok(const struct xl_drv_memory_config *c)
{
	return c->frames && c->frames->frame_bytes > XLANE_KERNEL_HEADROOM_BYTES &&
	       c->ring_size >= XL_MEMORY_RING_MIN && c->ring_size <= XL_MEMORY_RING_MAX &&
	       c->mtu >= XLANE_MTU_MIN && c->mtu <= XLANE_MTU_MAX &&
	       c->segs_max >= 1 && c->segs_max <= XLANE_PACKET_SEGS_MAX && c->queues <= XLANE_QUEUES_MAX;
}

int xl_drv_memory_open(const struct xl_drv_memory_config *c, struct xl_drv **out)
{
	struct memory *m;

	*out = NULL;
	if (!config_ok(c))
		return -EINVAL;
	m = calloc(1, sizeof *m);
	if (!m)
		return -ENOMEM;
	m->drv = (struct xl_drv){
		.ops = &memory_ops, .frames = c->frames, .mtu = c->mtu, .segs_max = c->segs_max,
		.features = c->segs_max > 1 ? XL_DRV_MULTI_BUFFER : 0, .queues = c->queues ? c->queues : 1,
	};
	memcpy(m->drv.mac, c->mac, sizeof c->mac);
	m->hook = c->hook;
	m->delay = c->completion_delay;
	for (int i = 0; i < RINGS; i++) {
		m->ring[i].size = i == COMP ? c->frames->count : c->ring_size; /* every frame may wait in COMP */
		m->ring[i].slot = calloc(m->ring[i].size, sizeof(struct slot));
		if (!m->ring[i].slot) {
			memory_close(&m->drv);
			return -ENOMEM;
		}
	}
	*out = &m->drv;
	return 0;
}

void xl_drv_memory_join(struct xl_drv *a, struct xl_drv *b)
{
	memory_of(a)->peer = memory_of(b);
	memory_of(b)->peer = memory_of(a);
}
