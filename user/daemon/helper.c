// SPDX-License-Identifier: BSD-2-Clause
#include "helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../drv/why.h"
#include "../worker/worker.h"
#include "door.h"
#include "gate.h"
#include "logs.h"
#include "notify.h"
#include "process.h"
#include "request.h"
#include "server.h"

#define STOP_MS 8000   /* for the worker process to end, when told to */

struct helper {
	const struct xl_options *options;
	struct xl_daemon_config *config;
	struct xl_identity identity;
	struct xl_door door;
	struct xl_gate gate[XLANE_INTERFACES_MAX];
	int signals, link;            /* link: to the worker process, -1 */
	pid_t child;                  /* 0: none */
	int child_status;             /* of waitpid, once it has ended */
	bool told;                    /* to end */
	bool ready;
	u64 stop_until_ns;            /* when told: kill it then */
};

/* --- starting ----------------------------------------------------------------------------------- */
static int take_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Sockets of queues and clients are many, and a UMEM is locked memory. What can not be raised shows later, in words. */
static void raise_limits(void)
{
	struct rlimit files, all = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &all);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void close_gates(struct helper *h)
{
	for (u32 i = 0; i < h->config->interfaces; i++)
		xl_gate_close(&h->gate[i]);
}

static int open_gates(struct helper *h)
{
	char why[XL_CONFIG_WHY_BYTES] = "";
	int err = 0;

	for (u32 i = 0; i < h->config->interfaces && !err; i++) {
		h->gate[i].config = &h->config->interface[i];
		err = xl_gate_open(&h->gate[i], why, sizeof why);
	}
	if (err) {
		xl_error("%s", why);
		close_gates(h);
	}
	return err;
}

/* What the fork becomes. It keeps the ports and the listener, and nothing else of the helper's. */
static int child(struct helper *h, int link, pid_t parent)
{
	struct xl_process p = {
		.config = h->config, .config_file = h->options->file, .identity = h->identity,
		.helper = parent, .link = link, .listener = h->door.listener,
	};

	close(h->signals);
	close(h->link);
	close(h->door.lock);
	prctl(PR_SET_NAME, "xlaned-worker");
	unsetenv("NOTIFY_SOCKET");
	for (u32 i = 0; i < h->config->interfaces; i++) {
		xl_gate_forget(&h->gate[i]);
		p.port[i] = &h->gate[i].port;
		p.native[i] = h->gate[i].native;
	}
	return xl_process_run(&p);
}

/* Make the worker process. The ports are its from then on. */
static int start_child(struct helper *h)
{
	pid_t self = getpid();
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	h->link = pair[0];
	h->child = fork();
	if (!h->child)
		_exit(child(h, pair[1], self));
	err = h->child < 0 ? -errno : 0;
	if (err) {
		h->child = 0;
		close(h->link);
		h->link = -1;
	}
	close(pair[1]);
	for (u32 i = 0; i < h->config->interfaces; i++)
		xl_gate_release(&h->gate[i]);
	return err;
}

/* --- serving the worker process ------------------------------------------------------------------ */
static void say_ready(struct helper *h)
{
	char status[XL_CONFIG_SOCKET_BYTES + 64];

	xl_info("serving clients on %s", h->door.path);
	if (!h->ready) {
		printf("xlaned: ready\n");
		fflush(stdout);
	}
	h->ready = true;
	snprintf(status, sizeof status, "READY=1\nSTATUS=serving %u interface%s on %s", h->config->interfaces,
		 h->config->interfaces == 1 ? "" : "s", h->door.path);
	xl_notify(status);
}

/* The interface anew, for a worker process that runs already. */
static void open_again(struct xl_gate *g, struct xl_reply *r, int *fds)
{
	xl_gate_close(g);
	r->error = xl_gate_open(g, r->why, sizeof r->why);
	if (r->error)
		return;
	r->native = g->native;
	r->fds_all = xl_port_pack(&g->port, &r->u.form, fds);
}

static void serve(struct helper *h, const struct xl_request *q)
{
	struct xl_gate *g = &h->gate[q->op == XL_REQUEST_READY ? 0 : q->interface];
	struct xl_reply r = { .kind = XL_REPLY_ANSWER, .op = q->op };
	int fds[XL_PORT_FDS_MAX];

	switch (q->op) {
	case XL_REQUEST_OPEN:
		open_again(g, &r, fds);
		break;
	case XL_REQUEST_ARM:
		r.error = xl_gate_arm(g, r.why, sizeof r.why);
		break;
	case XL_REQUEST_CLOSE:
		xl_gate_close(g);
		break;
	case XL_REQUEST_COUNTERS:
		r.error = xl_gate_counters(g, r.u.counters);
		break;
	default:
		say_ready(h);
		break;
	}
	if (xl_request_answer(h->link, &r, fds) && h->child > 0)
		kill(h->child, SIGKILL);   /* it asks and does not listen: it is not what we started */
	if (q->op == XL_REQUEST_OPEN)
		xl_gate_release(g);
}

