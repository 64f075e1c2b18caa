// SPDX-License-Identifier: BSD-2-Clause
/*
 * frames.c - send well-formed xlane frames of no connection, for tests that look at what the demultiplexer does.
 * usage: frames IFACE MAC COUNT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xlane/wire.h>

#define FRAME_BYTES 60
#define ETHER_BYTES 14

static int parse_mac(const char *text, unsigned char *mac)
{
	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) == 6;
}

static void build(unsigned char frame[FRAME_BYTES])
{
	memset(frame, 0, FRAME_BYTES);
	frame[6] = 0x02;   /* a source of nobody */
	frame[12] = XLANE_ETHERTYPE_DEFAULT >> 8;
	frame[13] = XLANE_ETHERTYPE_DEFAULT & 0xff;
	frame[ETHER_BYTES] = XLANE_VERSION << 4 | XLANE_PACKET_DATA;
	frame[ETHER_BYTES + 3] = FRAME_BYTES - ETHER_BYTES;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(XLANE_ETHERTYPE_DEFAULT),
				  .sll_halen = 6 };
	unsigned char frame[FRAME_BYTES];
	int count, fd;

	build(frame);
	if (argc != 4 || !parse_mac(argv[2], frame) || (count = atoi(argv[3])) <= 0) {
		fprintf(stderr, "usage: %s IFACE MAC COUNT\n", argv[0]);
		return 2;
	}
	to.sll_ifindex = if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || !to.sll_ifindex) {
		fprintf(stderr, "frames: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	while (count--) {
		if (sendto(fd, frame, sizeof frame, 0, (struct sockaddr *)&to, sizeof to) != sizeof frame) {
			fprintf(stderr, "frames: %s: %s\n", argv[1], strerror(errno));
			return 1;
		}
	}
	close(fd);
	return 0;
}
