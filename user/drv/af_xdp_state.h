/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * af_xdp_state.h - what the files of the AF_XDP driver share; for these alone: af_xdp.c (receive, fill, the rest),
 * af_xdp_tx.c (send, complete), af_xdp_share.c (what workers share: locks, presence, frames that go home),
 * af_xdp_open.c.
 *
 * A queue's FILL and COMPLETION ring (struct xl_af_xdp_rings), who may use them:
 *
 *	  home worker awake and in time:   home worker only, each refill and complete
 *	  home worker sleeps or is late:   whoever needs it: has frames of its own out on the queue, or finds FILL low
 *	  FILL nearly empty:               also any other worker with frames to spare: the home worker has been put off by
 *	                                   the scheduler, or has no frames left, and packets would be lost
 *
 * always under the lock, which is tried and never waited for. What a try has missed is done in the next round; the home
 * worker does not go to sleep before that.
 *
 * No wakeup is lost: a sleeper says that it sleeps, then looks (at its rings, what came home, and the fill of its
 * queues); a worker that took packets or sent frames home does that first, then looks who sleeps. One of the two sees
 * the other. FILL falls only by packets, each of which brings a worker to that look, so no queue runs dry while all
 * sleep.
 */
#ifndef XL_DRV_AF_XDP_STATE_H
#define XL_DRV_AF_XDP_STATE_H

#include <stdatomic.h>

#include "../base/spsc.h"
#include "../xdp/socket.h"
#include "../xdp/watch.h"
#include "af_xdp.h"

#define XL_AF_XDP_LATE_NS (XLANE_QUEUE_LATE_MS * XL_MS)
#define XL_AF_XDP_RETRY_NS (50 * XL_US)   /* nothing in the kernel tells that a busy TX ring has room again */
#define XL_AF_XDP_TX_QUIET_NS XL_S        /* no completion for so long: what the kernel refused is lost */

/* FILL and COMPLETION ring of one queue. */
struct xl_af_xdp_rings {
	_Alignas(64) _Atomic u32 lock;
	struct xsk_ring_prod fill;          /* under the lock; its size and pointers are constant */
	struct xsk_ring_cons comp;          /* as above */
	_Atomic u32 filled;                 /* frames ever put into FILL, modulo 2^32; written under the lock */
	_Atomic u32 low;                    /* with fewer frames in FILL the queue is short of them, at half that nearly dry */
};

/* What one worker tells the others. */
struct xl_af_xdp_place {
	_Alignas(64) _Atomic u64 beat_ns;   /* when it last received */
	_Alignas(64) _Atomic u32 asleep;    /* enum xl_af_xdp_sleep */
	int event_fd;
	_Alignas(64) _Atomic u32 taken[XLANE_QUEUES_MAX];   /* frames it ever took from the RX ring of each queue */
};
enum xl_af_xdp_sleep { XL_AF_XDP_AWAKE, XL_AF_XDP_ASLEEP, XL_AF_XDP_WOKEN /* its event is on the way */ };

struct xl_af_xdp_shared {
	struct xl_port *port;
	struct xl_af_xdp_rings *rings;      /* [queues] */
	struct xl_af_xdp_place *place;      /* [workers] */
	u8 *homes;                          /* the rings of frames that go home, one after the other; NULL for one worker */
	size_t home_bytes;                  /* of one ring */
};

/* One worker's side of one queue. */
struct xl_af_xdp_queue {
	struct xl_xsk *xsk;                 /* RX and TX ring */
	struct xl_af_xdp_rings *rings;
	bool home;                          /* this worker is the queue's home */
	bool missed;                        /* home: the lock was taken when it wanted it */
	bool look;                          /* not home: packets came, so FILL is to be looked at */
	u32 taken;                          /* what place->taken says of it */
	u32 tx_out;               /* frames submitted and not completed */
	bool owed;                /* submitted descriptors wait for a send call */
	u64 retry_ns;             /* when owed: not before this */
	u64 tx_ns;                /* last submission or completion */
	u64 refused;              /* refused descriptors that were taken back */
	bool draining;            /* the rest of the packet under way is thrown away */
	struct xl_packet part;    /* packet under way, its frames RX */
	struct xdp_statistics seen;
};

struct xl_af_xdp {
	struct xl_drv drv;
	struct xl_af_xdp_shared *shared;
	struct xl_af_xdp_place *place;      /* this worker's */
	u32 worker, workers;
	struct xl_watch watch;
	bool gone, slept;
	bool event_due;                     /* somebody has woken it: the event is to be read */
	u32 leave;                          /* of the last refill */
	u32 homes;                          /* queues whose home this is */
	u32 ntx;                            /* tx[0..ntx): queues that it sends on */
	u8 tx[XLANE_QUEUES_MAX];
	u32 next_rx;
	u64 now_ns, checked_ns;
	u8 *in_tx;                /* [frames]: queue + 1 while in that queue's TX ring or the kernel, else 0 */
	u32 *done;                /* [own frames]: completed without the kernel */
	u32 ndone;
	struct xl_af_xdp_queue *queue;
};

