/* SPDX-License-Identifier: BSD-2-Clause */
/* af_xdp_share.c - what the workers of one interface share: presence, wakes, and the rings by which frames go home. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "af_xdp_state.h"
#include "why.h"

#define RUN 64   /* frames taken from a ring, or put into one, at a time */

/* --- presence ------------------------------------------------------------------------------- */
bool xl_af_xdp_absent(const struct xl_af_xdp *a, u32 worker)
{
	const struct xl_af_xdp_place *p = &a->shared->place[worker];
	u64 beat = atomic_load_explicit(&p->beat_ns, memory_order_relaxed);

	return atomic_load_explicit(&p->asleep, memory_order_relaxed) != XL_AF_XDP_AWAKE ||
	       a->now_ns >= beat + XL_AF_XDP_LATE_NS;
}

void xl_af_xdp_wake(struct xl_af_xdp *a, u32 worker)
{
	struct xl_af_xdp_place *p = &a->shared->place[worker];
	u32 asleep = XL_AF_XDP_ASLEEP;
	u64 one = 1;

	if (!atomic_compare_exchange_strong(&p->asleep, &asleep, XL_AF_XDP_WOKEN))
		return;
	a->drv.counters[XL_DRV_HOME_WAKES]++;
	while (write(p->event_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

void xl_af_xdp_to_sleep(struct xl_af_xdp *a)
{
	if (a->workers == 1)
		return;
	atomic_exchange(&a->place->asleep, XL_AF_XDP_ASLEEP);   /* not a store: see xl_af_xdp_sleeps */
}

/* The event may come after this: whoever sends it has said so before. It is then read after the next sleep. */
void xl_af_xdp_awake(struct xl_af_xdp *a)
{
	u64 count;

	if (a->workers == 1)
		return;
	if (atomic_load_explicit(&a->place->asleep, memory_order_relaxed) != XL_AF_XDP_AWAKE &&
	    atomic_exchange(&a->place->asleep, XL_AF_XDP_AWAKE) == XL_AF_XDP_WOKEN)
		a->event_due = true;
	if (a->event_due && read(a->place->event_fd, &count, sizeof count) == sizeof count)
		a->event_due = false;
}

/* --- the ways home -------------------------------------------------------------------------- */
static u32 owner_of(const struct xl_af_xdp *a, u32 frame)
{
	return frame / a->shared->port->frames;
}

static void send_run(struct xl_af_xdp *a, u32 to, const u64 *run, u32 n)
{
	struct xl_spsc *ring = xl_af_xdp_home(a->shared, a->worker, to);
	u32 sent = xl_spsc_push(ring, run, n);

	/* The ring has room for every frame of its owner's: what finds none is there already. */
	a->drv.counters[XL_DRV_HOME_SENT] += sent;
	a->drv.counters[XL_DRV_HOME_LOST] += n - sent;
	if (xl_af_xdp_sleeps(a->shared, to) && xl_spsc_count(ring) >= XLANE_HOME_WAKE_FRAMES)
		xl_af_xdp_wake(a, to);
}

void xl_af_xdp_send_home(struct xl_af_xdp *a, const u32 *frames, u32 n)
{
	u64 run[RUN];
	u32 len, i = 0;

	while (i < n) {
		u32 to = owner_of(a, frames[i]);

		for (len = 0; i < n && len < RUN && owner_of(a, frames[i]) == to; i++)
			run[len++] = frames[i];
		send_run(a, to, run, len);
	}
}

bool xl_af_xdp_sent(struct xl_af_xdp *a, u32 frame, u32 queue)
{
	u32 on = a->in_tx[frame] - 1u;

	if (on >= a->drv.queues || (queue != XL_NONE && on != queue)) {
		a->drv.counters[XL_DRV_COMP_BAD_DESC]++;
		return false;
	}
	a->in_tx[frame] = 0;
	a->queue[on].tx_out--;
	a->queue[on].tx_ns = a->now_ns;
	return true;
}

u32 xl_af_xdp_come_home(struct xl_af_xdp *a, u32 *frames, u32 max)
{
	struct xl_frames *f = a->drv.frames;
	u64 run[RUN];
	u32 n = 0, got;

	for (u32 from = 0; from < a->workers && a->workers > 1; from++) {
		if (from == a->worker)
			continue;
		while ((got = xl_spsc_pop(xl_af_xdp_home(a->shared, from, a->worker), run, xl_min(RUN, max - n)))) {
			a->drv.counters[XL_DRV_HOME_CAME] += got;
			for (u32 i = 0; i < got; i++) {
				u32 frame = (u32)run[i];

				if (f->owner[frame] == XL_FRAME_FILL)
					xl_frames_move(f, frame, XL_FRAME_FILL, XL_FRAME_FREE);
				else if (xl_af_xdp_sent(a, frame, XL_NONE))
					frames[n++] = frame;
			}
		}
	}
	return n;
}

bool xl_af_xdp_expects(const struct xl_af_xdp *a)
{
	for (u32 from = 0; from < a->workers && a->workers > 1; from++)
		if (from != a->worker && xl_spsc_count(xl_af_xdp_home(a->shared, from, a->worker)))
			return true;
	return false;
}

/* --- open and close ------------------------------------------------------------------------- */
static void set_up_rings(struct xl_af_xdp_shared *s)
{
	for (u32 q = 0; q < s->port->queues; q++) {
		const struct xl_xsk *first = &s->port->xsk[q * s->port->workers];

		s->rings[q].fill = first->fill;
		s->rings[q].comp = first->comp;
	}
}

static int set_up_homes(struct xl_af_xdp_shared *s)
{
	u32 workers = s->port->workers, slots = 1;

	while (slots < s->port->frames)
		slots *= 2;
	s->home_bytes = xl_spsc_bytes(slots);
	s->homes = mmap(NULL, workers * workers * s->home_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	if (s->homes == MAP_FAILED) {
		s->homes = NULL;
		return -ENOMEM;
	}
	for (u32 from = 0; from < workers; from++)
		for (u32 to = 0; to < workers; to++)
			if (from != to)
				xl_spsc_init(xl_af_xdp_home(s, from, to), slots);
	return 0;
}

static int set_up_places(struct xl_af_xdp_shared *s)
{
	for (u32 w = 0; w < s->port->workers; w++)
		s->place[w].event_fd = -1;
	for (u32 w = 0; w < s->port->workers && s->port->workers > 1; w++) {
		s->place[w].event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (s->place[w].event_fd < 0)
			return -errno;
	}
	return 0;
}

static void *zeroed(size_t bytes)   /* a multiple of 64, aligned so */
{
	void *mem = aligned_alloc(64, bytes);

	if (mem)
		memset(mem, 0, bytes);
	return mem;
}

int xl_af_xdp_shared_open(struct xl_port *port, struct xl_af_xdp_shared **out, char *why, size_t why_bytes)
{
	struct xl_af_xdp_shared *s;
	int err = xl_port_map(port, why, why_bytes);

	*out = NULL;
	if (err)
		return err;
	s = calloc(1, sizeof *s);
	if (!s)
		return xl_why(-ENOMEM, why, why_bytes, "out of memory");
	s->port = port;
	s->rings = zeroed(port->queues * sizeof *s->rings);
	s->place = zeroed(port->workers * sizeof *s->place);
	err = s->rings && s->place ? set_up_places(s) : -ENOMEM;
	if (!err && port->workers > 1)
		err = set_up_homes(s);
	if (err) {
		xl_af_xdp_shared_close(s);
		return xl_why(err, why, why_bytes, "%s: what its workers share can not be made: %s", port->ifname,
			      strerror(-err));
	}
	set_up_rings(s);
	*out = s;
	return 0;
}

void xl_af_xdp_shared_close(struct xl_af_xdp_shared *s)
{
	if (!s)
		return;
	for (u32 w = 0; w < s->port->workers && s->place; w++)
		if (s->place[w].event_fd >= 0)
			close(s->place[w].event_fd);
	if (s->homes)
		munmap(s->homes, s->port->workers * s->port->workers * s->home_bytes);
	free(s->rings);
	free(s->place);
	free(s);
}
