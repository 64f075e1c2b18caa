/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drv_traffic: two drivers of one kind on the two ends of a veth pair, in one process, and what must hold of them.
 *
 *     drv_traffic af_xdp|af_packet IFACE_A IFACE_B CASE...
 *
 * Prints TAP. The script that starts it made the interfaces, in a network namespace of their own. Waiting is always for
 * an event, with a deadline that only a broken driver meets.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../../user/base/endian.h"
#include "../../user/drv/af_xdp_state.h"   /* to spoil a descriptor: case_lost */
#include "drv_ends.h"

static void case_plain(void)
{
	static const u32 sizes[] = { 46, 100, 1486, 1500 };

	if (!ends_open(4096, 0))
		return;
	ends_check(ends[0].drv->mtu == 1500 && ends[0].drv->mac[0] != 0xff, "MTU %u is the interface's",
		   ends[0].drv->mtu);
	for (u32 i = 0; i < XL_ARRAY_SIZE(sizes); i++) {
		bool there = ends_send_all(&ends[0], &ends[1], 3000, sizes[i], 4000, 1);
		bool back = ends_send_all(&ends[1], &ends[0], 3000, sizes[i], 4000, 1);

		ends_check(there && back && !ends[0].bad && !ends[1].bad && ends[1].bytes_last == sizes[i],
			   "3000 packets of %u bytes there and back, every byte right", sizes[i]);
	}
	ends_check(xl_frames_census_ok(&ends[0].frames) && xl_frames_census_ok(&ends[1].frames),
		   "census adds up while open");
	ends_check(ends_counter(&ends[0], XL_DRV_TX_PACKETS) == 12000 &&
		   ends_counter(&ends[1], XL_DRV_RX_PACKETS) == 12000,
		   "12000 sent and 12000 received are counted");
	ends_check(!ends_counter(&ends[0], XL_DRV_TX_BAD_DESC) && !ends_counter(&ends[0], XL_DRV_COMP_BAD_DESC) &&
	      !ends_counter(&ends[1], XL_DRV_RX_BAD_DESC), "no bad descriptor either way");
	ends_close("plain");
}

static void case_refused(void)
{
	struct xl_packet p;

	if (!ends_open(4096, 0))
		return;
	ends_make(&ends[0], &p, 1, 100, 4000, NULL, 0);
	p.seg[0].len = 4090;    /* with its offset of 64 it would end outside the frame */
	ends_check(ends[0].drv->ops->tx(ends[0].drv, &p, 1, ends_clock_ns()) == 1 &&
		   ends_counter(&ends[0], XL_DRV_TX_BAD_DESC) == 1,
		   "a packet past its frame is counted");
	ends[0].drv->ops->flush(ends[0].drv, ends_clock_ns());
	ends_check(ends_pump(&ends[0], &ends[1], 0) && !ends[1].got && !ends[1].bad,
		   "it comes back complete and is not sent");
	ends_check(ends_send_all(&ends[0], &ends[1], 100, 100, 4000, 1), "the next ones are sent");
	ends_close("refused");
}

/* Hand over a packet whose descriptor is spoiled before the kernel sees it. */
static void tx_spoiled(struct end *e)
{
	struct xsk_ring_prod *ring = &((struct xl_af_xdp *)e->drv)->queue[0].xsk->tx;
	struct xl_packet p;

	ends_make(e, &p, 1, 100, 4000, NULL, 0);
	e->drv->ops->tx(e->drv, &p, 1, ends_clock_ns());
	xsk_ring_prod__tx_desc(ring, ring->cached_prod - 1)->len = 1 << 20;
}

/* A descriptor that the kernel finds invalid completes on some kernels only: where it does not, the driver takes the
 * frame back by the kernel's count. A kernel of the other kind is played by taking the completion away. */
