/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps.h - the demultiplexer's maps, as a set of open descriptors (bpf_abi.h says what is in them).
 *
 * A set is opened whole or not at all. Descriptors are close-on-exec and the set's. Errors are negative errno values;
 * -EPROTO: a map is missing or has another type or size than this ABI says. Writers of one interface's configuration
 * (attach, join, leave) read, change and write it without a lock: the last one wins.
 */
#ifndef XL_XDP_MAPS_H
#define XL_XDP_MAPS_H

#include <xlane/bpf_abi.h>
#include "../base/types.h"

enum xl_map { XL_MAP_HOOKS, XL_MAP_BUCKETS, XL_MAP_SOCKETS, XL_MAP_CONFIG, XL_MAP_COUNTERS, XL_MAP_COUNT };

struct xl_maps { int fd[XL_MAP_COUNT]; };

const char *xl_map_name(enum xl_map map);
/* XL_MAP_COUNT when the name is not one of ours. */
enum xl_map xl_map_by_name(const char *name);

/* By the ids of a program's maps; 0 stands for a missing one. Needs CAP_SYS_ADMIN (-EPERM). */
int xl_maps_open_ids(struct xl_maps *m, const u32 id[XL_MAP_COUNT]);
/* By the pins in a directory: -ENOENT when there are none at all, -EPROTO when there are some. */
int xl_maps_open_dir(struct xl_maps *m, const char *dir);
void xl_maps_close(struct xl_maps *m);
/* Ids of the open maps. */
int xl_maps_ids(const struct xl_maps *m, u32 id[XL_MAP_COUNT]);
/* Pin each under its name in an existing directory of a bpffs; what was pinned is removed again on failure. */
int xl_maps_pin(const struct xl_maps *m, const char *dir);

int xl_maps_set_hook(const struct xl_maps *m, u16 ethertype, u32 hook);
/* All hooks, by host-order ethertype. */
int xl_maps_get_hooks(const struct xl_maps *m, u32 hooks[65536]);
int xl_maps_set_bucket(const struct xl_maps *m, u32 bucket, u32 worker);
int xl_maps_get_buckets(const struct xl_maps *m, u32 workers[XLANE_BUCKETS]);
int xl_maps_set_slot(const struct xl_maps *m, u32 queue, u32 worker, int xsk_fd);
/* An empty slot is no error. */
int xl_maps_clear_slot(const struct xl_maps *m, u32 queue, u32 worker);
int xl_maps_get_config(const struct xl_maps *m, struct xlane_bpf_config *out);
int xl_maps_set_config(const struct xl_maps *m, const struct xlane_bpf_config *config);
/* Summed over CPUs. */
int xl_maps_get_counters(const struct xl_maps *m, u64 out[XLANE_BPF_COUNTER_COUNT]);

#endif
