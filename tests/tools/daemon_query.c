// SPDX-License-Identifier: BSD-2-Clause
/*
 * daemon_query.c - asks a daemon something over its socket.
 * usage: daemon_query SOCKET attach|hold [INTERFACE]   attach and leave; hold: say so and stay until standard input
 * ends daemon_query SOCKET WHAT [INTERFACE]          print figures: status, workers, peers, conns, stats, counters...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/channel/control.h"

static int attach(int fd, const char *interface, char *why, size_t why_bytes)
{
	struct xl_control_request r = { .magic = XL_CONTROL_MAGIC,
					.version = XL_CONTROL_VERSION,
					.op = XL_CONTROL_ATTACH };
	int fds[XL_CONTROL_FDS_MAX], err;
	struct xl_control_answer a;
	u32 n = 0;

	snprintf(r.interface, sizeof r.interface, "%s", interface);
	err = xl_control_ask(fd, &r, &a, fds, &n, why, why_bytes);
	if (err)
		return err;
	printf("attached: client %u, %s, %u workers, %s\n", a.client, a.interface, a.workers, a.driver);
	fflush(stdout);
	return n == 2 * a.workers ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "", *interface = argc > 3 ? argv[3] : "";
	char why[XL_CONTROL_WHY_BYTES] = "", *text = NULL, byte;
	int fd = -1, err;

	if (argc < 3 || argc > 4)
		return 2;
	err = xl_control_connect(argv[1], &fd, why, sizeof why);
	if (!err && (!strcmp(what, "attach") || !strcmp(what, "hold")))
		err = attach(fd, interface, why, sizeof why);
	else if (!err)
		err = xl_control_query(fd, what, interface, &text, why, sizeof why);
	if (err) {
		fprintf(stderr, "daemon_query: %s (%s)\n", why, strerror(-err));
		return 1;
	}
	if (text)
		fputs(text, stdout);
	free(text);
	if (!strcmp(what, "hold"))
		while (read(0, &byte, 1) > 0)
			;
	close(fd);
	return 0;
}
