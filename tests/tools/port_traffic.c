/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port_traffic: several workers, each a thread, on both ends of a veth pair, and what must hold of them.
 *
 *     port_traffic IFACE_A IFACE_B WORKERS_A WORKERS_B CASE...
 *
 * Workers of A send numbered packets to workers of B in turn, a window of them each; B sends each back to the worker it
 * came from. The last bytes of the addresses name the workers. Everybody sleeps when there is nothing to do, with no
 * other deadline than the driver's: a wakeup that is lost ends the flow, and after DEADLINE_NS the test. B's port goes
 * through xl_port_pack and xl_port_unpack before it is used.
 *
 *     all          to all workers of B
 *     others       to all but worker 0, which sleeps all the time: the home of queue 0 (B has several workers)
 *     stalled      the same, and worker 0 neither works nor sleeps: it is stuck in something else
 *     one_queue    A sends on its queue 0 alone
 *
 * Prints TAP. The script that starts it made the interfaces.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../user/base/endian.h"
#include "../../user/drv/af_xdp_state.h"
#include "../../user/worker/wait.h"
#include "redirect.h"

#define DEADLINE_NS (20 * XL_S)
#define FRAMES 2048        /* of each worker */
#define PACKETS 20000      /* of each worker of A: many times what there are frames */
#define WINDOW 160         /* sent and not back, of all workers of A: a queue that is low takes so many at once */
#define HEAD_BYTES 14

enum phase { RUN, DRAIN, STOP };

struct crew;
struct hand {
	struct crew *crew;
	u32 worker;
	pthread_t thread;
	struct xl_frames frames;
	void *tables;
	struct xl_drv *drv;
	struct xl_wait wait;
	int bell;                    /* a change of phase */
	u32 sent, back, bad, no_frame;
	_Atomic u64 done;            /* packets that came back (A), or were sent back (B) */
	_Atomic u32 in_tx;
	_Atomic u64 home_sent, home_came;
};

struct crew {
	const char *ifname;
	bool echoes;                 /* B */
	u32 workers, queues;
	u32 first_target, targets;   /* A: workers first_target..targets-1 of B */
	bool one_queue;
	struct xl_port port;
	struct xl_af_xdp_shared *shared;
	struct redirect redirect;
	struct hand hand[XLANE_WORKERS_MAX];
};

static struct crew crew[2];
static _Atomic int phase;
static int stuck[2];                 /* a pipe: worker 0 of B reads it when it is to be stuck */
static _Atomic bool stall, stalled_now, go;   /* go: A may send */
static u32 tests_run, tests_failed;
static char why[256];

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * XL_S + t.tv_nsec;
}

__attribute__((format(printf, 2, 3)))
static bool check(bool ok, const char *format, ...)
{
	va_list ap;

	printf("%sok %u - ", ok ? "" : "not ", ++tests_run);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	tests_failed += !ok;
	return ok;
}

/* --- packets: addresses that end in the workers, ethertype, be32 number, bytes that follow from it ----------- */
static u32 bytes_of(u32 number)
{
	return HEAD_BYTES + 46 + number % 300;
}

static u8 pattern(u32 number, u32 at)
{
	return (u8)(number * 131 + at * 7);
}

static bool send_one(struct hand *h, u32 to, u32 number, u32 queue)
{
	struct xl_packet p = { .nsegs = 1, .queue = queue };
	u32 f = h->drv->ops->tx_room(h->drv, 1) ? xl_frames_take(&h->frames, XL_FRAME_TX) : XL_NONE;
	u8 *at;

	if (f == XL_NONE) {
		h->no_frame++;
		return false;
	}
	p.seg[0] = (struct xl_seg){ f, 64, bytes_of(number) };
	at = xl_frames_ptr(&h->frames, f) + 64;
	memset(at, 0, HEAD_BYTES);
	at[0] = at[6] = 2;
	at[5] = to;
	at[11] = h->worker;
	xl_put16(at + 12, REDIRECT_ETHERTYPE);
	xl_put32(at + HEAD_BYTES, number);
	for (u32 i = HEAD_BYTES + 4; i < p.seg[0].len; i++)
		at[i] = pattern(number, i);
	return h->drv->ops->tx(h->drv, &p, 1, now_ns()) == 1;
}

/* It is for this worker and every byte is right. */
static bool good(const struct hand *h, const struct xl_packet *p, u32 *from, u32 *number)
{
	const u8 *at = xl_frames_ptr(&h->frames, p->seg[0].frame) + p->seg[0].off;

	*from = at[11];
	*number = xl_get32(at + HEAD_BYTES);
	if (p->nsegs != 1 || p->seg[0].len != bytes_of(*number) || at[5] != h->worker)
		return false;
	for (u32 i = HEAD_BYTES + 4; i < p->seg[0].len; i++)
		if (at[i] != pattern(*number, i))
			return false;
	return true;
}

