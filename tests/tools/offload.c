// SPDX-License-Identifier: BSD-2-Clause
/*
 * offload.c - `offload INTERFACE...` turns off what a virtual interface leaves to a hardware that is not there: unfinished
 * checksums and oversized segments would otherwise reach the other hosts of a test as they are.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* What depends on others comes first. */
static const struct { unsigned int set, get; const char *name; } offloads[] = {
	{ ETHTOOL_STSO, ETHTOOL_GTSO, "TCP segmentation" },
	{ ETHTOOL_SGSO, ETHTOOL_GGSO, "generic segmentation" },
	{ ETHTOOL_SGRO, ETHTOOL_GGRO, "generic receive" },
	{ ETHTOOL_SSG, ETHTOOL_GSG, "scatter-gather" },
	{ ETHTOOL_STXCSUM, ETHTOOL_GTXCSUM, "transmit checksum" },
};

static int one(int fd, const char *ifname, unsigned int command, unsigned int *value)
{
	struct ethtool_value ask = { .cmd = command, .data = *value };
	struct ifreq r = { .ifr_data = (char *)&ask };

	strncpy(r.ifr_name, ifname, sizeof r.ifr_name - 1);
	if (ioctl(fd, SIOCETHTOOL, &r))
		return -errno;
	*value = ask.data;
	return 0;
}

/* An offload that the interface does not know is off. */
static int turn_off(int fd, const char *ifname)
{
	for (size_t i = 0; i < sizeof offloads / sizeof *offloads; i++) {
		unsigned int value = 0;
		int err = one(fd, ifname, offloads[i].get, &value);

		if (err == -EOPNOTSUPP || (!err && !value))
			continue;
		value = 0;
		if (!err)
			err = one(fd, ifname, offloads[i].set, &value);
		if (err) {
			fprintf(stderr, "offload: %s: %s: %s\n", ifname, offloads[i].name, strerror(-err));
			return err;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (argc < 2 || fd < 0) {
		fprintf(stderr, argc < 2 ? "usage: offload INTERFACE...\n" : "offload: no socket\n");
		return 2;
	}
	for (int i = 1; i < argc && !err; i++)
		err = turn_off(fd, argv[i]);
	return err ? 1 : 0;
}
