/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting, with a driver whose descriptor and answers the test holds. A wait that never ends is ended by the alarm. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "worker/wait.h"
#include "worker/worker.h"

#define HANG_SECONDS 20

struct fake {
	struct xl_drv drv;
	struct xl_drv_ops ops;
	int fd;
	int arm_answer;
	int armed, disarmed;
};

static u32 fake_fds(struct xl_drv *d, int *fds, u32 max)
{
	CHECK(max > 0);
	fds[0] = ((struct fake *)d)->fd;
	return 1;
}

static int fake_arm(struct xl_drv *d, bool sleep)
{
	struct fake *f = (struct fake *)d;

	if (!sleep) {
		f->disarmed++;
		return 0;
	}
	f->armed++;
	return f->arm_answer;
}

static void open_fake(struct fake *f, struct xl_wait *w, enum xl_wait_mode mode)
{
	memset(f, 0, sizeof *f);
	f->ops.fds = fake_fds;
	f->ops.arm = fake_arm;
	f->drv.ops = &f->ops;
	f->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(f->fd >= 0);
	struct xl_wait_source source = xl_wait_drv(&f->drv);

	assert_int_equal(xl_wait_init(w, mode, 50 * XL_US, &source, 1), 0);
	alarm(HANG_SECONDS);
}

static void close_fake(struct fake *f, struct xl_wait *w)
{
	alarm(0);
	xl_wait_close(w);
	close(f->fd);
	assert_int_equal(f->armed, f->disarmed);
}

static void make_readable(struct fake *f)
{
	const u64 one = 1;

	assert_int_equal(write(f->fd, &one, sizeof one), (ssize_t)sizeof one);
}

static void test_policy(void **state)
{
	struct fake f;
	struct xl_wait w;

	(void)state;
	open_fake(&f, &w, XL_WAIT_ADAPTIVE);
	xl_wait_note(&w, 1, XL_S);
	xl_wait_note(&w, 0, XL_S + 49 * XL_US);
	assert_true(xl_wait_spins(&w, XL_S + 49 * XL_US));
	assert_false(xl_wait_spins(&w, XL_S + 50 * XL_US));
	close_fake(&f, &w);
	open_fake(&f, &w, XL_WAIT_SPIN);
	assert_true(xl_wait_spins(&w, XL_S));
	close_fake(&f, &w);
	open_fake(&f, &w, XL_WAIT_SLEEP);
	xl_wait_note(&w, 1, XL_S);
	assert_false(xl_wait_spins(&w, XL_S));
	close_fake(&f, &w);
}

/* Each of these returns; were a wakeup lost, the alarm would end the test. */
static void sleeps(bool no_pwait2)
{
	struct fake f;
	struct xl_wait w;
	u64 now;

	open_fake(&f, &w, XL_WAIT_SLEEP);
	w.no_pwait2 = no_pwait2;
	now = xl_worker_clock();
	/* a deadline that is past, or work found on arming: no sleep at all */
	assert_int_equal(xl_wait_sleep(&w, now, now), 0);
	assert_int_equal(f.armed, 0);
	f.arm_answer = -EAGAIN;
	assert_int_equal(xl_wait_sleep(&w, XL_NEVER, now), 0);
	assert_int_equal(f.armed, 1);
	f.arm_answer = 0;
	/* until the deadline: not before it */
	now = xl_worker_clock();
	assert_int_equal(xl_wait_sleep(&w, now + 2 * XL_MS, now), 0);
	assert_true(xl_worker_clock() >= now + 2 * XL_MS);
	/* until readable, twice: an expired timer of before is not what wakes */
	make_readable(&f);
	assert_int_equal(xl_wait_sleep(&w, XL_NEVER, xl_worker_clock()), 0);
	assert_int_equal(xl_wait_sleep(&w, XL_NEVER, xl_worker_clock()), 0);
	assert_int_equal(f.armed, 4);
	close_fake(&f, &w);
}

static void test_sleep(void **state)
{
	(void)state;
	sleeps(false);
}

static void test_sleep_by_timerfd(void **state)
{
	(void)state;
	sleeps(true);
}

static void on_alarm(int number)
{
	(void)number;
}

static void test_signal(void **state)
{
	struct sigaction sa = { .sa_handler = on_alarm }, before;
	struct fake f;
	struct xl_wait w;

	(void)state;
	open_fake(&f, &w, XL_WAIT_SLEEP);
	sigaction(SIGALRM, &sa, &before);
	alarm(1);
	assert_int_equal(xl_wait_sleep(&w, XL_NEVER, xl_worker_clock()), -EINTR);
	sigaction(SIGALRM, &before, NULL);
	close_fake(&f, &w);
}

static int handled;

static void count_signal(int number)
{
	(void)number;
	handled++;
}

static bool is_blocked(int number)
{
	sigset_t mask;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, number);
}

