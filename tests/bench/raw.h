/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw.h - one AF_XDP socket on queue 0 with its memory and the least program: what raw_pingpong and raw_oneway use.
 * No driver, no transport: straight rings, so that what they measure is the limit for everything built above.
 */
#ifndef TESTS_BENCH_RAW_H
#define TESTS_BENCH_RAW_H

#include "../../user/xdp/socket.h"
#include "../tools/redirect.h"

#define RAW_FRAMES 4096
#define RAW_FRAME_BYTES 4096
#define RAW_RING 2048
#define RAW_HEAD_BYTES 14
#define RAW_BYTES_MAX 9014            /* largest frame, Ethernet header included */

struct raw {
	struct xl_umem umem;
	struct xl_xsk xsk;
	struct redirect redirect;
	unsigned char mac[6];
	u32 mtu;
	u32 nfree;
	u64 free[RAW_FRAMES];         /* addresses of frames in no ring */
};

/* Prints what is wrong to stderr and returns a negative errno. */
int raw_open(struct raw *r, const char *program, const char *ifname);
void raw_close(struct raw *r);
u64 raw_clock_ns(void);
/* Top up the FILL ring. */
void raw_fill(struct raw *r);
/* Bring completed frames back to `free`. */
void raw_reap(struct raw *r);
/* Send calls until the kernel has taken all that was submitted, or would not for now. Returns false when the interface
 * is down or gone. */
bool raw_kick(struct raw *r);

static inline u8 *raw_ptr(const struct raw *r, u64 addr) { return r->umem.mem + addr; }
/* A received frame's address -> its first byte's chunk. */
static inline u64 raw_chunk(u64 addr) { return addr & ~(u64)(RAW_FRAME_BYTES - 1); }

#endif
