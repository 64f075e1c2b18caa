// SPDX-License-Identifier: BSD-2-Clause
/*
 * hold.c - a program that holds an interface's queues through the library until it is killed.
 * usage: hold IFACE [child|fork]
 * With `child` it starts another program, which outlives it; with `fork` it is outlived by a copy of itself, which has
 * every descriptor that it has. Prints `child PID` and then `ready`.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <xlane/xlane.h>

static int start_child(bool exec)
{
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	while (pid == 0 && !exec)
		pause();
	if (pid == 0) {
		execlp("sleep", "sleep", "600", (char *)NULL);
		_exit(127);
	}
	printf("child %d\n", (int)pid);
	return 0;
}

static int hold(xlane *x)
{
	struct pollfd p = { .fd = xlane_fd(x), .events = POLLIN };
	int n;

	for (;;) {
		uint64_t wait_ns = xlane_prepare_wait(x);

		if (wait_ns && poll(&p, 1, wait_ns > 1000000000 ? 1000 : (int)(wait_ns / 1000000) + 1) < 0)
			return 1;
		n = xlane_progress(x);
		if (n < 0) {
			fprintf(stderr, "hold: %s\n", xlane_strerror(n));
			return 1;
		}
	}
}

int main(int argc, char **argv)
{
	struct xlane_config config;
	xlane *x;

	if (argc < 2 || (argc > 2 && strcmp(argv[2], "child") && strcmp(argv[2], "fork"))) {
		fprintf(stderr, "usage: %s IFACE [child|fork]\n", argv[0]);
		return 2;
	}
	xlane_config_init(&config);
	config.interface = argv[1];
	config.driver = XLANE_DRIVER_AF_XDP;
	config.wait = XLANE_WAIT_SLEEP;
	if (xlane_open(&config, &x)) {
		fprintf(stderr, "hold: %s\n", xlane_last_error());
		return 1;
	}
	if (argc > 2 && start_child(!strcmp(argv[2], "child")))
		return 1;
	puts("ready");
	fflush(stdout);
	return hold(x);
}
