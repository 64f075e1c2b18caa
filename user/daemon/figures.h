/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figures.h - what the daemon knows, as text: JSON objects (docs/man/xlane-json.5), and plain lines for the library.
 *
 * Everything is the caller's, borrowed for the call. No thread of a worker is needed: the snapshots are filled already.
 */
#ifndef XL_FIGURES_H
#define XL_FIGURES_H

#include <xlane/bpf_abi.h>
#include "snapshot.h"

/* A counter of the daemon itself: refusals by quota, reloads... Printed as "daemon.<name>". */
struct xl_figures_counter { const char *name, *text; u64 value; };

struct xl_figures_client {
	u32 client, uid, pid;
	const char *interface;
	u32 slots, ring_bytes;       /* of each of its channels */
	u64 channel_bytes;           /* of all of them */
	u64 since_ns;                /* when it attached */
};

struct xl_figures_interface {
	const char *interface;       /* name */
	const char *driver;          /* "af_xdp (native, copy, 2 queues)" */
	u8 mac[6];
	u16 ethertype, vlan[XLANE_VLAN_TAGS_MAX];
	u32 mtu, queues;
	int error;                   /* 0, or why it does not serve now: -ENETDOWN... */
	u32 workers;
	struct xl_snapshot *const *snapshot;             /* [workers]; an entry is NULL: that worker has not answered */
	bool has_xdp;                                    /* the demux program's counters are there */
	u64 xdp[XLANE_BPF_COUNTER_COUNT];
};

struct xl_figures {
	const char *version, *socket, *config;           /* config NULL: no file */
	u64 now_ns, started_ns;                          /* CLOCK_MONOTONIC */
	u32 pid, helper_pid, uid;                        /* of the worker process */
	u32 clients_max;
	u64 node, incarnation;                           /* 0: differ by worker */
	const struct xl_figures_client *client;
	u32 clients;
	const struct xl_figures_counter *counter;
	u32 counters;
	const struct xl_figures_interface *interfaces;
	u32 interface_count;
};

/* What the snapshots must hold to answer `what`: enum xl_snapshot_want bits, or -EINVAL when there is no such text. */
int xl_figures_want(const char *what);
/* "status", "workers", "peers", "conns", "stats": JSON. "counters", "census": lines of "name<TAB>value<TAB>text",
 * summed over the workers. Of one interface, or all when `interface` is NULL or empty. *text is malloced, *bytes is
 * without its final zero.
 *
 * "census": the owners' frames add up to the pool (frames of other workers are not counted where they visit). When a
 * worker's recount fails, one more line "unaccounted" follows: who reads it reports -EUCLEAN.
 * -EINVAL no such text, -ENODEV no such interface, -ENOMEM. */
int xl_figures_text(const struct xl_figures *all, const char *what, const char *interface, char **text, size_t *bytes);

#endif
