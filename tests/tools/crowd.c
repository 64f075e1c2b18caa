// SPDX-License-Identifier: BSD-2-Clause
/*
 * crowd.c - many connections of one program, embedded or through the daemon, every byte proved.
 * usage: crowd without arguments tells.
 *
 * Says on standard output what a script may wait for: "ready" (a server listens), "open N" (all connections are),
 * "paused", "fast done" (all but the slow connections have ended), "error NAME" (the first of each kind). Ends with
 * status 0 when all connections ended gracefully and all was as sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crowd.h"

#define BACKLOG 256
#define LINGER_MS 2000

static int command_pipe[2] = { -1, -1 };

/* Told to end: as if the command came. */
static void on_signal(int number)
{
	const int saved = errno;

	(void)number;
	if (write(command_pipe[1], "q", 1) < 0)
		_exit(1);
	errno = saved;
}

/* Commands come from the named FIFO or, without one, from the signal handler only. Without writers it does not end. */
static int open_control(struct crowd *w)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (w->o.control) {
		command_pipe[0] = open(w->o.control, O_RDWR | O_CLOEXEC);
		command_pipe[1] = command_pipe[0];
	} else if (pipe2(command_pipe, O_CLOEXEC)) {
		return -errno;
	}
	w->control = command_pipe[0];
	if (w->control < 0)
		return -errno;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	return 0;
}

static int run(struct crowd *w)
{
	int err;

	if (w->o.serve) {
		err = xlane_listen(w->x, w->o.port, w->o.type, BACKLOG, &w->listener);
		if (err) {
			fprintf(stderr, "crowd: can not listen on port %u: %s\n", w->o.port, xlane_strerror(err));
			return err;
		}
		crowd_say("ready");
	}
	w->begun_ns = crowd_now_ns();
	w->moved_ns = w->begun_ns;
	err = w->o.epoll ? crowd_run_epoll(w) : crowd_run_blocking(w);
	w->ended_ns = crowd_now_ns();
	if (err == -ETIME) {
		fprintf(stderr, "crowd: nothing has happened for %d s: %u of %u connections run\n", w->o.quiet_s,
			w->running, w->o.conns);
		crowd_error(w, err);
	} else if (err && !w->down) {
		fprintf(stderr, "crowd: %s\n", xlane_strerror(err));
		crowd_error(w, err);
	}
	return err;
}

static bool all_well(const struct crowd *w)
{
	for (int i = 0; i < CROWD_ERRNOS; i++)
		if (w->errors[i])
			return false;
	return !w->bad && (w->finished == w->o.conns || (w->o.serve && w->quit));
}

int main(int argc, char **argv)
{
	struct crowd w = { .control = -1 };
	json_t *report;
	bool well;
	int err;

	if (!crowd_options_parse(&w.o, argc, argv))
		return 2;
	w.conns = calloc(w.o.conns, sizeof *w.conns);
	err = w.conns ? open_control(&w) : -ENOMEM;
	if (err) {
		fprintf(stderr, "crowd: %s\n", strerror(-err));
		return 1;
	}
	if (xlane_open(&w.o.config, &w.x)) {
		fprintf(stderr, "crowd: %s\n", xlane_last_error());
		return 1;
	}
	err = run(&w);
	well = !err && all_well(&w);
	report = crowd_report(&w, well);
	xlane_close(w.x, LINGER_MS);
	/* Last of all: who finds the file knows that everything before went well. */
	if (w.o.json && json_dump_file(report, w.o.json, JSON_INDENT(2))) {
		fprintf(stderr, "crowd: can not write %s\n", w.o.json);
		well = false;
	}
	json_decref(report);
	free(w.conns);
	return !well;
}
