/* SPDX-License-Identifier: BSD-2-Clause */
/* What the worker process asks its helper: strict parsing on both sides, descriptors in several messages, reloads
 * between. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/request.h"

#define INTERFACES 2
#define PATIENCE_MS 20000

static int helper_end;
static struct xl_helper_link h;

static int setup(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	helper_end = pair[0];
	memset(&h, 0, sizeof h);
	h.fd = pair[1];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(helper_end);
	close(h.fd);
	return 0;
}

static u32 descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	u32 n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void test_requests(void **state)
{
	static const struct { struct xl_request r; int got; } cases[] = {
		{ { XL_REQUEST_MAGIC, XL_REQUEST_OPEN, 1, 0 }, 1 },
		{ { XL_REQUEST_MAGIC, XL_REQUEST_READY, 77, 0 }, 1 },
		{ { XL_REQUEST_MAGIC + 1, XL_REQUEST_OPEN, 1, 0 }, -EPROTO },
		{ { XL_REQUEST_MAGIC, 0, 0, 0 }, -EPROTO },
		{ { XL_REQUEST_MAGIC, XL_REQUEST_OPS, 0, 0 }, -EPROTO },
		{ { XL_REQUEST_MAGIC, UINT32_MAX, 0, 0 }, -EPROTO },
		{ { XL_REQUEST_MAGIC, XL_REQUEST_OPEN, INTERFACES, 0 }, -EPROTO },
		{ { XL_REQUEST_MAGIC, XL_REQUEST_ARM, UINT32_MAX, 0 }, -EPROTO },
		{ { XL_REQUEST_MAGIC, XL_REQUEST_ARM, 0, 1 }, -EPROTO },
	};
	struct xl_request out, r = cases[0].r;
	char longer[sizeof r + 1] = { 0 };

	(void)state;
	assert_int_equal(xl_request_take(helper_end, INTERFACES, &out), -EAGAIN);
	for (size_t i = 0; i < XL_ARRAY_SIZE(cases); i++) {
		assert_int_equal(send(h.fd, &cases[i].r, sizeof r, 0), sizeof r);
		assert_int_equal(xl_request_take(helper_end, INTERFACES, &out), cases[i].got);
	}
	for (size_t bytes = 1; bytes < sizeof r; bytes++) {
		send(h.fd, &r, bytes, 0);
		assert_int_equal(xl_request_take(helper_end, INTERFACES, &out), -EPROTO);
	}
	memcpy(longer, &r, sizeof r);
	send(h.fd, longer, sizeof longer, 0);
	assert_int_equal(xl_request_take(helper_end, INTERFACES, &out), -EPROTO);
	close(h.fd);
	h.fd = -1;
	assert_int_equal(xl_request_take(helper_end, INTERFACES, &out), 0);
}

/* The helper, for one request: a reload first, then an answer with so many descriptors. */
static u32 give_fds;
static void *answer_open(void *arg)
{
	struct xl_reply r = { .kind = XL_REPLY_RELOAD }, a = { .kind = XL_REPLY_ANSWER, .op = XL_REQUEST_OPEN };
	int fds[XL_PORT_FDS_MAX];
	struct xl_request q;

	(void)arg;
	while (xl_request_take(helper_end, INTERFACES, &q) == -EAGAIN)
		usleep(100);
	r.u.reload = (struct xl_reload){ 1, 2, 3, 4 };
	xl_request_answer(helper_end, &r, NULL);
	a.fds_all = give_fds;
	a.u.form.workers = 3;
	for (u32 i = 0; i < give_fds; i++)
		fds[i] = eventfd(i, EFD_CLOEXEC);
	xl_request_answer(helper_end, &a, fds);
	for (u32 i = 0; i < give_fds; i++)
		close(fds[i]);
	return NULL;
}

