/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE   /* recvmmsg, sendmmsg */
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/endian.h"
#include "af_packet.h"
#include "check.h"
#include "why.h"

#define RING_SIZE_DEFAULT 512
#define RING_SIZE_MAX 32768
#define RETRY_NS (50 * XL_US)
#define DROPS_MAX 20               /* times that the kernel may drop a packet until it is given up */
#define RCVBUF_BYTES (4 << 20)
#define BATCH_MIN 2                /* packets asked for in one call while little arrives */
#define ETHER_ADDRESSES_BYTES 12
#define VLAN_BYTES 4

struct control { char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))] __attribute__((aligned(8))); };

struct af_packet {
	struct xl_drv drv;
	int fd;
	int claim;                   /* holds the name that says: this interface and ethertype are taken */
	int ifindex;
	bool gone, owed;
	u64 retry_ns;
	u32 rx_segs;                 /* frames offered for each packet */
	u32 batch;
	u32 ring_size;
	u32 *fill, nfill;            /* FILL frames: a stack of at most ring_size */
	u32 *done, ndone;            /* sent frames, to be returned by complete: a stack of at most [frames] */
	struct xl_packet *tx;        /* ring of ring_size packets accepted and not sent */
	u32 tx_head, tx_count;
	u32 drops;                   /* times in a row that the kernel dropped the first of them */
	struct mmsghdr msg[XLANE_BATCH_MAX];
	struct iovec iov[XLANE_BATCH_MAX][XLANE_PACKET_SEGS_MAX];
	struct control control[XLANE_BATCH_MAX];
};

static struct af_packet *af_packet_of(struct xl_drv *d)
{
	return (struct af_packet *)d;
}

/* The kernel unbinds the socket of an interface that is deleted; for one that is merely down the name stays. */
static bool is_gone(struct af_packet *a)
{
	struct sockaddr_ll at = { 0 };
	socklen_t bytes = sizeof at;

	a->gone = a->gone || getsockname(a->fd, (struct sockaddr *)&at, &bytes) || at.sll_ifindex != a->ifindex;
	return a->gone;
}

static u32 rx_frame_bytes(const struct af_packet *a)
{
	return a->drv.frames->frame_bytes - XLANE_KERNEL_HEADROOM_BYTES;
}

/* --- receive -------------------------------------------------------------------------------- */
/* Offer the top n * rx_segs frames of the fill stack for n packets. */
static void offer(struct af_packet *a, u32 n)
{
	const u32 *frame = a->fill + a->nfill - n * a->rx_segs;

	for (u32 i = 0; i < n; i++) {
		for (u32 j = 0; j < a->rx_segs; j++)
			a->iov[i][j] = (struct iovec){
				xl_frames_ptr(a->drv.frames, *frame++) + XLANE_KERNEL_HEADROOM_BYTES, rx_frame_bytes(a),
			};
		a->msg[i].msg_hdr = (struct msghdr){
			.msg_iov = a->iov[i], .msg_iovlen = a->rx_segs,
			.msg_control = &a->control[i], .msg_controllen = sizeof a->control[i],
		};
	}
}

/* The kernel takes the outer tag out of the frame and hands it over beside: put it back, into the headroom. */
static void restore_tag(struct af_packet *a, struct msghdr *h, struct xl_packet *p)
{
	struct tpacket_auxdata aux;
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	u8 *at;

	while (c && !(c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA))
		c = CMSG_NXTHDR(h, c);
	if (!c || c->cmsg_len < CMSG_LEN(sizeof aux) || xl_packet_bytes(p) < ETHER_ADDRESSES_BYTES)
		return;
	memcpy(&aux, CMSG_DATA(c), sizeof aux);
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return;
	p->seg[0].off -= VLAN_BYTES;
	p->seg[0].len += VLAN_BYTES;
	at = xl_frames_ptr(a->drv.frames, p->seg[0].frame) + p->seg[0].off;
	memmove(at, at + VLAN_BYTES, ETHER_ADDRESSES_BYTES);
	xl_put16(at + ETHER_ADDRESSES_BYTES, aux.tp_status & TP_STATUS_VLAN_TPID_VALID ?
		 aux.tp_vlan_tpid : ETH_P_8021Q);
	xl_put16(at + ETHER_ADDRESSES_BYTES + 2, aux.tp_vlan_tci);
}

