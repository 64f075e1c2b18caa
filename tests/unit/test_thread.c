/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker's thread, over a driver that carries nothing: clients come and go, figures are taken, the device goes away,
 * it is told to stop. Under the sanitizers of addresses and threads this is what the two threads do to each other.
 */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/identity.h"
#include "daemon/ports.h"
#include "daemon/thread.h"

#define FRAMES 512
#define ROUNDS 40
#define JOIN_NS (60 * XL_S)

/* --- a driver without a wire ---------------------------------------------------------------------- */
static struct { struct xl_drv drv; _Atomic bool gone; int bell; } none;

static int none_rx(struct xl_drv *d, struct xl_packet *p, u32 max, u64 now_ns)
{
	(void)d, (void)p, (void)max, (void)now_ns;
	return atomic_load(&none.gone) ? -ENXIO : 0;
}
static u32 none_room(struct xl_drv *d, u32 segs) { (void)d, (void)segs; return 0; }
static u32 none_tx(struct xl_drv *d, const struct xl_packet *p, u32 n, u64 now_ns)
{
	(void)d, (void)p, (void)n, (void)now_ns;
	return 0;
}
static int none_flush(struct xl_drv *d, u64 now_ns) { (void)d, (void)now_ns; return 0; }
static u32 none_complete(struct xl_drv *d, u32 *frames, u32 max) { (void)d, (void)frames, (void)max; return 0; }
static void none_refill(struct xl_drv *d, u32 leave) { (void)d, (void)leave; }
static u32 none_fds(struct xl_drv *d, int *fds, u32 max) { (void)d, (void)max; fds[0] = none.bell; return 1; }
static int none_arm(struct xl_drv *d, bool sleep) { (void)d, (void)sleep; return 0; }
static u64 none_deadline(struct xl_drv *d) { (void)d; return XL_NEVER; }
static void none_update(struct xl_drv *d) { (void)d; }
static void none_close(struct xl_drv *d) { (void)d; }
static const struct xl_drv_ops none_ops = { "none",	 none_rx,  none_room, none_tx,	     none_flush,  none_complete,
					    none_refill, none_fds, none_arm,  none_deadline, none_update, none_close };

/* --- a thread ------------------------------------------------------------------------------------- */
static struct xl_thread *t;
static struct xl_ports *ports;
static void *mem;