/* --- a worker ------------------------------------------------------------------------------- */
static u32 receive(struct hand *h)
{
	struct xl_packet p[32];
	int got = h->drv->ops->rx(h->drv, p, XL_ARRAY_SIZE(p), now_ns());
	u32 from, number;

	for (int i = 0; i < got; i++) {
		if (!good(h, &p[i], &from, &number))
			h->bad++;
		else if (!h->crew->echoes || send_one(h, from, number, number))
			h->back++;
		xl_frames_move(&h->frames, p[i].seg[0].frame, XL_FRAME_RX, XL_FRAME_FREE);
	}
	atomic_store(&h->done, h->back);
	return got > 0 ? got : 0;
}

static u32 complete(struct hand *h)
{
	u32 frames[64], n, all = 0;

	do {
		n = h->drv->ops->complete(h->drv, frames, XL_ARRAY_SIZE(frames));
		for (u32 i = 0; i < n; i++)
			xl_frames_move(&h->frames, frames[i], XL_FRAME_TX, XL_FRAME_FREE);
		all += n;
	} while (n == XL_ARRAY_SIZE(frames));
	return all;
}

static u32 send_more(struct hand *h)
{
	const struct crew *c = h->crew;
	u32 n = 0;

	for (; !c->echoes && atomic_load(&go) && h->sent < PACKETS && h->sent - h->back < WINDOW / c->workers; n++) {
		u32 to = c->first_target + h->sent % (c->targets - c->first_target);

		if (!send_one(h, to, h->sent, c->one_queue ? 0 : h->sent))
			break;
		h->sent++;
	}
	return n;
}

static u32 turn(struct hand *h)
{
	u32 work = complete(h);

	work += receive(h);
	h->drv->ops->refill(h->drv, FRAMES / 2 - xl_min(h->frames.census[XL_FRAME_TX], FRAMES / 2));
	work += send_more(h);
	h->drv->ops->flush(h->drv, now_ns());
	atomic_store(&h->in_tx, h->frames.census[XL_FRAME_TX]);
	atomic_store(&h->home_sent, h->drv->counters[XL_DRV_HOME_SENT]);
	atomic_store(&h->home_came, h->drv->counters[XL_DRV_HOME_CAME]);
	return work;
}

static u32 bell_fds(void *arg, int *fds, u32 max)
{
	fds[0] = ((struct hand *)arg)->bell;
	return max ? 1 : 0;
}

static int bell_arm(void *arg, bool sleep)
{
	(void)arg;
	return sleep && atomic_load(&phase) != RUN ? -EAGAIN : 0;
}

static void *work(void *arg)
{
	struct hand *h = arg;
	struct xl_wait_source sources[] = { xl_wait_drv(h->drv), { bell_fds, bell_arm, h } };
	eventfd_t rung;
	char c;

	if (xl_wait_init(&h->wait, XL_WAIT_SLEEP, 0, sources, 2)) {
		h->bad++;
		return NULL;
	}
	while (atomic_load(&phase) != STOP) {
		u32 did = turn(h);

		eventfd_read(h->bell, &rung);
		if (h->crew->echoes && !h->worker && atomic_load(&stall)) {
			atomic_store(&stalled_now, true);
			h->bad += read(stuck[0], &c, 1) != 1;
		}
		if (!did && atomic_load(&phase) == RUN)
			xl_wait_sleep(&h->wait, h->drv->ops->deadline(h->drv), now_ns());
		else
			sched_yield();
	}
	xl_wait_close(&h->wait);
	return NULL;
}

static void ring_bells(void)
{
	for (u32 e = 0; e < 2; e++)
		for (u32 w = 0; w < crew[e].workers; w++)
			if (eventfd_write(crew[e].hand[w].bell, 1))
				perror("port_traffic: bell");
}

static void set_phase(int to)
{
	atomic_store(&phase, to);
	ring_bells();
}

/* --- both ends ------------------------------------------------------------------------------ */
/* The port through its flat form, with descriptors of its own, as another process would have it. */
static int hand_over(struct xl_port *p)
{
	struct xl_port_form form;
	struct xl_port there;
	static int fds[XL_PORT_FDS_MAX];
	u32 n = xl_port_pack(p, &form, fds);
	int err;

	for (u32 i = 0; i < n; i++)
		fds[i] = dup(fds[i]);
	xl_port_close(p);
	err = xl_port_unpack(&form, sizeof form, fds, n, &there, why, sizeof why);
	if (!err)
		*p = there;
	return err;
}