/* One received message, of whose frames `frame` the first ones were filled, becomes *p. Returns how many were used. */
static u32 take(struct af_packet *a, struct mmsghdr *m, const u32 *frame, struct xl_packet *p)
{
	u32 left = m->msg_len;

	if (m->msg_hdr.msg_flags & MSG_TRUNC) {
		a->drv.counters[XL_DRV_RX_TOO_MANY_SEGS]++;
		return 0;
	}
	memset(p, 0, sizeof *p);
	for (; left && p->nsegs < a->rx_segs; p->nsegs++) {
		p->seg[p->nsegs] = (struct xl_seg){
			frame[p->nsegs], XLANE_KERNEL_HEADROOM_BYTES, xl_min(left, rx_frame_bytes(a)),
		};
		left -= p->seg[p->nsegs].len;
		xl_frames_move(a->drv.frames, frame[p->nsegs], XL_FRAME_FILL, XL_FRAME_RX);
	}
	if (p->nsegs) {
		restore_tag(a, &m->msg_hdr, p);
		a->drv.counters[XL_DRV_RX_PACKETS]++;
		a->drv.counters[XL_DRV_RX_BYTES] += xl_packet_bytes(p);
	}
	return p->nsegs;
}

/* Frames that were offered and not used go back to the stack, in place. */
static u32 collect(struct af_packet *a, u32 offered, u32 got, struct xl_packet *packets)
{
	u32 base = a->nfill - offered * a->rx_segs, n = 0;

	a->nfill = base;
	for (u32 i = 0; i < offered; i++) {
		const u32 *frame = a->fill + base + i * a->rx_segs;
		u32 used = i < got ? take(a, &a->msg[i], frame, &packets[n]) : 0;

		n += used > 0;
		for (u32 j = used; j < a->rx_segs; j++)
			a->fill[a->nfill++] = frame[j];
	}
	return n;
}

static void retry(struct af_packet *a, u64 now_ns);

static int af_packet_rx(struct xl_drv *d, struct xl_packet *packets, u32 max, u64 now_ns)
{
	struct af_packet *a = af_packet_of(d);
	u32 ask = xl_min(xl_min(max, a->batch), a->nfill / a->rx_segs);
	int got;

	if (a->gone)
		return -ENXIO;
	retry(a, now_ns);
	if (!ask)
		return 0;
	offer(a, ask);
	got = recvmmsg(a->fd, a->msg, ask, MSG_DONTWAIT, NULL);
	if (got < 0)
		return errno == ENETDOWN && is_gone(a) ? -ENXIO : 0;
	a->batch = (u32)got == ask ? xl_min(2 * a->batch, XLANE_BATCH_MAX) : xl_max(a->batch / 2, BATCH_MIN);
	return collect(a, ask, got, packets);
}

/* --- transmit ------------------------------------------------------------------------------- */
static u32 af_packet_tx_room(struct xl_drv *d, u32 segs)
{
	struct af_packet *a = af_packet_of(d);

	return segs && segs <= d->segs_max && !a->gone ? a->ring_size - a->tx_count : 0;
}

static void finish(struct af_packet *a, const struct xl_packet *p)
{
	for (u32 i = 0; i < p->nsegs && i < XLANE_PACKET_SEGS_MAX; i++) {
		if (p->seg[i].frame < a->drv.frames->count && a->ndone < a->drv.frames->count)
			a->done[a->ndone++] = p->seg[i].frame;
	}
}

static u32 af_packet_tx(struct xl_drv *d, const struct xl_packet *packets, u32 n, u64 now_ns)
{
	struct af_packet *a = af_packet_of(d);
	u32 done = 0;

	(void)now_ns;
	for (; done < n && !a->gone; done++) {
		const struct xl_packet *p = &packets[done];

		if (!xl_drv_packet_ok(d, p)) {
			d->counters[XL_DRV_TX_BAD_DESC]++;
			finish(a, p);
			continue;
		}
		if (a->tx_count == a->ring_size)
			break;
		a->tx[(a->tx_head + a->tx_count++) % a->ring_size] = *p;
		d->counters[XL_DRV_TX_PACKETS]++;
		d->counters[XL_DRV_TX_BYTES] += xl_packet_bytes(p);
	}
	return done;
}

