/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bpf_abi.h - what the demultiplexer in the kernel and user space agree on: maps, verdicts, counters.
 *
 * Any change that old user space would misread raises XLANE_BPF_ABI; the pin directory carries the number
 * (<bpffs>/xlane/<abi>/<ifname>), so two versions never share maps.
 */
#ifndef XLANE_BPF_ABI_H
#define XLANE_BPF_ABI_H

#include "limits.h"

#define XLANE_BPF_ABI 1
#define XLANE_BPF_PROGRAM "xlane_demux"

/* Map names; the kernel keeps 15 characters of them. All are pinned by name. */
#define XLANE_MAP_HOOKS    "xl_hooks"     /* ARRAY 65,536 x u32: ethertype -> xlane_hook value */
#define XLANE_MAP_BUCKETS  "xl_buckets"   /* ARRAY 256 x u32: bucket -> worker */
#define XLANE_MAP_SOCKETS  "xl_socks"     /* XSKMAP: queue * XLANE_WORKERS_MAX + worker -> socket */
#define XLANE_MAP_CONFIG   "xl_config"    /* ARRAY 1 x struct xlane_bpf_config */
#define XLANE_MAP_COUNTERS "xl_counters"  /* PERCPU_ARRAY: enum xlane_bpf_counter -> u64 */

/* A hook: action in the low byte, its argument above. Entry 0 (the array's zero) passes. */
enum xlane_hook_action {
	XLANE_HOOK_PASS = 0,    /* to the kernel's stack */
	XLANE_HOOK_XLANE = 1,   /* check the outer header, redirect to the worker of the bucket */
	XLANE_HOOK_STEER = 2,   /* redirect to the worker named by the argument, unread: a protocol of one's own */
	XLANE_HOOK_DROP = 3,
	XLANE_HOOK_ACTIONS
};
#define XLANE_HOOK(action, argument) ((unsigned)(action) | (unsigned)(argument) << 8)

struct xlane_bpf_config {
	unsigned int absent_drop;  /* policy for a frame whose worker is not there: 0 pass to the kernel, 1 drop */
	unsigned int armed;        /* 0: xlane frames are treated as if no worker were there */
};

#define XLANE_BPF_COUNTERS(X) \
	X(OTHER_PASSED, "other_passed", "frames of other ethertypes, passed to the kernel") \
	X(REDIRECTED, "redirected", "xlane frames handed to a worker's socket") \
	X(STEERED, "steered", "frames of a user's own ethertype handed to a worker") \
	X(HOOK_DROPPED, "hook_dropped", "frames of an ethertype whose hook says drop") \
	X(ABSENT_PASSED, "absent_passed", "xlane frames whose worker is not there, passed") \
	X(ABSENT_DROPPED, "absent_dropped", "xlane frames whose worker is not there, dropped") \
	X(SHORT_ETHER, "short_ether", "frames shorter than their link header") \
	X(DEEP_VLAN, "deep_vlan", "frames with more VLAN tags than are looked through, passed") \
	X(SHORT_OUTER, "short_outer", "xlane frames shorter than the outer header") \
	X(BAD_VERSION, "bad_version", "xlane frames of another version") \
	X(BAD_TYPE, "bad_type", "xlane frames of an unknown packet type") \
	X(BAD_FLAGS, "bad_flags", "xlane frames with unknown flags") \
	X(BAD_LENGTH, "bad_length", "xlane frames whose length field does not fit the frame") \
	X(BAD_EXTENSION, "bad_extension", "xlane frames whose extension is missing, short or not of the known size") \
	X(BAD_HOOK, "bad_hook", "hook table entries with an unknown action or worker, passed")
enum xlane_bpf_counter {
#define XLANE_BPF_COUNTER_ENUM(name, key, text) XLANE_BPF_##name,
	XLANE_BPF_COUNTERS(XLANE_BPF_COUNTER_ENUM)
	XLANE_BPF_COUNTER_COUNT
};

#endif
