/* SPDX-License-Identifier: BSD-2-Clause */
/* process.h - the worker process: what the fork of the helper becomes. */
#ifndef XL_DAEMON_PROCESS_H
#define XL_DAEMON_PROCESS_H

#include <sys/types.h>

#include "../xdp/port.h"
#include "config.h"
#include "drop.h"

struct xl_process {
	const struct xl_daemon_config *config;
	const char *config_file;
	struct xl_identity identity;     /* to become */
	pid_t helper;                    /* the parent */
	int link;                        /* to the helper */
	int listener;                    /* the control socket, listening */
	struct xl_port *port[XLANE_INTERFACES_MAX];   /* inherited, the process's own */
	bool native[XLANE_INTERFACES_MAX];
};

/* Drop privileges, open every interface, serve. Returns the exit status: 0 told to end, 1 failure, XL_SERVER_AGAIN. */
int xl_process_run(const struct xl_process *p);

#endif
