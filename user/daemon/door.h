/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * door.h - the daemon's place in the file system: its UNIX socket, and the lock beside it that says whose it is.
 *
 * Guarantee: of two daemons on one path the second is refused, also when both start at once; the socket of a daemon
 * that was killed is replaced. The lock ends with the process, so nothing of it stays after a crash but an empty file.
 */
#ifndef XL_DAEMON_DOOR_H
#define XL_DAEMON_DOOR_H

#include "config.h"

struct xl_door {
	char path[XL_CONFIG_SOCKET_BYTES];
	int lock;          /* open and locked; -1 */
	int listener;      /* bound and listening; -1 */
};

/* Lock, bind, give it group and mode. The directory is made when it is missing (mode 0755). On failure nothing is left.
 * -EADDRINUSE: another daemon is there. -EACCES, -EINVAL (no such group)... */
int xl_door_open(const struct xl_daemon_config *c, struct xl_door *d, char *why, size_t why_bytes);
/* Remove the socket and unlock. Fine after a failed open. */
void xl_door_close(struct xl_door *d);

#endif