/* Turns at invented times until signals are held. */
static void hold(struct xl_wait *w)
{
	assert_int_equal(xl_wait_turn(w, XL_S), 0);
	assert_int_equal(xl_wait_turn(w, XL_S + XL_WAIT_HOLD_NS - 1), 0);
	assert_false(is_blocked(SIGUSR1));
	assert_int_equal(xl_wait_turn(w, XL_S + XL_WAIT_HOLD_NS), 0);
	assert_true(is_blocked(SIGUSR1));
	assert_false(is_blocked(SIGSEGV));
}

/* A signal during a spin: noticed at the next look, once; then the mask is as it was. */
static void test_signal_spinning(void **state)
{
	struct sigaction sa = { .sa_handler = count_signal }, before;
	const u64 t = XL_S + XL_WAIT_HOLD_NS;
	struct fake f;
	struct xl_wait w;

	(void)state;
	open_fake(&f, &w, XL_WAIT_SPIN);
	sigaction(SIGUSR1, &sa, &before);
	handled = 0;
	hold(&w);
	raise(SIGUSR1);
	assert_int_equal(xl_wait_turn(&w, t + XL_WAIT_LOOK_NS - 1), 0);
	assert_int_equal(handled, 0);
	assert_int_equal(xl_wait_turn(&w, t + XL_WAIT_LOOK_NS), -EINTR);
	assert_int_equal(handled, 1);
	/* one without a handler is nobody's business */
	raise(SIGCHLD);
	assert_int_equal(xl_wait_turn(&w, t + 2 * XL_WAIT_LOOK_NS), 0);
	xl_wait_end(&w);
	assert_false(is_blocked(SIGUSR1));
	/* a signal that nobody has looked for comes when the wait ends */
	hold(&w);
	raise(SIGUSR1);
	xl_wait_end(&w);
	assert_int_equal(handled, 2);
	sigaction(SIGUSR1, &before, NULL);
	close_fake(&f, &w);
}

/* A signal that comes between the spin and the sleep, where without being held it would be lost. */
static void signal_before_sleep(bool no_pwait2)
{
	struct sigaction sa = { .sa_handler = count_signal }, before;
	struct fake f;
	struct xl_wait w;

	open_fake(&f, &w, XL_WAIT_ADAPTIVE);
	w.no_pwait2 = no_pwait2;
	sigaction(SIGUSR1, &sa, &before);
	handled = 0;
	hold(&w);
	raise(SIGUSR1);
	assert_int_equal(xl_wait_sleep(&w, XL_NEVER, xl_worker_clock()), -EINTR);
	assert_int_equal(handled, 1);
	/* in the sleep itself they are let through, too */
	sigaction(SIGALRM, &sa, NULL);
	alarm(1);
	assert_int_equal(xl_wait_sleep(&w, XL_NEVER, xl_worker_clock()), -EINTR);
	assert_int_equal(handled, 2);
	assert_true(is_blocked(SIGUSR1));
	xl_wait_end(&w);
	assert_false(is_blocked(SIGUSR1));
	sigaction(SIGUSR1, &before, NULL);
	signal(SIGALRM, SIG_DFL);
	close_fake(&f, &w);
}

static void test_signal_before_sleep(void **state)
{
	(void)state;
	signal_before_sleep(false);
	signal_before_sleep(true);
}

static bool readable(const struct xl_wait *w, int timeout_ms)
{
	struct pollfd p = { .fd = xl_wait_fd(w), .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

/* The descriptor for a program's own poll. */
static void test_prepare(void **state)
{
	struct fake f;
	struct xl_wait w;
	u64 now;

	(void)state;
	open_fake(&f, &w, XL_WAIT_ADAPTIVE);
	now = xl_worker_clock();
	assert_int_equal(xl_wait_prepare(&w, now, now), 0);
	f.arm_answer = -EAGAIN;
	assert_int_equal(xl_wait_prepare(&w, XL_NEVER, now), 0);
	f.arm_answer = 0;
	assert_true(xl_wait_prepare(&w, XL_NEVER, now) == UINT64_MAX);
	assert_false(readable(&w, 0));
	xl_wait_woken(&w);
	/* by the deadline alone */
	now = xl_worker_clock();
	assert_int_equal(xl_wait_prepare(&w, now + XL_MS, now), XL_MS);
	assert_true(readable(&w, -1));
	xl_wait_woken(&w);
	assert_false(readable(&w, 0));
	/* by the driver's descriptor */
	assert_true(xl_wait_prepare(&w, XL_NEVER, now) == UINT64_MAX);
	make_readable(&f);
	assert_true(readable(&w, -1));
	xl_wait_woken(&w);
	close_fake(&f, &w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_sleep_by_timerfd),
		cmocka_unit_test(test_signal),
		cmocka_unit_test(test_signal_spinning),
		cmocka_unit_test(test_signal_before_sleep),
		cmocka_unit_test(test_prepare),
	};

	return RUN_TAP(tests);
}