static void test_descriptors(void **state)
{
	static const u32 counts[] = { 0, 1, XL_REQUEST_FDS_MAX, XL_REQUEST_FDS_MAX + 1, 400 };
	int fds[XL_PORT_FDS_MAX];
	struct xl_reply r;
	u32 before = descriptors();

	(void)state;
	for (size_t c = 0; c < XL_ARRAY_SIZE(counts); c++) {
		pthread_t t;
		u32 n = 0;

		give_fds = counts[c];
		h.reloaded = false;
		pthread_create(&t, NULL, answer_open, NULL);
		assert_int_equal(xl_request_ask(&h, XL_REQUEST_OPEN, 1, PATIENCE_MS, &r, fds, &n), 0);
		pthread_join(t, NULL);
		assert_int_equal(n, counts[c]);
		assert_int_equal(r.u.form.workers, 3);
		assert_true(h.reloaded && h.reload.memory_mib_per_uid == 4);
		for (u32 i = 0; i < n; i++) {   /* in order */
			eventfd_t v = 0;

			if (i)
				assert_int_equal(eventfd_read(fds[i], &v), 0);
			assert_int_equal(v, i);
			close(fds[i]);
		}
	}
	assert_int_equal(descriptors(), before);
}

/* An answer that can not be: the link is broken, nothing leaks. */
static void test_bad_answers(void **state)
{
	struct xl_reply bad = { .magic = XL_REQUEST_MAGIC, .kind = XL_REPLY_ANSWER, .op = XL_REQUEST_COUNTERS }, r;
	u32 before = descriptors(), n;
	int fds[4];

	(void)state;
	send(helper_end, &bad, sizeof bad, 0);   /* of another request */
	assert_int_equal(xl_request_ask(&h, XL_REQUEST_ARM, 0, PATIENCE_MS, &r, NULL, &n), -EPROTO);
	assert_true(h.broken);
	send(helper_end, &bad, sizeof bad - 1, 0);
	assert_int_equal(xl_request_ask(&h, XL_REQUEST_COUNTERS, 0, PATIENCE_MS, &r, NULL, &n), -EPROTO);
	bad.magic = 0;
	send(helper_end, &bad, sizeof bad, 0);
	assert_int_equal(xl_request_ask(&h, XL_REQUEST_COUNTERS, 0, PATIENCE_MS, &r, NULL, &n), -EPROTO);
	bad = (struct xl_reply){ .magic = XL_REQUEST_MAGIC,
				 .kind = XL_REPLY_ANSWER,
				 .op = XL_REQUEST_OPEN,
				 .fds_all = XL_PORT_FDS_MAX + 1 };
	send(helper_end, &bad, sizeof bad, 0);
	assert_int_equal(xl_request_ask(&h, XL_REQUEST_OPEN, 0, PATIENCE_MS, &r, fds, &n), -EPROTO);
	assert_int_equal(n, 0);
	assert_int_equal(xl_request_ask(&h, XL_REQUEST_ARM, 0, 1, &r, NULL, &n), -ETIMEDOUT);
	assert_true(*r.why);
	close(helper_end);
	helper_end = -1;
	assert_int_equal(xl_request_ask(&h, XL_REQUEST_ARM, 0, PATIENCE_MS, &r, NULL, &n), -EPIPE);
	assert_int_equal(descriptors(), before - 1);
}

static void test_news(void **state)
{
	struct xl_reply r = { .kind = XL_REPLY_RELOAD };

	(void)state;
	assert_int_equal(xl_request_news(&h), -EAGAIN);
	r.u.reload.log_level = 3;
	assert_int_equal(xl_request_answer(helper_end, &r, NULL), 0);
	assert_int_equal(xl_request_news(&h), 1);
	assert_int_equal(h.reload.log_level, 3);
	h.reloaded = false;
	close(helper_end);
	helper_end = -1;
	assert_int_equal(xl_request_news(&h), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_news, setup, teardown),
	};

	return RUN_TAP(tests);
}
