/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the library that need no interface: addresses, configurations, handles, ownership, errors. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xlane/limits.h>
#include <xlane/xlane.h>

#include "lib/config.h"
#include "lib/errors.h"
#include "lib/guard.h"
#include "lib/handle.h"

static void test_address(void **state)
{
	static const char *const bad[] = {
		"", "/", "/7", "02:00:00:00:00", "02:00:00:00:00:", "02:00:00:00:00:01:", "02:00:00:00:00:01:02",
		"02:00:00:00:00:01/", "02:00:00:00:00:01/0", "02:00:00:00:00:01/65536", "02:00:00:00:00:01/7x",
		"02:00:00:00:00:01/-7", "02:00:00:00:00:01/ 7", "02:00:00:00:00:01 ", " 02:00:00:00:00:01",
		"02-00-00-00-00-01", "002:00:00:00:00:01", "0g:00:00:00:00:01", "01:00:00:00:00:01",
		"ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "no-such-host-in-ethers", "99999999999999999999/1",
	};
	static const u8 mac[6] = { 0x02, 0xab, 0x0c, 0xd0, 0, 0xff };
	struct xlane_address a = { .port = 9 }, untouched;
	char text[24];

	(void)state;
	assert_int_equal(xlane_address_parse("02:AB:c:d0:0:fF", &a), 0);
	assert_memory_equal(a.mac, mac, 6);
	assert_int_equal(a.port, 9);
	assert_int_equal(xlane_address_parse("02:ab:0c:d0:00:ff/65535", &a), 0);
	assert_int_equal(a.port, 65535);
	assert_string_equal(xlane_address_text(&a, text), "02:ab:0c:d0:00:ff/65535");
	untouched = a;
	for (size_t i = 0; i < XL_ARRAY_SIZE(bad); i++) {
		if (xlane_address_parse(bad[i], &a) != -EINVAL)
			fail_msg("'%s' was taken for an address", bad[i]);
		assert_memory_equal(&a, &untouched, sizeof a);
	}
}

/* What is printed is parsed back to the same. */
static void test_address_round_trip(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 1);
	for (int i = 0; i < 10000; i++) {
		struct xlane_address a, b = { 0 };
		char text[24];

		fill_random(&r, &a, sizeof a);
		a.mac[0] = (u8)((a.mac[0] & 0xfe) | 2);
		a.port |= !a.port;
		CHECK(xlane_address_parse(xlane_address_text(&a, text), &b) == 0);
		CHECK(!memcmp(a.mac, b.mac, 6) && a.port == b.port);
	}
}

static int take(const struct xlane_config *c)
{
	struct xlane_config out;
	char why[XL_LAST_ERROR_BYTES] = "";
	int err = xl_config_take(c, &out, why, sizeof why);

	/* each refusal says why */
	CHECK((err == 0) == (why[0] == 0));
	return err;
}

#define REFUSED(field, value) do { \
	struct xlane_config c_; \
	xlane_config_init(&c_); \
	c_.interface = "eth0"; \
	assert_int_equal(take(&c_), 0); \
	c_.field = (value); \
	if (take(&c_) != -EINVAL) \
		fail_msg("%s = %s was taken", #field, #value); \
} while (0)

static void test_config(void **state)
{
	(void)state;
	assert_int_equal(take(NULL), -EINVAL);
	REFUSED(interface, NULL);
	REFUSED(interface, "");
	REFUSED(interface, "interface-name-too-long");
	REFUSED(size, 0);
	REFUSED(size, sizeof(struct xlane_config) + 1);
	REFUSED(driver, (enum xlane_driver)3);
	REFUSED(wait, (enum xlane_wait)3);
	REFUSED(ethertype, 0x05ff);
	REFUSED(ethertype, 0x8100);
	REFUSED(ethertype, 0x88a8);
	REFUSED(vlan[0], 4095);
	REFUSED(vlan[0], 0x2000 | 5);
	REFUSED(vlan[1], 5);
	REFUSED(mtu, XLANE_MTU_MIN - 1);
	REFUSED(mtu, XLANE_MTU_MAX + 1);
	REFUSED(frames, XLANE_FRAMES_MIN - 1);
	REFUSED(frames, XLANE_FRAMES_MAX + 1);
	REFUSED(conns, XLANE_CONNS_MAX + 1);
	REFUSED(queues, XLANE_QUEUES_MAX + 1);
	REFUSED(spin_us, 1000001);
	REFUSED(recv_memory_kib, XLANE_BLOCKS_MIN * (XLANE_BLOCK_BYTES / 1024) - 1);
	REFUSED(peer_death_ms, 9);
	REFUSED(helper_thread, 2);
}

