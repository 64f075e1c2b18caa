// SPDX-License-Identifier: BSD-2-Clause
/*
 * away.c - two embedded programs, one of which goes away from the library in the middle.
 *
 *     away [-h] [-p] IFACE            the one that goes; -h: with a helper thread, -p: over AF_PACKET
 *     away [-p] IFACE MAC             the one that calls it
 *
 * The first listens, borrows the first message, prints "away", and computes until a line comes in; then looks whether
 * what it borrowed is still as it was, reads the other messages, and prints "back" and how many bytes of them were good.
 * The second sends a small and a large message, prints "acknowledged" when the other end has all of both, "connected"
 * when the connection has lived for three more times the time after which it takes a peer for dead, and sends one more.
 * Both print the error that they meet, on standard error.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xlane/xlane.h>

#define PORT 7000
#define DEATH_MS 1000
#define SMALL_BYTES 3000
#define LARGE_BYTES (16u << 20)
#define PATIENCE_MS 60000

static uint8_t *memory;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int failed(const char *what, int64_t err)
{
	fprintf(stderr, "away: %s: %s\n", what, xlane_strerror((int)err));
	return 1;
}

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

static uint8_t byte_at(size_t i) { return (uint8_t)(i * 7 + i / 251); }

static bool good(const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (data[i] != byte_at(i))
			return false;
	return true;
}

/* --- the one that goes away ------------------------------------------------------------------- */
/* Nothing of the library, until there is a line to read. */
static void compute(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	volatile int i;

	while (!poll(&p, 1, 0))
		for (i = 0; i < 1000000; i++)
			;
}

static int read_all(xlane_conn *c)
{
	unsigned long long bytes = 0;
	int64_t n;

	while ((n = xlane_recv(c, memory, LARGE_BYTES, PATIENCE_MS)) >= 0) {
		if (!good(memory, (size_t)n))
			return failed("a message that differs", -EBADMSG);
		bytes += (unsigned long long)n;
	}
	if (n != -ENODATA)
		return failed("receive", n);
	printf("back %llu\n", bytes);
	return 0;
}

static int go_away(xlane *x)
{
	xlane_listener *l;
	xlane_conn *c;
	const void *lent;
	int64_t n;

	n = xlane_listen(x, PORT, XLANE_MESSAGE, 1, &l);
	if (n)
		return failed("listen", n);
	say("listening");
	n = xlane_accept(l, PATIENCE_MS, &c);
	if (n)
		return failed("accept", n);
	n = xlane_recv_loan(c, &lent, PATIENCE_MS);
	if (n <= 0)
		return failed("loan", n);
	say("away");
	compute();
	if (!good(lent, (size_t)n))
		return failed("what was lent has changed", -EBADMSG);
	xlane_release(c, 0);
	if (read_all(c))
		return 1;
	n = xlane_conn_close(c, PATIENCE_MS);
	return n ? failed("close", n) : 0;
}

/* --- the one that calls it ---------------------------------------------------------------------- */
static int send_good(xlane_conn *c, size_t bytes)
{
	int64_t n = xlane_send(c, memory, bytes, PATIENCE_MS);

	return n < 0 ? failed("send", n) : 0;
}

/* Work, until all is acknowledged or, when `until_ms` says so, until then. */
static int stay(xlane *x, xlane_conn *c, int64_t until_ms)
{
	struct xlane_conn_stats s = { .size = sizeof s };
	struct xlane_event ev;
	int64_t n;

	for (;;) {
		xlane_conn_stats(c, &s);
		if (until_ms ? now_ms() >= until_ms : s.bytes_acked == s.bytes_sent && s.bytes_sent > LARGE_BYTES)
			return 0;
		n = xlane_poll(x, &ev, 1, 10);
		if (n < 0)
			return failed("poll", n);
		n = xlane_readable(c);
		if (n < 0 && n != -EAGAIN)
			return failed("connection", n);
	}
}

static int call(xlane *x, const char *mac)
{
	struct xlane_address to = { .port = PORT };
	xlane_conn *c;
	int64_t n = xlane_address_parse(mac, &to);

	if (!n)
		n = xlane_connect(x, &to, XLANE_MESSAGE, PATIENCE_MS, &c);
	if (n)
		return failed("connect", n);
	if (send_good(c, SMALL_BYTES) || send_good(c, LARGE_BYTES) || stay(x, c, 0))
		return 1;
	say("acknowledged");
	if (stay(x, c, now_ms() + 3 * DEATH_MS))
		return 1;
	say("connected");
	if (send_good(c, SMALL_BYTES))
		return 1;
	n = xlane_conn_close(c, PATIENCE_MS);
	return n ? failed("close", n) : 0;
}

int main(int argc, char **argv)
{
	struct xlane_config config;
	xlane *x;
	int o, status;

	xlane_config_init(&config);
	config.driver = XLANE_DRIVER_AF_XDP;
	config.peer_death_ms = DEATH_MS;
	config.keepalive_ms = DEATH_MS / 10;
	while ((o = getopt(argc, argv, "hp")) == 'h' || o == 'p') {
		config.helper_thread |= o == 'h';
		config.driver = o == 'p' ? XLANE_DRIVER_AF_PACKET : config.driver;
	}
	if (o != -1 || argc - optind < 1 || argc - optind > 2) {
		fprintf(stderr, "usage: %s [-h] [-p] IFACE [MAC]\n", argv[0]);
		return 2;
	}
	config.interface = argv[optind];
	memory = malloc(LARGE_BYTES);
	if (!memory)
		return failed("memory", -ENOMEM);
	/* now, as there is time */
	for (size_t i = 0; i < LARGE_BYTES; i++)
		memory[i] = byte_at(i);
	if (xlane_open(&config, &x)) {
		fprintf(stderr, "away: %s\n", xlane_last_error());
		return 1;
	}
	status = argc - optind == 2 ? call(x, argv[optind + 1]) : go_away(x);
	xlane_close(x, status ? 0 : 1000);
	free(memory);
	return status;
}
