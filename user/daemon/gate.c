// SPDX-License-Identifier: BSD-2-Clause
#include "gate.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "../drv/why.h"
#include "../xdp/attach.h"
#include "../xdp/bpffs.h"
#include "logs.h"

/* Largest payload of one frame when the program takes no frames of several buffers. */
#define ONE_BUFFER_MTU (XLANE_FRAME_BYTES - XLANE_KERNEL_HEADROOM_BYTES - XLANE_LINK_HEADER_MAX_BYTES)

static int attach(struct xl_gate *g, char *why, size_t why_bytes)
{
	const struct xl_interface_config *c = g->config;
	const struct xl_attach_options options = { .mode = c->mode, .ethertype = (u16)c->ethertype };
	struct xl_attach_result result;
	int err = xl_xdp_attach(c->name, &options, &result, why, why_bytes);

	if (err)
		return err;
	if (result.done == XL_ATTACH_NEW)
		g->attached_ifindex = result.program.ifindex;
	xl_info("%s: attached the demultiplexer (%s)%s%s", c->name, xl_xdp_mode_name(result.program.mode),
		*result.note ? ": " : "", result.note);
	return 0;
}

/* What is attached stays as it is; only where there is nothing, and if it may, the helper attaches. */
static int find_demux(struct xl_gate *g, char *why, size_t why_bytes)
{
	int err = xl_demux_open(g->config->name, &g->demux, why, why_bytes);

	if (err == -ENOENT && g->config->attach) {
		err = attach(g, why, why_bytes);
		if (!err)
			err = xl_demux_open(g->config->name, &g->demux, why, why_bytes);
	}
	if (err)
		g->demux = NULL;
	return err;
}

static int open_port(struct xl_gate *g, char *why, size_t why_bytes)
{
	static const int zero_copy[] = { [XL_AUTO] = 0, [XL_ON] = 1, [XL_OFF] = -1 };
	const struct xl_interface_config *c = g->config;
	struct xl_port_spec spec = {
		.ifname = c->name, .workers = c->workers, .frames = c->frames, .queues = c->queues,
		.zero_copy = zero_copy[c->zero_copy], .need_wakeup = c->need_wakeup, .mtu = c->mtu,
	};
	int err;

	if (!xl_demux_frags(g->demux) && (!spec.mtu || spec.mtu > ONE_BUFFER_MTU))
		spec.mtu = ONE_BUFFER_MTU;
	err = xl_port_open(&spec, &g->port, why, why_bytes);
	if (err)
		memset(&g->port, 0, sizeof g->port);
	return err;
}

int xl_gate_open(struct xl_gate *g, char *why, size_t why_bytes)
{
	int err = find_demux(g, why, why_bytes);

	if (err)
		goto detach;
	g->native = xl_demux_native(g->demux);
	err = open_port(g, why, why_bytes);
	if (err)
		goto close_demux;
	err = xl_demux_enter(g->demux, &g->port);
	if (!err)
		return 0;
	xl_why(err, why, why_bytes, "the sockets of %s can not be entered into the demux program's map: %s",
	       g->config->name, strerror(-err));
	xl_gate_release(g);
close_demux:
	xl_demux_close(g->demux);
	g->demux = NULL;
detach:
	xl_gate_detach(g);
	return err;
}

void xl_gate_release(struct xl_gate *g)
{
	xl_port_close(&g->port);
	memset(&g->port, 0, sizeof g->port);
}

int xl_gate_arm(struct xl_gate *g, char *why, size_t why_bytes)
{
	int err = g->demux ? xl_demux_arm(g->demux, (u16)g->config->ethertype) : -ENOTCONN;

	return err ? xl_why(err, why, why_bytes, "the demux program of %s can not be armed: %s", g->config->name,
			    strerror(-err))
		   : 0;
}

int xl_gate_counters(const struct xl_gate *g, u64 out[XLANE_BPF_COUNTER_COUNT])
{
	return g->demux ? xl_demux_counters(g->demux, out) : -ENOTCONN;
}

void xl_gate_close(struct xl_gate *g)
{
	if (g->demux) {
		xl_demux_leave(g->demux);
		xl_demux_close(g->demux);
	}
	g->demux = NULL;
	xl_gate_release(g);
}

void xl_gate_forget(struct xl_gate *g)
{
	xl_demux_close(g->demux);
	g->demux = NULL;
}

/* The interface went, and the program with it: only pins may be left, where the program was ours to pin. */
static void remove_pins(const char *ifname)
{
	char dir[XL_PIN_DIR_BYTES];
	struct xl_bpffs b;

	for (enum xl_bpffs_place place = 0; place < XL_BPFFS_PLACES; place++) {
		if (xl_bpffs_open_at(&b, place, true))
			continue;
		if (!xl_pins_dir(b.path, ifname, false, dir) && xl_pins_free(b.path, dir))
			xl_pins_remove(b.path, dir);
		xl_bpffs_close(&b);
	}
	xl_bpffs_tidy();
}

void xl_gate_detach(struct xl_gate *g)
{
	struct xl_detach_result done;
	char why[XL_CONFIG_WHY_BYTES];
	int err;

	if (!g->attached_ifindex)
		return;
	/* the interface may be another one by now, or in another namespace */
	if (if_nametoindex(g->config->name) != g->attached_ifindex) {
		g->attached_ifindex = 0;
		remove_pins(g->config->name);
		return;
	}
	g->attached_ifindex = 0;
	err = xl_xdp_detach(g->config->name, &done, why, sizeof why);
	if (err && err != -ENOENT)
		xl_error("%s: can not detach the demultiplexer: %s", g->config->name, why);
	else
		xl_info("%s: detached the demultiplexer", g->config->name);
}
