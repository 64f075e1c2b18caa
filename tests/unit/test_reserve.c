/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserve and commit, staged in the library and in the backend's own memory. */
#include "fake_backend.h"

static void fill(void *p, s64 n, int value)
{
	memset(p, value, (size_t)n);
}

static bool sent(const struct fake_conn *c, u64 at, u64 bytes, int value)
{
	for (u64 i = at; i < at + bytes; i++)
		if (i >= c->wire_bytes || c->wire[i] != value)
			return false;
	return true;
}

static void test_staged(void **state)
{
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);
	void *p;

	(void)state;
	fake_room(&f, 0, 2000);
	assert_int_equal(xlane_send_reserve(c, 0, &p, 0), -EINVAL);
	assert_int_equal(xlane_send_commit(c, 0), -EINVAL);
	assert_int_equal(xlane_send_reserve(c, 1000, &p, 0), 1000);
	fill(p, 1000, 'a');
	assert_int_equal(xlane_send_commit(c, 1001), -EINVAL);
	assert_int_equal(xlane_send_commit(c, 900), 900);
	assert_true(sent(&f.conn[0], 0, 900, 'a'));
	assert_int_equal(xlane_send_commit(c, 1), -EINVAL);

	/* given back, and given up by a send */
	assert_int_equal(xlane_send_reserve(c, 1000, &p, 0), 1000);
	assert_int_equal(xlane_send_commit(c, 0), 0);
	assert_int_equal(xlane_send_reserve(c, 1000, &p, 0), 1000);
	assert_int_equal(xlane_send(c, "b", 1, 0), 1);
	assert_int_equal(xlane_send_commit(c, 1), -EINVAL);
	assert_int_equal(f.conn[0].wire_bytes, 901);
	fake_close_all(&f, x);
}

/* Commit never waits: what there is no room for is kept, and the next reservation waits for it. */
static void test_kept(void **state)
{
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);
	void *p;

	(void)state;
	assert_int_equal(xlane_send_reserve(c, 1000, &p, 0), 1000);
	fill(p, 1000, 'a');
	assert_int_equal(xlane_send_commit(c, 1000), 1000);
	assert_int_equal(f.conn[0].wire_bytes, 0);
	assert_int_equal(xlane_send_reserve(c, 10, &p, 0), -EAGAIN);
	assert_int_equal(xlane_send(c, "b", 1, 5), -EAGAIN);
	assert_int_equal(xlane_writable(c), 0);
	fake_room(&f, 0, 1000);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	assert_int_equal(ev.ready, XLANE_READY_WRITE);
	assert_true(sent(&f.conn[0], 0, 1000, 'a'));
	assert_int_equal(xlane_send_reserve(c, 10, &p, 0), 10);
	assert_int_equal(xlane_shutdown(c), 0);
	assert_int_equal(xlane_send_commit(c, 1), -EINVAL);
	assert_int_equal(xlane_send_reserve(c, 10, &p, 0), -EPIPE);
	fake_close_all(&f, x);
}

