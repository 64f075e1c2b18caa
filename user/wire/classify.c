/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "classify.h"

static struct xl_demux_result pass(enum xlane_bpf_counter why)
{
	return (struct xl_demux_result){ .verdict = XL_DEMUX_PASS, .counter = why };
}

static struct xl_demux_result drop(enum xlane_bpf_counter why)
{
	return (struct xl_demux_result){ .verdict = XL_DEMUX_DROP, .counter = why };
}

static struct xl_demux_result to_worker(const struct xl_demux_tables *t, u32 queue, u32 worker,
					enum xlane_bpf_counter why)
{
	u64 slot = (u64)queue * XLANE_WORKERS_MAX + worker;

	if (t->config.armed && worker < XLANE_WORKERS_MAX && queue < XLANE_QUEUES_MAX && t->sockets[slot])
		return (struct xl_demux_result){ .verdict = XL_DEMUX_REDIRECT, .counter = why, .slot = (u32)slot };
	return t->config.absent_drop ? drop(XLANE_BPF_ABSENT_DROPPED) : pass(XLANE_BPF_ABSENT_PASSED);
}

static enum xlane_bpf_counter outer_counter(enum xl_outer_verdict v)
{
	static const u8 counter[XL_OUTER_VERDICTS] = {
		[XL_OUTER_SHORT] = XLANE_BPF_SHORT_OUTER,
		[XL_OUTER_BAD_VERSION] = XLANE_BPF_BAD_VERSION,
		[XL_OUTER_BAD_TYPE] = XLANE_BPF_BAD_TYPE,
		[XL_OUTER_BAD_FLAGS] = XLANE_BPF_BAD_FLAGS,
		[XL_OUTER_BAD_LENGTH] = XLANE_BPF_BAD_LENGTH,
		[XL_OUTER_BAD_EXTENSION] = XLANE_BPF_BAD_EXTENSION,
	};

	return counter[v];
}

/* As xl_outer_parse, where only the first `linear` of `len` bytes can be read, as in the kernel when a frame spans
 * buffers: headers must lie in the first one, whatever the frame's length. */
static enum xl_outer_verdict outer_parse(const u8 *p, u64 linear, u64 len, struct xl_outer *out)
{
	u8 head[XLANE_OUTER_BYTES + XLANE_EXT_BYTES] = { 0 };
	enum xl_outer_verdict v;

	memcpy(head, p, xl_min(linear, sizeof head));
	v = xl_outer_parse(head, linear < XLANE_OUTER_BYTES ? linear : len, out);
	if (v == XL_OUTER_OK && xl_outer_bytes(out->flags) > linear)
		return XL_OUTER_BAD_EXTENSION;
	return v;
}

struct xl_demux_result xl_demux_classify(const struct xl_demux_tables *t, const u8 *p, u64 linear, u64 len, u32 queue)
{
	struct xl_ether ether;
	struct xl_outer outer;
	enum xl_outer_verdict v;
	u32 hook, skip;

	switch (xl_ether_parse(p, linear, &ether)) {
	case XL_ETHER_OK:
		break;
	case XL_ETHER_SHORT:
		return drop(XLANE_BPF_SHORT_ETHER);
	case XL_ETHER_DEEP_VLAN:
		return pass(XLANE_BPF_DEEP_VLAN);
	}
	hook = t->hooks[ether.ethertype];
	switch (hook & 0xff) {
	case XLANE_HOOK_PASS:
		return pass(XLANE_BPF_OTHER_PASSED);
	case XLANE_HOOK_DROP:
		return drop(XLANE_BPF_HOOK_DROPPED);
	case XLANE_HOOK_STEER:
		if (hook >> 8 >= XLANE_WORKERS_MAX)
			return pass(XLANE_BPF_BAD_HOOK);
		return to_worker(t, queue, hook >> 8, XLANE_BPF_STEERED);
	case XLANE_HOOK_XLANE:
		skip = xl_ether_bytes(&ether);
		v = outer_parse(p + skip, linear - skip, len - skip, &outer);
		if (v != XL_OUTER_OK)
			return drop(outer_counter(v));
		return to_worker(t, queue, t->buckets[p[skip + XLANE_OUTER_BUCKET]], XLANE_BPF_REDIRECTED);
	default:
		return pass(XLANE_BPF_BAD_HOOK);
	}
}
