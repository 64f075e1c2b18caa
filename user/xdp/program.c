// SPDX-License-Identifier: BSD-2-Clause
/* program.c - finding the demultiplexer by asking the kernel for programs, links and maps. */
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <xdp/prog_dispatcher.h>

#include "program.h"

#define MAPS_MAX 64                /* maps of one program that are looked at */
#define LET_GO_MS 1000             /* for the kernel to free a program */
#define LET_GO_LOOKS 200
#define NAME_BYTES 16              /* BPF_OBJ_NAME_LEN: the kernel cuts names at 15 characters */
#define DISPATCHER_NAME "xdp_dispatcher"
#define FRAGS_NAME "xlane_demux"
#define LINEAR_NAME "xlane_demux_lin"

static const struct { const char *name; u32 flag; } modes[] = {
	[XL_XDP_NONE] = { "none", 0 },
	[XL_XDP_NATIVE] = { "native", XDP_FLAGS_DRV_MODE },
	[XL_XDP_SKB] = { "skb", XDP_FLAGS_SKB_MODE },
	[XL_XDP_HARDWARE] = { "hardware", XDP_FLAGS_HW_MODE },
};

const char *xl_xdp_mode_name(enum xl_xdp_mode mode)
{
	return modes[mode].name;
}

u32 xl_xdp_mode_flag(enum xl_xdp_mode mode)
{
	return modes[mode].flag;
}

struct loaded {
	u32 type, maps;
	char name[NAME_BYTES];
	u32 map_id[MAPS_MAX];
};

static int load_info(u32 id, struct loaded *out)
{
	struct bpf_prog_info info = { 0 };
	u32 bytes = sizeof info;
	int err = 0, fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return -errno;
	memset(out, 0, sizeof *out);
	info.nr_map_ids = MAPS_MAX;
	info.map_ids = (u64)(unsigned long)out->map_id;
	if (bpf_obj_get_info_by_fd(fd, &info, &bytes))
		err = -errno;
	close(fd);
	out->type = info.type;
	out->maps = info.nr_map_ids < MAPS_MAX ? info.nr_map_ids : MAPS_MAX;
	memcpy(out->name, info.name, NAME_BYTES - 1);
	return err;
}

static bool is_demux(const struct loaded *p)
{
	return (p->type == BPF_PROG_TYPE_XDP || p->type == BPF_PROG_TYPE_EXT) &&
	       (!strcmp(p->name, FRAGS_NAME) || !strcmp(p->name, LINEAR_NAME));
}

static int map_name(u32 id, char name[NAME_BYTES])
{
	struct bpf_map_info info = { 0 };
	u32 bytes = sizeof info;
	int err = 0, fd = bpf_map_get_fd_by_id(id);

	if (fd < 0)
		return -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &bytes))
		err = -errno;
	close(fd);
	memcpy(name, info.name, NAME_BYTES);
	return err;
}

static int take_demux(struct xl_program *out, u32 id, const struct loaded *p)
{
	char name[NAME_BYTES];
	int err;

	out->demux_id = id;
	memcpy(out->demux_name, p->name, NAME_BYTES);
	out->frags = !strcmp(p->name, FRAGS_NAME);
	memset(out->map_id, 0, sizeof out->map_id);
	for (u32 i = 0; i < p->maps; i++) {
		err = map_name(p->map_id[i], name);
		if (err)
			return err;
		if (xl_map_by_name(name) < XL_MAP_COUNT)
			out->map_id[xl_map_by_name(name)] = p->map_id[i];
	}
	return 0;
}

/* Target and program of one link; false: it is none of a program into another program, or gone again. */
static bool extension_link(u32 link_id, u32 *target_id, u32 *prog_id)
{
	struct bpf_link_info info = { 0 };
	u32 bytes = sizeof info;
	int fd = bpf_link_get_fd_by_id(link_id);
	bool ok;

	if (fd < 0)
		return false;
	ok = !bpf_obj_get_info_by_fd(fd, &info, &bytes) && info.type == BPF_LINK_TYPE_TRACING;
	close(fd);
	*target_id = info.tracing.target_obj_id;
	*prog_id = info.prog_id;
	return ok;
}

