/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * misuse.c - a program that uses the library wrongly, and is told so. `misuse IFACE MAC/PORT message`: an echo server
 * of messages listens there; `... stream`: an `xlane cat` that has something to say. Prints TAP.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xlane/limits.h>
#include <xlane/xlane.h>

#define SPEECH_BYTES 3000 /* what the other end of a stream says */

static int tests, failed, daemon_mode;
static xlane *context;
static xlane_conn *conn;
static char large[XLANE_MESSAGE_MAX_BYTES + 1], back[XLANE_MESSAGE_MAX_BYTES];

static void is(const char *name, int64_t got, int64_t wanted)
{
	failed += got != wanted;
	printf("%sok %d - %s\n", got == wanted ? "" : "not ", ++tests, name);
	if (got != wanted)
		printf("# got %lld, wanted %lld\n", (long long)got, (long long)wanted);
}

static void *elsewhere(void *result)
{
	int64_t *r = result;

	r[0] = xlane_send(conn, "x", 1, 0);
	r[1] = xlane_progress(context);
	return NULL;
}

static void other_thread(void)
{
	int64_t r[2] = { 0 };
	pthread_t t;

	pthread_create(&t, NULL, elsewhere, r);
	pthread_join(t, NULL);
	is("send from another thread", r[0], -EPERM);
	is("progress from another thread", r[1], -EPERM);
}

static void child(void)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(xlane_send(conn, "x", 1, 0) == -ECHILD ? 0 : 1);
	waitpid(pid, &status, 0);
	is("send from a child", status, 0);
}

/* Lend and release too much until `bytes` are gone; what a call releases is at most what was lent. */
static int64_t release_all(int64_t bytes)
{
	const void *p;
	int64_t n = 1;

	while (bytes > 0 && (n = xlane_recv_loan(conn, &p, 5000)) > 0) {
		xlane_release(conn, SIZE_MAX);
		bytes -= n;
	}
	return n > 0 ? bytes : n;
}

static void reservations(void)
{
	void *room;

	is("commit without a reservation", xlane_send_commit(conn, 1), -EINVAL);
	is("reserve nothing", xlane_send_reserve(conn, 0, &room, 0), -EINVAL);
	is("reserve more than a message can have", xlane_send_reserve(conn, sizeof large, &room, 0), -EMSGSIZE);
	is("reserve", xlane_send_reserve(conn, 65536, &room, 5000), 65536);
	memset(room, 'r', 65536);
	is("commit more than was reserved", xlane_send_commit(conn, 65537), -EINVAL);
	is("commit less", xlane_send_commit(conn, 50000), 50000);
	is("commit twice", xlane_send_commit(conn, 1), -EINVAL);
	is("it comes back", xlane_recv(conn, back, sizeof back, 5000), 50000);
	is("as it was written", back[0] == 'r' && !memcmp(back, back + 1, 49999), 1);
	is("reserve again", xlane_send_reserve(conn, 100, &room, 5000), 100);
	is("send in between", xlane_send(conn, "", 0, 5000), 0);
	is("has given it up", xlane_send_commit(conn, 100), -EINVAL);
	is("and nothing else was sent", xlane_recv(conn, back, sizeof back, 5000), 0);
}

static void options(void)
{
	struct xlane_token token = { { 1 } };
	xlane_conn *taken;
	uint64_t value = 0;

	is("an option that is none", xlane_conn_set(conn, (enum xlane_option)999, 1), -EINVAL);
	is("asked for", xlane_conn_get(conn, (enum xlane_option)0, &value), -EINVAL);
	is("a priority too high", xlane_conn_set(conn, XLANE_OPTION_PRIORITY, 256), -EINVAL);
	is("a priority", xlane_conn_set(conn, XLANE_OPTION_PRIORITY, 255), 0);
	is("is what was set", xlane_conn_get(conn, XLANE_OPTION_PRIORITY, &value) ? -1 : (int64_t)value, 255);
	is("a send buffer too small", xlane_conn_set(conn, XLANE_OPTION_SEND_BUFFER, 1), -EINVAL);
	is("take what nobody gave", xlane_conn_take(context, &token, &taken), daemon_mode ? -ENOENT : -ENOTSUP);
	if (!daemon_mode)
		is("give where there is nobody to take", xlane_conn_give(conn, &token), -ENOTSUP);
}

static void messages(void)
{
	const int64_t most = sizeof large - 1;
	const void *p;
	char small[4];

	is("the type", xlane_conn_type(conn), XLANE_MESSAGE);
	is("a message too large", xlane_send(conn, large, sizeof large, 1000), -EMSGSIZE);
	is("the largest message", xlane_send(conn, large, sizeof large - 1, 0), most);
	is("it comes back, for a buffer too small", xlane_recv(conn, small, sizeof small, 30000), -EMSGSIZE);
	is("its size can be asked", xlane_readable(conn), most);
	is("more released than was lent, until the message is gone", release_all(most), 0);
	is("and nothing else", xlane_readable(conn), -EAGAIN);
	is("an empty message", xlane_send(conn, "", 0, 1000), 0);
	is("comes back", xlane_recv_loan(conn, &p, 5000), 0);
	xlane_release(conn, 0);
	is("and is released", xlane_readable(conn), -EAGAIN);
	reservations();
	options();
}

static void streams(void)
{
	void *room;

	is("no room to receive into", xlane_recv(conn, large, 0, 0), -EINVAL);
	is("more released than was lent, until all is gone", release_all(SPEECH_BYTES), 0);
	is("shutdown", xlane_shutdown(conn), 0);
	is("reserve after shutdown", xlane_send_reserve(conn, 1, &room, 0), -EPIPE);
	is("send after shutdown", xlane_send(conn, "x", 1, 0), -EPIPE);
}

int main(int argc, char **argv)
{
	struct xlane_config config;
	struct xlane_address to;
	xlane_listener *a, *b;
	int message;

	xlane_config_init(&config);
	daemon_mode = argc > 1 && !strcmp(argv[1], "-d");
	config.daemon = daemon_mode;
	config.interface = daemon_mode ? NULL : argv[1];
	if (argc != 4 || xlane_address_parse(argv[2], &to) || xlane_open(&config, &context))
		return fprintf(stderr, "misuse IFACE|-d MAC/PORT message|stream: %s\n", xlane_last_error()), 1;
	message = !strcmp(argv[3], "message");
	is("connect", xlane_connect(context, &to, message ? XLANE_MESSAGE : XLANE_STREAM, 5000, &conn), 0);
	if (!failed) {
		is("a port twice in one context", xlane_listen(context, 5005, XLANE_STREAM, 1, &a) ? 1 :
		   xlane_listen(context, 5005, XLANE_STREAM, 1, &b), -EADDRINUSE);
		other_thread();
		child();
		message ? messages() : streams();
		is("close", xlane_conn_close(conn, 5000), 0);
	}
	xlane_close(context, 1000);
	printf("1..%d\n", tests);
	return failed != 0;
}
