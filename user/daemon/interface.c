// SPDX-License-Identifier: BSD-2-Clause
#include "interface.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../drv/why.h"
#include "identity.h"
#include "logs.h"

#define JOIN_NS (5 * XL_S)   /* a thread that was told to stop and has not by then hangs */

int xl_interface_init(struct xl_interface *i, const struct xl_interface_config *c, const struct xl_daemon_config *d)
{
	memset(i, 0, sizeof *i);
	i->config = c;
	i->error = -ENETDOWN;
	return xl_ports_open(d->privileged_ports, d->ports_per_uid, &i->ports);
}

void xl_interface_destroy(struct xl_interface *i)
{
	if (i->ports)
		xl_ports_close(i->ports);
	i->ports = NULL;
}

/* The nth core that this process may use, counted round. */
static s32 nth_core(u32 n)
{
	cpu_set_t set;
	u32 count;

	if (sched_getaffinity(0, sizeof set, &set) < 0 || !(count = (u32)CPU_COUNT(&set)))
		return -1;
	n %= count;
	for (u32 core = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &set) && !n--)
			return (s32)core;
	return -1;
}

static struct xl_thread_config thread_config(const struct xl_interface *i, u32 worker, u32 first_core)
{
	const struct xl_interface_config *c = i->config;

	return (struct xl_thread_config){
		.interface = c->name, .worker = worker, .workers = c->workers,
		.core = c->cores ? c->core[worker] : nth_core(first_core + worker),
		.wait = c->wait, .spin_ns = c->spin_us * XL_US,
		.ethertype = (u16)c->ethertype, .vlan = { c->vlan[0], c->vlan[1] },
		.connections = c->connections, .blocks = c->recv_memory_mib * (1048576 / XLANE_BLOCK_BYTES),
		.keepalive_ns = c->keepalive_ms * XL_MS, .peer_death_ns = c->peer_death_ms * XL_MS, .no_crc = !c->crc,
		.congestion = (u8)c->congestion,
		.node = i->node, .incarnation = i->incarnation,
	};
}

static int open_worker(struct xl_interface *i, u32 w, u32 first_core, char *why, size_t why_bytes)
{
	struct xl_thread *t = aligned_alloc(64, (sizeof *t + 63) & ~(size_t)63);
	int err;

	if (!t)
		return xl_why(-ENOMEM, why, why_bytes, "no memory for a worker");
	memset(t, 0, sizeof *t);
	i->thread[w] = t;
	i->workers = w + 1;
	t->tables = malloc(xl_frames_table_bytes(i->port.umem.frames));
	if (!t->tables)
		return xl_why(-ENOMEM, why, why_bytes, "no memory for the tables of %u frames", i->port.umem.frames);
	xl_port_frames(&i->port, w, &t->frames, t->tables);
	err = xl_drv_af_xdp_open(i->shared, w, &t->frames, &i->drv[w], why, why_bytes);
	if (err) {
		i->drv[w] = NULL;
		return err;
	}
	if (!w) {   /* the interface's address is known now */
		char machine[33];

		xl_identity_machine(machine);
		i->node = xl_identity_node(machine, i->drv[0]->mac);
		i->incarnation = xl_identity_incarnation();
	}
	t->config = thread_config(i, w, first_core);
	return xl_thread_open(t, i->drv[w], i->ports, why, why_bytes);
}

static void describe(struct xl_interface *i)
{
	const struct xl_drv *d = i->drv[0];

	snprintf(i->driver, sizeof i->driver, "%s (%s, %s, %u queue%s%s)", d->ops->name,
		 i->native ? "native" : "generic", d->features & XL_DRV_ZERO_COPY ? "zero-copy" : "copy", d->queues,
		 d->queues == 1 ? "" : "s", d->features & XL_DRV_MULTI_BUFFER ? ", multi-buffer" : "");
}

