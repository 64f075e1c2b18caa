/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw_pingpong: round trips over bare AF_XDP rings: the limit that xlane's round trips are held against.
 *
 *     raw_pingpong -i IFACE -l [-s]                         answer until a signal; prints "ready" when it does
 *     raw_pingpong -i IFACE [-n COUNT] [-b BYTES] [-s] [-j] measure
 *
 * BYTES are those behind the Ethernet header. Both ends spin; with -s an end sleeps in poll instead. Prints count,
 * lost, min, p50, p99, max in nanoseconds; with -j as JSON. Frames carry a private ethertype and no xlane protocol.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "raw.h"

#define COUNT_DEFAULT 100000
#define COUNT_MAX 100000000
#define WARM_UP 1000
#define LOST_NS XL_S              /* an answer this late is none */
#define LOST_MAX 10

static volatile sig_atomic_t stop;
static struct raw raw;
static bool sleeping;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void rest(void)
{
	struct pollfd p = { .fd = raw.xsk.fd, .events = POLLIN };

	if (sleeping)
		poll(&p, 1, 100);
}

static void submit(u64 addr, u32 len)
{
	u32 at;

	if (!xsk_ring_prod__reserve(&raw.xsk.tx, 1, &at)) {
		raw.free[raw.nfree++] = raw_chunk(addr);
		return;
	}
	*xsk_ring_prod__tx_desc(&raw.xsk.tx, at) = (struct xdp_desc){ .addr = addr, .len = len };
	xsk_ring_prod__submit(&raw.xsk.tx, 1);
}

/* The received frame goes back out as it is, addresses swapped. */
static bool answer(void)
{
	u32 at, n = xsk_ring_cons__peek(&raw.xsk.rx, 64, &at);

	for (u32 i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&raw.xsk.rx, at + i);
		u8 *frame = raw_ptr(&raw, d->addr);

		memcpy(frame, frame + 6, 6);
		memcpy(frame + 6, raw.mac, 6);
		submit(d->addr, d->len);
	}
	if (n) {
		xsk_ring_cons__release(&raw.xsk.rx, n);
		raw_kick(&raw);
		raw_reap(&raw);
		raw_fill(&raw);
	}
	return n > 0;
}

static int serve(void)
{
	printf("ready\n");
	fflush(stdout);
	while (!stop) {
		if (!answer())
			rest();
	}
	return 0;
}

static void send_one(u32 bytes, u32 number)
{
	u64 addr = raw.free[--raw.nfree];
	u8 *frame = raw_ptr(&raw, addr);
	u16 ethertype = htons(REDIRECT_ETHERTYPE);

	memset(frame, 0xff, 6);
	memcpy(frame + 6, raw.mac, 6);
	memcpy(frame + 12, &ethertype, 2);
	memcpy(frame + RAW_HEAD_BYTES, &number, 4);
	submit(addr, RAW_HEAD_BYTES + bytes);
	raw_kick(&raw);
}

/* True when the answer to `number` is among what has arrived. */
static bool take_answer(u32 number)
{
	u32 at, n = xsk_ring_cons__peek(&raw.xsk.rx, 64, &at);
	bool there = false;

	for (u32 i = 0; i < n; i++) {
		u64 addr = xsk_ring_cons__rx_desc(&raw.xsk.rx, at + i)->addr;

		there |= !memcmp(raw_ptr(&raw, addr) + RAW_HEAD_BYTES, &number, 4);
		raw.free[raw.nfree++] = raw_chunk(addr);
	}
	if (n)
		xsk_ring_cons__release(&raw.xsk.rx, n);
	return there;
}

/* One round trip in ns, 0 when it was lost. */
static u64 round_trip(u32 bytes, u32 number)
{
	u64 from = raw_clock_ns(), now = from;

	send_one(bytes, number);
	while (!stop && now - from < LOST_NS) {
		if (take_answer(number)) {
			now = raw_clock_ns();
			raw_reap(&raw);
			raw_fill(&raw);
			return now - from;
		}
		rest();
		now = raw_clock_ns();
	}
	return 0;
}

static int by_size(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int measure(u32 count, u32 bytes, bool json)
{
	u64 *ns = calloc(count, sizeof *ns);
	u32 n = 0, lost = 0;

	if (!ns) {
		fprintf(stderr, "raw_pingpong: out of memory for %u figures\n", count);
		return 1;
	}
	for (u32 i = 0; i < count + WARM_UP && !stop && lost < LOST_MAX; i++) {
		u64 t = round_trip(bytes, i);

		lost += !t;
		if (t && i >= WARM_UP)
			ns[n++] = t;
	}
	qsort(ns, n, sizeof *ns, by_size);
	if (n)
		printf(json ? "{\"count\": %u, \"bytes\": %u, \"lost\": %u, \"min_ns\": %llu, \"p50_ns\": %llu, "
			      "\"p99_ns\": %llu, \"max_ns\": %llu}\n" :
			      "%u round trips of %u bytes, %u lost: min %llu p50 %llu p99 %llu max %llu ns\n",
		       n, bytes, lost, (unsigned long long)ns[0], (unsigned long long)ns[n / 2],
		       (unsigned long long)ns[(u64)n * 99 / 100], (unsigned long long)ns[n - 1]);
	else
		fprintf(stderr, "raw_pingpong: no answer: is the other end running (-l)?\n");
	free(ns);
	return n ? 0 : 1;
}

/* A number from 1 to max, else 0. */
static u32 number_of(const char *text, u32 max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *end || n > max ? 0 : n;
}

int main(int argc, char **argv)
{
	const char *ifname = NULL;
	u32 count = COUNT_DEFAULT, bytes = 64;
	bool server = false, json = false;
	struct sigaction on = { .sa_handler = on_signal };
	int c, ret;

	while ((c = getopt(argc, argv, "i:ln:b:sj")) != -1) {
		switch (c) {
		case 'i': ifname = optarg; break;
		case 'l': server = true; break;
		case 'n': count = number_of(optarg, COUNT_MAX); break;
		case 'b': bytes = number_of(optarg, 3800); break;
		case 's': sleeping = true; break;
		case 'j': json = true; break;
		default: ifname = NULL; optind = argc; break;
		}
	}
	if (!ifname || optind != argc || !count || bytes < 4) {
		fprintf(stderr, "usage: raw_pingpong -i IFACE [-l] [-n COUNT] [-b BYTES (4..3800)] [-s] [-j]\n");
		return 2;
	}
	sigaction(SIGINT, &on, NULL);
	sigaction(SIGTERM, &on, NULL);
	if (raw_open(&raw, "raw_pingpong", ifname))
		return 1;
	raw_fill(&raw);
	ret = server ? serve() : measure(count, bytes, json);
	raw_close(&raw);
	return ret;
}
