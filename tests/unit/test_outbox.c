/* SPDX-License-Identifier: BSD-2-Clause */
/* Large messages over a backend that takes them piece by piece: nothing waits, stops or ends at a wrong place. */
#include "fake_backend.h"

#include <signal.h>

#define LARGE (2u << 20)

static u8 *random_bytes(u64 bytes, u64 seed)
{
	u8 *p = malloc(bytes);
	struct xl_prng r;

	CHECK(p);
	xl_prng_seed(&r, seed);
	fill_random(&r, p, bytes);
	return p;
}

/* What the program has given away it may write over at once. */
static s64 send_and_scribble(xlane_conn *c, const u8 *data, u64 bytes, int timeout_ms)
{
	u8 *copy = exact_copy(data, bytes);
	s64 n = xlane_send(c, copy, bytes, timeout_ms);

	memset(copy, 0xee, bytes);
	free(copy);
	return n;
}

static bool sent(const struct fake_conn *c, u64 at, const u8 *data, u64 bytes)
{
	return c->wire_bytes >= at + bytes && !memcmp(c->wire + at, data, bytes);
}

/* A send that does not wait is taken whole; the rest goes when there is room, and the next one waits for it. */
static void test_no_wait(void **state)
{
	u8 *one = random_bytes(LARGE, 1), *two = random_bytes(LARGE, 2);
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);

	(void)state;
	fake_room(&f, 0, 120000);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	assert_int_equal(f.conn[0].wire_bytes, 120000);
	assert_int_equal(send_and_scribble(c, two, LARGE, 0), -EAGAIN);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 0);
	/* a small one may pass it */
	f.conn[0].room = 5;
	assert_int_equal(xlane_send(c, "small", 5, 0), 5);
	assert_int_equal(f.conn[0].wire_bytes, 120005);
	for (int i = 0; i < 3; i++) {
		fake_room(&f, 0, LARGE / 3 - 40000);
		assert_true(xlane_progress(x) > 0);
	}
	assert_non_null(c->out.data);
	fake_room(&f, 0, 1 << 20);
	assert_true(xlane_progress(x) > 0);
	assert_null(c->out.data);
	assert_true(sent(&f.conn[0], 0, one, 120000));
	assert_true(sent(&f.conn[0], 120005, one + 120000, LARGE - 120000));
	/* the program that was refused hears of it, once */
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	assert_int_equal(ev.ready, XLANE_READY_WRITE);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 0);
	fake_room(&f, 0, LARGE);
	assert_int_equal(send_and_scribble(c, two, LARGE, 0), LARGE);
	assert_true(sent(&f.conn[0], LARGE + 5, two, LARGE));
	fake_close_all(&f, x);
	free(one);
	free(two);
}

static void give_room(struct fake *f)
{
	fake_room(f, 0, 30000);
}

/* A send that may wait does so with the program's own memory; one whose time is over in the middle counts as sent. */
static void test_wait(void **state)
{
	u8 *one = random_bytes(LARGE, 3), *two = random_bytes(LARGE, 4);
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_UNORDERED);

	(void)state;
	f.on_run = give_room;
	assert_int_equal(send_and_scribble(c, one, LARGE, -1), LARGE);
	assert_true(sent(&f.conn[0], 0, one, LARGE));
	f.on_run = NULL;
	f.conn[0].room = 1000;
	assert_int_equal(send_and_scribble(c, two, LARGE, 20), LARGE);
	assert_int_equal(f.conn[0].wire_bytes, LARGE + 1000);
	assert_non_null(c->out.data);
	/* the next waits until that one is gone */
	f.on_run = give_room;
	assert_int_equal(send_and_scribble(c, one, LARGE, -1), LARGE);
	assert_true(sent(&f.conn[0], LARGE, two, LARGE));
	assert_true(sent(&f.conn[0], 2 * LARGE, one, LARGE));
	/* nothing of it is taken: nothing is sent */
	f.begin_error = -EAGAIN;
	assert_int_equal(xlane_send(c, two, LARGE, 5), -EAGAIN);
	f.begin_error = -EMSGSIZE;
	assert_int_equal(xlane_send(c, two, LARGE, 5), -EMSGSIZE);
	assert_int_equal(xlane_send(c, two, XLANE_MESSAGE_MAX_BYTES + 1, 5), -EMSGSIZE);
	assert_int_equal(f.conn[0].wire_bytes, 3 * LARGE);
	fake_close_all(&f, x);
	free(one);
	free(two);
}

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	(void)number;
	handled++;
}

