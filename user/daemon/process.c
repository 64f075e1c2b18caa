// SPDX-License-Identifier: BSD-2-Clause
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../drv/why.h"
#include "logs.h"
#include "server.h"
#include "torn.h"

#define ASK_PATIENCE_MS 5000

/* Signals come by a descriptor; a broken pipe is an error of a call. */
static int take_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_SETMASK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_server(struct xl_server *s, const struct xl_process *p, char *why, size_t why_bytes)
{
	const struct xl_daemon_config *d = p->config;
	const struct xl_reload now = { d->log_level, d->clients_per_uid, d->connections_per_uid,
				       d->memory_mib_per_uid };
	int err = 0;

	s->config = d;
	s->config_file = p->config_file;
	s->listener = p->listener;
	s->helper.fd = p->link;
	s->helper_pid = (u32)p->helper;
	s->started_ns = xl_worker_clock();
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	s->signals = take_signals();
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	xl_server_apply(s, &now);
	if (s->spare < 0 || s->signals < 0 || s->epoll < 0)
		return xl_why(-errno, why, why_bytes, "no descriptor: %s", strerror(errno));
	err = xl_server_watch(s, s->signals, XL_ON_SIGNAL, 0, 0);
	if (!err)
		err = xl_server_watch(s, s->helper.fd, XL_ON_HELPER, 0, 0);
	for (u32 i = 0; i < d->interfaces && !err; i++) {
		err = xl_interface_init(&s->interface[i], &d->interface[i], d);
		s->interfaces = i + 1;
	}
	return err ? xl_why(err, why, why_bytes, "can not begin: %s", strerror(-err)) : 0;
}

static int open_interfaces(struct xl_server *s, const struct xl_process *p, char *why, size_t why_bytes)
{
	u32 core = 0;
	int err;

	for (u32 i = 0; i < s->interfaces; i++) {
		err = xl_interface_open(&s->interface[i], p->port[i], p->native[i], core, why, why_bytes);
		if (!err)
			err = xl_presence_begin(s, i, why, why_bytes);
		if (err)
			return err;
		core += s->config->interface[i].workers;
	}
	return 0;
}

/* From here on clients are let in. */
static int begin(struct xl_server *s, char *why, size_t why_bytes)
{
	struct xl_reply r;
	int err = xl_server_watch(s, s->listener, XL_ON_LISTENER, 0, 0);

	if (err)
		return xl_why(err, why, why_bytes, "can not watch the control socket: %s", strerror(-err));
	err = xl_request_ask(&s->helper, XL_REQUEST_READY, 0, ASK_PATIENCE_MS, &r, NULL, NULL);
	return err ? xl_why(err, why, why_bytes, "%s", r.why) : 0;
}

static void close_server(struct xl_server *s)
{
	for (u32 i = 0; i < XLANE_CLIENTS_MAX; i++)
		if (s->client[i].used && s->client[i].fd >= 0)
			xl_clients_drop(s, &s->client[i]);
	for (u32 i = 0; i < s->interfaces; i++)
		xl_interface_destroy(&s->interface[i]);
	close(s->epoll);
	close(s->signals);
	close(s->spare);
	free(s);
}

int xl_process_run(const struct xl_process *p)
{
	struct xl_server *s = calloc(1, sizeof *s);
	char why[XL_CONFIG_WHY_BYTES] = "";
	int err, status;

	if (!s) {
		xl_error("no memory");
		return 1;
	}
	err = xl_drop(&p->identity, why, sizeof why);
	if (!err && getppid() != p->helper)
		err = xl_why(-ESRCH, why, sizeof why, "the helper has ended");
	if (!err && (err = xl_torn_install()))
		xl_why(err, why, sizeof why, "can not begin: %s", strerror(-err));
	if (!err)
		err = open_server(s, p, why, sizeof why);
	if (!err)
		err = open_interfaces(s, p, why, sizeof why);
	if (!err)
		err = begin(s, why, sizeof why);
	if (err) {
		xl_error("%s", why);
		xl_presence_end(s);
		return 1;
	}
	status = xl_server_run(s);
	if (!status || status == XL_SERVER_AGAIN)
		close_server(s);   /* else a thread may still use what would be freed */
	return status;
}
