/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "queues.h"

static int from_driver(const char *ifname, u32 *rx, u32 *tx)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ifr = { .ifr_data = (void *)&channels };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	strncpy(ifr.ifr_name, ifname, IFNAMSIZ - 1);
	err = ioctl(fd, SIOCETHTOOL, &ifr) ? -errno : 0;
	close(fd);
	if (err)
		return err;
	*rx = channels.combined_count + channels.rx_count;
	*tx = channels.combined_count + channels.tx_count;
	return *rx && *tx ? 0 : -ENODATA;
}

/* sysfs shows the network namespace in which it was mounted, which need not be ours. */
static bool sysfs_is_ours(const char *ifname)
{
	char path[64], line[16] = "";
	FILE *f;

	snprintf(path, sizeof path, "/sys/class/net/%s/ifindex", ifname);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof line, f))
		line[0] = 0;
	fclose(f);
	return strtoul(line, NULL, 10) == if_nametoindex(ifname);
}

static int from_sysfs(const char *ifname, u32 *rx, u32 *tx)
{
	char path[64];
	DIR *dir;

	if (!sysfs_is_ours(ifname))
		return -ENOENT;
	snprintf(path, sizeof path, "/sys/class/net/%s/queues", ifname);
	dir = opendir(path);
	if (!dir)
		return -errno;
	*rx = *tx = 0;
	for (struct dirent *e; (e = readdir(dir)); ) {
		*rx += !strncmp(e->d_name, "rx-", 3);
		*tx += !strncmp(e->d_name, "tx-", 3);
	}
	closedir(dir);
	return *rx && *tx ? 0 : -ENODATA;
}

int xl_queues_count(const char *ifname, u32 *rx, u32 *tx)
{
	if (strlen(ifname) >= IFNAMSIZ || !if_nametoindex(ifname))
		return -ENODEV;
	if (from_driver(ifname, rx, tx) && from_sysfs(ifname, rx, tx))
		*rx = *tx = 1;
	return 0;
}
