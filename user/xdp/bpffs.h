/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpffs.h - a BPF file system to pin in: the one that is there, or one of our own.
 *
 * In this order: LIBXDP_BPFFS when it is set, /sys/fs/bpf when a bpffs really is mounted there (it may be absent, or
 * hidden by another mount), /run/xlane/bpf, which is mounted when asked for. Who attaches or detaches holds a lock on
 * the root directory; that is all the state there is, so nothing stays after a crash but an empty mount.
 */
#ifndef XL_XDP_BPFFS_H
#define XL_XDP_BPFFS_H

#include "../base/types.h"

#define XL_BPFFS_OWN "/run/xlane/bpf"
#define XL_BPFFS_PATH_BYTES 128

enum xl_bpffs_place { XL_BPFFS_ENVIRONMENT, XL_BPFFS_SYSTEM, XL_BPFFS_OWN_MOUNT, XL_BPFFS_PLACES };

struct xl_bpffs {
	int fd;                          /* its root directory */
	char path[XL_BPFFS_PATH_BYTES];  /* without a slash at the end */
	enum xl_bpffs_place place;
	bool locked;
};

/* Open the bpffs at one place; `lock` waits for the lock and takes it. -ENOENT: there is none. */
int xl_bpffs_open_at(struct xl_bpffs *b, enum xl_bpffs_place place, bool lock);
/* Open and lock the first that there is; else mount our own. On failure `why` holds one line. */
int xl_bpffs_open(struct xl_bpffs *b, char *why, size_t why_bytes);
/* Unlock; unmount our own when it was locked and nothing is pinned in it. */
void xl_bpffs_close(struct xl_bpffs *b);
/* Remove the empty directories of our own mount when it is gone: it ends with the mount namespace that it was made in
 * (`ip netns exec` runs each command in one of its own). */
void xl_bpffs_tidy(void);

#endif
