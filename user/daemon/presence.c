// SPDX-License-Identifier: BSD-2-Clause
/* presence.c - interfaces that go away and come back. */
#include "server.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "logs.h"

#define OPEN_PATIENCE_MS 20000   /* the helper may have to load a program */
#define ASK_PATIENCE_MS 5000
#define XDP_GONE_NS XL_S         /* a program that is exchanged may be absent for a moment */

static void report(struct xl_thread *t, u32 kind, void *p, void *arg)
{
	struct xl_server *s = arg;

	for (u32 i = 0; i < s->interfaces; i++)
		for (u32 w = 0; w < s->interface[i].workers; w++)
			if (s->interface[i].thread[w] == t)
				xl_server_report(s, i, t, kind, p);
}

static u32 first_core(const struct xl_server *s, u32 interface)
{
	u32 n = 0;

	for (u32 i = 0; i < interface; i++)
		n += s->config->interface[i].workers;
	return n;
}

/* What sockets and frames were made for; the drivers use no more. */
static u32 mtu_most(const struct xl_interface *i)
{
	u32 most = i->drv[0]->segs_max == 1 ? i->port.umem.frame_bytes - XLANE_TX_HEADROOM_BYTES : XLANE_MTU_MAX;

	return i->port.mtu_limit ? (u32)xl_min(most, i->port.mtu_limit) : most;
}

/* Connections go on under another MTU: the workers follow their drivers. */
static void mtu_changed(struct xl_server *s, u32 interface)
{
	struct xl_interface *i = &s->interface[interface];

	if (i->watch.mtu < XLANE_MTU_MIN + xl_link_tag_bytes(&i->thread[0]->worker.link))
		xl_presence_lost(s, interface, -ENETDOWN, "its MTU is too small now");
	else if (i->watch.mtu > mtu_most(i))
		xl_warning("%s: MTU %u: %u of it are used, more from the next start on", i->config->name, i->watch.mtu,
			   mtu_most(i));
	else
		xl_info("%s: MTU %u", i->config->name, i->watch.mtu);
}

int xl_presence_begin(struct xl_server *s, u32 interface, char *why, size_t why_bytes)
{
	struct xl_interface *i = &s->interface[interface];
	struct xl_reply r;
	int err = xl_server_watch(s, xl_watch_fd(&i->watch), XL_ON_WATCH, interface, 0);

	for (u32 w = 0; w < i->workers && !err; w++)
		err = xl_server_watch(s, i->thread[w]->out.fd, XL_ON_THREAD, interface, w);
	if (err) {
		snprintf(why, why_bytes, "can not watch a worker: %s", strerror(-err));
		return err;
	}
	err = xl_request_ask(&s->helper, XL_REQUEST_ARM, interface, ASK_PATIENCE_MS, &r, NULL, NULL);
	if (err) {
		snprintf(why, why_bytes, "%s", r.why);
		return err;
	}
	s->retry_ns[interface] = XL_NEVER;
	s->told[interface] = 0;
	s->no_xdp[interface] = false;
	xl_interface_print(i);
	return 0;
}

/* Its threads end, its clients see the hang-up, the helper disarms. */
static int stop(struct xl_server *s, u32 interface, int error)
{
	struct xl_interface *i = &s->interface[interface];
	struct xl_reply r;
	int err = xl_interface_close(i, error, report, s);

	if (err)
		return err;
	xl_queries_forget(s, interface);
	if (!s->helper.broken)
		xl_request_ask(&s->helper, XL_REQUEST_CLOSE, interface, ASK_PATIENCE_MS, &r, NULL, NULL);
	return 0;
}

void xl_presence_lost(struct xl_server *s, u32 interface, int error, const char *because)
{
	struct xl_interface *i = &s->interface[interface];

	if (i->error)
		return;
	xl_error("%s: %s: its clients are ended; it is taken back when it can be", i->config->name, because);
	s->counters[XL_SERVER_INTERFACE_LOST]++;
	s->no_xdp[interface] = false;
	s->retry_ns[interface] = xl_worker_clock() + XL_SERVER_RETRY_NS;
	if (stop(s, interface, error)) {
		xl_error("%s: a worker does not stop: ending", i->config->name);
		s->ending = true;
		s->status = 1;
	}
}

