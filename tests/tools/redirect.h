/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect.h - the least XDP program, for benchmarks and driver tests: frames of one private ethertype go to the socket
 * of the queue that they arrived on, all others to the kernel. It is ten instructions, written out, so nothing has to
 * be compiled or found.
 */
#ifndef TESTS_TOOLS_REDIRECT_H
#define TESTS_TOOLS_REDIRECT_H

#define REDIRECT_ETHERTYPE 0x88B6   /* IEEE Std 802 local experimental ethertype 2: never xlane's own */
#define REDIRECT_QUEUES_MAX 64

struct redirect { int ifindex, map, program; };

/* fds[q] becomes the socket of queue q. In the driver (native mode). 0 or a negative errno; nothing stays
 * on failure. */
int redirect_attach(struct redirect *r, const char *ifname, const int *fds, unsigned n);
/* Takes only the program away that redirect_attach put there. A zeroed struct is fine. */
void redirect_detach(struct redirect *r);

#endif