static void on_link(struct helper *h)
{
	struct xl_request q;
	int got = xl_request_take(h->link, h->config->interfaces, &q);

	if (got == 1) {
		serve(h, &q);
	} else if (got != -EAGAIN) {
		if (got == -EPROTO && h->child > 0) {
			xl_error("the worker process sent what is no request: ending it");
			kill(h->child, SIGKILL);
		}
		close(h->link);   /* its end is told by a signal */
		h->link = -1;
	}
}

/* --- signals ------------------------------------------------------------------------------------- */
static void reload(struct helper *h)
{
	char why[XL_CONFIG_WHY_BYTES] = "", restart[XL_CONFIG_WHY_BYTES];
	struct xl_daemon_config *next = malloc(sizeof *next), *c = h->config;
	struct xl_reply r = { .kind = XL_REPLY_RELOAD };
	int err = next ? xl_config_build(h->options->file, h->options->argc, h->options->argv, next, why, sizeof why) :
			 xl_why(-ENOMEM, why, sizeof why, "no memory");

	if (err) {
		xl_error("reload: %s; the old configuration stays in force", why);
		free(next);
		return;
	}
	xl_config_reload(c, next, restart, sizeof restart);
	free(next);
	xl_logs_level((int)c->log_level);
	r.u.reload =
		(struct xl_reload){ c->log_level, c->clients_per_uid, c->connections_per_uid, c->memory_mib_per_uid };
	if (h->link >= 0)
		xl_request_answer(h->link, &r, NULL);
	xl_info("configuration reloaded");
	if (*restart)
		xl_warning("reload: changed, and in force from the next start on: %s", restart);
}

static void tell_to_end(struct helper *h)
{
	if (!h->told) {
		xl_info("ending");
		xl_notify("STOPPING=1");
		h->stop_until_ns = xl_worker_clock() + STOP_MS * XL_MS;
	}
	h->told = true;
	if (h->child > 0)
		kill(h->child, SIGTERM);
}

static void reap(struct helper *h)
{
	int status;

	/* others are xdp-loader's, which whoever runs it waits for */
	if (h->child > 0 && waitpid(h->child, &status, WNOHANG) == h->child) {
		h->child = 0;
		h->child_status = status;
	}
}

static void on_signal(struct helper *h)
{
	struct signalfd_siginfo info;

	while (read(h->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGHUP)
			reload(h);
		else if (info.ssi_signo != SIGCHLD)
			tell_to_end(h);
	}
	reap(h);
}

/* --- as a whole ------------------------------------------------------------------------------------ */
static int patience_ms(struct helper *h)
{
	u64 now = xl_worker_clock();

	if (!h->told)
		return -1;
	if (now >= h->stop_until_ns && h->child > 0) {
		xl_error("the worker process does not end: killing it");
		kill(h->child, SIGKILL);
		h->stop_until_ns = XL_NEVER;
	}
	return h->stop_until_ns == XL_NEVER ? -1 : (int)((h->stop_until_ns - now) / XL_MS + 1);
}

/* Until the worker process has ended. */
static void watch_child(struct helper *h)
{
	while (h->child > 0) {
		struct pollfd p[] = { { .fd = h->signals, .events = POLLIN }, { .fd = h->link, .events = POLLIN } };

		if (poll(p, 2, patience_ms(h)) < 0 && errno != EINTR)
			return;
		if (p[0].revents)
			on_signal(h);
		if (h->link >= 0 && p[1].revents)
			on_link(h);
	}
}

/* Exit status for how the worker process ended; -1: start another. */
static int judge(const struct helper *h)
{
	int status = h->child_status;

	if (WIFEXITED(status) && !WEXITSTATUS(status) && h->told)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == XL_SERVER_AGAIN && !h->told)
		return -1;
	if (WIFSIGNALED(status))
		xl_error("the worker process was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		xl_error("the worker process ended with status %d", WEXITSTATUS(status));
	return 1;
}

static int run(struct helper *h)
{
	int status;

	do {
		if (open_gates(h))
			return 1;
		if (start_child(h)) {
			xl_error("can not start the worker process: %s", strerror(errno));
			close_gates(h);
			return 1;
		}
		watch_child(h);
		if (h->link >= 0)
			close(h->link);
		h->link = -1;
		close_gates(h);
		status = judge(h);
	} while (status < 0);
	return status;
}

int xl_helper_run(const struct xl_options *o, struct xl_daemon_config *c)
{
	struct helper *h = calloc(1, sizeof *h);
	char why[XL_CONFIG_WHY_BYTES] = "";
	int status = 1;

	if (!h)
		return 1;
	h->options = o;
	h->config = c;
	h->link = -1;
	raise_limits();
	h->signals = take_signals();
	if (h->signals < 0) {
		xl_error("no descriptor for signals: %s", strerror(errno));
	} else if (xl_drop_find(c->user, &h->identity, why, sizeof why) || xl_door_open(c, &h->door, why, sizeof why)) {
		xl_error("%s", why);
	} else {
		status = run(h);
		for (u32 i = 0; i < c->interfaces; i++)
			xl_gate_detach(&h->gate[i]);
		xl_door_close(&h->door);
	}
	if (h->signals >= 0)
		close(h->signals);
	free(h);
	return status;
}
