/* SPDX-License-Identifier: BSD-2-Clause */
/* A port's flat form: what is packed comes out again, and whatever is wrong with it is refused. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"
#include "xdp/port.h"
#include "xdp/socket.h"

#define FDS 7

static struct xl_port_form good;
static int fds[XL_PORT_FDS_MAX];
static bool allowed;   /* this kernel and user have AF_XDP sockets */

/* Two queues, three workers, sockets that were never bound. */
static int make(void **state)
{
	struct xl_port p = { .ifindex = 3, .ifname = "eth7", .queues = 2, .tx_queues = 1, .workers = 3, .frames = 256,
		.ring_size = 64, .mtu_limit = 1400, .multi_buffer = true };

	(void)state;
	p.xsk = calloc(6, sizeof *p.xsk);
	for (u32 i = 0; i < 6; i++)
		p.xsk[i].fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	allowed = p.xsk[5].fd >= 0;
	assert_int_equal(xl_umem_create(&p.umem, 3 * 256, 4096), 0);
	assert_int_equal(xl_port_pack(&p, &good, fds), FDS);
	free(p.xsk);   /* the descriptors live on in fds[] */
	return 0;
}

static int unpack(const struct xl_port_form *f, size_t bytes, u32 nfds, struct xl_port *out)
{
	char why[128] = "";
	int err = xl_port_unpack(f, bytes, fds, nfds, out, why, sizeof why);

	assert_true(!err == !*why);
	return err;
}

static void comes_out_as_it_went_in(void **state)
{
	struct xl_port p;

	(void)state;
	if (!allowed)
		skip();
	assert_int_equal(unpack(&good, sizeof good, FDS, &p), 0);
	assert_int_equal(p.ifindex, 3);
	assert_string_equal(p.ifname, "eth7");
	assert_true(p.queues == 2 && p.tx_queues == 1 && p.workers == 3 && p.frames == 256 && p.ring_size == 64);
	assert_true(p.mtu_limit == 1400 && p.multi_buffer && !p.zero_copy && !p.need_wakeup && !p.mapped);
	assert_int_equal(p.umem.bytes, 3 * 256 * 4096);
	assert_int_equal(p.umem.fd, fds[0]);
	for (u32 q = 0; q < 2; q++)
		for (u32 w = 0; w < 3; w++)
			assert_int_equal(xl_port_fd(&p, q, w), fds[1 + q * 3 + w]);
	free(p.xsk);
}

static void wrong_sizes_are_refused(void **state)
{
	struct xl_port p;

	(void)state;
	for (size_t bytes = 0; bytes < sizeof good; bytes++) {
		void *cut = exact_copy(&good, bytes);

		assert_int_equal(unpack(cut, bytes, FDS, &p), -EINVAL);
		free(cut);
	}
	assert_int_equal(unpack(&good, sizeof good + 1, FDS, &p), -EINVAL);
	for (u32 n = 0; n < FDS; n++)
		assert_int_equal(unpack(&good, sizeof good, n, &p), -EINVAL);
	assert_int_equal(unpack(&good, sizeof good, FDS + 1, &p), -EINVAL);
}

#define FIELD(name, ...) { offsetof(struct xl_port_form, name), { __VA_ARGS__ } }

static void wrong_fields_are_refused(void **state)
{
	static const struct { size_t at; u32 value[8]; } wrong[] = {   /* values until the first 0, then 0 itself */
		FIELD(magic, 1), FIELD(bytes, 1, sizeof good + 4), FIELD(ifindex), FIELD(queues, 1, 3, 65, UINT32_MAX),
		FIELD(tx_queues, 3, UINT32_MAX), FIELD(workers, 1, 2, 4, 17, UINT32_MAX),
		FIELD(frames, 255, 257, 512, 65536, UINT32_MAX), FIELD(frame_bytes, 1, 2048, 4095, 8192, UINT32_MAX),
		FIELD(ring_size, 1, 63, 65, 65536, UINT32_MAX),
	};
	static const struct { size_t at; u32 value[8]; } wrong_not_zero[] = {
		FIELD(mtu_limit, 1, 255, 9217, UINT32_MAX), FIELD(zero_copy, 1, 2, UINT32_MAX),
		FIELD(multi_buffer, 2, UINT32_MAX), FIELD(need_wakeup, 2, UINT32_MAX), FIELD(ifname, 0x80000000 /* "" */),
	};
	struct xl_port_form f;
	struct xl_port p;

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(wrong); i++) {
		u32 k = 0;

		do {
			f = good;
			memcpy((u8 *)&f + wrong[i].at, &wrong[i].value[k], sizeof(u32));
			assert_int_equal(unpack(&f, sizeof f, FDS, &p), -EINVAL);
		} while (wrong[i].value[k++]);
	}
	for (u32 i = 0; i < XL_ARRAY_SIZE(wrong_not_zero); i++)
		for (u32 k = 0; wrong_not_zero[i].value[k]; k++) {
			f = good;
			memcpy((u8 *)&f + wrong_not_zero[i].at, &wrong_not_zero[i].value[k], sizeof(u32));
			assert_int_equal(unpack(&f, sizeof f, FDS, &p), -EINVAL);
		}
	f = good;
	memset(f.ifname, 'x', sizeof f.ifname);
	assert_int_equal(unpack(&f, sizeof f, FDS, &p), -EINVAL);   /* never ends */
}

static void wrong_descriptors_are_refused(void **state)
{
	int keep[FDS], pair[2];
	struct xl_port p;

	(void)state;
	memcpy(keep, fds, sizeof keep);
	assert_int_equal(pipe(pair), 0);
	for (u32 i = 0; i < FDS; i++) {
		const int bad[] = { -1, pair[0], keep[(i + 1) % FDS] };

		for (u32 k = 0; k < XL_ARRAY_SIZE(bad); k++) {
			fds[i] = bad[k];
			assert_int_equal(unpack(&good, sizeof good, FDS, &p), -EINVAL);
			assert_true(fcntl(pair[0], F_GETFD) >= 0);   /* still the caller's */
		}
		fds[i] = keep[i];
	}
	fds[0] = memfd_create("unsealed", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fds[0], 3 * 256 * 4096), 0);
	assert_int_equal(unpack(&good, sizeof good, FDS, &p), -EINVAL);
	close(fds[0]);
	fds[0] = keep[0];
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(comes_out_as_it_went_in, make),
		cmocka_unit_test(wrong_sizes_are_refused),
		cmocka_unit_test(wrong_fields_are_refused),
		cmocka_unit_test(wrong_descriptors_are_refused),
	};

	return RUN_TAP(tests);
}
