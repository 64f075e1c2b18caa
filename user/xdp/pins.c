// SPDX-License-Identifier: BSD-2-Clause
/* pins.c - the directories that pins live in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netns.h"
#include "pins.h"
#include "program.h"
#include "stale.h"

#define NETNS_PREFIX "netns:"
#define NETNS_NAMES "/run/netns"

#define STRING2(x) #x
#define STRING(x) STRING2(x)
#define ABI_DIR "xlane/" STRING(XLANE_BPF_ABI)

/* Inode of this network namespace; 0 for the initial one. The initial one is known by a setting that the kernel shows
 * only there: process 1 may be in another namespace, or not be ours to look at. */
static unsigned long long own_netns(void)
{
	struct stat self;

	if (!access("/proc/sys/net/core/dev_weight", F_OK) || stat("/proc/self/ns/net", &self))
		return 0;
	return self.st_ino;
}

int xl_pins_dir(const char *root, const char *ifname, bool plain, char dir[XL_PIN_DIR_BYTES])
{
	unsigned long long netns = plain ? 0 : own_netns();
	int n;

	if (!*ifname || strchr(ifname, '/') || !strcmp(ifname, ".") || !strcmp(ifname, ".."))
		return -EINVAL;
	n = netns ? snprintf(dir, XL_PIN_DIR_BYTES, "%s/" ABI_DIR "/" NETNS_PREFIX "%llu/%s", root, netns, ifname)
		  : snprintf(dir, XL_PIN_DIR_BYTES, "%s/" ABI_DIR "/%s", root, ifname);
	return n < XL_PIN_DIR_BYTES ? 0 : -ENAMETOOLONG;
}

int xl_pins_make(const char *root, const char *dir)
{
	char path[XL_PIN_DIR_BYTES];

	for (size_t at = strlen(root) + 1; at <= strlen(dir); at++) {
		if (dir[at] != '/' && dir[at])
			continue;
		snprintf(path, sizeof path, "%.*s", (int)at, dir);
		if (mkdir(path, 0700) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* rmdir `dir` and its parents, as long as they are empty, up to but without `root`. */
static void remove_empty(const char *root, const char *dir)
{
	char path[XL_PIN_DIR_BYTES];

	snprintf(path, sizeof path, "%s", dir);
	while (strlen(path) > strlen(root) && !rmdir(path))
		*strrchr(path, '/') = '\0';
}

int xl_pins_remove(const char *root, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;
	int err = 0;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) && !err)
			err = -errno;
	}
	closedir(d);
	remove_empty(root, dir);
	if (!err && !stat(dir, &st))
		err = -ENOTEMPTY;
	return err;
}

static bool netns_has_name(unsigned long long inode)
{
	char path[512];
	DIR *d = opendir(NETNS_NAMES);
	struct dirent *e;
	struct stat st;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		snprintf(path, sizeof path, NETNS_NAMES "/%s", e->d_name);
		found = !stat(path, &st) && st.st_ino == inode;
	}
	if (d)
		closedir(d);
	return found;
}

bool xl_pins_hold(const char *root, const char *ifname, const u32 id[XL_MAP_COUNT], char dir[XL_PIN_DIR_BYTES])
{
	u32 pinned[XL_MAP_COUNT];
	struct xl_maps maps;
	bool same = false;

	for (int plain = 0; plain < 2 && !same; plain++) {
		if (xl_pins_dir(root, ifname, plain, dir) || xl_maps_open_dir(&maps, dir))
			continue;
		same = !xl_maps_ids(&maps, pinned) && !memcmp(pinned, id, sizeof pinned);
		xl_maps_close(&maps);
	}
	return same;
}

bool xl_pins_unused(const char *dir)
{
	u32 id[XL_MAP_COUNT];
	struct xl_maps maps;
	int err = xl_maps_open_dir(&maps, dir);

	if (err)
		return err == -ENOENT || err == -EPROTO;
	err = xl_maps_ids(&maps, id);
	xl_maps_close(&maps);
	return !err && !xl_program_uses_map(id[XL_MAP_SOCKETS]);
}

bool xl_pins_free(const char *root, const char *dir)
{
	u32 id[XL_MAP_COUNT];
	struct xl_maps maps;
	int err = xl_maps_open_dir(&maps, dir);

	if (err)
		return err == -ENOENT || err == -EPROTO;
	err = xl_maps_ids(&maps, id);
	xl_maps_close(&maps);
	if (err)
		return false;
	xl_stale_remove(root, id[XL_MAP_SOCKETS]);
	return !xl_program_keeps_map(id[XL_MAP_SOCKETS]);
}

static void sweep_netns(const char *root, const char *netns, bool dead)
{
	char dir[XL_PIN_DIR_BYTES];
	DIR *d;
	struct dirent *e;

	if (snprintf(dir, sizeof dir, "%s/" ABI_DIR "/%s", root, netns) >= (int)sizeof dir)
		return;
	d = opendir(dir);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.' ||
		    snprintf(dir, sizeof dir, "%s/" ABI_DIR "/%s/%s", root, netns, e->d_name) >= (int)sizeof dir)
			continue;
		if (dead ? xl_pins_free(root, dir) : xl_pins_unused(dir))
			xl_pins_remove(root, dir);
	}
	if (d)
		closedir(d);
}

void xl_pins_sweep(const char *root)
{
	char path[XL_PIN_DIR_BYTES];
	unsigned long long inode;
	DIR *d;
	struct dirent *e;

	snprintf(path, sizeof path, "%s/" ABI_DIR, root);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (strncmp(e->d_name, NETNS_PREFIX, strlen(NETNS_PREFIX)))
			continue;
		inode = strtoull(e->d_name + strlen(NETNS_PREFIX), NULL, 10);
		if (inode != own_netns() && !netns_has_name(inode))
			sweep_netns(root, e->d_name, xl_netns_dead(inode));
	}
	if (d)
		closedir(d);
}
