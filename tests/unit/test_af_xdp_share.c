/* SPDX-License-Identifier: BSD-2-Clause */
/* What the workers of an interface share, without sockets: frames that go home, wakes, presence, the queue's lock; then
 * three threads that hand frames to each other as a kernel would, and sleep. */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "unit.h"
#include "drv/af_xdp_state.h"

#define WORKERS 3
#define FRAMES 256         /* of each */
#define ROUNDS 60000       /* frames that each worker sends around */
#define BATCH 32
#define DEADLINE_MS 20000

struct side {
	struct xl_frames frames;
	struct xl_af_xdp a;
	struct xl_af_xdp_queue queue;
	pthread_t thread;
	int socket;                        /* readable when there are packets */
	u32 given, next;
	struct xl_spsc *in[WORKERS];       /* frames of others "received" or "completed" here, by where they came from */
};

struct world {
	struct xl_port port;
	struct xl_af_xdp_shared *shared;
	struct side side[WORKERS];
	_Atomic u32 finished, complete, failed;   /* workers that have sent all; that have all frames back */
};

static void open_world(struct world *w, u32 workers)
{
	memset(w, 0, sizeof *w);
	w->port = (struct xl_port){ .queues = 1, .tx_queues = 1, .workers = workers, .frames = FRAMES, .mapped = true,
		.umem = { .frames = FRAMES * workers, .frame_bytes = 4096 }, .xsk = calloc(workers, sizeof(struct xl_xsk)) };
	assert_int_equal(xl_af_xdp_shared_open(&w->port, &w->shared, NULL, 0), 0);
	for (u32 i = 0; i < workers; i++) {
		struct side *s = &w->side[i];

		xl_port_frames(&w->port, i, &s->frames, malloc(xl_frames_table_bytes(w->port.umem.frames)));
		s->queue = (struct xl_af_xdp_queue){ .xsk = &w->port.xsk[i], .rings = w->shared->rings, .home = !i };
		s->a = (struct xl_af_xdp){ .drv = { .frames = &s->frames, .queues = 1 }, .shared = w->shared,
			.place = &w->shared->place[i], .worker = i, .workers = workers, .queue = &s->queue,
			.in_tx = calloc(w->port.umem.frames, 1) };
	}
}

