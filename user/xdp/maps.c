// SPDX-License-Identifier: BSD-2-Clause
/* maps.c - opening, checking, pinning, reading and writing the demultiplexer's maps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "maps.h"

#define PIN_PATH_BYTES 512

static const struct {
	const char *name;
	u32 type, value_bytes, entries;
} specs[XL_MAP_COUNT] = {
	[XL_MAP_HOOKS] = { XLANE_MAP_HOOKS, BPF_MAP_TYPE_ARRAY, sizeof(u32), 65536 },
	[XL_MAP_BUCKETS] = { XLANE_MAP_BUCKETS, BPF_MAP_TYPE_ARRAY, sizeof(u32), XLANE_BUCKETS },
	[XL_MAP_SOCKETS] = { XLANE_MAP_SOCKETS, BPF_MAP_TYPE_XSKMAP, sizeof(u32), XLANE_XSK_SLOTS },
	[XL_MAP_CONFIG] = { XLANE_MAP_CONFIG, BPF_MAP_TYPE_ARRAY, sizeof(struct xlane_bpf_config), 1 },
	[XL_MAP_COUNTERS] = { XLANE_MAP_COUNTERS, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(u64), XLANE_BPF_COUNTER_COUNT },
};

const char *xl_map_name(enum xl_map map)
{
	return specs[map].name;
}

enum xl_map xl_map_by_name(const char *name)
{
	u32 map = 0;

	while (map < XL_MAP_COUNT && strcmp(specs[map].name, name))
		map++;
	return map;
}

static int map_info(int fd, struct bpf_map_info *info)
{
	u32 bytes = sizeof *info;

	memset(info, 0, sizeof *info);
	return bpf_obj_get_info_by_fd(fd, info, &bytes) ? -errno : 0;
}

static int check_map(const struct xl_maps *m, enum xl_map map)
{
	struct bpf_map_info info;
	int err = map_info(m->fd[map], &info);

	if (err)
		return err;
	if (info.type != specs[map].type || info.key_size != sizeof(u32) || info.value_size != specs[map].value_bytes ||
	    info.max_entries != specs[map].entries)
		return -EPROTO;
	return 0;
}

static void clear_set(struct xl_maps *m)
{
	for (u32 map = 0; map < XL_MAP_COUNT; map++)
		m->fd[map] = -1;
}

int xl_maps_open_ids(struct xl_maps *m, const u32 id[XL_MAP_COUNT])
{
	int err = 0;

	clear_set(m);
	for (u32 map = 0; map < XL_MAP_COUNT && !err; map++) {
		if (!id[map]) {
			err = -EPROTO;
			break;
		}
		m->fd[map] = bpf_map_get_fd_by_id(id[map]);
		err = m->fd[map] < 0 ? -errno : check_map(m, map);
	}
	if (err)
		xl_maps_close(m);
	return err;
}

static bool pin_path(char *path, const char *dir, enum xl_map map)
{
	return snprintf(path, PIN_PATH_BYTES, "%s/%s", dir, specs[map].name) < PIN_PATH_BYTES;
}

int xl_maps_open_dir(struct xl_maps *m, const char *dir)
{
	char path[PIN_PATH_BYTES];
	u32 there = 0;
	int err = 0, first = 0;

	clear_set(m);
	for (u32 map = 0; map < XL_MAP_COUNT; map++) {
		if (!pin_path(path, dir, map))
			return -ENAMETOOLONG;
		m->fd[map] = bpf_obj_get(path);
		err = m->fd[map] < 0 ? -errno : check_map(m, map);
		there += err != -ENOENT;
		first = first ? first : err;
	}
	if (!first)
		return 0;
	xl_maps_close(m);
	return first == -ENOENT && there ? -EPROTO : first;
}

void xl_maps_close(struct xl_maps *m)
{
	for (u32 map = 0; map < XL_MAP_COUNT; map++)
		if (m->fd[map] >= 0)
			close(m->fd[map]);
	clear_set(m);
}

int xl_maps_ids(const struct xl_maps *m, u32 id[XL_MAP_COUNT])
{
	struct bpf_map_info info;
	int err;

	for (u32 map = 0; map < XL_MAP_COUNT; map++) {
		err = map_info(m->fd[map], &info);
		if (err)
			return err;
		id[map] = info.id;
	}
	return 0;
}

int xl_maps_pin(const struct xl_maps *m, const char *dir)
{
	char path[PIN_PATH_BYTES];
	u32 map;
	int err = 0;

	for (map = 0; map < XL_MAP_COUNT; map++) {
		if (!pin_path(path, dir, map)) {
			err = -ENAMETOOLONG;
			goto unpin;
		}
		if (bpf_obj_pin(m->fd[map], path)) {
			err = -errno;
			goto unpin;
		}
	}
	return 0;
unpin:
	while (map--)
		if (pin_path(path, dir, map))
			unlink(path);
	return err;
}

static int update(int fd, u32 key, const void *value)
{
	return bpf_map_update_elem(fd, &key, value, BPF_ANY) ? -errno : 0;
}

static int lookup(int fd, u32 key, void *value)
{
	return bpf_map_lookup_elem(fd, &key, value) ? -errno : 0;
}

/* A whole array of u32: in one call where the kernel can (5.6), else one by one. */
static int lookup_all(int fd, u32 *values, u32 count)
{
	u32 got = count, next;
	u32 *keys = malloc(count * sizeof *keys);
	int err = keys ? 0 : -ENOMEM;

	if (!err && bpf_map_lookup_batch(fd, NULL, &next, keys, values, &got, NULL) && errno != ENOENT)
		for (u32 i = 0; i < count && !err; i++)
			err = lookup(fd, i, &values[i]);
	else if (!err && got != count)
		err = -EPROTO;
	free(keys);
	return err;
}

