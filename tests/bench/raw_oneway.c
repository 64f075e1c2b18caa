/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw_oneway: frames one way over bare AF_XDP rings, as fast as they go.
 *
 *     raw_oneway -i IFACE -l [-s] [-j]                    receive; prints "ready", and the figures when it falls silent
 *     raw_oneway -i IFACE [-b BYTES] [-t SECONDS] [-j]    send
 *
 * BYTES is the frame with its 14 bytes of header, 18 to 9014; what does not fit 4 KiB goes as several descriptors. Both
 * ends print packets, packets/s and payload Gb/s; the receiver's figures are the result, from the first packet to the
 * last. The receiver spins, with -s it sleeps in poll.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "raw.h"

#define SILENCE_NS (500 * XL_MS)
#define BATCH 64

static volatile sig_atomic_t stop;
static struct raw raw;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void print(const char *what, u64 packets, u64 payload, u64 ns, bool json)
{
	double s = ns / 1e9;

	printf(json ? "{\"what\": \"%s\", \"packets\": %llu, \"seconds\": %.3f, \"packets_per_s\": %.0f, "
		      "\"payload_gbit_s\": %.3f}\n" :
		      "%s %llu packets in %.3f s: %.0f packets/s, %.3f Gb/s of payload\n",
	       what, (unsigned long long)packets, s, s > 0 ? packets / s : 0, s > 0 ? payload * 8 / s / 1e9 : 0);
	fflush(stdout);
}

/* --- receive -------------------------------------------------------------------------------- */
static u32 take(u64 *packets, u64 *payload)
{
	u32 at, n = xsk_ring_cons__peek(&raw.xsk.rx, BATCH, &at);

	for (u32 i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&raw.xsk.rx, at + i);

		*payload += d->len;
		raw.free[raw.nfree++] = raw_chunk(d->addr);
		if (d->options & XDP_PKT_CONTD)
			continue;
		++*packets;
		*payload -= RAW_HEAD_BYTES;
	}
	if (n) {
		xsk_ring_cons__release(&raw.xsk.rx, n);
		raw_fill(&raw);
	}
	return n;
}

static int receive(bool sleeping, bool json)
{
	struct pollfd p = { .fd = raw.xsk.fd, .events = POLLIN };
	u64 packets = 0, payload = 0, first = 0, last = 0;

	printf("ready\n");
	fflush(stdout);
	while (!stop) {
		u64 now;

		if (take(&packets, &payload)) {
			last = raw_clock_ns();
			first = first ? first : last;
			continue;
		}
		now = raw_clock_ns();
		if (first && now - last > SILENCE_NS)
			break;
		if (sleeping)
			poll(&p, 1, 100);
	}
	print("received", packets, payload, last - first, json);
	return packets ? 0 : 1;
}

/* --- send ----------------------------------------------------------------------------------- */
static void build(u64 addr, u32 len, bool first)
{
	u16 ethertype = htons(REDIRECT_ETHERTYPE);
	u8 *frame = raw_ptr(&raw, addr);

	memset(frame, 0x5a, len);
	if (!first)
		return;
	memset(frame, 0xff, 6);
	memcpy(frame + 6, raw.mac, 6);
	memcpy(frame + 12, &ethertype, 2);
}

/* One frame into the ring; false when ring or memory has no room. */
static bool submit(u32 bytes)
{
	u32 segs = (bytes + RAW_FRAME_BYTES - 1) / RAW_FRAME_BYTES, at, left = bytes;

	if (raw.nfree < segs || !xsk_ring_prod__reserve(&raw.xsk.tx, segs, &at))
		return false;
	for (u32 i = 0; i < segs; i++) {
		u32 len = xl_min(left, RAW_FRAME_BYTES);
		u64 addr = raw.free[--raw.nfree];

		build(addr, i ? 0 : xl_min(len, 64),
		      i == 0);   /* the rest holds whatever was there: it costs the same */
		left -= len;
		*xsk_ring_prod__tx_desc(&raw.xsk.tx, at + i) = (struct xdp_desc){
			.addr = addr, .len = len, .options = left ? XDP_PKT_CONTD : 0,
		};
	}
	xsk_ring_prod__submit(&raw.xsk.tx, segs);
	return true;
}

static int transmit(u32 bytes, u32 seconds, bool json)
{
	u64 from = raw_clock_ns(), packets = 0, now = from;

	while (!stop && now - from < seconds * XL_S) {
		u32 n = 0;

		while (n < BATCH && submit(bytes))
			n++;
		packets += n;
		if (!raw_kick(&raw)) {
			fprintf(stderr, "raw_oneway: the interface is down\n");
			return 1;
		}
		raw_reap(&raw);
		now = raw_clock_ns();
	}
	print("sent", packets, packets * (bytes - RAW_HEAD_BYTES), now - from, json);
	return 0;
}

static u32 number_of(const char *text, u32 max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *end || n > max ? 0 : n;
}

int main(int argc, char **argv)
{
	const char *ifname = NULL;
	u32 bytes = 64, seconds = 3;
	bool server = false, sleeping = false, json = false;
	struct sigaction on = { .sa_handler = on_signal };
	int c, ret;

	while ((c = getopt(argc, argv, "i:lb:t:sj")) != -1) {
		switch (c) {
		case 'i': ifname = optarg; break;
		case 'l': server = true; break;
		case 'b': bytes = number_of(optarg, RAW_BYTES_MAX); break;
		case 't': seconds = number_of(optarg, 3600); break;
		case 's': sleeping = true; break;
		case 'j': json = true; break;
		default: ifname = NULL; optind = argc; break;
		}
	}
	if (!ifname || optind != argc || bytes < 18 || !seconds) {
		fprintf(stderr, "usage: raw_oneway -i IFACE [-l] [-b BYTES (18..%u)] [-t SECONDS] [-s] [-j]\n",
			RAW_BYTES_MAX);
		return 2;
	}
	sigaction(SIGINT, &on, NULL);
	sigaction(SIGTERM, &on, NULL);
	if (raw_open(&raw, "raw_oneway", ifname))
		return 1;
	if (!server && (bytes > raw.mtu + RAW_HEAD_BYTES || (bytes > RAW_FRAME_BYTES && !raw.xsk.multi_buffer))) {
		fprintf(stderr, "raw_oneway: %s: frames of %u bytes do not fit (MTU %u%s)\n", ifname, bytes, raw.mtu,
			raw.xsk.multi_buffer ? "" : ", no multi-buffer");
		raw_close(&raw);
		return 1;
	}
	if (server)
		raw_fill(&raw);
	ret = server ? receive(sleeping, json) : transmit(bytes, seconds, json);
	raw_close(&raw);
	return ret;
}
