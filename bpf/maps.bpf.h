/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* maps.bpf.h - the maps of include/xlane/bpf_abi.h, pinned by name so that a reload finds the same ones. */
#ifndef XLANE_MAPS_BPF_H
#define XLANE_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <xlane/bpf_abi.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} xl_hooks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XLANE_BUCKETS);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} xl_buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, XLANE_XSK_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} xl_socks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xlane_bpf_config);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} xl_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XLANE_BPF_COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} xl_counters SEC(".maps");

/* Raise the one counter that belongs to a verdict, and return the verdict: so that neither goes without the other. */
static __always_inline int verdict(int action, enum xlane_bpf_counter reason)
{
	__u32 key = reason;
	__u64 *value = bpf_map_lookup_elem(&xl_counters, &key);

	if (value)
		(*value)++;
	return action;
}

#endif