static void test_large(void **state)
{
	enum { BYTES = 3 << 20 };
	const struct xlane_address to = { { 2, 1 }, 7 };
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *e, *c = fake_connected(x, &f, XLANE_UNORDERED), *d = fake_connected(x, &f, XLANE_DATAGRAM);
	void *p;

	(void)state;
	/* its peer takes no larger ones */
	assert_int_equal(xlane_send_reserve(c, XLANE_MESSAGE_MAX_BYTES / 2 + 1, &p, 0), -EMSGSIZE);
	assert_int_equal(xlane_send_reserve(c, XLANE_MESSAGE_MAX_BYTES + 1, &p, 0), -EMSGSIZE);
	assert_int_equal(xlane_connect(x, &to, XLANE_MESSAGE, 0, &e), 0);
	assert_int_equal(xlane_send_reserve(e, XLANE_MESSAGE_MAX_BYTES / 2 + 1, &p, 0), -EAGAIN);
	assert_int_equal(xlane_send_reserve(d, XLANE_DATAGRAM_MAX_BYTES + 1, &p, 0), -EMSGSIZE);
	assert_int_equal(xlane_send_reserve(d, XLANE_DATAGRAM_MAX_BYTES, &p, 0), XLANE_DATAGRAM_MAX_BYTES);
	fake_room(&f, 0, 100000);
	assert_int_equal(xlane_send_reserve(c, BYTES, &p, 0), BYTES);
	fill(p, BYTES, 'l');
	assert_int_equal(xlane_send_commit(c, BYTES), BYTES);
	assert_int_equal(f.conn[0].wire_bytes, 100000);
	fake_room(&f, 0, BYTES);
	xlane_progress(x);
	assert_true(sent(&f.conn[0], 0, BYTES, 'l'));

	/* begun only later, and not through at once */
	f.conn[0].room = 0;
	f.begin_error = -EAGAIN;
	assert_int_equal(xlane_send_reserve(c, BYTES, &p, 0), BYTES);
	fill(p, BYTES, 'm');
	assert_int_equal(xlane_send_commit(c, BYTES), BYTES);
	f.begin_error = 0;
	for (int i = 0; i < 4; i++) {
		fake_room(&f, 0, BYTES / 3);
		xlane_progress(x);
	}
	assert_true(sent(&f.conn[0], BYTES, BYTES, 'm'));

	/* one that turns out to be too large when it can no longer be refused: the connection says so */
	f.begin_error = -EAGAIN;
	assert_int_equal(xlane_send_reserve(c, BYTES, &p, 0), BYTES);
	assert_int_equal(xlane_send_commit(c, BYTES), BYTES);
	f.begin_error = -EMSGSIZE;
	xlane_progress(x);
	assert_int_equal(xlane_send_reserve(c, 1, &p, 0), -EMSGSIZE);
	assert_int_equal(xlane_conn_close(c, 0), -EMSGSIZE);
	assert_true(f.conn[0].aborted);
	fake_close_all(&f, x);
}

static void test_stream(void **state)
{
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_STREAM);
	void *p;
	s64 n;

	(void)state;
	fake_room(&f, 0, 10);
	n = xlane_send_reserve(c, 10 << 20, &p, 0);
	assert_in_range(n, XLANE_MESSAGE_SMALL_MAX_BYTES, 10 << 20);
	fill(p, n, 's');
	assert_int_equal(xlane_send_commit(c, (size_t)n), n);
	assert_int_equal(f.conn[0].wire_bytes, 10);
	/* bytes keep their order: nothing passes */
	assert_int_equal(xlane_send(c, "x", 1, 0), -EAGAIN);
	fake_room(&f, 0, (u64)n - 10);
	xlane_progress(x);
	assert_true(sent(&f.conn[0], 0, (u64)n, 's'));
	fake_room(&f, 0, 1);
	assert_int_equal(xlane_send(c, "x", 1, 0), 1);
	fake_close_all(&f, x);
}

static void make_room(struct fake *f)
{
	fake_room(f, 0, 100);
}

/* Over a backend with memory of its own, except for what does not fit there. */
static void test_backend(void **state)
{
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);
	void *p;

	(void)state;
	fake_with_reserve(&f);
	assert_int_equal(xlane_send_reserve(c, 1000, &p, 0), -EAGAIN);
	f.on_run = make_room;
	assert_int_equal(xlane_send_reserve(c, 1000, &p, -1), 1000);
	f.on_run = NULL;
	assert_ptr_equal(p, f.conn[0].reserve);
	fill(p, 1000, 'r');
	assert_int_equal(xlane_send_commit(c, 800), 800);
	assert_true(sent(&f.conn[0], 0, 800, 'r'));
	fake_room(&f, 0, 200000);
	/* a second one takes the place of the first; a send gives it up */
	assert_int_equal(xlane_send_reserve(c, 1000, &p, 0), 1000);
	assert_int_equal(xlane_send_reserve(c, 2000, &p, 0), 2000);
	assert_int_equal(xlane_send(c, "x", 1, 0), 1);
	assert_int_equal(f.conn[0].reserved, 0);
	assert_int_equal(xlane_send_reserve(c, FAKE_ROOM_BYTES + 1, &p, 0), FAKE_ROOM_BYTES + 1);
	fill(p, FAKE_ROOM_BYTES + 1, 'S');
	assert_int_equal(xlane_send_commit(c, FAKE_ROOM_BYTES + 1), FAKE_ROOM_BYTES + 1);
	assert_true(sent(&f.conn[0], 801, FAKE_ROOM_BYTES + 1, 'S'));
	assert_int_equal(xlane_send_reserve(c, 1000, &p, 0), 1000);
	xlane_conn_abort(c);
	assert_int_equal(f.conn[0].reserved, 0);
	fake_close_all(&f, x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_staged),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_backend),
	};

	return RUN_TAP(tests);
}