static void case_lost(void)
{
	struct xsk_ring_cons *comp;
	u32 at, n;

	if (!ends_open(4096, 0))
		return;
	ends_check(ends_send_all(&ends[0], &ends[1], 10, 100, 4000, 1), "traffic");
	tx_spoiled(&ends[0]);
	ends[0].drv->ops->flush(ends[0].drv, ends_clock_ns());
	comp = &((struct xl_af_xdp *)ends[0].drv)->queue[0].rings->comp;
	n = xsk_ring_cons__peek(comp, 1, &at);
	xsk_ring_cons__release(comp, n);
	ends_check(ends_send_all(&ends[0], &ends[1], 10, 100, 4000, 1) && !ends[0].frames.census[XL_FRAME_TX],
		   "a refused descriptor that never completes: its frame is taken back");
	ends_check(ends_counter(&ends[0], XL_DRV_TX_BAD_DESC) == 1, "it is counted");
	tx_spoiled(&ends[0]);
	ends_check(ends_send_all(&ends[0], &ends[1], 10, 100, 4000, 1),
		   "a refused descriptor among good ones: all frames come back");
	ends_check(ends_counter(&ends[0], XL_DRV_TX_BAD_DESC) == 2 &&
		   ends_counter(&ends[0], XL_DRV_COMP_BAD_DESC) == 0 &&
		   xl_frames_census_ok(&ends[0].frames), "it is counted, the census adds up");
	ends_check(ends_send_all(&ends[0], &ends[1], 10, 100, 4000, 1), "traffic goes on");
	ends_close("lost");
}

static void case_no_frame(void)
{
	struct xl_packet p;
	u64 until = ends_clock_ns() + DEADLINE_NS;

	ends_world.no_refill = true;
	if (!ends_open(4096, 0))
		return;
	for (int i = 0; i < 10; i++) {
		ends_make(&ends[0], &p, i, 100, 4000, NULL, 0);
		ends[0].drv->ops->tx(ends[0].drv, &p, 1, ends_clock_ns());
		ends[0].drv->ops->flush(ends[0].drv, ends_clock_ns());
	}
	while (ends_clock_ns() < until &&
	       (ends_counter(&ends[1], XL_DRV_RX_NO_FRAME) < 10 || ends[0].frames.census[XL_FRAME_TX]))
		ends_pump(&ends[0], &ends[1], 0);
	ends_check(ends_counter(&ends[1], XL_DRV_RX_NO_FRAME) == 10 && !ends_counter(&ends[1], XL_DRV_RX_DROPPED) &&
		   !ends[1].got,
		   "10 packets without a frame to receive into are counted once each");
	ends_check(!ends[0].frames.census[XL_FRAME_TX], "they complete at the sender");
	ends_close("no frame");
	ends_world.no_refill = false;
}

static void case_burst(void)
{
	struct xl_packet p;
	bool arrived;
	u32 n = 0;

	ends_world.ring_size = 512;
	if (!ends_open(4096, 0))
		return;
	for (; ends[0].drv->ops->tx_room(ends[0].drv, 1); n++) {
		ends_make(&ends[0], &p, n, 64, 4000, NULL, 0);
		ends[0].drv->ops->tx(ends[0].drv, &p, 1, ends_clock_ns());
	}
	ends_make(&ends[0], &p, n, 64, 4000, NULL, 0);
	ends_check(n == 512 && ends[0].drv->ops->tx(ends[0].drv, &p, 1, ends_clock_ns()) == 0,
		   "a full TX ring (%u) takes no more", n);
	xl_frames_move(&ends[0].frames, p.seg[0].frame, XL_FRAME_TX, XL_FRAME_FREE);
	ends[0].drv->ops->flush(ends[0].drv, ends_clock_ns());
	arrived = ends_pump(&ends[0], &ends[1], n);
	ends_check(arrived, "one flush brings all of it over, %llu send calls, %llu put off",
		   (unsigned long long)ends_counter(&ends[0], XL_DRV_TX_KICKS),
		(unsigned long long)ends_counter(&ends[0], XL_DRV_TX_AGAIN));
	ends_close("burst");
	ends_world.ring_size = 0;
}

