/* SPDX-License-Identifier: BSD-2-Clause */
/* port.c - UMEM and sockets of all workers of one interface: made, mapped, closed. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "port.h"
#include "port_state.h"
#include "queues.h"
#include "watch.h"

#define RING_SIZE_MIN 64
#define RING_SIZE_MAX 32768

int xl_port_why(int err, char *why, size_t bytes, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (why && bytes)
		vsnprintf(why, bytes, format, args);
	va_end(args);
	return err;
}

bool xl_port_shape_ok(const struct xl_port *p)
{
	u32 ring = p->ring_size;

	return p->workers && p->workers <= XLANE_WORKERS_MAX && p->queues && p->queues <= XLANE_QUEUES_MAX &&
	       p->tx_queues && p->tx_queues <= p->queues &&
	       p->frames >= XLANE_FRAMES_MIN && p->frames <= XLANE_FRAMES_MAX / p->workers &&
	       ring >= RING_SIZE_MIN && ring <= RING_SIZE_MAX && !(ring & (ring - 1)) &&
	       (!p->mtu_limit || (p->mtu_limit >= XLANE_MTU_MIN && p->mtu_limit <= XLANE_MTU_MAX));
}

/* All workers' frames may be on their way through one queue. */
static u32 comp_size(const struct xl_port *p)
{
	u64 slots = p->ring_size;

	while (slots < (u64)p->ring_size * p->workers && slots < RING_SIZE_MAX)
		slots *= 2;
	return (u32)slots;
}

void xl_port_socket_config(const struct xl_port *p, u32 queue, u32 worker, struct xl_xsk_config *c)
{
	*c = (struct xl_xsk_config){
		.umem = &p->umem, .ifindex = p->ifindex, .queue = queue, .ring_size = p->ring_size,
		.comp_size = comp_size(p), .sibling = worker > 0, .multi_buffer = p->multi_buffer,
		.need_wakeup = p->need_wakeup,
	};
	if (worker)
		c->first = &p->xsk[queue * p->workers];
	else if (queue)
		c->first = &p->xsk[0];
}

static int explain(int err, const struct xl_port *p, const struct xl_port_spec *s, u32 queue, char *why, size_t n)
{
	const char *name = p->ifname;

	switch (err) {
	case -EBUSY:
		return xl_port_why(err, why, n, "%s: another program has an XDP socket on queue %u: stop it", name,
				   queue);
	case -EPERM:
		return xl_port_why(err, why, n, "%s: no permission to make XDP sockets: run as root or give "
				   "CAP_NET_RAW", name);
	case -ENOBUFS:
		return xl_port_why(err, why, n, "%s: the kernel refuses to lock %llu KiB of frames: raise "
				   "RLIMIT_MEMLOCK (ulimit -l), or use fewer frames", name,
				   (unsigned long long)p->umem.bytes / 1024);
	case -EMFILE:
		return xl_port_why(err, why, n, "%s: %u sockets are more than RLIMIT_NOFILE allows: raise it (ulimit "
				   "-n), or use fewer queues or workers", name, p->queues * p->workers);
	case -EAFNOSUPPORT:
		return xl_port_why(err, why, n, "this kernel has no XDP sockets (CONFIG_XDP_SOCKETS): use the packet "
				   "socket driver");
	case -EOPNOTSUPP:
	case -EINVAL:
		if (s->zero_copy > 0)
			return xl_port_why(err, why, n, "%s: queue %u has no zero-copy mode: do not ask for it", name,
					   queue);
		return xl_port_why(err, why, n, "%s: the kernel refuses an XDP socket on queue %u (%s)", name, queue,
				   strerror(-err));
	default:
		return xl_port_why(err, why, n, "%s: XDP socket on queue %u: %s", name, queue, strerror(-err));
	}
}

static int look_at_interface(struct xl_port *p, const struct xl_port_spec *s, u32 *mtu, char *why, size_t n)
{
	struct xl_watch watch;
	bool up;
	int err = xl_watch_open(&watch, s->ifname);

	if (err == -ENODEV)
		return xl_port_why(err, why, n, "%s: no such interface (ip link shows those there are)", s->ifname);
	if (err)
		return xl_port_why(err, why, n, "%s: asking the kernel about it failed: %s", s->ifname,
				   strerror(-err));
	p->ifindex = watch.ifindex;
	memcpy(p->ifname, watch.name, sizeof p->ifname);
	*mtu = watch.mtu;
	up = watch.up;
	xl_watch_close(&watch);
	if (!up)
		return xl_port_why(-ENETDOWN, why, n, "%s is down: ip link set %s up", s->ifname, s->ifname);
	if (*mtu < XLANE_MTU_MIN)
		return xl_port_why(-EINVAL, why, n, "%s: MTU %u is below %u: ip link set %s mtu 1500", s->ifname, *mtu,
				   XLANE_MTU_MIN, s->ifname);
	return 0;
}

