/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate.h - what the privileged helper does for one interface: attach the demux if it may, make the sockets, enter
 * them, arm and disarm.
 *
 * Guarantee: frames are redirected between arm and close only; a failed open leaves nothing behind; detach takes off
 * only what this process has attached. One thread.
 */
#ifndef XL_DAEMON_GATE_H
#define XL_DAEMON_GATE_H

#include "../xdp/demux.h"
#include "../xdp/port.h"
#include "config.h"

struct xl_gate {
	const struct xl_interface_config *config;   /* outlives it */
	struct xl_demux *demux;                     /* NULL: not open */
	struct xl_port port; /* until xl_gate_release: the sockets must not stay with the helper */
	bool native;
	u32 attached_ifindex;                       /* where this process has attached the program; 0: nowhere */
};

/* The slots are filled, nothing is redirected yet. -errno of xl_xdp_attach, xl_demux_open, xl_port_open. */
int xl_gate_open(struct xl_gate *g, char *why, size_t why_bytes);
/* The port has been handed over: unmap and close what is here of it. */
void xl_gate_release(struct xl_gate *g);
int xl_gate_arm(struct xl_gate *g, char *why, size_t why_bytes);
int xl_gate_counters(const struct xl_gate *g, u64 out[XLANE_BPF_COUNTER_COUNT]);
/* Disarm and let go; the program stays attached. Fine when not open. */
void xl_gate_close(struct xl_gate *g);
/* In a forked copy: only close descriptors, change nothing. The port stays. */
void xl_gate_forget(struct xl_gate *g);
/* At the end: take the program off if this process has put it there. */
void xl_gate_detach(struct xl_gate *g);

#endif
