/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify.h - the demultiplexer's decision, in user space: the twin of bpf/xlane_demux.bpf.c, used to parse again
 * what the kernel passed, by drivers that run without XDP, and by the test that holds the two verdicts together.
 */
#ifndef XL_WIRE_CLASSIFY_H
#define XL_WIRE_CLASSIFY_H

#include <xlane/bpf_abi.h>
#include "ether.h"
#include "outer.h"

struct xl_demux_tables {
	const u32 *hooks;        /* [65536], host-order ethertype -> XLANE_HOOK() value */
	const u32 *buckets;      /* [XLANE_BUCKETS] -> worker */
	const u8 *sockets;       /* [XLANE_XSK_SLOTS] nonzero: a socket is in that slot */
	struct xlane_bpf_config config;
};

enum xl_demux_verdict { XL_DEMUX_PASS, XL_DEMUX_DROP, XL_DEMUX_REDIRECT };

struct xl_demux_result {
	enum xl_demux_verdict verdict;
	enum xlane_bpf_counter counter;   /* the one counter that the frame raises */
	u32 slot;                         /* for REDIRECT: queue * XLANE_WORKERS_MAX + worker */
};

/* Frame of `len` bytes (first segment `linear` bytes contiguous at p) that arrived on `queue`. */
struct xl_demux_result xl_demux_classify(const struct xl_demux_tables *t, const u8 *p, u64 linear, u64 len, u32 queue);

#endif
