/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect.h - the least XDP program, for benchmarks and driver tests: frames of one private ethertype go to the socket
 * of the queue that they arrived on, all others to the kernel. With several sockets on a queue, the last byte of the
 * destination address chooses. It is some twenty instructions, written out, so nothing has to be compiled or found.
 */
#ifndef TESTS_TOOLS_REDIRECT_H
#define TESTS_TOOLS_REDIRECT_H

#define REDIRECT_ETHERTYPE 0x88B6   /* IEEE Std 802 local experimental ethertype 2: never xlane's own */
#define REDIRECT_QUEUES_MAX 64
#define REDIRECT_SOCKETS_MAX 256

struct redirect { int ifindex, map, program; };

/* fds[q * workers + w] becomes the socket of queue q for frames to an address whose last byte is w modulo `workers`, a
 * power of two; queues * workers are at most REDIRECT_SOCKETS_MAX. In the driver (native mode). 0 or a negative
 * errno; nothing stays on failure. */
int redirect_attach(struct redirect *r, const char *ifname, const int *fds, unsigned queues, unsigned workers);
/* Takes only the program away that redirect_attach put there. A zeroed struct is fine. */
void redirect_detach(struct redirect *r);

#endif