static void finish_first(struct af_packet *a, u32 n)
{
	a->drops = n ? 0 : a->drops;
	for (; n--; a->tx_count--) {
		finish(a, &a->tx[a->tx_head]);
		a->tx_head = (a->tx_head + 1) % a->ring_size;
	}
}

static u32 gather(struct af_packet *a)
{
	u32 n = xl_min(a->tx_count, XLANE_BATCH_MAX);

	for (u32 i = 0; i < n; i++) {
		const struct xl_packet *p = &a->tx[(a->tx_head + i) % a->ring_size];

		for (u32 j = 0; j < p->nsegs; j++)
			a->iov[i][j] = (struct iovec){
				xl_frames_ptr(a->drv.frames, p->seg[j].frame) + p->seg[j].off, p->seg[j].len,
			};
		a->msg[i].msg_hdr = (struct msghdr){ .msg_iov = a->iov[i], .msg_iovlen = p->nsegs };
	}
	return n;
}

/* The first waiting packet could not be sent. True: it was given up, the next may do better. ENOBUFS says that the kernel
 * had no memory, or that a queue or the device dropped the packet: for want of room, which passes, or because it never
 * takes this one (the other end of a veth pair has a smaller MTU), and then those behind it are not to wait for ever. */
static bool give_up_first(struct af_packet *a, int err, u64 now_ns)
{
	if (err == ENOBUFS && ++a->drops >= DROPS_MAX) {
		a->drv.counters[XL_DRV_TX_BUSY]++;
		finish_first(a, 1);
		return true;
	}
	if (err == EAGAIN || err == ENOBUFS) {   /* nothing of it was sent: the same packet again, later */
		a->drv.counters[XL_DRV_TX_AGAIN]++;
		a->owed = true;
		a->retry_ns = now_ns + RETRY_NS;
		return false;
	}
	if (err == EINTR)
		return true;
	a->drv.counters[err == ENETDOWN || err == ENXIO || err == ENODEV ? XL_DRV_TX_DOWN : XL_DRV_TX_BAD_DESC]++;
	finish_first(a, 1);
	return true;
}

static int af_packet_flush(struct xl_drv *d, u64 now_ns)
{
	struct af_packet *a = af_packet_of(d);
	int last = 0;

	a->owed = false;
	while (a->tx_count) {
		int n = sendmmsg(a->fd, a->msg, gather(a), MSG_DONTWAIT);

		d->counters[XL_DRV_TX_KICKS]++;
		if (n >= 0) {
			finish_first(a, n);
			continue;
		}
		last = -errno;
		if (!give_up_first(a, -last, now_ns))
			break;
	}
	if (last == -ENXIO || last == -ENODEV || last == -ENETDOWN)
		is_gone(a);
	return last;
}

static void retry(struct af_packet *a, u64 now_ns)
{
	if (a->owed && now_ns >= a->retry_ns)
		af_packet_flush(&a->drv, now_ns);
}

static u32 af_packet_complete(struct xl_drv *d, u32 *frames, u32 max)
{
	struct af_packet *a = af_packet_of(d);
	u32 n = 0;

	while (n < max && a->ndone)
		frames[n++] = a->done[--a->ndone];
	return n;
}

/* --- the rest ------------------------------------------------------------------------------- */
static void af_packet_refill(struct xl_drv *d, u32 leave)
{
	struct af_packet *a = af_packet_of(d);

	while (a->nfill < a->ring_size && d->frames->nfree > leave)
		a->fill[a->nfill++] = xl_frames_take(d->frames, XL_FRAME_FILL);
}

static u32 af_packet_fds(struct xl_drv *d, int *fds, u32 max)
{
	if (max)
		fds[0] = af_packet_of(d)->fd;
	return max > 0;
}

