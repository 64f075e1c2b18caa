/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "socket.h"

#define BIND_RETRY_MS 5
#define TX_BUDGET_DEFAULT 32     /* descriptors that one send call takes in copy mode, where it can not be set */
#define RING_SIZE_MAX 32768

static void unmap(const struct xl_xsk *x)
{
	for (int i = 0; i < XL_XSK_RINGS; i++) {
		if (x->map[i].mem)
			munmap(x->map[i].mem, x->map[i].bytes);
	}
}

static int set(int fd, int option, const void *value, socklen_t bytes)
{
	return setsockopt(fd, SOL_XDP, option, value, bytes) ? -errno : 0;
}

/* --- rings ---------------------------------------------------------------------------------- */
static const struct ring_kind {
	int option;
	off_t pgoff;
	u32 slot_bytes;
	bool producer;   /* this process produces */
} ring_kind[XL_XSK_RINGS] = {
	[XL_XSK_RX] = { XDP_RX_RING, XDP_PGOFF_RX_RING, sizeof(struct xdp_desc), false },
	[XL_XSK_TX] = { XDP_TX_RING, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc), true },
	[XL_XSK_FILL] = { XDP_UMEM_FILL_RING, XDP_UMEM_PGOFF_FILL_RING, sizeof(u64), true },
	[XL_XSK_COMP] = { XDP_UMEM_COMPLETION_RING, XDP_UMEM_PGOFF_COMPLETION_RING, sizeof(u64), false },
};

/* libxdp's two ring structs differ in name only; where this process produces, cached_cons runs `size` ahead (its
 * accessors count on that). */
#define RING_INIT(r, base, o, slots, ahead) do { \
	(r)->mask = (slots) - 1; \
	(r)->size = (slots); \
	(r)->producer = (u32 *)((u8 *)(base) + (o)->producer); \
	(r)->consumer = (u32 *)((u8 *)(base) + (o)->consumer); \
	(r)->flags = (u32 *)((u8 *)(base) + (o)->flags); \
	(r)->ring = (u8 *)(base) + (o)->desc; \
	(r)->cached_prod = *(r)->producer; \
	(r)->cached_cons = *(r)->consumer + (ahead); \
} while (0)

static int map_ring(struct xl_xsk *x, enum xl_xsk_ring which, const struct xdp_ring_offset *o, u32 slots)
{
	size_t bytes = o->desc + (size_t)slots * ring_kind[which].slot_bytes;
	void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, x->fd,
			  ring_kind[which].pgoff);

	if (base == MAP_FAILED)
		return -errno;
	x->map[which].mem = base;
	x->map[which].bytes = bytes;
	switch (which) {
	case XL_XSK_RX: RING_INIT(&x->rx, base, o, slots, 0); break;
	case XL_XSK_COMP: RING_INIT(&x->comp, base, o, slots, 0); break;
	case XL_XSK_TX: RING_INIT(&x->tx, base, o, slots, slots); break;
	default: RING_INIT(&x->fill, base, o, slots, slots); break;
	}
	return 0;
}

static u32 ring_slots(enum xl_xsk_ring which, const struct xl_xsk_config *c)
{
	if (which == XL_XSK_FILL)
		return xl_min(2 * c->ring_size, RING_SIZE_MAX);
	return which == XL_XSK_COMP && c->comp_size ? c->comp_size : c->ring_size;
}

static u32 ring_count(const struct xl_xsk_config *c)
{
	return c->sibling ? XL_XSK_FILL : XL_XSK_RINGS;
}

static int map_rings(struct xl_xsk *x, const struct xl_xsk_config *c)
{
	struct xdp_mmap_offsets off;
	socklen_t bytes = sizeof off;
	int err = 0;

	if (getsockopt(x->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &bytes))
		return -errno;
	if (bytes != sizeof off)   /* kernels before 5.4 have no flags word */
		return -EOPNOTSUPP;
	const struct xdp_ring_offset *offset[XL_XSK_RINGS] = {
		[XL_XSK_RX] = &off.rx, [XL_XSK_TX] = &off.tx, [XL_XSK_FILL] = &off.fr, [XL_XSK_COMP] = &off.cr,
	};
	for (u32 i = 0; i < ring_count(c) && !err; i++)
		err = map_ring(x, i, offset[i], ring_slots(i, c));
	return err;
}

static int make_rings(struct xl_xsk *x, const struct xl_xsk_config *c)
{
	int err = 0;

	for (u32 i = 0; i < ring_count(c) && !err; i++) {
		u32 slots = ring_slots(i, c);

		err = set(x->fd, ring_kind[i].option, &slots, sizeof slots);
	}
	return err ? err : map_rings(x, c);
}

/* --- socket --------------------------------------------------------------------------------- */
static int register_umem(struct xl_xsk *x, const struct xl_umem *u)
{
	struct xdp_umem_reg reg = { .addr = (u64)(uintptr_t)u->mem, .len = u->bytes, .chunk_size = u->frame_bytes };

	return set(x->fd, XDP_UMEM_REG, &reg, sizeof reg);
}

static void raise_tx_budget(struct xl_xsk *x)
{
	u32 budget = x->tx.size;

	if (budget > TX_BUDGET_DEFAULT && !set(x->fd, XDP_MAX_TX_SKB_BUDGET, &budget, sizeof budget))
		x->tx_budget = budget;
}

