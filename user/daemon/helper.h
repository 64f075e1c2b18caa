/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper.h - the privileged process: it does what needs privilege, for the worker process, which it starts and
 * outlives.
 *
 * It reads its configuration, requests of the worker process (request.h), and nothing else; it keeps no AF_XDP socket
 * and no mapping of one. At its end interfaces are disarmed, what it attached is detached, its socket is removed.
 */
#ifndef XL_DAEMON_HELPER_H
#define XL_DAEMON_HELPER_H

#include "config.h"
#include "options.h"

/* The whole daemon. `o` outlives the call: at a reload the configuration is built from it again. Exit status. */
int xl_helper_run(const struct xl_options *o, struct xl_daemon_config *c);

#endif