extern const struct xl_drv_ops xl_af_xdp_ops;

/* --- af_xdp_open.c -------------------------------------------------------------------------- */
/* Largest link payload that interface, mode and the caller's limit allow now. */
u32 xl_af_xdp_mtu(const struct xl_af_xdp *a);
/* XL_DRV_NATIVE when the interface's program runs in the driver, else 0. */
u32 xl_af_xdp_native(const struct xl_af_xdp *a);
/* Undo whatever has been made of `a`. */
void xl_af_xdp_destroy(struct xl_af_xdp *a);

/* --- af_xdp_tx.c ---------------------------------------------------------------------------- */
u32 xl_af_xdp_tx_room(struct xl_drv *d, u32 segs);
u32 xl_af_xdp_tx(struct xl_drv *d, const struct xl_packet *packets, u32 n, u64 now_ns);
int xl_af_xdp_flush(struct xl_drv *d, u64 now_ns);
u32 xl_af_xdp_complete(struct xl_drv *d, u32 *frames, u32 max);
/* Send calls that are due, or with `now` all that are owed. */
void xl_af_xdp_retry(struct xl_af_xdp *a, bool now);
void xl_af_xdp_take_back_refused(struct xl_af_xdp *a, struct xl_af_xdp_queue *q);

/* --- af_xdp_share.c ------------------------------------------------------------------------- */
static inline struct xl_spsc *xl_af_xdp_home(const struct xl_af_xdp_shared *s, u32 from, u32 to)
{
	return (struct xl_spsc *)(s->homes + (from * s->port->workers + to) * s->home_bytes);
}

/* With one worker there is nobody to lock out. */
static inline bool xl_af_xdp_trylock(const struct xl_af_xdp *a, struct xl_af_xdp_rings *r)
{
	return a->workers == 1 || (!atomic_load_explicit(&r->lock, memory_order_relaxed) &&
				   !atomic_exchange_explicit(&r->lock, 1, memory_order_acquire));
}

static inline void xl_af_xdp_unlock(const struct xl_af_xdp *a, struct xl_af_xdp_rings *r)
{
	if (a->workers > 1)
		atomic_store_explicit(&r->lock, 0, memory_order_release);
}

/* Frames in a queue's FILL ring that the kernel has not taken. */
static inline u32 xl_af_xdp_in_fill(const struct xl_af_xdp_rings *r)
{
	u32 filled = __atomic_load_n(r->fill.producer, __ATOMIC_ACQUIRE);   /* first: rather too few than too many */
	u32 n = filled - __atomic_load_n(r->fill.consumer, __ATOMIC_ACQUIRE);

	return n <= r->fill.size ? n : 0;
}

/* Entries that wait in a queue's COMPLETION ring, or XL_NONE when the indices can not be true. */
static inline u32 xl_af_xdp_completed(const struct xl_af_xdp_rings *r)
{
	u32 taken = __atomic_load_n(r->comp.consumer, __ATOMIC_RELAXED);   /* first: it never passes the other */
	u32 n = __atomic_load_n(r->comp.producer, __ATOMIC_ACQUIRE) - taken;

	return n <= r->comp.size ? n : XL_NONE;
}

static inline u32 xl_af_xdp_low(const struct xl_af_xdp_rings *r)
{
	return atomic_load_explicit(&r->low, memory_order_relaxed);
}

/* Whether a worker sleeps and nobody has woken it, looked at after something was done that it must not miss. Both sides
 * change the word, in one order: who comes second sees what the first did before. */
static inline bool xl_af_xdp_sleeps(const struct xl_af_xdp_shared *s, u32 worker)
{
	return atomic_fetch_or(&s->place[worker].asleep, 0) == XL_AF_XDP_ASLEEP;
}

/* Whether a worker sleeps or was not there for XLANE_QUEUE_LATE_MS. */
bool xl_af_xdp_absent(const struct xl_af_xdp *a, u32 worker);
/* End its sleep, if it sleeps and nobody has done so. */
void xl_af_xdp_wake(struct xl_af_xdp *a, u32 worker);
/* Frames of others, back to them, and a wake where many wait. */
void xl_af_xdp_send_home(struct xl_af_xdp *a, const u32 *frames, u32 n);
/* What came home: received frames to the pool, up to max completed ones into frames[]. Returns their count. */
u32 xl_af_xdp_come_home(struct xl_af_xdp *a, u32 *frames, u32 max);
/* Frames wait for this worker. */
bool xl_af_xdp_expects(const struct xl_af_xdp *a);
/* True: frame is back from queue `queue`, or with XL_NONE from whichever it was sent on. */
bool xl_af_xdp_sent(struct xl_af_xdp *a, u32 frame, u32 queue);
/* About to sleep; then awake again. */
void xl_af_xdp_to_sleep(struct xl_af_xdp *a);
void xl_af_xdp_awake(struct xl_af_xdp *a);

#endif