static int af_packet_arm(struct xl_drv *d, bool sleep)
{
	struct af_packet *a = af_packet_of(d);

	return sleep && (a->gone || a->ndone) ? -EAGAIN : 0;
}

static u64 af_packet_deadline(struct xl_drv *d)
{
	struct af_packet *a = af_packet_of(d);

	return a->gone ? 0 : a->owed ? a->retry_ns : XL_NEVER;
}

static void af_packet_update_counters(struct xl_drv *d)
{
	struct tpacket_stats stats = { 0 };
	socklen_t bytes = sizeof stats;

	/* Reading sets the kernel's count to zero. */
	if (!getsockopt(af_packet_of(d)->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes))
		d->counters[XL_DRV_RX_RING_FULL] += stats.tp_drops;
}

static void af_packet_close(struct xl_drv *d)
{
	struct af_packet *a = af_packet_of(d);

	finish_first(a, a->tx_count);
	while (a->ndone)
		xl_frames_move(d->frames, a->done[--a->ndone], XL_FRAME_TX, XL_FRAME_FREE);
	while (a->nfill)
		xl_frames_move(d->frames, a->fill[--a->nfill], XL_FRAME_FILL, XL_FRAME_FREE);
	if (a->fd >= 0)
		close(a->fd);
	if (a->claim >= 0)
		close(a->claim);
	free(a->fill);
	free(a->done);
	free(a->tx);
	free(a);
}

static const struct xl_drv_ops af_packet_ops = {
	.name = "af_packet", .rx = af_packet_rx, .tx_room = af_packet_tx_room, .tx = af_packet_tx,
	.flush = af_packet_flush, .complete = af_packet_complete, .refill = af_packet_refill, .fds = af_packet_fds,
	.arm = af_packet_arm, .deadline = af_packet_deadline, .update_counters = af_packet_update_counters,
	.close = af_packet_close,
};

/* --- open ----------------------------------------------------------------------------------- */
/* Let through the ethertype, plain or behind tags; the kernel may or may not have taken the outer tag out already. */
static int attach_filter(int fd, u16 ethertype)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ethertype, 9, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021AD, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 16),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ethertype, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021AD, 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ethertype, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { XL_ARRAY_SIZE(code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) ? -errno : 0;
}

/* Interface facts: ifindex, MTU, MAC, up. */
static int look_up(struct af_packet *a, const char *ifname, char *why, size_t n)
{
	struct ifreq ifr = { 0 };
	bool named = strlen(ifname) < IFNAMSIZ;

	strncpy(ifr.ifr_name, ifname, IFNAMSIZ - 1);
	if (!named || ioctl(a->fd, SIOCGIFINDEX, &ifr))
		return xl_why(-ENODEV, why, n, "%s: no such interface (ip link shows those there are)", ifname);
	a->ifindex = ifr.ifr_ifindex;
	if (ioctl(a->fd, SIOCGIFFLAGS, &ifr))
		return xl_why(-errno, why, n, "%s: asking for its state failed: %s", ifname, strerror(errno));
	if (!(ifr.ifr_flags & IFF_UP))
		return xl_why(-ENETDOWN, why, n, "%s is down: ip link set %s up", ifname, ifname);
	if (ioctl(a->fd, SIOCGIFHWADDR, &ifr))
		return xl_why(-errno, why, n, "%s: asking for its address failed: %s", ifname, strerror(errno));
	memcpy(a->drv.mac, ifr.ifr_hwaddr.sa_data, sizeof a->drv.mac);
	if (ioctl(a->fd, SIOCGIFMTU, &ifr))
		return xl_why(-errno, why, n, "%s: asking for its MTU failed: %s", ifname, strerror(errno));
	a->drv.mtu = xl_min(ifr.ifr_mtu, XLANE_MTU_MAX);
	return 0;
}

/* Two programs would both get every frame, and each refuse the other's connections. The kernel does not keep a second
 * packet socket out, so the first takes an abstract name, of which a network namespace has one and which the kernel
 * gives back however the program ends. */