static void signal_at_third(struct fake *f)
{
	if (f->runs == 3)
		raise(SIGUSR1);
}

static void test_interrupted(void **state)
{
	struct sigaction sa = { .sa_handler = on_signal };
	u8 *one = random_bytes(LARGE, 5);
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);

	(void)state;
	sigaction(SIGUSR1, &sa, NULL);
	/* before anything is sent */
	f.begin_error = -EAGAIN;
	f.runs = 0;
	f.on_run = signal_at_third;
	assert_int_equal(xlane_send(c, one, LARGE, -1), -EINTR);
	assert_int_equal(handled, 1);
	assert_int_equal(f.conn[0].wire_bytes, 0);
	/* in the middle: what is begun is sent */
	f.begin_error = 0;
	f.runs = 0;
	fake_room(&f, 0, 70000);
	assert_int_equal(send_and_scribble(c, one, LARGE, -1), LARGE);
	assert_int_equal(handled, 2);
	f.on_run = NULL;
	fake_room(&f, 0, LARGE);
	xlane_progress(x);
	assert_true(sent(&f.conn[0], 0, one, LARGE));
	assert_null(c->out.data);
	fake_close_all(&f, x);
	free(one);
}

static void test_shutdown(void **state)
{
	u8 *one = random_bytes(LARGE, 6);
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);

	(void)state;
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	assert_int_equal(xlane_shutdown(c), 0);
	assert_false(f.conn[0].shut);
	assert_int_equal(xlane_send(c, "x", 1, 0), -EPIPE);
	assert_int_equal(xlane_send(c, one, LARGE, 0), -EPIPE);
	assert_int_equal(xlane_writable(c), 0);
	fake_room(&f, 0, LARGE);
	xlane_progress(x);
	assert_true(sent(&f.conn[0], 0, one, LARGE));
	assert_true(f.conn[0].shut);
	assert_int_equal(xlane_send(c, "x", 1, 0), -EPIPE);
	fake_close_all(&f, x);
	free(one);
}

static void peer_closes(struct fake *f)
{
	give_room(f);
	if (f->conn[0].shut)
		fake_event(f, 0, XL_EVENT_CLOSED);
}

/* Close waits for the outbox; one that may not wait leaves the work to later calls. */
static void test_close(void **state)
{
	u8 *one = random_bytes(LARGE, 7);
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);

	(void)state;
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	f.on_run = peer_closes;
	assert_int_equal(xlane_conn_close(c, -1), 0);
	f.on_run = NULL;
	assert_true(sent(&f.conn[0], 0, one, LARGE) && f.conn[0].closed);

	c = fake_connected(x, &f, XLANE_MESSAGE);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	assert_int_equal(xlane_conn_close(c, 0), -ETIMEDOUT);
	fake_event(&f, 1, XL_EVENT_READABLE);
	fake_room(&f, 1, LARGE);
	assert_false(f.conn[1].closed);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 0);
	assert_true(sent(&f.conn[1], 0, one, LARGE) && f.conn[1].closed);

	/* reset meanwhile */
	c = fake_connected(x, &f, XLANE_MESSAGE);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	assert_int_equal(xlane_conn_close(c, 1), -ETIMEDOUT);
	f.conn[2].error = -ECONNRESET;
	fake_event(&f, 2, XL_EVENT_CLOSED);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 0);
	assert_true(f.conn[2].closed);

	/* news that the program has not heard are nobody's then */
	c = fake_connected(x, &f, XLANE_MESSAGE);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	fake_event(&f, 3, XL_EVENT_READABLE);
	xlane_progress(x);
	assert_int_equal(xlane_conn_close(c, 0), -ETIMEDOUT);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 0);
	/* and one that is not through when the context ends is reset */
	fake_close_all(&f, x);
	assert_true(f.conn[3].aborted);
	free(one);
}