void xl_presence_watch_event(struct xl_server *s, u32 interface)
{
	struct xl_interface *i = &s->interface[interface];
	int changed;

	if (!i->watched)
		return;
	changed = xl_watch_read(&i->watch);
	if (changed < 0)
		xl_warning("%s: netlink: %s", i->config->name, strerror(-changed));
	if (changed <= 0)
		return;
	if (changed & XL_WATCH_UPDOWN)
		xl_info("%s: is %s", i->config->name, i->watch.up ? "up" : "down");
	if (changed & XL_WATCH_GONE)
		xl_presence_lost(s, interface, -ENETDOWN, "the interface is gone");
	else if (changed & XL_WATCH_MAC)
		xl_presence_lost(s, interface, -ENETDOWN, "its address has changed");
	else if (changed & XL_WATCH_NAME)
		xl_presence_lost(s, interface, -ENETDOWN, "it has another name");
	else if (changed & XL_WATCH_MTU)
		mtu_changed(s, interface);
	if (i->error || !(changed & XL_WATCH_XDP))
		return;
	s->no_xdp[interface] = i->watch.xdp == XL_WATCH_XDP_NONE;
	s->retry_ns[interface] = s->no_xdp[interface] ? xl_worker_clock() + XDP_GONE_NS : XL_NEVER;
}

static int reopen(struct xl_server *s, u32 interface, char *why, size_t why_bytes)
{
	struct xl_interface *i = &s->interface[interface];
	int fds[XL_PORT_FDS_MAX], err;
	struct xl_port port;
	struct xl_reply r;
	u32 nfds;

	err = xl_request_ask(&s->helper, XL_REQUEST_OPEN, interface, OPEN_PATIENCE_MS, &r, fds, &nfds);
	if (err) {
		snprintf(why, why_bytes, "%s", r.why);
		return err;
	}
	err = xl_port_unpack(&r.u.form, sizeof r.u.form, fds, nfds, &port, why, why_bytes);
	if (err) {
		while (nfds)
			close(fds[--nfds]);
		goto fail;
	}
	err = xl_interface_open(i, &port, r.native, first_core(s, interface), why, why_bytes);
	if (!err)
		err = xl_presence_begin(s, interface, why, why_bytes);
	if (!err)
		return 0;
fail:
	if (stop(s, interface, err))
		s->ending = true;
	return err;
}

static void retry(struct xl_server *s, u32 interface, u64 now_ns)
{
	struct xl_interface *i = &s->interface[interface];
	char why[XL_CONFIG_WHY_BYTES] = "";
	int err;

	s->retry_ns[interface] = now_ns + XL_SERVER_RETRY_NS;
	if (!if_nametoindex(i->config->name))
		return;
	err = reopen(s, interface, why, sizeof why);
	if (!err) {
		s->counters[XL_SERVER_INTERFACE_BACK]++;
		xl_info("%s: is served again", i->config->name);
		return;
	}
	if (err == -EOPNOTSUPP) {
		xl_warning("%s: is back, and this kernel can give it to a new worker process only: starting one",
			   i->config->name);
		s->ending = true;
		s->status = XL_SERVER_AGAIN;
		return;
	}
	i->error = err;
	s->retry_ns[interface] = now_ns + (err == -ENETDOWN ? XL_SERVER_RETRY_NS : XL_SERVER_RETRY_SLOW_NS);
	if (s->told[interface] != err)
		xl_warning("%s: can not be opened yet: %s", i->config->name, why);
	s->told[interface] = err;
}

void xl_presence_tick(struct xl_server *s, u64 now_ns)
{
	for (u32 i = 0; i < s->interfaces && !s->ending; i++) {
		if (now_ns < s->retry_ns[i])
			continue;
		if (s->interface[i].error)
			retry(s, i, now_ns);
		else if (s->no_xdp[i])
			xl_presence_lost(s, i, -ENETDOWN, "its demux program was detached");
		else
			s->retry_ns[i] = XL_NEVER;
	}
}

u64 xl_presence_deadline(const struct xl_server *s)
{
	u64 first = XL_NEVER;

	for (u32 i = 0; i < s->interfaces; i++)
		first = xl_min(first, s->retry_ns[i]);
	return first;
}

int xl_presence_end(struct xl_server *s)
{
	int err = 0;

	for (u32 i = 0; i < s->interfaces; i++)
		if (s->interface[i].workers && !err)
			err = stop(s, i, -ENETDOWN);
	return err;
}