static int claim(struct af_packet *a, const struct xl_drv_af_packet_config *c, char *why, size_t n)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int len = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "xlane/af_packet/%d/%04x", a->ifindex,
			   c->ethertype);

	a->claim = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (a->claim < 0)
		return xl_why(-errno, why, n, "%s: socket: %s", c->ifname, strerror(errno));
	if (!bind(a->claim, (struct sockaddr *)&name,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)))
		return 0;
	if (errno != EADDRINUSE)
		return xl_why(-errno, why, n, "%s: binding a name: %s", c->ifname, strerror(errno));
	return xl_why(-EBUSY, why, n, "%s: another program uses it with AF_PACKET (`ss -xlp` shows @%s): stop it",
		      c->ifname, name.sun_path + 1);
}

static int bind_socket(struct af_packet *a, u16 ethertype)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = a->ifindex };
	int one = 1, rcvbuf = RCVBUF_BYTES;
	int err = attach_filter(a->fd, ethertype);

	if (err)
		return err;
	if (setsockopt(a->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one))
		return -errno;
	/* Older kernels lack it: then the link layer drops what this station sent itself. */
	setsockopt(a->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
	if (setsockopt(a->fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof rcvbuf))
		setsockopt(a->fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
	/* Every protocol, not the ethertype alone: such a socket would get tagged frames with their tag lost. */
	return bind(a->fd, (struct sockaddr *)&at, sizeof at) ? -errno : 0;
}

static int set_up(struct af_packet *a, const struct xl_drv_af_packet_config *c, char *why, size_t n)
{
	int err;

	a->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0 && errno == EPERM)
		return xl_why(-EPERM, why, n, "no permission to make packet sockets: run as root or give CAP_NET_RAW");
	if (a->fd < 0)
		return xl_why(-errno, why, n, "packet socket: %s", strerror(errno));
	err = look_up(a, c->ifname, why, n);
	if (!err)
		err = claim(a, c, why, n);
	if (err)
		return err;
	if (c->mtu)
		a->drv.mtu = xl_min(a->drv.mtu, c->mtu);
	if (a->drv.mtu < XLANE_MTU_MIN)
		return xl_why(-EINVAL, why, n, "%s: MTU %u is below %u: ip link set %s mtu 1500", c->ifname, a->drv.mtu,
			      XLANE_MTU_MIN, c->ifname);
	a->rx_segs = (a->drv.mtu + XLANE_LINK_HEADER_MAX_BYTES + rx_frame_bytes(a) - 1) / rx_frame_bytes(a);
	err = bind_socket(a, c->ethertype);
	if (err)
		return xl_why(err, why, n, "%s: packet socket: %s", c->ifname, strerror(-err));
	a->fill = calloc(a->ring_size, sizeof *a->fill);
	a->done = calloc(c->frames->count, sizeof *a->done);
	a->tx = calloc(a->ring_size, sizeof *a->tx);
	return a->fill && a->done && a->tx ? 0 : xl_why(-ENOMEM, why, n, "out of memory");
}

int xl_drv_af_packet_open(const struct xl_drv_af_packet_config *c, struct xl_drv **out, char *why, size_t why_bytes)
{
	u32 ring_size = c->ring_size ? c->ring_size : RING_SIZE_DEFAULT;
	struct af_packet *a;
	int err;

	*out = NULL;
	if (!c->ifname || !c->frames || ring_size < XLANE_PACKET_SEGS_MAX || ring_size > RING_SIZE_MAX)
		return xl_why(-EINVAL, why, why_bytes, "AF_PACKET driver: ring size or frame pool out of range");
	a = calloc(1, sizeof *a);
	if (!a)
		return xl_why(-ENOMEM, why, why_bytes, "out of memory");
	a->drv = (struct xl_drv){
		.ops = &af_packet_ops, .frames = c->frames, .segs_max = XLANE_PACKET_SEGS_MAX,
		.features = XL_DRV_MULTI_BUFFER, .queues = 1,
	};
	a->fd = a->claim = -1;
	a->ring_size = ring_size;
	a->batch = BATCH_MIN;
	err = set_up(a, c, why, why_bytes);
	if (err) {
		af_packet_close(&a->drv);
		return err;
	}
	*out = &a->drv;
	return 0;
}
