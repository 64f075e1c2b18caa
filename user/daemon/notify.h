/* SPDX-License-Identifier: BSD-2-Clause */
/* notify.h - telling the service manager: one datagram to $NOTIFY_SOCKET (sd_notify(3)), nothing when there is none. */
#ifndef XL_DAEMON_NOTIFY_H
#define XL_DAEMON_NOTIFY_H

/* "READY=1", "STOPPING=1", "STATUS=..." with newlines between. Never waits; a failure is nobody's concern. */
void xl_notify(const char *state);

#endif
