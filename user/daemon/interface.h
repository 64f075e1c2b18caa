/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interface.h - one interface in the worker process: its port, its workers and their threads. Control thread only.
 *
 * States: away (nothing is there but the configuration and the table of ports), serving. An interface that goes away
 * takes its clients with it; it is opened again by name.
 */
#ifndef XL_DAEMON_INTERFACE_H
#define XL_DAEMON_INTERFACE_H

#include "../drv/af_xdp.h"
#include "../xdp/port.h"
#include "../xdp/watch.h"
#include "config.h"
#include "ports.h"
#include "thread.h"

struct xl_interface {
	const struct xl_interface_config *config;
	struct xl_ports *ports;
	int error;                   /* 0: serving; else why not: -ENETDOWN, ... */
	struct xl_port port;
	struct xl_af_xdp_shared *shared;
	struct xl_drv *drv[XLANE_WORKERS_MAX];
	struct xl_thread *thread[XLANE_WORKERS_MAX];
	u32 workers;                 /* threads that are there */
	struct xl_watch watch;
	bool watched;
	bool native;
	u64 node, incarnation;
	char driver[96];             /* "af_xdp (native, copy, 2 queues)" */
};

/* Its name, configuration and table of ports; away. */
int xl_interface_init(struct xl_interface *i, const struct xl_interface_config *c, const struct xl_daemon_config *d);
void xl_interface_destroy(struct xl_interface *i);
/* Take over a port, make and start the workers. `first_core`: where cores are not configured, worker w gets the
 * (first_core + w)th that this process may use. On failure all is closed and it is away; -EOPNOTSUPP: this kernel lets
 * no other process map a port. */
int xl_interface_open(struct xl_interface *i, struct xl_port *port, bool native, u32 first_core, char *why,
		      size_t why_bytes);
/* Tell all workers to stop, wait for them, take in what they report by `report`, take all apart. It is away then, with
 * `error`. -ETIMEDOUT: a thread did not end: the process must. */
int xl_interface_close(struct xl_interface *i, int error,
		       void (*report)(struct xl_thread *t, u32 kind, void *p, void *arg), void *arg);
/* Log what was opened. */
void xl_interface_print(const struct xl_interface *i);

#endif