static int start_threads(struct xl_interface *i, char *why, size_t why_bytes)
{
	for (u32 w = 0; w < i->workers; w++) {
		int err = xl_thread_start(i->thread[w]);

		if (err && i->thread[w]->running)
			return xl_why(err, why, why_bytes, "worker %u can not be pinned to core %d: %s", w,
				      i->thread[w]->config.core, strerror(-err));
		if (err)
			return xl_why(err, why, why_bytes, "no thread for worker %u: %s", w, strerror(-err));
	}
	return 0;
}

static void check_home(const struct xl_frames *f, const char *name, u32 worker)
{
	if (!xl_frames_census_ok(f))
		xl_error("%s: worker %u: the frame census does not add up", name, worker);
}

/* No thread runs any more. */
static void take_apart(struct xl_interface *i)
{
	for (u32 w = 0; w < i->workers; w++)
		xl_thread_close(i->thread[w]);
	for (u32 w = 0; w < i->workers; w++) {
		if (i->drv[w])
			i->drv[w]->ops->close(i->drv[w]);
		i->drv[w] = NULL;
	}
	xl_af_xdp_shared_close(i->shared);
	i->shared = NULL;
	for (u32 w = 0; w < i->workers; w++) {
		if (i->thread[w]->frames.count)
			check_home(&i->thread[w]->frames, i->config->name, w);
		free(i->thread[w]->tables);
		free(i->thread[w]);
		i->thread[w] = NULL;
	}
	i->workers = 0;
	xl_port_close(&i->port);
	memset(&i->port, 0, sizeof i->port);
	if (i->watched)
		xl_watch_close(&i->watch);
	i->watched = false;
}

static void drop_report(struct xl_thread *t, u32 kind, void *p, void *arg)
{
	(void)t, (void)kind, (void)p, (void)arg;   /* it had no clients yet */
}

int xl_interface_open(struct xl_interface *i, struct xl_port *port, bool native, u32 first_core, char *why,
		      size_t why_bytes)
{
	int err;

	i->port = *port;
	memset(port, 0, sizeof *port);
	i->native = native;
	err = xl_watch_open(&i->watch, i->config->name);
	i->watched = !err;
	if (err)
		xl_why(err, why, why_bytes, "can not follow the interface: %s", strerror(-err));
	else
		err = xl_af_xdp_shared_open(&i->port, &i->shared, why, why_bytes);
	for (u32 w = 0; w < i->port.workers && !err; w++)
		err = open_worker(i, w, first_core, why, why_bytes);
	if (!err) {
		describe(i);
		err = start_threads(i, why, why_bytes);
	}
	if (err)
		xl_interface_close(i, err, drop_report, NULL);
	i->error = err;
	return err;
}

int xl_interface_close(struct xl_interface *i, int error,
		       void (*report)(struct xl_thread *t, u32 kind, void *p, void *arg), void *arg)
{
	u64 until = xl_identity_incarnation() + JOIN_NS;
	u32 kind;
	void *p;

	i->error = error;
	for (u32 w = 0; w < i->workers; w++)
		if (i->thread[w]->running)
			xl_thread_post(i->thread[w], XL_THREAD_STOP, NULL);
	for (u32 w = 0; w < i->workers; w++)
		if (xl_thread_join(i->thread[w], until))
			return -ETIMEDOUT;
	for (u32 w = 0; w < i->workers; w++)
		while (i->thread[w]->out.ring && xl_thread_report(i->thread[w], &kind, &p))
			report(i->thread[w], kind, p, arg);
	take_apart(i);
	return 0;
}

void xl_interface_print(const struct xl_interface *i)
{
	const struct xl_port *p = &i->port;

	xl_info("%s: %s, MTU %u, %u worker%s", i->config->name, i->driver, i->drv[0]->mtu, i->workers,
		i->workers == 1 ? "" : "s");
	xl_info("%s: memory: engine %zu MiB a worker, touched as used; UMEM %llu MiB (%u frames a worker)",
		i->config->name, i->thread[0]->engine_bytes >> 20, (unsigned long long)(p->umem.bytes >> 20),
		p->frames);
}
