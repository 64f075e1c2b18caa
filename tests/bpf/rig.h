/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig.h - the demux program loaded for BPF_PROG_TEST_RUN, beside the tables of its user-space twin.
 *
 * Every setter writes the kernel's map and the twin's table; rig_check runs one frame through both. The rig moves the
 * process into a network namespace of its own, with one veth device of RIG_QUEUES queues: the kernel takes the receive
 * queue of a test run only from a device that has it.
 */
#ifndef XL_TEST_BPF_RIG_H
#define XL_TEST_BPF_RIG_H

#include "base/types.h"
#include "wire/classify.h"
#include "xdp/maps.h"

#define RIG_QUEUES (XLANE_QUEUES_MAX + 4)   /* some are past what the program knows */
#define RIG_FRAME_MIN 14                    /* the kernel runs no shorter frame */
#define RIG_FRAME_MAX 12000
#define RIG_LINEAR_MAX 3000                 /* surely in one buffer of a test run, on every kernel */

struct rig {
	struct bpf_object *object;
	struct xl_maps maps;
	int prog_fd, xsk_fd;
	u32 ifindex;
	u32 hooks[65536], buckets[XLANE_BUCKETS];
	u8 sockets[XLANE_XSK_SLOTS];
	struct xlane_bpf_config config;
	u64 counters[XLANE_BPF_COUNTER_COUNT];  /* as last read */
};

/* Returns NULL, or why the machine can not run it. Once per process; loading again with another object is rig_load. */
const char *rig_namespace(struct rig *r);
/* Load an object file, all maps as after loading. 0 or a negative errno. */
int rig_load(struct rig *r, const char *object);
void rig_unload(struct rig *r);

void rig_set_hook(struct rig *r, u16 ethertype, u32 hook);
void rig_set_bucket(struct rig *r, u32 bucket, u32 worker);
void rig_set_socket(struct rig *r, u32 queue, u32 worker, bool filled);
void rig_set_config(struct rig *r, bool armed, bool absent_drop);

struct rig_outcome {
	struct xl_demux_result twin;
	int kernel;             /* XDP_* that the program returned, or a negative errno */
	bool one_counter;       /* exactly the twin's counter went up, by one */
	bool same;              /* verdict and counter agree */
};
/* One frame of RIG_FRAME_MIN..RIG_FRAME_MAX bytes, through the kernel and through the twin. */
struct rig_outcome rig_check(struct rig *r, const u8 *frame, u32 bytes, u32 queue);
const char *rig_counter_name(enum xlane_bpf_counter counter);

#endif
