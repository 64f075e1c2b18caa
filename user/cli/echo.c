// SPDX-License-Identifier: BSD-2-Clause
/* echo.c - the answering side of `xlane ping`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "echo.h"

#define BACKLOG 128
#define EVENTS_MAX 64
#define PIECE_MS 200

#define STREAM_BYTES 65536     /* piece of a stream */

/* A connection and the message (of a stream: the piece) that is on its way back. */
struct client {
	char *data;
	size_t room, bytes, off;
	bool stream, pending;
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

/* 0, or -ENOMEM. */
static int grow(struct client *k, size_t bytes)
{
	char *more;

	if (bytes <= k->room)
		return 0;
	more = realloc(k->data, bytes);
	if (!more)
		return -ENOMEM;
	k->data = more;
	k->room = bytes;
	return 0;
}

/* The next message into k->data. 1: there; 0: not yet; -1: end or failure in *err. */
static int take_message(xlane_conn *c, struct client *k, int *err)
{
	int64_t n = k->stream ? STREAM_BYTES : xlane_readable(c);

	*err = n > 0 ? grow(k, (size_t)n) : 0;
	if (*err)
		return -1;
	if (n >= 0)
		n = xlane_recv(c, k->data, k->room, 0);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0 || (!n && k->stream)) {
		*err = n ? (int)n : -ENODATA;
		return -1;
	}
	k->bytes = (size_t)n;
	k->off = 0;
	return 1;
}

/* Move what can be moved now. False: the connection is over. */
static bool echo(xlane_conn *c, int *err)
{
	struct client *k = xlane_conn_user(c);

	for (;;) {
		if (k->pending) {
			int64_t n = xlane_send(c, k->data + k->off, k->bytes - k->off, 0);

			if (n == -EAGAIN || n == -EINTR)
				return true;
			if (n < 0) {
				*err = (int)n;
				return false;
			}
			k->off += (size_t)n;
			k->pending = k->off < k->bytes;
			continue;
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
			continue;
		}
		k->stream = xlane_conn_type(c) == XLANE_STREAM;
		/* an empty message has a place, too */
		if (grow(k, 1))
			err = -ENOMEM;
		if (err || !echo(c, &err))
			end_client(c, err != -ENODATA);
	}
}

int xl_echo_run(struct xl_session *s, uint16_t port, enum xlane_type type)
{
	struct xlane_event ev[EVENTS_MAX];
	xlane_listener *l;
	int n, err = xlane_listen(s->x, port, type, BACKLOG, &l);

	if (err) {
		xl_cli_error(s->command, "%s", xl_session_listen_error(err, port));
		return XL_EXIT_FAILURE;
	}
	if (s->verbose)
		fprintf(stderr, "xlane %s: listening on port %u\n", s->command->name, port);
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
