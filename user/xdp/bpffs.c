// SPDX-License-Identifier: BSD-2-Clause
/* bpffs.c - finding, mounting, locking and unmounting a BPF file system. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bpffs.h"

#define OWN_PARENT "/run/xlane"

static const char *place_path(enum xl_bpffs_place place)
{
	switch (place) {
	case XL_BPFFS_ENVIRONMENT:
		return getenv("LIBXDP_BPFFS");
	case XL_BPFFS_SYSTEM:
		return "/sys/fs/bpf";
	default:
		return XL_BPFFS_OWN;
	}
}

static int lock_root(struct xl_bpffs *b)
{
	while (flock(b->fd, LOCK_EX)) {
		if (errno == EINTR)
			continue;
		close(b->fd);
		b->fd = -1;
		return -ENOLCK;
	}
	b->locked = true;
	return 0;
}

/* The type is asked of the open directory, not of the path: what is locked is then what was checked, and an open root
 * keeps another process from unmounting it. */
int xl_bpffs_open_at(struct xl_bpffs *b, enum xl_bpffs_place place, bool lock)
{
	const char *path = place_path(place);
	struct statfs fs;
	size_t len;

	b->fd = -1;
	b->locked = false;
	b->place = place;
	if (!path || !*path)
		return -ENOENT;
	if (snprintf(b->path, sizeof b->path, "%s", path) >= (int)sizeof b->path)
		return -ENAMETOOLONG;
	for (len = strlen(b->path); len > 1 && b->path[len - 1] == '/'; len--)
		b->path[len - 1] = '\0';
	b->fd = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->fd < 0)
		return -errno;
	if (fstatfs(b->fd, &fs) || fs.f_type != BPF_FS_MAGIC) {
		close(b->fd);
		b->fd = -1;
		return -ENOENT;
	}
	return lock ? lock_root(b) : 0;
}

/* Who mounts or unmounts our own bpffs holds a lock on the directory above it, or two would mount one over the other.
 * The directory may be removed while its lock is waited for: then it is made anew. */
static int lock_parent(void)
{
	struct stat st;
	int fd, err;

	for (;;) {
		if (mkdir(OWN_PARENT, 0755) && errno != EEXIST)
			return -errno;
		fd = open(OWN_PARENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -errno;
		err = flock(fd, LOCK_EX) || fstat(fd, &st) ? -errno : 0;
		if (!err && st.st_nlink)
			return fd;
		close(fd);
		if (err && err != -EINTR)
			return err;
	}
}

static void remove_own_directories(void)
{
	rmdir(XL_BPFFS_OWN);
	rmdir(OWN_PARENT);
}

static int mount_own(void)
{
	if (mkdir(XL_BPFFS_OWN, 0700) && errno != EEXIST)
		return -errno;
	return mount("bpf", XL_BPFFS_OWN, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") ? -errno : 0;
}

/* Open it, after mounting it when it is not there. It is locked when the directory above is not any more: who holds
 * the lock of the one may ask for the lock of the other. Once open, nobody unmounts it. */
static int open_own(struct xl_bpffs *b)
{
	int err, parent = lock_parent();

	if (parent < 0)
		return parent;
	err = xl_bpffs_open_at(b, XL_BPFFS_OWN_MOUNT, false);
	if (err == -ENOENT)
		err = mount_own();
	if (!err && b->fd < 0)
		err = xl_bpffs_open_at(b, XL_BPFFS_OWN_MOUNT, false);
	if (err)
		remove_own_directories();
	close(parent);
	return err ? err : lock_root(b);
}

int xl_bpffs_open(struct xl_bpffs *b, char *why, size_t why_bytes)
{
	const char *wanted = getenv("LIBXDP_BPFFS");
	int err;

	if (wanted && *wanted) {
		err = xl_bpffs_open_at(b, XL_BPFFS_ENVIRONMENT, true);
		if (err)
			snprintf(why, why_bytes,
				 "LIBXDP_BPFFS names %s, which is not a BPF file system that can be used; unset it "
				 "or run `mount -t bpf bpf %s`", wanted, wanted);
		return err;
	}
	if (!xl_bpffs_open_at(b, XL_BPFFS_SYSTEM, true))
		return 0;
	err = open_own(b);
	if (err)
		snprintf(why, why_bytes,
			 "no BPF file system is mounted at /sys/fs/bpf, and mounting one at %s failed (%s); run "
			 "`mount -t bpf bpf /sys/fs/bpf` as root",
			 XL_BPFFS_OWN, strerror(-err));
	return err;
}

/* Nothing but the kernel's own entries (progs.debug, maps.debug) and libxdp's empty directory. */
static bool nothing_pinned(const char *path)
{
	char libxdp[XL_BPFFS_PATH_BYTES + 8];
	DIR *dir = opendir(path);
	struct dirent *e;
	bool empty = dir != NULL;

	snprintf(libxdp, sizeof libxdp, "%s/xdp", path);
	rmdir(libxdp);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && !strstr(e->d_name, ".debug"))
			empty = false;
	if (dir)
		closedir(dir);
	return empty;
}

void xl_bpffs_close(struct xl_bpffs *b)
{
	int parent = -1;

	if (b->fd < 0)
		return;
	if (b->locked && b->place == XL_BPFFS_OWN_MOUNT && nothing_pinned(b->path))
		parent = lock_parent();
	close(b->fd);
	b->fd = -1;
	if (parent < 0)
		return;
	/* Refused while another process has it open: then that one unmounts it. */
	if (!umount2(XL_BPFFS_OWN, UMOUNT_NOFOLLOW))
		remove_own_directories();
	close(parent);
}

void xl_bpffs_tidy(void)
{
	int parent;

	if (access(OWN_PARENT, F_OK))
		return;
	parent = lock_parent();
	if (parent < 0)
		return;
	remove_own_directories();
	close(parent);
}
