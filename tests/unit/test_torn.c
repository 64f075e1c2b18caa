/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of a client that is not there when a worker touches it: the client loses its channel, and nobody else anything. */
#include "channel_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/channel_state.h"
#include "daemon/torn.h"

#define RING 65536u
#define SLOTS 4u

static const struct xlane_command call = { .op = XLANE_COMMAND_CONNECT, .port = 9, .kind = XLANE_KIND_STREAM,
	.mac = { 2, 0, 0, 0, 0, 0xcc } };   /* nobody's: it stays under way */

/* What the worker has mapped from `from` on becomes a file without a byte in it. */
static void tear(struct rig *r, u32 channel, u64 from, u64 bytes)
{
	int empty = memfd_create("empty", MFD_CLOEXEC);
	u8 *base;

	rig_lock(r);
	base = (u8 *)r->host[0].w[0].channels->channel[channel]->map.head;
	CHECK(mmap(base + from, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, empty, 0) != MAP_FAILED);
	rig_unlock(r);
	close(empty);
}

static void await_end(struct rig_raw *c)
{
	char byte;

	while (recv(c->socket, &byte, 1, 0) < 0)
		sched_yield();
}

static bool one_channel(void *r)
{
	return rig_channels(r, 0) == 1;
}

static bool quiet(void *r)
{
	return !rig_channels(r, 0) && !rig_conns(r, 0);
}

static void test_torn(void **state)
{
	struct rig_raw fine, c;
	struct rig r;
	u64 all, rings;

	(void)state;
	assert_int_equal(xl_torn_install(), 0);
	rig_open(&r, 1);
	rig_raw_open(&r, 0, SLOTS, RING, &fine);
	assert_int_equal(rig_raw_do(&fine, call, NULL), 0);
	all = fine.map.bytes;
	rings = (u64)(fine.map.rings - (u8 *)fine.map.head);
	for (u32 i = 0; i < 3; i++) {
		rig_raw_open(&r, 0, SLOTS, RING, &c);
		assert_int_equal(rig_raw_do(&c, call, NULL), 0);
		/* what is sent; all; the line of the slot, which the worker writes */
		tear(&r, 1, i == 0 ? rings : i == 1 ? 0 : rings - XLANE_CHANNEL_PAGE,
		     i == 1 ? all : XLANE_CHANNEL_PAGE);
		rig_raw_sent(&c, 0, 2 * XLANE_CHANNEL_PAGE);
		(void)!send(c.socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		while (send(c.socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0 || errno == EAGAIN)
			sched_yield();
		await_end(&c);
		rig_raw_close(&c);
		rig_until(one_channel, &r);
		assert_int_equal(rig_counter(&r, 0, XL_CHANNEL_TORN), i + 1);
	}
	rig_raw_sent(&fine, 0, RING);
	while (atomic_load(&fine.map.slot[0].worker.accepted) != RING)
		sched_yield();
	rig_raw_close(&fine);
	rig_until(quiet, &r);
	rig_close(&r);
}

/* A client that punches holes while its worker reads and writes there: it finds zeros, and goes on. */
static void test_holes(void **state)
{
	struct rig_raw c;
	struct rig r;
	u64 sent = 0;

	(void)state;
	rig_open(&r, 1);
	rig_raw_open(&r, 0, SLOTS, RING, &c);
	for (u32 i = 0; i < 20; i++) {
		struct xlane_command abort = { .op = XLANE_COMMAND_ABORT };

		atomic_store(&c.map.slot[0].client.sent, 0);
		assert_int_equal(rig_raw_do(&c, call, NULL), 0);
		for (sent = 0; sent < RING; ) {
			rig_raw_sent(&c, 0, sent += 512);
			CHECK(!madvise(c.map.rings, 2 * SLOTS * RING, MADV_REMOVE));
		}
		assert_int_equal(rig_raw_do(&c, abort, NULL), 0);
	}
	/* all of it, also what the worker goes by */
	CHECK(!madvise(c.map.head, c.map.bytes, MADV_REMOVE));
	rig_raw_ring(&c);
	rig_raw_close(&c);
	rig_until(quiet, &r);
	assert_int_equal(rig_counter(&r, 0, XL_CHANNEL_TORN), 0);
	rig_close(&r);
}

#if !defined(__SANITIZE_ADDRESS__)
/* A fault that is no client's ends the process, as without the handler. */
static void test_own_fault(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (!child) {
		const struct rlimit no_core = { 0, 0 };
		volatile u8 *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, memfd_create("empty", 0), 0);

		setrlimit(RLIMIT_CORE, &no_core);
		xl_torn_install();
		_exit(*at);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#if !defined(__SANITIZE_ADDRESS__)
		cmocka_unit_test(test_own_fault),
#endif
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_holes),
	};

	return RUN_TAP(tests);
}