/* libxdp writes the dispatcher's configuration into its read-only data. */
static bool dispatcher_frags(const struct loaded *dispatcher)
{
	struct xdp_dispatcher_config config = { 0 };
	u32 key = 0, bytes = sizeof(struct bpf_map_info);
	struct bpf_map_info info = { 0 };
	int fd = dispatcher->maps ? bpf_map_get_fd_by_id(dispatcher->map_id[0]) : -1;
	bool frags;

	if (fd < 0)
		return false;
	frags = !bpf_obj_get_info_by_fd(fd, &info, &bytes) && info.value_size == sizeof config &&
		!bpf_map_lookup_elem(fd, &key, &config) && config.magic == XDP_DISPATCHER_MAGIC && config.is_xdp_frags;
	close(fd);
	return frags;
}

/* The newest demux among the programs linked into the dispatcher: an upgrade has two of them for a moment. */
static int find_chained(struct xl_program *out, const struct loaded *dispatcher)
{
	u32 link = 0, target, id;
	struct loaded p;
	int err = 0;

	while (!err && !bpf_link_get_next_id(link, &link)) {
		if (!extension_link(link, &target, &id) || target != out->top_id)
			continue;
		out->chained++;
		if (id > out->demux_id && !load_info(id, &p) && is_demux(&p))
			err = take_demux(out, id, &p);
	}
	out->frags = out->frags && dispatcher_frags(dispatcher);
	return err;
}

static void take_top(struct xl_program *out, const struct bpf_xdp_query_opts *q)
{
	if (q->hw_prog_id) {
		out->top_id = q->hw_prog_id;
		out->mode = XL_XDP_HARDWARE;
	} else if (q->drv_prog_id) {
		out->top_id = q->drv_prog_id;
		out->mode = XL_XDP_NATIVE;
	} else if (q->skb_prog_id) {
		out->top_id = q->skb_prog_id;
		out->mode = XL_XDP_SKB;
	}
}

int xl_program_find(const char *ifname, struct xl_program *out)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct loaded p;
	int err;

	memset(out, 0, sizeof *out);
	out->ifindex = if_nametoindex(ifname);
	if (!out->ifindex)
		return -ENODEV;
	err = bpf_xdp_query(out->ifindex, 0, &query);
	if (err)
		return err;
	take_top(out, &query);
	if (!out->top_id)
		return 0;
	err = load_info(out->top_id, &p);
	if (err)
		return err;
	memcpy(out->top_name, p.name, NAME_BYTES);
	if (is_demux(&p))
		return take_demux(out, out->top_id, &p);
	out->dispatcher = !strcmp(p.name, DISPATCHER_NAME);
	return out->dispatcher ? find_chained(out, &p) : 0;
}

static bool demux_has_map(const struct loaded *p, u32 map_id)
{
	for (u32 i = 0; i < p->maps && is_demux(p); i++)
		if (p->map_id[i] == map_id)
			return true;
	return false;
}

bool xl_program_uses_map(u32 map_id)
{
	struct loaded p;
	u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id))
		if (!load_info(id, &p) && demux_has_map(&p, map_id))
			return true;
	return false;
}

bool xl_program_keeps_map(u32 map_id)
{
	const struct timespec moment = { .tv_nsec = LET_GO_MS * 1000000 / LET_GO_LOOKS };

	for (int i = 0; i < LET_GO_LOOKS && xl_program_uses_map(map_id); i++)
		nanosleep(&moment, NULL);
	return xl_program_uses_map(map_id);
}

bool xl_program_pinned_uses_map(const char *path, u32 map_id)
{
	struct bpf_prog_info info = { 0 };
	u32 bytes = sizeof info;
	struct loaded p;
	int fd = bpf_obj_get(path);
	bool uses;

	if (fd < 0)
		return false;
	uses = !bpf_obj_get_info_by_fd(fd, &info, &bytes) && !load_info(info.id, &p) && demux_has_map(&p, map_id);
	close(fd);
	return uses;
}
