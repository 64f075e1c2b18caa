// SPDX-License-Identifier: BSD-2-Clause
/*
 * handover.c - a stream to an echo server (`crowd serve --type stream`) that goes on from process to process.
 *
 *     handover [-i IFACE] [-S SOCKET] -n TOTAL -s STEP MAC PORT            connect, and begin
 *     handover [-i IFACE] [-S SOCKET] -n TOTAL -s STEP TOKEN SENT RECEIVED    take what another process gave, and go on
 *
 * Each sends STEP bytes, and checks what has come back but for a rest that is left unread; then it gives the connection
 * and prints "TOKEN SENT RECEIVED", or, when TOTAL bytes are sent, reads all, closes and prints "done".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crowd.h"

#define WAIT_MS 10000
#define KEY 0x68616e64u

struct part { struct crowd_head head; uint64_t sent, received, step; };

static int fail(const char *what, int64_t err)
{
	fprintf(stderr, "handover: %s: %s\n", what, xlane_strerror((int)err));
	return 1;
}

static void fill(const struct crowd_head *h, uint64_t from, uint8_t *to, size_t bytes)
{
	const size_t head = from < sizeof *h ? sizeof *h : 0; /* a step is larger than the head */

	memcpy(to, h, head);
	crowd_pattern_fill(h, from + head, to + head, bytes - head);
}

static int64_t send_step(struct part *p, xlane_conn *c)
{
	static uint8_t data[CROWD_PIECE_BYTES];
	const uint64_t until = p->sent + p->step < p->head.bytes ? p->sent + p->step : p->head.bytes;

	while (p->sent < until) {
		const size_t bytes = until - p->sent < sizeof data ? until - p->sent : sizeof data;
		int64_t n;

		fill(&p->head, p->sent, data, bytes);
		n = xlane_send(c, data, bytes, WAIT_MS);
		if (n <= 0)
			return n ? n : -EPROTO;
		p->sent += (uint64_t)n;
	}
	return 0;
}

static int64_t receive(struct part *p, xlane_conn *c, uint64_t until)
{
	static uint8_t data[CROWD_PIECE_BYTES];

	while (p->received < until) {
		const uint64_t left = until - p->received;
		int64_t n = xlane_recv(c, data, left < sizeof data ? left : sizeof data, WAIT_MS);
		size_t head;

		if (n <= 0)
			return n ? n : -ECONNRESET;
		head = p->received < sizeof p->head ? sizeof p->head - p->received : 0;
		if (head > (size_t)n)
			head = (size_t)n;
		if (memcmp(data, (uint8_t *)&p->head + (head ? p->received : 0), head) ||
		    !crowd_pattern_check(&p->head, p->received + head, data + head, (size_t)n - head))
			return -EBADMSG;
		p->received += (uint64_t)n;
	}
	return 0;
}

static int end(struct part *p, xlane_conn *c)
{
	char more;
	int64_t n = receive(p, c, p->head.bytes);

	if (!n)
		n = xlane_shutdown(c);
	if (!n)
		n = xlane_recv(c, &more, 1, WAIT_MS);
	if (n) {
		xlane_conn_abort(c);
		return n > 0 ? fail("more than was sent", -EBADMSG) : fail("the end", n);
	}
	n = xlane_conn_close(c, WAIT_MS);
	if (n)
		return fail("close", n);
	puts("done");
	return 0;
}

static int go_on(struct part *p, xlane_conn *c)
{
	struct xlane_token token;
	int64_t n = send_step(p, c);

	/* A quarter stays where it is: in this machine, or on its way. */
	if (!n)
		n = receive(p, c, p->received + (p->sent - p->received) / 4 * 3);
	if (n) {
		xlane_conn_abort(c);
		return fail("the stream", n);
	}
	if (p->sent == p->head.bytes)
		return end(p, c);
	n = xlane_conn_give(c, &token);
	if (n) {
		xlane_conn_abort(c);
		return fail("give", n);
	}
	for (size_t i = 0; i < sizeof token.bytes; i++)
		printf("%02x", token.bytes[i]);
	printf(" %llu %llu\n", (unsigned long long)p->sent, (unsigned long long)p->received);
	return 0;
}

static bool parse_token(const char *text, struct xlane_token *out)
{
	unsigned byte;

	if (strlen(text) != 2 * sizeof out->bytes)
		return false;
	for (size_t i = 0; i < sizeof out->bytes; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		out->bytes[i] = (uint8_t)byte;
	}
	return true;
}

static int run(struct part *p, xlane *x, int argc, char **argv)
{
	struct xlane_address to;
	struct xlane_token token;
	xlane_conn *c;
	int err;

	if (argc == 2) {
		if (xlane_address_parse(argv[0], &to))
			return fail(argv[0], -EINVAL);
		to.port = (uint16_t)atoi(argv[1]);
		err = xlane_connect(x, &to, XLANE_STREAM, WAIT_MS, &c);
		return err ? fail("connect", err) : go_on(p, c);
	}
	if (!parse_token(argv[0], &token))
		return fail(argv[0], -EINVAL);
	p->sent = strtoull(argv[1], NULL, 10);
	p->received = strtoull(argv[2], NULL, 10);
	err = xlane_conn_take(x, &token, &c);
	return err ? fail("take", err) : go_on(p, c);
}

int main(int argc, char **argv)
{
	struct part p = { .head = { .key = KEY, .count = 1 } };
	struct xlane_config config;
	int opt, status;
	xlane *x;

	xlane_config_init(&config);
	config.daemon = 1;
	while ((opt = getopt(argc, argv, "i:S:n:s:")) != -1) {
		switch (opt) {
		case 'i': config.interface = optarg; break;
		case 'S': config.socket = optarg; break;
		case 'n': p.head.bytes = strtoull(optarg, NULL, 10); break;
		case 's': p.step = strtoull(optarg, NULL, 10); break;
		default: return 2;
		}
	}
	argc -= optind, argv += optind;
	if ((argc != 2 && argc != 3) || p.step <= sizeof p.head || p.head.bytes < p.step) {
		fprintf(stderr, "usage: handover [-i IFACE] [-S SOCKET] -n TOTAL -s STEP "
				"MAC PORT | TOKEN SENT RECEIVED\n");
		return 2;
	}
	if (xlane_open(&config, &x)) {
		fprintf(stderr, "handover: %s\n", xlane_last_error());
		return 1;
	}
	status = run(&p, x, argc, argv);
	xlane_close(x, 1000);
	return status;
}
