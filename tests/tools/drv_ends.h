/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drv_ends.h - two drivers of one kind on the two ends of a veth pair in one process, and packets with known bytes, for
 * the cases of drv_traffic.c. Waiting is always for an event, with a deadline that only a broken driver meets.
 */
#ifndef TESTS_TOOLS_DRV_ENDS_H
#define TESTS_TOOLS_DRV_ENDS_H

#include "../../user/drv/drv.h"
#include "../../user/xdp/port.h"
#include "redirect.h"

#define DEADLINE_NS (10 * XL_S)
#define FRAMES 2048
#define SKIPPED 16               /* the pool of AF_PACKET starts inside the memory */
#define LEAVE 1024               /* frames kept for sending */

struct end {
	const char *ifname;
	struct xl_umem umem;         /* of AF_PACKET */
	struct xl_port port;         /* of AF_XDP, with one worker */
	struct xl_af_xdp_shared *shared;
	struct xl_frames frames;
	void *tables;
	struct xl_drv *drv;
	struct redirect redirect;
	u32 got, bad, got_on[4];     /* packets received: good, damaged, and by queue */
	u32 bytes_last, tags_last;
	u16 tag_last[4];             /* TPID, TCI of each tag of the last packet */
	int rx_error;
};

struct ends_world { bool xdp; const char *name[2]; u32 frame_bytes, mtu, ring_size; bool no_refill; };
extern struct ends_world ends_world;   /* what the ends opened next are like */
extern struct end ends[2];
extern char ends_why[256];             /* what the last open said */
extern u32 ends_tests_run, ends_tests_failed;

u64 ends_clock_ns(void);
/* One TAP line. Returns ok. */
__attribute__((format(printf, 2, 3))) bool ends_check(bool ok, const char *format, ...);
void ends_skip(const char *what, const char *reason);
__attribute__((format(printf, 1, 2))) int ends_shell(const char *format, ...);

int ends_open_one(struct end *e, const char *ifname);
/* True: all frames came home. */
bool ends_close_one(struct end *e);
/* Both ends; a failure is a failed check. */
bool ends_open(u32 frame_bytes, u32 mtu);
void ends_close(const char *what);

/* One packet of `bytes` bytes behind the MAC header and tags, cut into pieces of at most `piece` bytes; its frames
 * are TX. */
bool ends_make(struct end *e, struct xl_packet *p, u32 number, u32 bytes, u32 piece, const u16 *tag, u32 tags);
/* Receive, check, complete, refill: once. */
void ends_turn(struct end *e);
/* Turn both ends until b has `got` packets and a's are all complete, or the deadline. */
bool ends_pump(struct end *a, struct end *b, u32 got);
/* Send n packets through the driver, as fast as it takes them, until all have arrived. */
bool ends_send_all(struct end *a, struct end *b, u32 n, u32 bytes, u32 piece, u32 queues);
u64 ends_counter(struct end *e, enum xl_drv_counter c);

#endif
