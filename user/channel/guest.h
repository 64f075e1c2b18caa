/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.h - our end of a UNIX socket whose other end somebody has whom we do not trust.
 *
 * Whoever sends may pass descriptors along, and a descriptor that is dropped may be the last of its file: a TCP socket
 * with SO_LINGER, for one, keeps the caller for as long as its owner pleased, MSG_DONTWAIT or not. Guarantee: no call
 * here waits. Where the kernel can (6.16), such messages are refused at the sender. Before, a message is looked at
 * without taking it, and sockets are closed by threads of their own. Any thread.
 */
#ifndef XL_GUEST_H
#define XL_GUEST_H

#include <sys/types.h>
#include "../base/types.h"

/* Threads that close, where the kernel does not refuse: above that many, descriptors stay open. */
#define XL_GUEST_CLOSERS_MAX 256

/* A new socket, also a listening one: then those accepted have it, too. */
void xl_guest_init(int fd);
/* One message: its whole length even when `bytes` are less. -EAGAIN, -EPROTO: it carries descriptors, and is still
 * there; other -errno. 0: an empty message or the end. */
ssize_t xl_guest_recv(int fd, void *to, size_t bytes);
/* The other side sees the end at once. */
void xl_guest_close(int fd);

#endif