static int count_queues(struct xl_port *p, const struct xl_port_spec *s, char *why, size_t n)
{
	u32 rx, tx;
	int err = xl_queues_count(s->ifname, &rx, &tx);

	if (err)
		return xl_port_why(err, why, n, "%s: its queues can not be counted: %s", s->ifname, strerror(-err));
	if (s->queues > rx)
		return xl_port_why(-EINVAL, why, n, "%s has %u receive queues, %u were asked for", s->ifname, rx,
				   s->queues);
	if (!s->queues && rx > XLANE_QUEUES_MAX)
		return xl_port_why(-EINVAL, why, n, "%s has %u receive queues, at most %u can be served: lower them "
				   "with ethtool -L, or ask for fewer", s->ifname, rx, XLANE_QUEUES_MAX);
	p->queues = s->queues ? s->queues : rx;
	p->tx_queues = xl_min(p->queues, tx);
	return 0;
}

static int open_sockets(struct xl_port *p, const struct xl_port_spec *s, u32 mtu, char *why, size_t n)
{
	struct xl_xsk_config c;

	for (u32 i = 0; i < p->queues * p->workers; i++)
		p->xsk[i].fd = -1;
	for (u32 i = 0; i < p->queues * p->workers; i++) {
		int err;

		xl_port_socket_config(p, i / p->workers, i % p->workers, &c);
		c.zero_copy = s->zero_copy;
		c.multi_buffer = mtu > p->umem.frame_bytes - XLANE_TX_HEADROOM_BYTES;
		err = xl_xsk_open(&p->xsk[i], &c);
		if (err)
			return explain(err, p, s, i / p->workers, why, n);
	}
	p->zero_copy = p->xsk[0].zero_copy;
	p->multi_buffer = p->xsk[0].multi_buffer;
	p->mapped = true;
	return 0;
}

int xl_port_open(const struct xl_port_spec *s, struct xl_port *p, char *why, size_t why_bytes)
{
	u32 mtu = 0;
	int err;

	*p = (struct xl_port){
		.workers = s->workers, .ring_size = s->ring_size ? s->ring_size : XLANE_RING_SIZE_DEFAULT,
		.frames = s->frames, .mtu_limit = s->mtu, .need_wakeup = s->need_wakeup, .umem.fd = -1,
	};
	if (!p->frames && p->workers)
		p->frames = xl_min(XLANE_FRAMES_DEFAULT, XLANE_FRAMES_MAX / p->workers);
	err = look_at_interface(p, s, &mtu, why, why_bytes);
	if (!err)
		err = count_queues(p, s, why, why_bytes);
	if (!err && !xl_port_shape_ok(p))
		err = xl_port_why(-EINVAL, why, why_bytes, "%s: workers, frames, ring size or MTU out of range",
				  s->ifname);
	if (err)
		goto fail;
	err = xl_umem_create(&p->umem, p->frames * p->workers, s->frame_bytes ? s->frame_bytes : XLANE_FRAME_BYTES);
	if (err) {
		xl_port_why(err, why, why_bytes, "no memory for %u frames: %s", p->frames * p->workers, strerror(-err));
		goto fail;
	}
	p->xsk = calloc(p->queues * p->workers, sizeof *p->xsk);
	err = p->xsk ? open_sockets(p, s, s->mtu ? xl_min(s->mtu, mtu) : mtu, why, why_bytes) :
		       xl_port_why(-ENOMEM, why, why_bytes, "out of memory");
	if (!err)
		return 0;
fail:
	xl_port_close(p);
	return err;
}

void xl_port_close(struct xl_port *p)
{
	for (u32 i = p->xsk ? p->queues * p->workers : 0; i--; )   /* the first, which registered the memory, last */
		xl_xsk_close(&p->xsk[i]);
	free(p->xsk);
	if (p->umem.bytes && p->umem.fd >= 0)
		xl_umem_destroy(&p->umem);
	memset(p, 0, sizeof *p);
	p->umem.fd = -1;
}

int xl_port_map(struct xl_port *p, char *why, size_t why_bytes)
{
	struct xl_xsk_config c;
	int err = 0;

	if (p->mapped)
		return 0;
	if (!p->umem.mem)
		err = xl_umem_map(&p->umem);
	for (u32 i = 0; i < p->queues * p->workers && !err; i++) {
		xl_port_socket_config(p, i / p->workers, i % p->workers, &c);
		if (!p->xsk[i].map[0].mem)
			err = xl_xsk_adopt(&p->xsk[i], p->xsk[i].fd, &c);
	}
	if (err == -EOPNOTSUPP)
		return xl_port_why(err, why, why_bytes, "%s: this kernel (before 6.4) maps no rings of sockets that "
				   "another process has bound", p->ifname);
	if (err)
		return xl_port_why(err, why, why_bytes, "%s: frames or rings can not be mapped: %s", p->ifname,
				   strerror(-err));
	p->mapped = true;
	return 0;
}

int xl_port_fd(const struct xl_port *p, u32 queue, u32 worker)
{
	return p->xsk[queue * p->workers + worker].fd;
}

void xl_port_frames(const struct xl_port *p, u32 worker, struct xl_frames *f, void *tables)
{
	xl_frames_init_part(f, p->umem.mem, p->umem.frame_bytes, p->umem.frames, worker * p->frames, p->frames, tables);
}