static void case_sleep(void)
{
	struct pollfd fds[65];
	int fd[65], woke;
	struct xl_packet p;
	u32 n;

	if (!ends_open(4096, 0))
		return;
	ends_pump(&ends[0], &ends[1], 0);
	n = ends[1].drv->ops->fds(ends[1].drv, fd, 65);
	for (u32 i = 0; i < n; i++)
		fds[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	ends_check(ends[1].drv->ops->arm(ends[1].drv, true) == 0 && poll(fds, n, 0) == 0,
		   "armed, nothing there, nothing readable");
	ends_make(&ends[0], &p, 7, 100, 4000, NULL, 0);
	ends[0].drv->ops->tx(ends[0].drv, &p, 1, ends_clock_ns());
	ends[0].drv->ops->flush(ends[0].drv, ends_clock_ns());
	woke = poll(fds, n, 10000);
	ends_check(woke == 1 && (!ends_world.xdp || ends[1].drv->ops->arm(ends[1].drv, true) == -EAGAIN),
		   "a packet wakes the sleeper, and arming again says there is work");
	ends_check(ends_pump(&ends[0], &ends[1], 1) && ends[1].got == 1, "it is received");
	ends_close("sleep");
}

static void case_two_queues(void)
{
	bool sent;

	if (!ends_open(4096, 0))
		return;
	ends_check(ends[0].drv->queues == 2, "two queues found (%u)", ends[0].drv->queues);
	sent = ends_send_all(&ends[0], &ends[1], 4000, 200, 4000, 2);
	ends_check(sent && ends[1].got_on[0] == 2000 && ends[1].got_on[1] == 2000,
		   "queue of the packet = queue it arrives on: %u and %u", ends[1].got_on[0], ends[1].got_on[1]);
	ends_check(ends_send_all(&ends[1], &ends[0], 4000, 200, 4000, 7) && !ends[0].bad,
		   "hints are taken modulo the queues");
	ends_close("two queues");
}

/* AF_XDP takes frames of several buffers since Linux 6.6. */
static bool multi_buffer_missing(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	if (!ends_world.xdp || uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major < 6 || (major == 6 && minor < 6);
}

/* What is left on such a kernel: packets as large as one frame. */
static void one_buffer(u32 frame_bytes)
{
	ends_check(!(ends[0].drv->features & XL_DRV_MULTI_BUFFER) && ends[0].drv->mtu < frame_bytes,
		   "an MTU of 9000 is %u with frames of %u B", ends[0].drv->mtu, frame_bytes);
	ends_check(ends_send_all(&ends[0], &ends[1], 1000, ends[0].drv->mtu, frame_bytes, 1) && !ends[1].bad &&
		   ends[1].bytes_last == ends[0].drv->mtu,
		   "1000 packets as large as that");
	ends_skip("packets of several frames", "this kernel has no multi-buffer AF_XDP");
}

static void case_jumbo(void)
{
	for (u32 frame_bytes = 4096; frame_bytes >= 2048; frame_bytes /= 2) {
		u32 piece = frame_bytes - 64;

		if (!ends_open(frame_bytes, 0))
			return;
		if (multi_buffer_missing()) {
			one_buffer(frame_bytes);
			ends_close("jumbo");
			continue;
		}
		ends_check(ends[0].drv->mtu == 9000 && ends[0].drv->features & XL_DRV_MULTI_BUFFER,
			   "MTU 9000, multi-buffer, %u B frames",
		      frame_bytes);
		ends_check(ends_send_all(&ends[0], &ends[1], 1000, 9000, piece, 1) && !ends[1].bad &&
			   ends[1].bytes_last == 9000,
			   "1000 packets of 9000 bytes");
		ends_check(ends_send_all(&ends[1], &ends[0], 1000, 5000, 700, 1) && !ends[0].bad &&
			   ends[0].bytes_last == 5000,
			   "1000 packets of 5000 bytes in 8 pieces each");
		ends_close("jumbo");
	}
}

static int raw_socket(const char *ifname)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(ifname) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Interfaces of MTU 65535: somebody sends more than a packet may have. */
static void case_too_long(void)
{
	static u8 frame[40000] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8 };
	u64 until = ends_clock_ns() + DEADLINE_NS;
	int fd;

	if (multi_buffer_missing()) {
		ends_skip("packets of more frames than a packet may have", "this kernel has no multi-buffer AF_XDP");
		return;
	}
	if (!ends_open(2048, 9000))
		return;
	fd = raw_socket(ends_world.name[0]);
	xl_put16(frame + 12, REDIRECT_ETHERTYPE);
	for (int i = 0; i < 20; i++) {
		if (write(fd, frame, sizeof frame) != sizeof frame)
			ends_check(false, "sending 40000 bytes: %s", strerror(errno));
	}
	close(fd);
	while (ends_clock_ns() < until && ends_counter(&ends[1], XL_DRV_RX_TOO_MANY_SEGS) < 20)
		ends_turn(&ends[1]);
	ends_check(ends_counter(&ends[1], XL_DRV_RX_TOO_MANY_SEGS) == 20 && !ends[1].got && !ends[1].bad &&
		   !ends[1].frames.census[XL_FRAME_RX],
		   "20 packets of 40000 bytes are dropped whole and counted");
	ends_check(ends_send_all(&ends[0], &ends[1], 200, 1000, 1500, 1) && !ends[1].bad, "the next ones arrive");
	ends_close("too long");
}

static void case_vlan(void)
{
	static const u16 tag[] = { 0x88a8, 100, 0x8100, 0x2007 };
	struct xl_packet p;

	if (!ends_open(4096, 0))
		return;
	for (u32 tags = 0; tags <= 2; tags++) {
		const u16 *t = tags == 1 ? tag + 2 : tag;

		ends_make(&ends[0], &p, tags, 300, 4000, t, tags);
		ends[0].drv->ops->tx(ends[0].drv, &p, 1, ends_clock_ns());
		ends[0].drv->ops->flush(ends[0].drv, ends_clock_ns());
		ends_check(ends_pump(&ends[0], &ends[1], tags + 1) && ends[1].tags_last == tags && !ends[1].bad &&
			   !memcmp(ends[1].tag_last, t, 4 * tags) && ends[1].bytes_last == 300,
			   "a frame with %u VLAN tags arrives with them, in order", tags);
	}
	ends_check(!ends[0].got, "what a station sends does not come back to it");
	ends_close("vlan");
}

static void case_down_up(void)
{
	struct xl_packet p;
	u32 got;

	if (!ends_open(4096, 0))
		return;
	ends_check(ends_send_all(&ends[0], &ends[1], 100, 100, 4000, 1), "traffic");
	ends_shell("ip link set %s down", ends_world.name[0]);
	ends_make(&ends[0], &p, 1, 100, 4000, NULL, 0);
	got = ends[1].got;
	ends[0].drv->ops->tx(ends[0].drv, &p, 1, ends_clock_ns());
	ends[0].drv->ops->flush(ends[0].drv, ends_clock_ns());
	ends_turn(&ends[0]);
	ends_check(!ends[0].rx_error && ends_counter(&ends[0], XL_DRV_TX_DOWN) >= 1,
		   "down: rx gives nothing, sending is counted as down");
	ends_shell("ip link set %s up", ends_world.name[0]);
	/* The kernel starts the transmit queues of both ends some time after that, and drops what is sent before. */
	for (u32 i = 0; i < 2; i++)
		ends_shell("n=0; until ip -o link show dev %s | grep -q 'state UP' || [ $n -ge 500 ]; do n=$((n + 1)); done",
			   ends_world.name[i]);
	if (ends_world.xdp)
		ends_check(ends_pump(&ends[0], &ends[1], got + 1), "up: what waited goes out by itself");
	ends_check(ends_send_all(&ends[0], &ends[1], 500, 100, 4000, 1) &&
		   ends_send_all(&ends[1], &ends[0], 500, 100, 4000, 1),
		   "up: traffic both ways again");
	ends_shell("ip link set %s mtu 1400", ends_world.name[0]);
	for (u64 until = ends_clock_ns() + DEADLINE_NS; ends_world.xdp && ends[0].drv->mtu != 1400 &&
	     ends_clock_ns() < until; )
		ends_turn(&ends[0]);
	if (ends_world.xdp)
		ends_check(ends[0].drv->mtu == 1400, "a changed MTU is followed (%u)", ends[0].drv->mtu);
	ends_close("down and up");
}

/* Packets as large as the MTU was wait for the kernel when it is lowered, at this end, at the other, or both: they may be
 * lost, but what is behind them goes out, and every frame comes back. */
static void case_mtu_lowered(void)
{
	for (u32 whose = 1; whose <= 3; whose++) {
		struct xl_packet p;
		u32 n = 0, small = 0;

		for (u32 i = 0; i < 2; i++)
			ends_shell("ip link set %s mtu 3400", ends_world.name[i]);
		if (!ends_open(4096, 0))
			return;
		ends_check(ends_send_all(&ends[0], &ends[1], 100, 3400, 4000, 1), "packets of 3400 bytes arrive");
		for (; n < 200 && ends[0].drv->ops->tx_room(ends[0].drv, 1); n++) {
			ends_make(&ends[0], &p, n, n % 2 ? 1000 : 3400, 4000, NULL, 0);
			ends[0].drv->ops->tx(ends[0].drv, &p, 1, ends_clock_ns());
			small += n % 2;
		}
		for (u32 i = 0; i < 2; i++)
			if (whose & 1u << i)
				ends_shell("ip link set %s mtu 1500", ends_world.name[i]);
		ends[0].drv->ops->flush(ends[0].drv, ends_clock_ns());
		ends_check(ends_pump(&ends[0], &ends[1], 100 + small) && !ends[1].bad,
			   "the MTU of %s falls while %u packets wait: the smaller ones arrive, all frames come back",
			   whose == 3 ? "both ends" : whose == 2 ? "the other end" : "this end", n);
		ends_check(ends_send_all(&ends[0], &ends[1], 500, 1500, 4000, 1), "traffic goes on");
		ends_close("MTU lowered");
	}
}

static void case_errors(void)
{
	struct end second;
	int err;

	err = ends_open_one(&second, "nosuchif0");
	ends_check(err == -ENODEV && strstr(ends_why, "nosuchif0"), "no such interface: %s", ends_why);
	ends_check(ends_close_one(&second), "nothing is left of the failure");
	ends_shell("ip link set %s down", ends_world.name[0]);
	err = ends_open_one(&second, ends_world.name[0]);
	ends_check(err == -ENETDOWN, "interface down: %s", ends_why);
	ends_close_one(&second);
	ends_shell("ip link set %s up; ip link set %s mtu 200", ends_world.name[0], ends_world.name[0]);
	err = ends_open_one(&second, ends_world.name[0]);
	ends_check(err == -EINVAL, "MTU too small: %s", ends_why);
	ends_close_one(&second);
	ends_shell("ip link set %s mtu 1500", ends_world.name[0]);
	if (!ends_world.xdp || !ends_open(4096, 0))
		return;
	err = ends_open_one(&second, ends_world.name[0]);
	ends_check(err == -EBUSY, "queue taken: %s", ends_why);
	ends_close_one(&second);
	ends_close("errors");
	ends_check(ends_open(4096, 0), "opened again at once after a close, in spite of the kernel's late release");
	ends_check(ends_send_all(&ends[0], &ends[1], 100, 100, 4000, 1), "and it works");
	ends_close("again");
}

static void case_delete(void)
{
	u64 until = ends_clock_ns() + DEADLINE_NS;
	struct xl_packet p;

	if (!ends_open(4096, 0))
		return;
	ends_check(ends_send_all(&ends[0], &ends[1], 100, 100, 4000, 1), "traffic");
	ends_make(&ends[0], &p, 1, 100, 4000, NULL, 0);
	ends[0].drv->ops->tx(ends[0].drv, &p, 1, ends_clock_ns());
	ends_shell("ip link del %s", ends_world.name[0]);
	ends[0].drv->ops->flush(ends[0].drv, ends_clock_ns());
	while (ends_clock_ns() < until && (ends[0].rx_error != -ENXIO || ends[1].rx_error != -ENXIO)) {
		ends_turn(&ends[0]);
		ends_turn(&ends[1]);
	}
	ends_check(ends[0].rx_error == -ENXIO && ends[1].rx_error == -ENXIO, "deleted: rx says ENXIO on both ends");
	ends_check(ends[0].drv->ops->tx_room(ends[0].drv, 1) == 0, "and there is no room to send");
	ends_close("deleted");
}

static const struct { const char *name; void (*run)(void); } cases[] = {
	{ "plain", case_plain }, { "refused", case_refused }, { "lost", case_lost }, { "no_frame", case_no_frame },
		{ "burst", case_burst },
	{ "sleep", case_sleep }, { "two_queues", case_two_queues }, { "jumbo", case_jumbo }, { "too_long",
		case_too_long },
	{ "vlan", case_vlan }, { "down_up", case_down_up }, { "mtu_lowered", case_mtu_lowered },
	{ "errors", case_errors }, { "delete", case_delete },
};

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: drv_traffic af_xdp|af_packet IFACE_A IFACE_B CASE...\n");
		return 2;
	}
	ends_world.xdp = !strcmp(argv[1], "af_xdp");
	ends_world.name[0] = argv[2];
	ends_world.name[1] = argv[3];
	ends_world.frame_bytes = 4096;
	for (int i = 4; i < argc; i++) {
		u32 k = 0;

		while (k < XL_ARRAY_SIZE(cases) && strcmp(cases[k].name, argv[i]))
			k++;
		if (k == XL_ARRAY_SIZE(cases)) {
			fprintf(stderr, "drv_traffic: no case %s\n", argv[i]);
			return 2;
		}
		cases[k].run();
	}
	printf("1..%u\n", ends_tests_run);
	return ends_tests_failed ? 1 : 0;
}
