// SPDX-License-Identifier: BSD-2-Clause
/* rig.c - loading the demux program and running frames through it and its twin. */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "rig.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif

static const char *const names[XLANE_BPF_COUNTER_COUNT] = {
#define NAME(name, key, text) [XLANE_BPF_##name] = key,
	XLANE_BPF_COUNTERS(NAME)
};

const char *rig_counter_name(enum xlane_bpf_counter counter)
{
	return counter < XLANE_BPF_COUNTER_COUNT ? names[counter] : "none";
}

/* A test can not go on after one of these fails: what follows would compare two different set-ups. */
static void must(int err, const char *what)
{
	if (!err)
		return;
	printf("Bail out! %s: %s\n", what, strerror(-err));
	exit(1);
}

const char *rig_namespace(struct rig *r)
{
	char command[160];

	libbpf_set_print(NULL);   /* it grumbles about the metadata that is meant for xdp-loader */

	if (geteuid())
		return "needs root";
	if (unshare(CLONE_NEWNET))
		return "no network namespaces";
	snprintf(command, sizeof command,
		 "ip link add rig0 numrxqueues %u numtxqueues 1 type veth peer name rig1 numtxqueues 1", RIG_QUEUES);
	if (system(command))
		return "no veth devices";
	r->ifindex = if_nametoindex("rig0");
	r->xsk_fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	return r->xsk_fd < 0 ? "no AF_XDP sockets" : NULL;
}

static int open_maps(struct rig *r)
{
	for (u32 map = 0; map < XL_MAP_COUNT; map++) {
		int fd = bpf_object__find_map_fd_by_name(r->object, xl_map_name(map));

		r->maps.fd[map] = fd < 0 ? -1 : dup(fd);
		if (r->maps.fd[map] < 0)
			return -ENOENT;
	}
	return 0;
}

int rig_load(struct rig *r, const char *object)
{
	struct bpf_map *map;
	int err;

	memset(r->hooks, 0, sizeof r->hooks);
	memset(r->buckets, 0, sizeof r->buckets);
	memset(r->sockets, 0, sizeof r->sockets);
	memset(r->counters, 0, sizeof r->counters);
	memset(&r->config, 0, sizeof r->config);
	r->object = bpf_object__open_file(object, NULL);
	if (!r->object)
		return -errno;
	bpf_object__for_each_map(map, r->object)
		bpf_map__set_pin_path(map, NULL);
	err = bpf_object__load(r->object);
	if (err)
		goto close;
	r->prog_fd = bpf_program__fd(bpf_object__next_program(r->object, NULL));
	err = open_maps(r);
	if (!err)
		return 0;
	xl_maps_close(&r->maps);
close:
	bpf_object__close(r->object);
	return err;
}

void rig_unload(struct rig *r)
{
	xl_maps_close(&r->maps);
	bpf_object__close(r->object);
}

void rig_set_hook(struct rig *r, u16 ethertype, u32 hook)
{
	r->hooks[ethertype] = hook;
	must(xl_maps_set_hook(&r->maps, ethertype, hook), "hook");
}

void rig_set_bucket(struct rig *r, u32 bucket, u32 worker)
{
	r->buckets[bucket] = worker;
	must(xl_maps_set_bucket(&r->maps, bucket, worker), "bucket");
}

/* The kernel takes an AF_XDP socket that is not bound: nothing is delivered in a test run. */
void rig_set_socket(struct rig *r, u32 queue, u32 worker, bool filled)
{
	r->sockets[queue * XLANE_WORKERS_MAX + worker] = filled;
	must(filled ? xl_maps_set_slot(&r->maps, queue, worker, r->xsk_fd) :
		      xl_maps_clear_slot(&r->maps, queue, worker),
	     "slot");
}

void rig_set_config(struct rig *r, bool armed, bool absent_drop)
{
	r->config = (struct xlane_bpf_config){ .armed = armed, .absent_drop = absent_drop };
	must(xl_maps_set_config(&r->maps, &r->config), "config");
}

static int run_kernel(const struct rig *r, const u8 *frame, u32 bytes, u32 queue)
{
	struct xdp_md context = { .data_end = bytes, .ingress_ifindex = r->ifindex, .rx_queue_index = queue };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = bytes, .ctx_in = &context,
		    .ctx_size_in = sizeof context, .repeat = 1);

	return bpf_prog_test_run_opts(r->prog_fd, &opts) ? -errno : (int)opts.retval;
}

struct rig_outcome rig_check(struct rig *r, const u8 *frame, u32 bytes, u32 queue)
{
	static const int actions[] = {
		[XL_DEMUX_PASS] = XDP_PASS, [XL_DEMUX_DROP] = XDP_DROP, [XL_DEMUX_REDIRECT] = XDP_REDIRECT,
	};
	struct xl_demux_tables tables = { r->hooks, r->buckets, r->sockets, r->config };
	u64 after[XLANE_BPF_COUNTER_COUNT];
	struct rig_outcome o;

	o.twin = xl_demux_classify(&tables, frame, xl_min(bytes, RIG_LINEAR_MAX), bytes, queue);
	o.kernel = run_kernel(r, frame, bytes, queue);
	must(xl_maps_get_counters(&r->maps, after), "counters");
	o.one_counter = true;
	for (u32 i = 0; i < XLANE_BPF_COUNTER_COUNT; i++)
		if (after[i] - r->counters[i] != (i == o.twin.counter))
			o.one_counter = false;
	memcpy(r->counters, after, sizeof after);
	o.same = o.one_counter && o.kernel == actions[o.twin.verdict];
	return o;
}
