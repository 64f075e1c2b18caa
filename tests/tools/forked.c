// SPDX-License-Identifier: BSD-2-Clause
/*
 * forked.c - a client of the daemon forks: the child's handles give ECHILD, the parent's go on as if nothing had been.
 * usage: forked SOCKET MAC/PORT, with an echo server of messages there. Prints TAP.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xlane/xlane.h>

#define WAIT_MS 10000
#define PORT 7011

static int tests, failed;
static xlane *context;
static xlane_conn *conn;
static xlane_listener *listener;

static void is(const char *name, int64_t got, int64_t wanted)
{
	failed += got != wanted;
	printf("%sok %d - %s\n", got == wanted ? "" : "not ", ++tests, name);
	if (got != wanted)
		printf("# got %lld, wanted %lld\n", (long long)got, (long long)wanted);
}

/* Each by its own bit of the exit status. */
static int child(void)
{
	struct xlane_token token;
	struct xlane_event event;
	xlane_conn *other;
	char byte;
	int wrong = 0;

	wrong |= (xlane_send(conn, "x", 1, 0) != -ECHILD) << 0;
	wrong |= (xlane_recv(conn, &byte, 1, 0) != -ECHILD) << 1;
	wrong |= (xlane_poll(context, &event, 1, 0) != -ECHILD) << 2;
	wrong |= (xlane_progress(context) != -ECHILD) << 3;
	wrong |= (xlane_accept(listener, 0, &other) != -ECHILD) << 4;
	wrong |= (xlane_conn_give(conn, &token) != -ECHILD) << 5;
	wrong |= (xlane_conn_close(conn, 0) != -ECHILD) << 6;
	/* These can say nothing, and must do nothing. */
	xlane_conn_abort(conn);
	xlane_listener_close(listener);
	xlane_close(context, 0);
	return wrong;
}

static void echo(const char *name, const char *text)
{
	const int64_t bytes = (int64_t)strlen(text);
	char back[64] = "";

	is(name, xlane_send(conn, text, (size_t)bytes, WAIT_MS), bytes);
	is("  it comes back", xlane_recv(conn, back, sizeof back, WAIT_MS), bytes);
	is("  as it was", strcmp(back, text), 0);
}

static void fork_and_go_on(void)
{
	int status = 0;
	pid_t pid;

	echo("a message before the fork", "before");
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(child());
	waitpid(pid, &status, 0);
	is("every call of the child gives ECHILD", status, 0);
	echo("a message of the parent, the child being gone", "after");
}

int main(int argc, char **argv)
{
	struct xlane_config config;
	struct xlane_address to;

	xlane_config_init(&config);
	config.daemon = 1;
	config.socket = argv[1];
	if (argc != 3 || xlane_address_parse(argv[2], &to) || xlane_open(&config, &context))
		return fprintf(stderr, "forked SOCKET MAC/PORT: %s\n", xlane_last_error()), 1;
	is("listen", xlane_listen(context, PORT, XLANE_MESSAGE, 1, &listener), 0);
	is("connect", xlane_connect(context, &to, XLANE_MESSAGE, WAIT_MS, &conn), 0);
	if (!failed) {
		fork_and_go_on();
		is("close", xlane_conn_close(conn, WAIT_MS), 0);
	}
	xlane_close(context, 1000);
	printf("1..%d\n", tests);
	return failed != 0;
}
