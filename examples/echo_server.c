/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echo_server.c - every message goes back to where it came from; any number of clients at once.
 *
 *     echo_server -i IFACE|-d [-n CONNECTIONS] PORT
 *
 * Runs until SIGINT or SIGTERM, or until CONNECTIONS connections have ended.
 */
#include <signal.h>

#include "echo.h"

/* A client's message that is on its way back. */
struct client { char *data; size_t room, bytes; int pending; };

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* Take messages and send them back until one of both would have to wait (1), or the connection ended (0, -errno). */
static int64_t echo(xlane_conn *c, struct client *k)
{
	for (;;) {
		int64_t n = k->pending ? xlane_send(c, k->data, k->bytes, 0) : xlane_readable(c);

		if (n < 0)
			return n == -EAGAIN ? 1 : n == -ENODATA ? 0 : n;
		if (k->pending) {
			k->pending = 0;
			continue;
		}
		if ((size_t)n > k->room) {
			k->room = (size_t)n;
			free(k->data);
			k->data = malloc(k->room);
			if (!k->data)
				return -ENOMEM;
		}
		n = xlane_recv(c, k->data, k->room, 0);
		if (n < 0)
			return n;
		k->bytes = (size_t)n;
		k->pending = 1;
	}
}

/* Returns 1 when the connection is over and its handle gone. */
static int serve(xlane_conn *c)
{
	struct client *k = xlane_conn_user(c);
	int64_t state = echo(c, k);

	if (state == 1)
		return 0;
	if (state < 0)
		fprintf(stderr, "echo_server: a connection failed: %s\n", xlane_strerror((int)state));
	free(k->data);
	free(k);
	if (state < 0)
		xlane_conn_abort(c);
	else
		xlane_conn_close(c, 0);  /* the rest is done while others are served */
	return 1;
}

static unsigned long accept_all(xlane_listener *l)
{
	unsigned long ended = 0;
	xlane_conn *c;

	while (xlane_accept(l, 0, &c) == 0) {
		struct client *k = calloc(1, sizeof *k);

		if (!k) {
			xlane_conn_abort(c);
			continue;
		}
		xlane_conn_set_user(c, k);
		ended += (unsigned long)serve(c);
	}
	return ended;
}

static int run(xlane *x, uint16_t port, unsigned long connections)
{
	struct xlane_event ev[64];
	unsigned long ended = 0;
	xlane_listener *l;
	int n, err = xlane_listen(x, port, XLANE_MESSAGE, 128, &l);

	if (err) {
		fprintf(stderr, "echo_server: can not listen on port %u: %s\n", port, xlane_strerror(err));
		return 1;
	}
	while (!stop && (!connections || ended < connections)) {
		n = xlane_poll(x, ev, 64, 200);
		for (int i = 0; i < n; i++)
			ended += ev[i].listener ? accept_all(l) : (unsigned long)serve(ev[i].conn);
		if (n < 0 && n != -EINTR) {
			fprintf(stderr, "echo_server: %s\n", xlane_strerror(n));
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct xlane_config config;
	unsigned long connections = 0;
	int opt, status;
	xlane *x;

	xlane_config_init(&config);
	while ((opt = getopt(argc, argv, CONTEXT_OPTIONS "n:")) != -1) {
		if (opt == 'n')
			connections = strtoul(optarg, NULL, 10);
		else if (!context_option(&config, opt, optarg))
			return 2;
	}
	if (argc - optind != 1)
		return fprintf(stderr, "usage: echo_server -i IFACE|-d [-n CONNECTIONS] PORT\n"), 2;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (xlane_open(&config, &x))
		return fprintf(stderr, "echo_server: %s\n", xlane_last_error()), 1;
	status = run(x, (uint16_t)strtoul(argv[optind], NULL, 10), connections);
	xlane_close(x, 3000);
	return status;
}
