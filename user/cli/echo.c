// SPDX-License-Identifier: BSD-2-Clause
/* echo.c - the answering side of `xlane ping`. */
#include <errno.h>
#include <stdlib.h>

#include "echo.h"

#define BACKLOG 128
#define EVENTS_MAX 64
#define PIECE_MS 200

/* A connection and the message that is on its way back. */
struct client {
	char *data;
	size_t room, bytes;
	bool pending;
};

static void end_client(xlane_conn *c, bool failed)
{
	struct client *k = xlane_conn_user(c);

	if (k)
		free(k->data);
	free(k);
	if (failed)
		xlane_conn_abort(c);
	else
		xlane_conn_close(c, 0);   /* the rest happens while others are served */
}

/* The next message into k->data. 1: there; 0: not yet; -1: end or failure in *err. */
static int take_message(xlane_conn *c, struct client *k, int *err)
{
	int64_t n = xlane_readable(c);

	if (n >= 0 && (size_t)n > k->room) {
		char *more = realloc(k->data, (size_t)n);

		if (!more) {
			*err = -ENOMEM;
			return -1;
		}
		k->data = more;
		k->room = (size_t)n;
	}
	if (n >= 0)
		n = xlane_recv(c, k->data, k->room, 0);
	if (n == -EAGAIN)
		return 0;
	if (n < 0) {
		*err = (int)n;
		return -1;
	}
	k->bytes = (size_t)n;
	return 1;
}

/* Move what can be moved now. False: the connection is over. */
static bool echo(xlane_conn *c, int *err)
{
	struct client *k = xlane_conn_user(c);

	for (;;) {
		if (k->pending) {
			int64_t n = xlane_send(c, k->data, k->bytes, 0);

			if (n == -EAGAIN)
				return true;
			if (n < 0) {
				*err = (int)n;
				return false;
			}
			k->pending = false;
		}
		switch (take_message(c, k, err)) {
		case 0:
			return true;
		case 1:
			k->pending = true;
			break;
		default:
			return false;
		}
	}
}

static void accept_all(struct xl_session *s, xlane_listener *l)
{
	xlane_conn *c;

	while (!xlane_accept(l, 0, &c)) {
		struct client *k = calloc(1, sizeof *k);
		int err = 0;

		xlane_conn_set_user(c, k);
		if (!k) {
			xl_cli_error(s->command, "out of memory");
			end_client(c, true);
		} else if (!echo(c, &err)) {
			end_client(c, err != -ENODATA);
		}
	}
}

int xl_echo_run(struct xl_session *s, uint16_t port)
{
	struct xlane_event ev[EVENTS_MAX];
	xlane_listener *l;
	int n, err = xlane_listen(s->x, port, XLANE_MESSAGE, BACKLOG, &l);

	if (err) {
		xl_cli_error(s->command, "can not listen on port %u: %s", port, xlane_strerror(err));
		return XL_EXIT_FAILURE;
	}
	while (!xl_session_stop) {
		n = xlane_poll(s->x, ev, EVENTS_MAX, PIECE_MS);
		if (n < 0 && n != -EINTR) {
			xl_cli_error(s->command, "%s", xlane_strerror(n));
			return XL_EXIT_FAILURE;
		}
		for (int i = 0; i < n; i++) {
			if (ev[i].listener)
				accept_all(s, l);
			else if (!echo(ev[i].conn, &err))
				end_client(ev[i].conn, err != -ENODATA);
		}
	}
	return XL_EXIT_OK;
}
