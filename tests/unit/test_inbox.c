/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages between two threads: in order, none lost, and a consumer that sleeps is woken however the two meet. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "daemon/inbox.h"

#define MESSAGES 50000
#define SLOTS 64

static struct xl_inbox there, back;

static void test_kinds(void **state)
{
	u64 place[2];
	u32 kind;
	void *p;
	int fd;

	(void)state;
	assert_int_equal(xl_inbox_open(&there, 4), 0);
	assert_false(xl_inbox_take(&there, &kind, &p));
	xl_inbox_post(&there, 7, &place[1]);
	xl_inbox_post(&there, 0, NULL);
	assert_true(xl_inbox_take(&there, &kind, &p) && kind == 7 && p == &place[1]);
	assert_int_equal(xl_inbox_arm(&there, true), -EAGAIN);   /* there is one */
	xl_inbox_arm(&there, false);
	assert_true(xl_inbox_take(&there, &kind, &p) && kind == 0 && !p);
	assert_int_equal(xl_inbox_arm(&there, true), 0);
	assert_int_equal(xl_inbox_fds(&there, &fd, 1), 1);
	xl_inbox_post(&there, 1, NULL);
	assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0), 1);
	xl_inbox_arm(&there, false);
	assert_int_equal(poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0), 0);   /* the bell was heard */
	xl_inbox_close(&there);
	xl_inbox_close(&there);
}

static void sleep_on(struct xl_inbox *b)
{
	struct pollfd p = { .fd = b->fd, .events = POLLIN };

	if (!xl_inbox_arm(b, true))
		poll(&p, 1, -1);   /* for ever, if the bell is lost */
	xl_inbox_arm(b, false);
}

static void *echo(void *arg)
{
	u32 n = 0, kind;
	void *p;

	(void)arg;
	while (n < MESSAGES)
		if (xl_inbox_take(&there, &kind, &p)) {
			xl_inbox_post(&back, kind, p);
			n++;
		} else {
			sleep_on(&there);
		}
	return NULL;
}

static void test_threads(void **state)
{
	u64 sent = 0, came = 0;
	struct xl_prng r;
	pthread_t t;

	(void)state;
	xl_prng_seed(&r, 9);
	assert_int_equal(xl_inbox_open(&there, SLOTS), 0);
	assert_int_equal(xl_inbox_open(&back, SLOTS), 0);
	pthread_create(&t, NULL, echo, NULL);
	while (came < MESSAGES) {
		u64 burst = xl_prng_below(&r, 8);
		u32 kind;
		void *p;

		while (burst-- && sent < MESSAGES && sent - came < SLOTS) {
			xl_inbox_post(&there, (u32)(sent % 8), (void *)(uintptr_t)(sent * 8));
			sent++;
		}
		if (!xl_inbox_take(&back, &kind, &p)) {
			if (sent - came)
				sleep_on(&back);
			continue;
		}
		CHECK(kind == came % 8 && (uintptr_t)p == came * 8);
		came++;
		if (!xl_prng_below(&r, 50))
			sched_yield();
	}
	pthread_join(t, NULL);
	xl_inbox_close(&there);
	xl_inbox_close(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kinds), cmocka_unit_test(test_threads) };

	return RUN_TAP(tests);
}
