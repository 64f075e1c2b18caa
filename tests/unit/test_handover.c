/* SPDX-License-Identifier: BSD-2-Clause */
/* A connection changes hands, over a backend that can do it and over one that can not. */
#include "fake_backend.h"

static bool all_zero(const struct xlane_token *t)
{
	static const struct xlane_token zero;

	return !memcmp(t, &zero, sizeof zero);
}

static void test_not_here(void **state)
{
	struct xlane_token token = { { 7 } };
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = fake_connected(x, &f, XLANE_STREAM), *d = c;

	(void)state;
	assert_int_equal(xlane_conn_give(c, &token), -ENOTSUP);
	assert_true(all_zero(&token));
	assert_int_equal(xlane_conn_take(x, &token, &d), -ENOTSUP);
	assert_null(d);
	fake_close_all(&f, x);
}

/* After a failed give the handle is as before. */
static void test_give(void **state)
{
	const struct xlane_address to = { { 2, 1 }, 7 };
	static const u8 large[XLANE_MESSAGE_SMALL_MAX_BYTES + 1];
	struct xlane_token token;
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c;
	void *p;

	(void)state;
	fake_with_handover(&f);
	fake_with_reserve(&f);
	assert_int_equal(xlane_connect(x, &to, XLANE_MESSAGE, 0, &c), 0);
	assert_int_equal(xlane_conn_give(c, &token), -ENOTCONN);
	fake_event(&f, 0, XL_EVENT_OPEN);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	f.give_error = -EDQUOT;
	assert_int_equal(xlane_conn_give(c, &token), -EDQUOT);
	assert_true(all_zero(&token));
	f.give_error = 0;
	/* what was sent goes first */
	assert_int_equal(xlane_send(c, large, sizeof large, 0), sizeof large);
	assert_int_equal(xlane_conn_give(c, &token), -EAGAIN);
	fake_room(&f, 0, sizeof large);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	assert_int_equal(ev.ready, XLANE_READY_WRITE);
	fake_room(&f, 0, 10);
	assert_int_equal(xlane_send_reserve(c, 10, &p, 0), 10);
	assert_int_equal(xlane_conn_give(c, &token), 0);
	assert_int_equal(f.conn[0].reserved, 0);
	assert_false(all_zero(&token));
	/* nobody's any more */
	fake_event(&f, 0, XL_EVENT_READABLE);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 0);
	c = fake_connected(x, &f, XLANE_MESSAGE);
	f.conn[1].error = -ECONNRESET;
	fake_event(&f, 1, XL_EVENT_CLOSED);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	assert_int_equal(xlane_conn_give(c, &token), -ECONNRESET);
	fake_close_all(&f, x);
}

static void test_take(void **state)
{
	struct xlane_token token = { { 1 } };
	struct xlane_event ev;
	struct fake f;
	xlane *x = fake_open(&f);
	xlane_conn *c = NULL;

	(void)state;
	fake_with_handover(&f);
	/* as often as there are handles: a failure keeps none */
	for (u32 i = 0; i < 2 * f.b.conns_max; i++)
		assert_int_equal(xlane_conn_take(x, &token, &c), -ENOENT);
	assert_null(c);
	token.bytes[0] = 7;
	assert_int_equal(xlane_conn_take(x, &token, &c), 0);
	assert_int_equal(xlane_conn_type(c), XLANE_UNORDERED);
	assert_ptr_equal(xlane_conn_context(c), x);
	fake_event(&f, 0, XL_EVENT_READABLE);
	assert_int_equal(xlane_poll(x, &ev, 1, 0), 1);
	assert_ptr_equal(ev.conn, c);
	assert_int_equal(xlane_conn_give(c, &token), 0);
	fake_close_all(&f, x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_here),
		cmocka_unit_test(test_give),
		cmocka_unit_test(test_take),
	};

	return RUN_TAP(tests);
}