/* A context that ends with time to linger sends what its closed connections still have. */
static void test_linger(void **state)
{
	u8 *one = random_bytes(LARGE, 9);
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);

	(void)state;
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	assert_int_equal(xlane_conn_close(c, 0), -ETIMEDOUT);
	fake_connected(x, &f, XLANE_MESSAGE);
	f.on_run = give_room;
	fake_close_lingering(&f, x, 60000);
	assert_true(f.conn[0].closed && !f.conn[0].aborted && f.conn[0].wire_bytes == LARGE);
	assert_true(f.conn[1].aborted);
	free(one);
}

/* Room that only the outbox was waiting for is no news; room that ends a refusal is, whichever call has met it. */
static void test_news(void **state)
{
	u8 *one = random_bytes(LARGE, 10);
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE), *d = fake_connected(x, &f, XLANE_STREAM);

	(void)state;
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	fake_room(&f, 0, 1000);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 0);
	assert_int_equal(f.conn[0].wire_bytes, 1000);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), -EAGAIN);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 0);
	f.conn[0].room = LARGE;
	assert_int_equal(xlane_send(d, "x", 1, 1), -EAGAIN);
	assert_true(sent(&f.conn[0], 0, one, LARGE));
	assert_int_equal(xlane_prepare_wait(x), 0);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	assert_true(ev.conn == c && ev.ready == XLANE_READY_WRITE);
	fake_close_all(&f, x);
	free(one);
}

/* A connection that fails with something in its outbox: no later send succeeds, close tells. */
static void test_failure(void **state)
{
	u8 *one = random_bytes(LARGE, 8);
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);

	(void)state;
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), -EAGAIN);
	f.conn[0].error = -EHOSTDOWN;
	fake_event(&f, 0, XL_EVENT_CLOSED);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	assert_int_equal(ev.ready, XLANE_READY_CLOSED | XLANE_READY_WRITE);
	assert_int_equal(xlane_send(c, "x", 1, 0), -EHOSTDOWN);
	assert_int_equal(xlane_shutdown(c), -EHOSTDOWN);
	assert_int_equal(xlane_conn_close(c, -1), -EHOSTDOWN);
	assert_true(f.conn[0].aborted);

	c = fake_connected(x, &f, XLANE_MESSAGE);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	f.run_error = -ENETDOWN;
	assert_int_equal(xlane_send(c, one, LARGE, -1), -ENETDOWN);
	assert_int_equal(xlane_conn_close(c, -1), -ENETDOWN);
	assert_int_equal(xlane_prepare_wait(x), 0);
	fake_close_all(&f, x);
	free(one);
}

/* A large message that is taken back leaves nothing behind: what waited for it goes on. */
static void test_cancel(void **state)
{
	u8 *one = random_bytes(LARGE, 1);
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_MESSAGE);

	(void)state;
	assert_int_equal(xlane_message_id(c), 0);
	assert_int_equal(xlane_cancel(c, 1), -ENOTSUP);
	fake_with_cancel(&f);
	assert_int_equal(xlane_cancel(c, 1), -ENOENT);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	assert_int_equal(xlane_message_id(c), 1);
	assert_non_null(c->out.data);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), -EAGAIN);
	assert_int_equal(xlane_cancel(c, 1), 0);
	assert_null(c->out.data);
	assert_int_equal(f.conn[0].cancelled, 1);
	assert_int_equal(xlane_cancel(c, 1), -EALREADY);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	assert_int_equal(ev.ready, XLANE_READY_WRITE);
	fake_room(&f, 0, LARGE);
	assert_int_equal(send_and_scribble(c, one, LARGE, 0), LARGE);
	assert_int_equal(xlane_message_id(c), 2);
	assert_int_equal(xlane_cancel(c, 2), -EALREADY);
	assert_true(sent(&f.conn[0], 0, one, LARGE));
	fake_close_all(&f, x);
	free(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_wait),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_linger),
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_cancel),
	};

	return RUN_TAP(tests);
}