static int try_open(struct xl_xsk *x, const struct xl_xsk_config *c, u16 flags)
{
	struct sockaddr_xdp to = { .sxdp_family = AF_XDP, .sxdp_ifindex = c->ifindex, .sxdp_queue_id = c->queue };
	int err;

	*x = (struct xl_xsk){ .ifindex = c->ifindex, .queue = c->queue, .tx_budget = TX_BUDGET_DEFAULT };
	x->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (x->fd < 0)
		return -errno;
	if (c->first) {
		to.sxdp_flags = XDP_SHARED_UMEM;   /* the kernel takes every other mode from the first socket */
		to.sxdp_shared_umem_fd = c->first->fd;
	} else {
		to.sxdp_flags = flags;
	}
	err = c->first ? 0 : register_umem(x, c->umem);
	if (!err)
		err = make_rings(x, c);
	if (!err && bind(x->fd, (struct sockaddr *)&to, sizeof to))
		err = -errno;
	if (err) {
		xl_xsk_close(x);
		return err;
	}
	raise_tx_budget(x);
	return 0;
}

static u64 clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

/* The kernel gives a queue free some time after its socket was closed, and tells nobody: ask again for a while. */
static int try_open_patiently(struct xl_xsk *x, const struct xl_xsk_config *c, u16 flags)
{
	u64 until = clock_ms() + XL_XSK_BIND_WAIT_MS;
	int err;

	while ((err = try_open(x, c, flags)) == -EBUSY && clock_ms() < until)
		poll(NULL, 0, BIND_RETRY_MS);
	return err;
}

static bool is_zero_copy(int fd)
{
	struct xdp_options options = { 0 };
	socklen_t bytes = sizeof options;

	return !getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &bytes) && options.flags & XDP_OPTIONS_ZEROCOPY;
}

static void note_modes(struct xl_xsk *x, const struct xl_xsk_config *c, u16 flags)
{
	x->zero_copy = is_zero_copy(x->fd);
	x->multi_buffer = c->first ? c->first->multi_buffer : !!(flags & XDP_USE_SG);
	x->need_wakeup = c->first ? c->first->need_wakeup : !!(flags & XDP_USE_NEED_WAKEUP);
}

/* Bind flags to try in order, best first; returns how many. Zero-copy without multi-buffer comes before copying with it
 * unless the caller needs multi-buffer more. */
static u32 wishes(const struct xl_xsk_config *c, u16 out[4])
{
	static const u16 speed_first[] = { XDP_ZEROCOPY | XDP_USE_SG, XDP_ZEROCOPY, XDP_COPY | XDP_USE_SG, XDP_COPY };
	static const u16 size_first[] = { XDP_ZEROCOPY | XDP_USE_SG, XDP_COPY | XDP_USE_SG, XDP_ZEROCOPY, XDP_COPY };
	u32 n = 0;

	for (u32 i = 0; i < XL_ARRAY_SIZE(speed_first); i++) {
		u16 flags = c->multi_buffer > 0 ? size_first[i] : speed_first[i];

		if ((flags & XDP_ZEROCOPY && c->zero_copy < 0) || (flags & XDP_COPY && c->zero_copy > 0) ||
		    (flags & XDP_USE_SG && c->multi_buffer < 0))
			continue;
		out[n++] = flags | (c->need_wakeup ? XDP_USE_NEED_WAKEUP : 0);
	}
	return n;
}

/* Errors that would come back in every mode. Any other may mean "not in this mode": drivers differ in what they say. */
static bool is_final(int err)
{
	static const int final[] = { EBUSY, EPERM, EACCES, ENOBUFS, ENOMEM, ENODEV, ENETDOWN, EAFNOSUPPORT, EMFILE,
		ENFILE };

	for (u32 i = 0; i < XL_ARRAY_SIZE(final); i++) {
		if (err == -final[i])
			return true;
	}
	return false;
}

static bool size_ok(u32 slots)
{
	return slots >= 2 && slots <= RING_SIZE_MAX && !(slots & (slots - 1));
}

int xl_xsk_open(struct xl_xsk *x, const struct xl_xsk_config *c)
{
	u16 flags[4] = { 0 };
	u32 n = c->first ? 1 : wishes(c, flags);
	int err = -EINVAL;

	*x = (struct xl_xsk){ .fd = -1 };
	if (!size_ok(c->ring_size) || (c->comp_size && !size_ok(c->comp_size)) || (c->sibling && !c->first))
		return -EINVAL;
	for (u32 i = 0; i < n; i++) {
		err = try_open_patiently(x, c, flags[i]);
		if (!err) {
			note_modes(x, c, flags[i]);
			return 0;
		}
		if (is_final(err))
			break;
	}
	return err;
}

int xl_xsk_adopt(struct xl_xsk *x, int fd, const struct xl_xsk_config *c)
{
	int err;

	*x = (struct xl_xsk){ .fd = fd, .ifindex = c->ifindex, .queue = c->queue, .zero_copy = is_zero_copy(fd),
		.multi_buffer = c->multi_buffer > 0, .need_wakeup = c->need_wakeup, .tx_budget = TX_BUDGET_DEFAULT };
	err = map_rings(x, c);
	if (err) {
		unmap(x);
		memset(x->map, 0, sizeof x->map);
	}
	return err == -EBUSY ? -EOPNOTSUPP : err;
}

void xl_xsk_close(struct xl_xsk *x)
{
	unmap(x);
	if (x->fd >= 0)
		close(x->fd);
	*x = (struct xl_xsk){ .fd = -1 };
}

int xl_xsk_stats(const struct xl_xsk *x, struct xdp_statistics *out)
{
	socklen_t bytes = sizeof *out;

	memset(out, 0, sizeof *out);
	return getsockopt(x->fd, SOL_XDP, XDP_STATISTICS, out, &bytes) ? -errno : 0;
}

int xl_xsk_kick_tx(const struct xl_xsk *x)
{
	return sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? -errno : 0;
}

void xl_xsk_kick_rx(const struct xl_xsk *x)
{
	recvfrom(x->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}
