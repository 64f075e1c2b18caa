/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.h - the daemon's configuration: defaults, then a file, then the command line; checked as a whole.
 *
 * Guarantee: the outcome is a whole, valid configuration or an error that names file and line (or the option), key,
 * value and what is allowed. Nothing is half-applied: who gets an error keeps what it had. One table (keys.c) says
 * which keys there are. One thread per call, no state.
 */
#ifndef XL_DAEMON_CONFIG_H
#define XL_DAEMON_CONFIG_H

#include <net/if.h>
#include <xlane/limits.h>
#include "../base/types.h"

#define XL_CONFIG_FILE "/etc/xlane/xlaned.conf"
#define XL_CONFIG_SOCKET_BYTES 100   /* sun_path less what the lock's name adds */
#define XL_CONFIG_NAME_BYTES 32      /* of a user or a group */
#define XL_CONFIG_WHY_BYTES 512

enum xl_config_choice_three { XL_AUTO, XL_ON, XL_OFF };

struct xl_interface_config {
	char name[IFNAMSIZ];
	u32 line;                        /* where the file names it; 0: the command line does */
	u32 workers, queues, frames;     /* queues, frames 0: the driver's default */
	u32 recv_memory_mib, connections;/* of each worker */
	u32 ethertype, mtu;              /* mtu 0: the interface's */
	u16 vlan[XLANE_VLAN_TAGS_MAX];   /* as xl_link_init wants them */
	u32 cores;                       /* 0: chosen by the daemon; else one for each worker */
	u16 core[XLANE_WORKERS_MAX];
	u32 wait;                        /* enum xl_wait_mode */
	u32 spin_us;
	u32 zero_copy;                   /* XL_AUTO, XL_ON, XL_OFF */
	u32 need_wakeup, crc;            /* 0 or 1 */
	u32 keepalive_ms, peer_death_ms; /* 0: the engine's default */
	u32 congestion;                  /* enum xl_conn_congestion, of connections that do not choose */
	u32 attach;                      /* 1: attach the demux when none is there */
	u32 mode;                        /* of attaching: enum xl_xdp_mode; XL_XDP_NONE: native, else skb */
};

struct xl_daemon_config {
	char socket[XL_CONFIG_SOCKET_BYTES];
	u32 mode;                        /* of the socket's file */
	char group[XL_CONFIG_NAME_BYTES];/* of the socket's file; empty: that of the process */
	char user[XL_CONFIG_NAME_BYTES]; /* of the worker process; empty: xlane if there is one, else nobody */
	u32 log_level;                   /* enum xl_log_level */
	u32 clients_per_uid, connections_per_uid, ports_per_uid, memory_mib_per_uid;
	u32 privileged_ports;            /* ports below this are for root */
	u32 interfaces;
	struct xl_interface_config interface[XLANE_INTERFACES_MAX];
};

/* `file` NULL: none. argv[1..argc): options as in xlaned(8), those that are no keys left out. 0, or -EINVAL, -ENOENT,
 * -EACCES... with one line in `why`, and *out as it was. Interfaces are only checked for their form: they may not be
 * there yet. */
int xl_config_build(const char *file, int argc, char *const *argv, struct xl_daemon_config *out, char *why,
		    size_t why_bytes);

/* Names, with commas, of keys that differ and need a restart; empty: none. The keys that do not are taken over from
 * `from`. */
void xl_config_reload(struct xl_daemon_config *now, const struct xl_daemon_config *from, char *restart, size_t bytes);

#endif
