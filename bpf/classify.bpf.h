/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* classify.bpf.h - from a parsed header to a verdict: hook of the ethertype, bucket of the connection, slot of the
 * worker. */
#ifndef XLANE_CLASSIFY_BPF_H
#define XLANE_CLASSIFY_BPF_H

#include "maps.bpf.h"
#include "parse.bpf.h"

/* Hand the frame to `worker` on the queue it arrived on, or treat it by policy when nobody is there. The slot is looked
 * up first, so that the counter tells what really happened and an empty slot is never a black hole. */
static __always_inline int to_worker(const struct xdp_md *ctx, __u32 worker, enum xlane_bpf_counter reason)
{
	__u32 key = 0, queue = ctx->rx_queue_index, slot = queue * XLANE_WORKERS_MAX + worker;
	struct xlane_bpf_config *config = bpf_map_lookup_elem(&xl_config, &key);
	int fallback = config && config->absent_drop ? XDP_DROP : XDP_PASS;

	if (config && config->armed && worker < XLANE_WORKERS_MAX && queue < XLANE_QUEUES_MAX &&
	    bpf_map_lookup_elem(&xl_socks, &slot))
		return verdict(bpf_redirect_map(&xl_socks, slot, fallback), reason);
	return verdict(fallback, fallback == XDP_DROP ? XLANE_BPF_ABSENT_DROPPED : XLANE_BPF_ABSENT_PASSED);
}

/* A frame of xlane's own: checked, then to the worker of its bucket. */
static __always_inline int classify_xlane(const struct xdp_md *ctx, const struct cursor *c)
{
	__u32 bucket = 0;
	enum xlane_bpf_counter fault = parse_outer(c, &bucket);
	__u32 *worker;

	if (fault != PARSED)
		return verdict(XDP_DROP, fault);
	worker = bpf_map_lookup_elem(&xl_buckets, &bucket);
	return to_worker(ctx, worker ? *worker : XLANE_WORKERS_MAX, XLANE_BPF_REDIRECTED);
}

static __always_inline int classify(const struct xdp_md *ctx, struct cursor *c)
{
	__u16 ethertype = 0;
	enum xlane_bpf_counter fault = parse_link(c, &ethertype);
	__u32 key = ethertype, *hook, argument;

	if (fault != PARSED)
		return verdict(fault == XLANE_BPF_DEEP_VLAN ? XDP_PASS : XDP_DROP, fault);
	hook = bpf_map_lookup_elem(&xl_hooks, &key);
	argument = hook ? *hook >> 8 : 0;
	switch (hook ? *hook & 0xff : XLANE_HOOK_PASS) {
	case XLANE_HOOK_PASS:
		return verdict(XDP_PASS, XLANE_BPF_OTHER_PASSED);
	case XLANE_HOOK_XLANE:
		return classify_xlane(ctx, c);
	case XLANE_HOOK_STEER:
		if (argument < XLANE_WORKERS_MAX)
			return to_worker(ctx, argument, XLANE_BPF_STEERED);
		break;
	case XLANE_HOOK_DROP:
		return verdict(XDP_DROP, XLANE_BPF_HOOK_DROPPED);
	}
	return verdict(XDP_PASS, XLANE_BPF_BAD_HOOK);
}

#endif
