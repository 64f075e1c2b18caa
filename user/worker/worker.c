/* SPDX-License-Identifier: BSD-2-Clause */
#include "worker.h"

#include <errno.h>
#include <string.h>
#include <time.h>

u64 xl_worker_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * XL_S + (u64)t.tv_nsec;
}

u32 xl_worker_tx_reserve(u32 frames)
{
	return frames / 2;
}

u32 xl_worker_tx_data_frames(u32 frames)
{
	return xl_worker_tx_reserve(frames) - XL_WORKER_CONTROL_FRAMES;
}

/* Frames in use for sending. */
static u32 held(const struct xl_frames *f)
{
	const u32 *c = f->census;

	return c[XL_FRAME_QUEUED] + c[XL_FRAME_TX] + c[XL_FRAME_INFLIGHT] + c[XL_FRAME_LENT];
}

/* Sending holds or may still take tx_reserve frames in all: the driver leaves free what it does not hold yet. */
static void refill(struct xl_worker *w)
{
	u32 n = held(w->frames);

	w->drv->ops->refill(w->drv, n < w->tx_reserve ? w->tx_reserve - n : 0);
}

void xl_worker_init(struct xl_worker *w, struct xl_drv *drv, struct xl_frames *frames, struct xl_engine *engine)
{
	w->drv = drv;
	w->frames = frames;
	w->engine = engine;
	w->tx_reserve = xl_worker_tx_reserve(frames->own);
	w->mtu = drv->mtu;
	w->error = 0;
	w->stalled = false;
	w->ran_ns = w->drained_ns = 0;
	refill(w);
}

/* A packet that is not sent after all: its frames go back to the engine as if they had been. */
static void hand_back(struct xl_worker *w, const struct xl_packet *p)
{
	u32 frames[XLANE_PACKET_SEGS_MAX];

	for (u32 i = 0; i < p->nsegs; i++)
		frames[i] = p->seg[i].frame;
	xl_engine_completed(w->engine, frames, p->nsegs);
}

static u32 complete(struct xl_worker *w)
{
	u32 frames[XLANE_BATCH_MAX];
	u32 n, all = 0;

	do {
		n = w->drv->ops->complete(w->drv, frames, XLANE_BATCH_MAX);
		if (n)
			xl_engine_completed(w->engine, frames, n);
		all += n;
	} while (n == XLANE_BATCH_MAX && all < w->frames->own);
	return all;
}

static void free_received(struct xl_worker *w, const struct xl_packet *p)
{
	for (u32 i = 0; i < p->nsegs; i++)
		xl_frames_move(w->frames, p->seg[i].frame, XL_FRAME_RX, XL_FRAME_FREE);
}

static int receive(struct xl_worker *w, u64 now_ns)
{
	struct xl_packet *p = w->packets;
	int n = w->drv->ops->rx(w->drv, p, XLANE_BATCH_MAX, now_ns);
	u32 kept = 0;

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		if (!xl_link_parse(&w->link, w->frames, &p[i])) {
			free_received(w, &p[i]);
			continue;
		}
		if (!p[i].stamp_ns)
			p[i].stamp_ns = w->drained_ns;
		if (kept != (u32)i)
			p[kept] = p[i];
		kept++;
	}
	if ((u32)n < XLANE_BATCH_MAX)
		w->drained_ns = now_ns;
	if (kept)
		xl_engine_input(w->engine, p, kept, now_ns);
	for (u32 i = 0; i < kept; i++)
		free_received(w, &p[i]);
	return n;
}

/* Link headers on p[0..n), and to the driver what can be sent. */
static u32 emit(struct xl_worker *w, struct xl_packet *p, u32 n, u64 now_ns)
{
	u32 kept = 0, taken;

	for (u32 i = 0; i < n; i++) {
		if (!xl_link_emit(&w->link, w->frames, &p[i])) {
			hand_back(w, &p[i]);
			continue;
		}
		if (kept != i)
			p[kept] = p[i];
		kept++;
	}
	taken = w->drv->ops->tx(w->drv, p, kept, now_ns);
	for (u32 i = taken; i < kept; i++) {
		w->link.counters[XL_LINK_TX_REFUSED]++;
		hand_back(w, &p[i]);
	}
	return taken;
}

u32 xl_worker_send(struct xl_worker *w, u64 now_ns)
{
	struct xl_drv *d = w->drv;
	u32 room, n, made = 0, taken = 0;

	do {
		room = xl_min(d->ops->tx_room(d, d->segs_max), XLANE_BATCH_MAX);
		n = room ? xl_engine_output(w->engine, w->packets, room, now_ns) : 0;
		if (n)
			taken += emit(w, w->packets, n, now_ns);
		made += n;
		/* a full batch: there may be more. Bounded: each turn fills the TX ring or empties the engine. */
	} while (n == XLANE_BATCH_MAX && made < XLANE_RING_SIZE_DEFAULT);
	if (taken || d->ops->deadline(d) <= now_ns)
		d->ops->flush(d, now_ns);
	/* Packets to give, and this turn moved none of them: only a completion or a retry of the driver can help. */
	w->stalled = !made && xl_engine_deadline(w->engine) <= now_ns;
	return taken;
}

/* The driver has seen that its interface has another MTU. What the engine can not do, smaller than any packet or larger than
 * its frames, changes nothing: a path that then swallows packets is found out as any other. */
static void follow_mtu(struct xl_worker *w, u64 now_ns)
{
	if (w->drv->mtu == w->mtu)
		return;
	w->mtu = w->drv->mtu;
	xl_engine_set_max_packet(w->engine, w->mtu - xl_link_tag_bytes(&w->link), now_ns);
}

int xl_worker_round(struct xl_worker *w, u64 now_ns)
{
	u32 sent, completed;
	int received;

	if (w->error)
		return w->error;
	w->ran_ns = now_ns;
	completed = complete(w);
	received = receive(w, now_ns);
	if (received < 0) {
		w->error = -ENETDOWN;
		received = 0;
	}
	refill(w);
	follow_mtu(w, now_ns);
	xl_engine_advance(w->engine, now_ns);
	sent = xl_worker_send(w, now_ns);
	return w->error ? w->error : received + (int)(sent + completed);
}

int xl_worker_run(struct xl_worker *w)
{
	int all = 0;

	for (u32 i = 0; i < XL_WORKER_ROUNDS_MAX; i++) {
		int n = xl_worker_round(w, xl_worker_clock());

		if (n < 0)
			return n;
		if (!n)
			break;
		all += n;
	}
	return all;
}

/* All frames for data are in use, some only because the driver has not given them back yet. */
static bool starved(const struct xl_worker *w)
{
	const u32 *c = w->frames->census;

	return c[XL_FRAME_TX] && held(w->frames) + 2 * w->drv->segs_max > xl_worker_tx_data_frames(w->frames->own);
}

u64 xl_worker_deadline(const struct xl_worker *w)
{
	u64 engine = w->stalled ? XL_NEVER : xl_engine_deadline(w->engine);

	if (w->stalled || starved(w))
		engine = xl_min(engine, w->ran_ns + XL_WORKER_RETRY_NS);
	return xl_min(engine, w->drv->ops->deadline(w->drv));
}
