/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xlane_pingpong.c - round trips of small messages between two embedded programs that both spin: the figure to hold
 * against raw_pingpong, which moves the same bytes through AF_XDP sockets without a transport.
 *
 *     xlane_pingpong -i IFACE -l [-p PORT] [-d DRIVER]                     answer one connection; prints "ready" first
 *     xlane_pingpong -i IFACE [-p PORT] [-d DRIVER] [-n COUNT] [-b BYTES] [-j] MAC     measure
 *     xlane_pingpong -D SOCKET ...      the same through the daemon there, asleep in recv: to hold against tcp_pingpong
 *
 * Prints count, bytes, min, p50, p99, max in nanoseconds, as raw_pingpong does; with -j as JSON.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xlane/xlane.h>

#include "pingpong.h"

#define WAIT_MS 10000

static int fail(const char *what, int64_t err)
{
	fprintf(stderr, "xlane_pingpong: %s: %s\n", what, xlane_strerror((int)err));
	return 1;
}

static int serve(xlane *x, uint16_t port)
{
	static char data[PINGPONG_BYTES_MAX];
	xlane_listener *l;
	xlane_conn *c;
	int64_t n = xlane_listen(x, port, XLANE_MESSAGE, 1, &l);

	if (n)
		return fail("listen", n);
	puts("ready");
	fflush(stdout);
	n = xlane_accept(l, -1, &c);
	if (n)
		return fail("accept", n);
	do {
		n = xlane_recv(c, data, sizeof data, -1);
		if (n >= 0)
			n = xlane_send(c, data, (size_t)n, -1);
	} while (n >= 0);
	if (n != -ENODATA) {
		xlane_conn_abort(c);
		return fail("echo", n);
	}
	n = xlane_conn_close(c, WAIT_MS);
	return n ? fail("close", n) : 0;
}

/* One round trip; its time in *ns. 0 or a negative errno. */
static int64_t once(xlane_conn *c, char *data, size_t bytes, unsigned long i, uint64_t *ns)
{
	const uint64_t begun = pingpong_now_ns();
	unsigned long got;
	int64_t n;

	memcpy(data, &i, sizeof i);
	n = xlane_send(c, data, bytes, WAIT_MS);
	if (n >= 0)
		n = xlane_recv(c, data, PINGPONG_BYTES_MAX, WAIT_MS);
	*ns = pingpong_now_ns() - begun;
	if (n < 0)
		return n;
	memcpy(&got, data, sizeof got);
	return (size_t)n == bytes && got == i ? 0 : -EBADMSG;
}

static int call(xlane *x, const struct xlane_address *to, unsigned long count, size_t bytes, int json)
{
	static char data[PINGPONG_BYTES_MAX];
	uint64_t *rtt = calloc(count, sizeof *rtt), warm;
	xlane_conn *c;
	int64_t n = rtt ? xlane_connect(x, to, XLANE_MESSAGE, WAIT_MS, &c) : -ENOMEM;

	if (n) {
		free(rtt);
		return fail("connect", n);
	}
	for (unsigned long i = 0; i < PINGPONG_WARM_UP && !n; i++)
		n = once(c, data, bytes, i, &warm);
	for (unsigned long i = 0; i < count && !n; i++)
		n = once(c, data, bytes, i, &rtt[i]);
	if (!n)
		pingpong_print(rtt, count, bytes, json);
	free(rtt);
	if (n) {
		xlane_conn_abort(c);
		return fail("round trip", n);
	}
	n = xlane_conn_close(c, WAIT_MS);
	return n ? fail("close", n) : 0;
}

int main(int argc, char **argv)
{
	struct xlane_address to = { 0 };
	struct xlane_config config;
	unsigned long count = PINGPONG_COUNT, bytes = PINGPONG_BYTES, port = PINGPONG_PORT;
	int opt, listen = 0, json = 0, status;
	xlane *x;

	xlane_config_init(&config);
	config.wait = XLANE_WAIT_SPIN;
	while ((opt = getopt(argc, argv, "i:p:d:D:ln:b:j")) != -1) {
		switch (opt) {
		case 'i': config.interface = optarg; break;
		case 'p': port = strtoul(optarg, NULL, 10); break;
		case 'd': config.driver = strcmp(optarg, "af_packet") ? XLANE_DRIVER_AF_XDP :
									XLANE_DRIVER_AF_PACKET; break;
		case 'D': config.daemon = 1; config.socket = optarg; config.wait = XLANE_WAIT_SLEEP; break;
		case 'l': listen = 1; break;
		case 'n': count = strtoul(optarg, NULL, 10); break;
		case 'b': bytes = strtoul(optarg, NULL, 10); break;
		case 'j': json = 1; break;
		default: return 2;
		}
	}
	if (argc - optind != !listen || (!listen && xlane_address_parse(argv[optind], &to)) || !port || port > 65535 ||
	    !count || bytes < sizeof count || bytes > PINGPONG_BYTES_MAX) {
		fprintf(stderr, "usage: xlane_pingpong -i IFACE -l | -i IFACE [-n COUNT] [-b BYTES] [-j] MAC\n");
		return 2;
	}
	to.port = (uint16_t)port;
	if (xlane_open(&config, &x)) {
		fprintf(stderr, "xlane_pingpong: %s\n", xlane_last_error());
		return 1;
	}
	status = listen ? serve(x, (uint16_t)port) : call(x, &to, count, bytes, json);
	xlane_close(x, 1000);
	return status;
}