int xl_maps_set_hook(const struct xl_maps *m, u16 ethertype, u32 hook)
{
	return update(m->fd[XL_MAP_HOOKS], ethertype, &hook);
}

int xl_maps_get_hooks(const struct xl_maps *m, u32 hooks[65536])
{
	return lookup_all(m->fd[XL_MAP_HOOKS], hooks, 65536);
}

int xl_maps_set_bucket(const struct xl_maps *m, u32 bucket, u32 worker)
{
	return update(m->fd[XL_MAP_BUCKETS], bucket, &worker);
}

int xl_maps_get_buckets(const struct xl_maps *m, u32 workers[XLANE_BUCKETS])
{
	return lookup_all(m->fd[XL_MAP_BUCKETS], workers, XLANE_BUCKETS);
}

int xl_maps_set_slot(const struct xl_maps *m, u32 queue, u32 worker, int xsk_fd)
{
	return update(m->fd[XL_MAP_SOCKETS], queue * XLANE_WORKERS_MAX + worker, &xsk_fd);
}

int xl_maps_clear_slot(const struct xl_maps *m, u32 queue, u32 worker)
{
	u32 slot = queue * XLANE_WORKERS_MAX + worker;

	return bpf_map_delete_elem(m->fd[XL_MAP_SOCKETS], &slot) && errno != ENOENT ? -errno : 0;
}

int xl_maps_get_config(const struct xl_maps *m, struct xlane_bpf_config *out)
{
	return lookup(m->fd[XL_MAP_CONFIG], 0, out);
}

int xl_maps_set_config(const struct xl_maps *m, const struct xlane_bpf_config *config)
{
	return update(m->fd[XL_MAP_CONFIG], 0, config);
}

int xl_maps_get_counters(const struct xl_maps *m, u64 out[XLANE_BPF_COUNTER_COUNT])
{
	int cpus = libbpf_num_possible_cpus(), err = 0;
	u64 *each;

	if (cpus < 0)
		return cpus;
	each = calloc(cpus, sizeof *each);
	if (!each)
		return -ENOMEM;
	for (u32 counter = 0; counter < XLANE_BPF_COUNTER_COUNT && !err; counter++) {
		err = lookup(m->fd[XL_MAP_COUNTERS], counter, each);
		out[counter] = 0;
		for (int cpu = 0; cpu < cpus && !err; cpu++)
			out[counter] += each[cpu];
	}
	free(each);
	return err;
}