#define DAEMON_REFUSED(field, value) do { \
	struct xlane_config c_; \
	xlane_config_init(&c_); \
	c_.daemon = 1; \
	assert_int_equal(take(&c_), 0); \
	c_.field = (value); \
	if (take(&c_) != -EINVAL) \
		fail_msg("daemon: %s = %s was taken", #field, #value); \
} while (0)

static void test_config_daemon(void **state)
{
	static const char path[] = "/this/path/is/longer/than/the/108/bytes/that/an/address/of/a/socket/has/room/for/"
				   "so/that/it/can/not/be/the/name/of/one";
	struct xlane_config c;

	(void)state;
	REFUSED(daemon, 2);
	REFUSED(daemon, -1);
	DAEMON_REFUSED(interface, "");
	DAEMON_REFUSED(interface, "interface-name-too-long");
	DAEMON_REFUSED(wait, (enum xlane_wait)3);
	DAEMON_REFUSED(socket, "");
	DAEMON_REFUSED(socket, path);
	DAEMON_REFUSED(conns, XLANE_CHANNEL_SLOTS_MAX + 1);
	DAEMON_REFUSED(channel_kib, 2);
	DAEMON_REFUSED(channel_kib, 192);
	DAEMON_REFUSED(channel_kib, 32768);
	/* what is the daemon's affair does not matter */
	xlane_config_init(&c);
	c.daemon = 1;
	c.channel_kib = 16384;
	c.driver = (enum xlane_driver)77;
	c.ethertype = 5;
	c.vlan[1] = 0xffff;
	c.mtu = c.frames = c.queues = c.recv_memory_kib = c.spin_us = 1;
	assert_int_equal(take(&c), 0);
	/* and without the daemon its settings do not */
	xlane_config_init(&c);
	c.interface = "eth0";
	c.socket = "";
	c.channel_kib = 3;
	assert_int_equal(take(&c), 0);
}

/* A program built against an older, shorter structure: what it does not know has its default. */
static void test_config_older(void **state)
{
	struct xlane_config in, out;
	char why[XL_LAST_ERROR_BYTES];

	(void)state;
	memset(&in, 0xff, sizeof in);
	in.size = offsetof(struct xlane_config, wait);
	in.interface = "eth0";
	in.driver = XLANE_DRIVER_AF_PACKET;
	assert_int_equal(xl_config_take(&in, &out, why, sizeof why), 0);
	assert_int_equal(out.driver, XLANE_DRIVER_AF_PACKET);
	assert_int_equal(out.wait, XLANE_WAIT_ADAPTIVE);
	assert_int_equal(out.ethertype, XLANE_ETHERTYPE_DEFAULT);
	assert_int_equal(out.need_wakeup, 1);
	assert_null(out.pcap);
}

/* The function that programs of the first version call writes nothing behind their structure. */
static void test_config_first(void **state)
{
	const size_t first = offsetof(struct xlane_config, daemon);
	struct xlane_config in, untouched;

	(void)state;
	memset(&in, 0xaa, sizeof in);
	untouched = in;
	(xlane_config_init)(&in);
	assert_int_equal(in.size, first);
	assert_memory_equal((char *)&in + first, (char *)&untouched + first, sizeof in - first);
	in.interface = "eth0";
	assert_int_equal(take(&in), 0);
	xlane_config_init(&in);
	assert_int_equal(in.size, sizeof in);
	assert_int_equal(in.daemon, 0);
}

static void test_open_refused(void **state)
{
	struct xlane_config c;
	xlane *x = (xlane *)&c;

	(void)state;
	xlane_config_init(&c);
	assert_int_equal(xlane_open(&c, &x), -EINVAL);
	assert_null(x);
	assert_true(strstr(xlane_last_error(), "interface") != NULL);
	c.interface = "xl-none0";
	assert_int_equal(xlane_open(&c, &x), -ENODEV);
	assert_true(strstr(xlane_last_error(), "xl-none0") != NULL);
	assert_null(strchr(xlane_last_error(), '\n'));
	xlane_close(NULL, 0);
}

