/* SPDX-License-Identifier: BSD-2-Clause */
/* port_form.c - a port as a flat form and descriptors, for another process. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "port_state.h"

u32 xl_port_pack(const struct xl_port *p, struct xl_port_form *form, int fds[XL_PORT_FDS_MAX])
{
	u32 sockets = p->queues * p->workers;

	memset(form, 0, sizeof *form);   /* the padding, too: it is sent */
	form->magic = XL_PORT_MAGIC;
	form->bytes = sizeof *form;
	form->ifindex = p->ifindex;
	form->queues = p->queues;
	form->tx_queues = p->tx_queues;
	form->workers = p->workers;
	form->frames = p->frames;
	form->frame_bytes = p->umem.frame_bytes;
	form->ring_size = p->ring_size;
	form->mtu_limit = p->mtu_limit;
	form->zero_copy = p->zero_copy;
	form->multi_buffer = p->multi_buffer;
	form->need_wakeup = p->need_wakeup;
	memcpy(form->ifname, p->ifname, sizeof form->ifname);
	fds[0] = p->umem.fd;
	for (u32 i = 0; i < sockets; i++)
		fds[1 + i] = p->xsk[i].fd;
	return 1 + sockets;
}

/* The fields of *p that the form has, or -EINVAL. */
static int read_form(const struct xl_port_form *f, u32 nfds, struct xl_port *p, char *why, size_t n)
{
	if (f->magic != XL_PORT_MAGIC || f->bytes != sizeof *f)
		return xl_port_why(-EINVAL, why, n, "not a port of this version");
	if (!memchr(f->ifname, 0, sizeof f->ifname) || !*f->ifname || !f->ifindex)
		return xl_port_why(-EINVAL, why, n, "a port without an interface");
	if (f->zero_copy > 1 || f->multi_buffer > 1 || f->need_wakeup > 1)
		return xl_port_why(-EINVAL, why, n, "a port whose modes are neither 0 nor 1");
	*p = (struct xl_port){
		.ifindex = f->ifindex, .queues = f->queues, .tx_queues = f->tx_queues, .workers = f->workers,
		.frames = f->frames, .ring_size = f->ring_size, .mtu_limit = f->mtu_limit, .zero_copy = f->zero_copy,
		.multi_buffer = f->multi_buffer, .need_wakeup = f->need_wakeup, .umem.fd = -1,
	};
	memcpy(p->ifname, f->ifname, strlen(f->ifname));
	if (!xl_port_shape_ok(p))
		return xl_port_why(-EINVAL, why, n, "a port with counts or sizes out of range");
	if (nfds != 1 + p->queues * p->workers)
		return xl_port_why(-EINVAL, why, n, "a port of %u sockets with %u descriptors", p->queues * p->workers,
				   nfds);
	return 0;
}

static int check_socket(int fd, bool zero_copy)
{
	int domain = 0;
	socklen_t bytes = sizeof domain;
	struct xdp_options options = { 0 };

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) || domain != AF_XDP)
		return -EINVAL;
	bytes = sizeof options;
	if (getsockopt(fd, SOL_XDP, XDP_OPTIONS, &options, &bytes))
		return -EINVAL;
	return !!(options.flags & XDP_OPTIONS_ZEROCOPY) == zero_copy ? 0 : -EINVAL;
}

static int check_descriptors(const struct xl_port *p, const int *fds, u32 nfds, char *why, size_t n)
{
	for (u32 i = 1; i < nfds; i++) {
		if (check_socket(fds[i], p->zero_copy))
			return xl_port_why(-EINVAL, why, n, "descriptor %u of a port is no XDP socket of its mode", i);
		for (u32 j = 0; j < i; j++)
			if (fds[j] == fds[i])
				return xl_port_why(-EINVAL, why, n, "descriptor %u of a port is there twice", i);
	}
	return 0;
}

int xl_port_unpack(const void *form, size_t bytes, const int *fds, u32 nfds, struct xl_port *out, char *why,
		   size_t why_bytes)
{
	struct xl_port_form f;
	struct xl_port p;
	int err;

	memset(out, 0, sizeof *out);
	out->umem.fd = -1;
	if (bytes != sizeof f)
		return xl_port_why(-EINVAL, why, why_bytes, "a port of %zu bytes instead of %zu", bytes, sizeof f);
	memcpy(&f, form, sizeof f);   /* read once, at whatever alignment */
	err = read_form(&f, nfds, &p, why, why_bytes);
	if (!err)
		err = check_descriptors(&p, fds, nfds, why, why_bytes);
	if (err)
		return err;
	if (xl_umem_adopt(&p.umem, fds[0], p.frames * p.workers, f.frame_bytes))
		return xl_port_why(-EINVAL, why, why_bytes, "the memory of a port is not as large as it says, or not "
				   "sealed");
	p.xsk = calloc(nfds - 1, sizeof *p.xsk);
	if (!p.xsk)
		return xl_port_why(-ENOMEM, why, why_bytes, "out of memory");
	for (u32 i = 0; i < nfds; i++)
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
	for (u32 i = 0; i < nfds - 1; i++)
		p.xsk[i].fd = fds[i + 1];
	*out = p;
	return 0;
}
