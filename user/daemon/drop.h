/* SPDX-License-Identifier: BSD-2-Clause */
/* drop.h - giving up privileges for good, in the worker process, before it hears of the network or of clients. */
#ifndef XL_DAEMON_DROP_H
#define XL_DAEMON_DROP_H

#include <sys/types.h>
#include "../base/types.h"

struct xl_identity { uid_t uid; gid_t gid; };

/* The user by name; empty: xlane if there is one, else nobody. -EINVAL: no such user, or it is root. */
int xl_drop_find(const char *user, struct xl_identity *out, char *why, size_t why_bytes);
/* Become that user, if the process is root; without groups, capabilities, and any way to get them back; ends with its
 * parent, by SIGTERM. -errno with `why`; then the process must end. One thread. */
int xl_drop(const struct xl_identity *to, char *why, size_t why_bytes);

#endif
