/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#define STACK_BYTES 65536

static atomic_bool refused_by_kernel;   /* no socket ever gets descriptors */
static atomic_uint closers;

void xl_guest_init(int fd)
{
	const int no = 0;

	/* the option is there or not, for all sockets alike */
	if (!setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof no))
		atomic_store_explicit(&refused_by_kernel, true, memory_order_relaxed);
}

/* Whether the next message carries descriptors: there is no room for any, so the kernel says that they are cut. */
static bool carries(int fd)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	return recvmsg(fd, &m, MSG_PEEK | MSG_DONTWAIT) >= 0 && m.msg_flags & MSG_CTRUNC;
}

ssize_t xl_guest_recv(int fd, void *to, size_t bytes)
{
	ssize_t n;

	if (!atomic_load_explicit(&refused_by_kernel, memory_order_relaxed) && carries(fd))
		return -EPROTO;
	n = recv(fd, to, bytes, MSG_DONTWAIT | MSG_TRUNC);
	return n < 0 ? -errno : n;
}

static bool refuses(int fd)
{
	int passes = 1;
	socklen_t bytes = sizeof passes;

	return !getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &passes, &bytes) && !passes;
}

static void *close_it(void *fd)
{
	close((int)(intptr_t)fd);
	atomic_fetch_sub(&closers, 1);
	return NULL;
}

void xl_guest_close(int fd)
{
	pthread_attr_t attr;
	pthread_t id;

	if (refuses(fd)) {
		close(fd);
		return;
	}
	shutdown(fd, SHUT_RDWR);
	if (atomic_fetch_add(&closers, 1) >= XL_GUEST_CLOSERS_MAX || pthread_attr_init(&attr)) {
		atomic_fetch_sub(&closers, 1);
		return;
	}
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (pthread_create(&id, &attr, close_it, (void *)(intptr_t)fd))
		atomic_fetch_sub(&closers, 1);
	pthread_attr_destroy(&attr);
}