static int open_shared(struct crew *c, bool handed_over)
{
	struct xl_port_spec spec = { .ifname = c->ifname, .workers = c->workers, .frames = FRAMES, .ring_size = 512,
		.need_wakeup = true };
	int err = xl_port_open(&spec, &c->port, why, sizeof why);

	if (!err && handed_over)
		err = hand_over(&c->port);
	if (!err)
		err = xl_af_xdp_shared_open(&c->port, &c->shared, why, sizeof why);
	if (err != -EOPNOTSUPP || !handed_over)
		return err;
	xl_port_close(&c->port);
	printf("# %s; used where it was opened\n", why);
	return open_shared(c, false);
}

static int open_crew(struct crew *c)
{
	int fds[REDIRECT_SOCKETS_MAX], err = open_shared(c, c->echoes);

	for (u32 w = 0; w < c->workers && !err; w++) {
		struct hand *h = &c->hand[w];

		*h = (struct hand){ .crew = c, .worker = w, .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
		h->tables = malloc(xl_frames_table_bytes(c->port.umem.frames));
		xl_port_frames(&c->port, w, &h->frames, h->tables);
		err = xl_drv_af_xdp_open(c->shared, w, &h->frames, &h->drv, why, sizeof why);
	}
	for (u32 q = 0; q < c->port.queues && !err; q++)
		for (u32 w = 0; w < c->workers; w++)
			fds[q * c->workers + w] = xl_port_fd(&c->port, q, w);
	if (err)
		return err;
	for (u32 w = 0; w < c->workers; w++)   /* frames are there before the first packet */
		c->hand[w].drv->ops->refill(c->hand[w].drv, FRAMES / 2);
	return redirect_attach(&c->redirect, c->ifname, fds, c->port.queues, c->workers);
}

static bool at_rest(const struct hand *h)
{
	const u32 *c = h->frames.census;

	return xl_frames_census_ok(&h->frames) && c[XL_FRAME_FREE] + c[XL_FRAME_FILL] == FRAMES && !h->frames.ngoing &&
	       c[XL_FRAME_FOREIGN] == h->frames.count - FRAMES;
}

static u64 counted(const struct crew *c, enum xl_drv_counter which)
{
	u64 sum = 0;

	for (u32 w = 0; w < c->workers; w++) {
		c->hand[w].drv->ops->update_counters(c->hand[w].drv);
		sum += c->hand[w].drv->counters[which];
	}
	return sum;
}

static bool close_crew(struct crew *c)
{
	bool ok = true;

	redirect_detach(&c->redirect);
	for (u32 w = 0; w < c->workers; w++) {
		struct hand *h = &c->hand[w];

		if (h->drv)
			h->drv->ops->close(h->drv);
		ok = ok && xl_frames_census_ok(&h->frames) && h->frames.nfree == FRAMES;
		free(h->tables);
		close(h->bell);
	}
	xl_af_xdp_shared_close(c->shared);
	xl_port_close(&c->port);
	c->shared = NULL;
	memset(c->hand, 0, sizeof c->hand);
	return ok;
}

static u64 all_done(const struct crew *c)
{
	u64 sum = 0;

	for (u32 w = 0; w < c->workers; w++)
		sum += atomic_load(&c->hand[w].done);
	return sum;
}

static bool all_home(const struct crew *c)
{
	u64 in_tx = 0, sent = 0, came = 0;

	for (u32 w = 0; w < c->workers; w++) {
		came += atomic_load(&c->hand[w].home_came);
		in_tx += atomic_load(&c->hand[w].in_tx);
	}
	for (u32 w = 0; w < c->workers; w++)
		sent += atomic_load(&c->hand[w].home_sent);
	return !in_tx && sent == came;
}

/* True before the deadline. The one who waits here is not part of what is tested. */
static bool until(bool (*what)(void))
{
	u64 end = now_ns() + DEADLINE_NS;

	while (!what() && now_ns() < end)
		usleep(1000);
	return what();
}

/* Worker 0 of B has not been there for so long that others may do its work. */
static bool late(void)
{
	return atomic_load(&stalled_now) &&
	       now_ns() >= atomic_load(&crew[1].shared->place[0].beat_ns) + XL_AF_XDP_LATE_NS;
}

static bool flow_over(void) { return all_done(&crew[0]) == (u64)PACKETS * crew[0].workers; }
static bool drained(void) { return all_home(&crew[0]) && all_home(&crew[1]); }

static void report(const char *name, const struct crew *c)
{
	static const enum xl_drv_counter which[] = { XL_DRV_RX_PACKETS, XL_DRV_RX_NO_FRAME, XL_DRV_RX_RING_FULL,
		XL_DRV_RX_DROPPED, XL_DRV_HOME_SENT, XL_DRV_HOME_WAKES, XL_DRV_QUEUE_HELPED, XL_DRV_QUEUE_TAKEN };

	printf("# %s %s:", name, c->ifname);
	for (u32 i = 0; i < XL_ARRAY_SIZE(which); i++)
		printf(" %s %llu", xl_drv_counter_name(which[i]), (unsigned long long)counted(c, which[i]));
	printf("\n");
}

static void look_at(const char *name, struct crew *c)
{
	bool rest = true, right = true;

	for (u32 w = 0; w < c->workers; w++) {
		rest = rest && at_rest(&c->hand[w]);
		right = right && !c->hand[w].bad && !c->hand[w].no_frame;
	}
	report(name, c);
	check(right, "%s: %s: every packet came to its worker, every byte right", name, c->ifname);
	check(rest, "%s: %s: every pool adds up, all frames are home", name, c->ifname);
	check(!counted(c, XL_DRV_RX_BAD_DESC) && !counted(c, XL_DRV_COMP_BAD_DESC) && !counted(c, XL_DRV_HOME_LOST),
	      "%s: %s: no bad descriptor, no frame lost on the way home", name, c->ifname);
}

static void run_case(const char *name, bool others, bool stalled, bool one_queue)
{
	bool through;
	int err;

	crew[0].first_target = others || stalled;
	crew[0].targets = crew[1].workers;
	crew[0].one_queue = one_queue;
	atomic_store(&phase, RUN);
	atomic_store(&stall, stalled);
	atomic_store(&stalled_now, false);
	atomic_store(&go, false);
	if ((err = open_crew(&crew[0])) || (err = open_crew(&crew[1]))) {
		check(false, "%s: open: %s (%s)", name, why, strerror(-err));
		exit(1);
	}
	for (u32 e = 0; e < 2; e++)
		for (u32 w = 0; w < crew[e].workers; w++)
			if (pthread_create(&crew[e].hand[w].thread, NULL, work, &crew[e].hand[w]))
				exit(2);
	if (stalled)
		check(until(late), "%s: worker 0 is stuck", name);
	atomic_store(&go, true);
	ring_bells();
	through = until(flow_over);
	check(through, "%s: %llu packets of %u workers to %u workers and back", name,
	      (unsigned long long)all_done(&crew[0]), crew[0].workers, crew[1].workers);
	atomic_store(&stall, false);
	atomic_store(&go, false);
	if (stalled && write(stuck[1], "x", 1) != 1)
		exit(2);
	set_phase(DRAIN);
	check(until(drained), "%s: all frames complete and go home", name);
	set_phase(STOP);
	for (u32 e = 0; e < 2; e++)
		for (u32 w = 0; w < crew[e].workers; w++)
			pthread_join(crew[e].hand[w].thread, NULL);
	look_at(name, &crew[0]);
	look_at(name, &crew[1]);
	if (stalled || others)
		check(counted(&crew[1], XL_DRV_QUEUE_HELPED) || (others && counted(&crew[1], XL_DRV_HOME_WAKES)),
		      "%s: the queues of the worker that was away were served", name);
	err = !close_crew(&crew[0]) + !close_crew(&crew[1]);
	check(!err, "%s: closed, every frame is in its own pool", name);
}

static const struct { const char *name; bool others, stalled, one_queue; } cases[] = {
	{ "all", false, false, false }, { "one_queue", false, false, true },
	{ "others", true, false, false }, { "stalled", false, true, false },
	{ "others_one_queue", true, false, true }, { "stalled_one_queue", false, true, true },
};

int main(int argc, char **argv)
{
	if (argc < 6 || pipe(stuck)) {
		fprintf(stderr, "usage: port_traffic IFACE_A IFACE_B WORKERS_A WORKERS_B CASE...\n");
		return 2;
	}
	for (u32 e = 0; e < 2; e++) {
		crew[e].ifname = argv[1 + e];
		crew[e].workers = atoi(argv[3 + e]);
		crew[e].echoes = e;
	}
	for (int i = 5; i < argc; i++) {
		u32 k = 0;

		while (k < XL_ARRAY_SIZE(cases) && strcmp(cases[k].name, argv[i]))
			k++;
		if (k == XL_ARRAY_SIZE(cases)) {
			fprintf(stderr, "port_traffic: no case %s\n", argv[i]);
			return 2;
		}
		run_case(cases[k].name, cases[k].others, cases[k].stalled, cases[k].one_queue);
	}
	printf("1..%u\n", tests_run);
	return tests_failed ? 1 : 0;
}
