// SPDX-License-Identifier: BSD-2-Clause
/*
 * fake_daemon.c - something at the daemon's socket that is not this version's daemon.
 * usage: fake_daemon SOCKET version|magic|short|garbage|silent|hangup
 * Prints "ready", then treats every request so, until it is ended.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../user/channel/control.h"

#define REQUEST_MAX 65536

static int complain(const char *what)
{
	fprintf(stderr, "fake_daemon: %s: %s\n", what, strerror(errno));
	return 1;
}

/* One client until it goes. */
static void treat(int fd, const char *how)
{
	struct xl_control_answer a = { .magic = XL_CONTROL_MAGIC, .version = XL_CONTROL_VERSION, .workers = 1,
				       .slots = 1 };
	static char request[REQUEST_MAX];

	if (!strcmp(how, "version"))
		a.version += 1;
	else if (!strcmp(how, "magic"))
		a.magic ^= 1;
	else if (!strcmp(how, "garbage"))
		memset(&a, 0xa5, sizeof a);
	while (recv(fd, request, sizeof request, 0) > 0) {
		const size_t bytes = !strcmp(how, "short") ? 7 : sizeof a;

		if (!strcmp(how, "hangup"))
			return;
		if (strcmp(how, "silent") && send(fd, &a, bytes, MSG_NOSIGNAL) < 0)
			return;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };
	int listener, fd;

	if (argc != 3 || strlen(argv[1]) >= sizeof here.sun_path) {
		fprintf(stderr, "usage: fake_daemon SOCKET version|magic|short|garbage|silent|hangup\n");
		return 2;
	}
	strcpy(here.sun_path, argv[1]);
	unlink(argv[1]);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&here, sizeof here) || chmod(argv[1], 0666) ||
	    listen(listener, 8))
		return complain(argv[1]);
	puts("ready");
	fflush(stdout);
	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		treat(fd, argv[2]);
		close(fd);
	}
	return complain("accept");
}