static void close_world(struct world *w)
{
	for (u32 i = 0; i < w->port.workers; i++) {
		free(w->side[i].frames.free);
		free(w->side[i].a.in_tx);
	}
	xl_af_xdp_shared_close(w->shared);
	free(w->port.xsk);
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void frames_go_home(void **state)
{
	static struct world w;
	u32 fill, tx, back[4];

	(void)state;
	open_world(&w, WORKERS);
	fill = xl_frames_take(&w.side[2].frames, XL_FRAME_FILL);
	tx = xl_frames_take(&w.side[2].frames, XL_FRAME_TX);
	w.side[2].a.in_tx[tx] = 1;
	w.side[2].queue.tx_out = 1;
	assert_int_equal(fill, 2 * FRAMES);
	assert_false(xl_af_xdp_expects(&w.side[2].a));
	xl_af_xdp_send_home(&w.side[0].a, &tx, 1);
	xl_af_xdp_send_home(&w.side[1].a, &fill, 1);
	assert_true(xl_af_xdp_expects(&w.side[2].a));
	assert_false(xl_af_xdp_expects(&w.side[0].a) || xl_af_xdp_expects(&w.side[1].a));
	assert_int_equal(xl_af_xdp_come_home(&w.side[2].a, back, 4), 1);
	assert_int_equal(back[0], tx);                                     /* completed: still TX */
	assert_int_equal(w.side[2].frames.census[XL_FRAME_TX], 1);
	assert_int_equal(w.side[2].frames.census[XL_FRAME_FILL], 0);       /* received and read elsewhere: free */
	assert_int_equal(w.side[2].queue.tx_out, 0);
	assert_true(xl_frames_census_ok(&w.side[2].frames));
	xl_af_xdp_send_home(&w.side[0].a, &tx, 1);                         /* a second time */
	assert_int_equal(xl_af_xdp_come_home(&w.side[2].a, back, 4), 0);
	assert_int_equal(w.side[2].a.drv.counters[XL_DRV_COMP_BAD_DESC], 1);
	close_world(&w);
}

static void a_ring_that_overflows_is_counted(void **state)
{
	static struct world w;
	u32 frame = FRAMES;

	(void)state;
	open_world(&w, WORKERS);
	for (u32 i = 0; i < FRAMES + 3; i++)
		xl_af_xdp_send_home(&w.side[0].a, &frame, 1);
	assert_int_equal(w.side[0].a.drv.counters[XL_DRV_HOME_SENT], FRAMES);
	assert_int_equal(w.side[0].a.drv.counters[XL_DRV_HOME_LOST], 3);
	close_world(&w);
}

static void a_sleeper_is_woken_once(void **state)
{
	static struct world w;
	struct xl_af_xdp *a;
	u32 frame = FRAMES, back[FRAMES];
	int fd;

	(void)state;
	open_world(&w, WORKERS);
	a = &w.side[1].a;
	fd = a->place->event_fd;
	for (u32 i = 0; i < XLANE_HOME_WAKE_FRAMES; i++)       /* awake: never */
		xl_af_xdp_send_home(&w.side[0].a, &frame, 1);
	assert_false(readable(fd));
	xl_af_xdp_come_home(a, back, FRAMES);
	xl_af_xdp_to_sleep(a);
	for (u32 i = 0; i < XLANE_HOME_WAKE_FRAMES - 1; i++)
		xl_af_xdp_send_home(&w.side[0].a, &frame, 1);
	assert_false(readable(fd));
	xl_af_xdp_send_home(&w.side[0].a, &frame, 1);
	assert_true(readable(fd));
	xl_af_xdp_send_home(&w.side[0].a, &frame, 1);
	assert_int_equal(w.side[0].a.drv.counters[XL_DRV_HOME_WAKES], 1);
	xl_af_xdp_awake(a);
	assert_false(readable(fd));
	close_world(&w);
}

/* The waker was put off between saying that it wakes and doing so. */
static void a_late_event_is_read_later(void **state)
{
	static struct world w;
	struct xl_af_xdp *a;

	(void)state;
	open_world(&w, WORKERS);
	a = &w.side[1].a;
	xl_af_xdp_to_sleep(a);
	atomic_store(&a->place->asleep, XL_AF_XDP_WOKEN);
	xl_af_xdp_awake(a);
	assert_true(a->event_due);
	assert_int_equal(eventfd_write(a->place->event_fd, 1), 0);
	xl_af_xdp_to_sleep(a);
	assert_true(readable(a->place->event_fd));             /* wakes for nothing, once */
	xl_af_xdp_awake(a);
	assert_false(a->event_due || readable(a->place->event_fd));
	close_world(&w);
}

static void presence_and_lock(void **state)
{
	static struct world w;
	struct xl_af_xdp *a;

	(void)state;
	open_world(&w, WORKERS);
	a = &w.side[1].a;
	a->now_ns = 100 * XL_S;
	atomic_store(&w.shared->place[0].beat_ns, a->now_ns - XL_AF_XDP_LATE_NS + 1);
	assert_false(xl_af_xdp_absent(a, 0));
	xl_af_xdp_to_sleep(&w.side[0].a);
	assert_true(xl_af_xdp_absent(a, 0));
	xl_af_xdp_awake(&w.side[0].a);
	assert_false(xl_af_xdp_absent(a, 0));
	a->now_ns++;
	assert_true(xl_af_xdp_absent(a, 0));
	atomic_store(&w.shared->place[0].beat_ns, a->now_ns + 5);   /* its clock reading is younger */
	assert_false(xl_af_xdp_absent(a, 0));
	assert_true(xl_af_xdp_trylock(a, w.shared->rings));
	assert_false(xl_af_xdp_trylock(&w.side[0].a, w.shared->rings));
	xl_af_xdp_unlock(a, w.shared->rings);
	assert_true(xl_af_xdp_trylock(&w.side[0].a, w.shared->rings));
	close_world(&w);
	open_world(&w, 1);                                       /* alone: nothing to lock, nobody to wake */
	assert_true(xl_af_xdp_trylock(&w.side[0].a, w.shared->rings));
	assert_true(xl_af_xdp_trylock(&w.side[0].a, w.shared->rings));
	assert_int_equal(atomic_load(&w.shared->rings->lock), 0);
	assert_true(!w.shared->homes && w.shared->place[0].event_fd < 0);
	close_world(&w);
}

/* --- threads -------------------------------------------------------------------------------- */
struct job { struct world *w; u32 me; };

/* One frame more, to be received (even) or completed (odd) by another worker. */
static bool give(struct world *w, u32 me)
{
	struct side *s = &w->side[me];
	u32 to = (me + 1 + s->next++ % (WORKERS - 1)) % WORKERS;
	u32 frame = s->given == ROUNDS ? XL_NONE : xl_frames_take(&s->frames, s->given & 1 ? XL_FRAME_TX : XL_FRAME_FILL);
	u64 value = frame | (u64)(s->given & 1) << 32;

	if (frame == XL_NONE)
		return false;
	if (s->given++ & 1) {
		s->a.in_tx[frame] = 1;
		s->queue.tx_out++;
	}
	if (xl_spsc_push(w->side[to].in[me], &value, 1) != 1 || eventfd_write(w->side[to].socket, 1))
		atomic_fetch_add(&w->failed, 1);
	return true;
}

static u32 take(struct world *w, u32 me)
{
	struct side *s = &w->side[me];
	u64 value[BATCH];
	u32 n = 0, frames[BATCH], nframes = 0;

	for (u32 from = 0; from < WORKERS; from++) {
		u32 got = from == me ? 0 : xl_spsc_pop(s->in[from], value, BATCH);

		for (u32 i = 0; i < got; i++) {
			u32 frame = (u32)value[i];

			if (value[i] >> 32) {
				frames[nframes++] = frame;
				continue;
			}
			xl_frames_move(&s->frames, frame, XL_FRAME_FOREIGN, XL_FRAME_RX);
			xl_frames_move(&s->frames, frame, XL_FRAME_RX, XL_FRAME_FREE);
		}
		xl_af_xdp_send_home(&s->a, frames, nframes);
		n += got;
		nframes = 0;
	}
	xl_af_xdp_send_home(&s->a, s->frames.going, s->frames.ngoing);
	s->frames.ngoing = 0;
	nframes = xl_af_xdp_come_home(&s->a, frames, BATCH);
	for (u32 i = 0; i < nframes; i++)
		xl_frames_move(&s->frames, frames[i], XL_FRAME_TX, XL_FRAME_FREE);
	return n + nframes;
}

static void sleep_a_while(struct world *w, u32 me)
{
	struct side *s = &w->side[me];
	struct pollfd p[2] = { { .fd = s->a.place->event_fd, .events = POLLIN }, { .fd = s->socket, .events = POLLIN } };
	eventfd_t n;

	xl_af_xdp_to_sleep(&s->a);
	if (!xl_af_xdp_expects(&s->a) && poll(p, 2, DEADLINE_MS) < 1)
		atomic_fetch_add(&w->failed, 1);   /* nobody has woken it */
	xl_af_xdp_awake(&s->a);
	eventfd_read(s->socket, &n);
}

static void *worker(void *arg)
{
	struct world *w = ((struct job *)arg)->w;
	u32 me = ((struct job *)arg)->me;
	struct side *s = &w->side[me];
	bool finished = false;

	while (!atomic_load(&w->failed)) {
		u32 did = take(w, me);

		while (give(w, me))
			did++;
		if (!finished && s->given == ROUNDS) {
			finished = true;
			atomic_fetch_add(&w->finished, 1);
			for (u32 i = 0; i < WORKERS; i++)
				eventfd_write(w->side[i].socket, 1);
		}
		if (atomic_load(&w->finished) < WORKERS) {
			if (!did)
				sleep_a_while(w, me);
			continue;
		}
		if (!did && s->frames.nfree == FRAMES)
			break;
		sched_yield();
	}
	return NULL;
}

/* Whoever is through goes on serving until all are: else the others' frames would stay. */
static void *serve(void *arg)
{
	struct job *j = arg;

	worker(arg);
	atomic_fetch_add(&j->w->complete, 1);
	while (atomic_load(&j->w->complete) < WORKERS && !atomic_load(&j->w->failed)) {
		take(j->w, j->me);
		sched_yield();
	}
	return NULL;
}

static void threads_lose_no_frame_and_no_wake(void **state)
{
	static struct world w;
	struct job job[WORKERS];

	(void)state;
	open_world(&w, WORKERS);
	for (u32 i = 0; i < WORKERS; i++) {
		w.side[i].socket = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		for (u32 from = 0; from < WORKERS; from++)
			w.side[i].in[from] = xl_spsc_init(aligned_alloc(64, xl_spsc_bytes(FRAMES)), FRAMES);
	}
	for (u32 i = 0; i < WORKERS; i++) {
		job[i] = (struct job){ &w, i };
		assert_int_equal(pthread_create(&w.side[i].thread, NULL, serve, &job[i]), 0);
	}
	for (u32 i = 0; i < WORKERS; i++)
		pthread_join(w.side[i].thread, NULL);
	assert_int_equal(atomic_load(&w.failed), 0);
	for (u32 i = 0; i < WORKERS; i++) {
		struct side *s = &w.side[i];

		assert_true(xl_frames_census_ok(&s->frames));
		assert_int_equal(s->frames.nfree, FRAMES);
		assert_int_equal(s->frames.census[XL_FRAME_FOREIGN], (WORKERS - 1) * FRAMES);
		assert_int_equal(s->a.drv.counters[XL_DRV_HOME_CAME], ROUNDS);
		assert_int_equal(s->a.drv.counters[XL_DRV_HOME_LOST] + s->a.drv.counters[XL_DRV_COMP_BAD_DESC], 0);
		for (u32 from = 0; from < WORKERS; from++)
			free(s->in[from]);
		close(s->socket);
	}
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_go_home),
		cmocka_unit_test(a_ring_that_overflows_is_counted),
		cmocka_unit_test(a_sleeper_is_woken_once),
		cmocka_unit_test(a_late_event_is_read_later),
		cmocka_unit_test(presence_and_lock),
		cmocka_unit_test(threads_lose_no_frame_and_no_wake),
	};

	return RUN_TAP(tests);
}