static void test_errors(void **state)
{
	(void)state;
	assert_string_equal(xlane_strerror(-ECONNREFUSED), xlane_strerror(ECONNREFUSED));
	assert_true(strstr(xlane_strerror(-EADDRINUSE), "port") != NULL);
	assert_true(strstr(xlane_strerror(-EDQUOT), "quota") != NULL);
	assert_true(strstr(xlane_strerror(-EACCES), "socket") != NULL);
	assert_string_equal(xlane_strerror(-EIO), strerror(EIO));
	assert_string_equal(xlane_strerror(-123456), "unknown error");
}

static void test_handles(void **state)
{
	enum { SIZE = 4 };
	struct xl_handle *h[SIZE], *again;
	struct xl_handles t;
	u32 bits;
	u64 user;
	int err = 0;

	(void)state;
	assert_int_equal(xl_handles_init(&t, SIZE), 0);
	for (int i = 0; i < SIZE; i++) {
		h[i] = xl_handle_new(&t, NULL, sizeof(struct xlane_conn), &err);
		assert_non_null(h[i]);
		assert_ptr_equal(xl_handle_find(&t, xl_handle_user(&t, h[i])), h[i]);
	}
	assert_null(xl_handle_new(&t, NULL, sizeof(struct xlane_conn), &err));
	assert_int_equal(err, -ENOSPC);

	/* news: oldest first, merged, told once */
	xl_handle_notify(&t, h[2], XLANE_READY_READ);
	xl_handle_notify(&t, h[0], XLANE_READY_WRITE);
	xl_handle_notify(&t, h[2], XLANE_READY_CLOSED);
	xl_handle_notify(&t, h[1], XLANE_READY_OPEN);
	xl_handle_notify(&t, h[3], 0);
	xl_handle_forget(&t, h[1], XLANE_READY_OPEN);
	assert_ptr_equal(xl_handle_next_ready(&t, &bits), h[2]);
	assert_int_equal(bits, XLANE_READY_READ | XLANE_READY_CLOSED);

	/* a handle that is gone is neither told of nor found, also when its slot is used again */
	user = xl_handle_user(&t, h[0]);
	xl_handle_release(&t, h[0]);
	assert_null(xl_handle_next_ready(&t, &bits));
	assert_null(xl_handle_find(&t, user));
	again = xl_handle_new(&t, NULL, sizeof(struct xlane_conn), &err);
	assert_non_null(again);
	assert_null(xl_handle_find(&t, user));
	assert_null(xl_handle_find(&t, SIZE));
	assert_null(xl_handle_find(&t, UINT64_MAX));
	xl_handle_release(&t, again);
	for (int i = 1; i < SIZE; i++)
		xl_handle_release(&t, h[i]);
	xl_handles_destroy(&t);
}

static void *other_thread(void *arg)
{
	struct xl_guard mine;
	bool ok = xl_guard_check(arg) == -EPERM;

	/* having a context of its own does not make another's its own */
	ok = ok && !xl_guard_init(&mine) && !xl_guard_check(&mine) && xl_guard_check(arg) == -EPERM;
	return ok ? arg : NULL;
}

static void test_guard(void **state)
{
	struct xl_guard g;
	pthread_t t;
	void *ret;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(xl_guard_init(&g), 0);
	assert_int_equal(xl_guard_check(&g), 0);
	/* threads one after the other: their stacks and ids are used again, their numbers are not */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&t, NULL, other_thread, &g), 0);
		assert_int_equal(pthread_join(t, &ret), 0);
		assert_ptr_equal(ret, &g);
	}
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct xl_guard child;

		_exit(xl_guard_check(&g) == -ECHILD && !xl_guard_init(&child) && !xl_guard_check(&child) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(xl_guard_check(&g), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_address_round_trip),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_daemon),
		cmocka_unit_test(test_config_older),
		cmocka_unit_test(test_config_first),
		cmocka_unit_test(test_open_refused),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_handles),
		cmocka_unit_test(test_guard),
	};

	return RUN_TAP(tests);
}