static int setup(void **state)
{
	char why[256];

	(void)state;
	t = aligned_alloc(64, (sizeof *t + 63) & ~(size_t)63);
	memset(t, 0, sizeof *t);
	t->tables = malloc(xl_frames_table_bytes(FRAMES));
	mem = aligned_alloc(4096, (size_t)FRAMES * XLANE_FRAME_BYTES);
	xl_frames_init(&t->frames, mem, XLANE_FRAME_BYTES, FRAMES, t->tables);
	none.drv = (struct xl_drv){ .ops = &none_ops,
				    .frames = &t->frames,
				    .mtu = 1500,
				    .segs_max = 1,
				    .queues = 1,
				    .mac = { 2, 0, 0, 0, 0, 1 } };
	atomic_store(&none.gone, false);
	none.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->config = (struct xl_thread_config){
		.interface = "none",
		.workers = 1,
		.core = -1,
		.spin_ns = 20 * XL_US,
		.ethertype = XLANE_ETHERTYPE_DEFAULT,
		.connections = 16,
		.blocks = 256,
		.node = 1,
		.incarnation = 1,
	};
	assert_int_equal(xl_ports_open(0, 16, &ports), 0);
	assert_int_equal(xl_thread_open(t, &none.drv, ports, why, sizeof why), 0);
	assert_int_equal(xl_thread_start(t), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	xl_thread_close(t);
	xl_ports_close(ports);
	close(none.bell);
	free(t->tables);
	free(mem);
	free(t);
	return 0;
}

/* The next report, however long it takes. */
static u32 next_report(void **p)
{
	struct pollfd f = { .fd = t->out.fd, .events = POLLIN };
	eventfd_t n;
	u32 kind;

	while (!xl_thread_report(t, &kind, p)) {
		poll(&f, 1, -1);
		eventfd_read(t->out.fd, &n);
	}
	return kind;
}

static struct xl_channel *add(u32 client, int *memfd, int *socket)
{
	const struct xl_channel_config c = {
		.client = client, .uid = 1, .pid = 2, .slots = 4, .ring_bytes = XLANE_CHANNEL_RING_MIN_BYTES
	};
	struct xl_channel *ch;

	assert_int_equal(xl_channel_make(&c, &ch, memfd, socket), 0);
	xl_thread_post(t, XL_THREAD_ADD, ch);
	return ch;
}

static void expect_gone(const struct xl_channel *ch)
{
	void *p;

	assert_int_equal(next_report(&p), XL_THREAD_GONE);
	assert_ptr_equal(p, ch);
	xl_channel_free(p);
}

static void stop(void)
{
	void *p;

	xl_thread_post(t, XL_THREAD_STOP, NULL);
	assert_int_equal(next_report(&p), XL_THREAD_STOPPED);
	assert_int_equal(xl_thread_join(t, xl_identity_incarnation() + JOIN_NS), 0);
}

static void test_clients(void **state)
{
	(void)state;
	for (u32 i = 1; i <= ROUNDS; i++) {
		int memfd, socket;
		struct xl_channel *ch = add(i, &memfd, &socket);
		char byte;

		if (i % 2) {        /* the client dies */
			close(socket);
		} else {            /* it is given up, twice, and sees the hang-up */
			xl_thread_drop(t, i);
			xl_thread_drop(t, i);
		}
		expect_gone(ch);
		if (i % 2 == 0) {
			while (recv(socket, &byte, 1, MSG_DONTWAIT) > 0)
				;
			assert_int_equal(recv(socket, &byte, 1, MSG_DONTWAIT), 0);
			close(socket);
		}
		close(memfd);
	}
	xl_thread_drop(t, 12345);   /* nobody */
	stop();
}

static void test_figures(void **state)
{
	struct xl_snapshot *s;
	int memfd, socket;
	struct xl_channel *ch = add(7, &memfd, &socket);
	void *p;

	(void)state;
	assert_int_equal(xl_snapshot_open(XL_SNAPSHOT_CENSUS | XL_SNAPSHOT_CONNS | XL_SNAPSHOT_PEERS, 16, 16, &s), 0);
	for (u32 i = 0; i < ROUNDS; i++) {
		xl_snapshot_reset(s);
		xl_thread_post(t, XL_THREAD_SNAPSHOT, s);
		assert_int_equal(next_report(&p), XL_THREAD_SNAPSHOT_DONE);
		assert_ptr_equal(p, s);
		assert_true(s->done && s->census_ok);
		assert_int_equal(s->channels, 1);
		assert_int_equal(s->frames_own, FRAMES);
	}
	xl_snapshot_close(s);
	close(socket);
	expect_gone(ch);
	close(memfd);
	stop();
}

/* All channels come back when it stops. */
static void test_stop(void **state)
{
	struct xl_channel *ch[ROUNDS];
	int memfd[ROUNDS], socket[ROUNDS];
	u32 back = 0;
	void *p;

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++)
		ch[i] = add(i + 1, &memfd[i], &socket[i]);
	xl_thread_post(t, XL_THREAD_STOP, NULL);
	while (next_report(&p) == XL_THREAD_GONE) {
		xl_channel_free(p);
		back++;
	}
	assert_int_equal(back, ROUNDS);
	assert_non_null(ch[0]);
	assert_int_equal(xl_thread_join(t, xl_identity_incarnation() + JOIN_NS), 0);
	for (u32 i = 0; i < ROUNDS; i++) {
		close(memfd[i]);
		close(socket[i]);
	}
}

/* The device goes: clients see the hang-up, also those who come later; figures are still told; it still stops. */
static void test_device_gone(void **state)
{
	int memfd[2], socket[2];
	struct xl_channel *ch = add(1, &memfd[0], &socket[0]);
	struct xl_snapshot *s;
	bool down = false, gone = false;
	void *p;

	(void)state;
	atomic_store(&none.gone, true);
	eventfd_write(none.bell, 1);
	while (!down || !gone) {
		u32 kind = next_report(&p);

		assert_true(kind == XL_THREAD_DOWN || kind == XL_THREAD_GONE);
		down = down || kind == XL_THREAD_DOWN;
		if (kind == XL_THREAD_GONE) {
			assert_ptr_equal(p, ch);
			xl_channel_free(p);
			gone = true;
		}
	}
	ch = add(2, &memfd[1], &socket[1]);
	expect_gone(ch);
	assert_int_equal(xl_snapshot_open(0, 16, 16, &s), 0);
	xl_thread_post(t, XL_THREAD_SNAPSHOT, s);
	assert_int_equal(next_report(&p), XL_THREAD_SNAPSHOT_DONE);
	assert_int_equal(s->error, -ENETDOWN);
	xl_snapshot_close(s);
	stop();
	for (u32 i = 0; i < 2; i++) {
		close(memfd[i]);
		close(socket[i]);
	}
}

/* The device is gone in the very round in which the thread is told to stop. */
static void test_gone_and_stopped(void **state)
{
	void *p;

	(void)state;
	atomic_store(&none.gone, true);
	xl_thread_post(t, XL_THREAD_STOP, NULL);
	while (next_report(&p) != XL_THREAD_STOPPED)
		;
	assert_int_equal(xl_thread_join(t, xl_identity_incarnation() + JOIN_NS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clients),	TEST(test_figures),	     TEST(test_stop),
		TEST(test_device_gone), TEST(test_gone_and_stopped),
	};

	return RUN_TAP(tests);
}
