/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quota.h - what each user may take of the daemon, and has taken. Control thread only.
 *
 * Root is bounded like everybody. Listening ports are counted in ports.h. What was taken is given back exactly once.
 */
#ifndef XL_DAEMON_QUOTA_H
#define XL_DAEMON_QUOTA_H

#include <xlane/limits.h>
#include "../base/types.h"

struct xl_quota_use { u64 clients, connections, bytes; };

struct xl_quota {
	struct xl_quota_use most;                         /* for one uid; lowering it takes nothing from anybody */
	struct { u32 uid; struct xl_quota_use use; } user[XLANE_CLIENTS_MAX];
	u32 users;                                        /* those that have something */
};

/* 0, or -EDQUOT with the limit's name and value in `why`, or -ENOSPC: XLANE_CLIENTS_MAX users are there. All or
 * nothing. */
int xl_quota_take(struct xl_quota *q, u32 uid, const struct xl_quota_use *what, char *why, size_t why_bytes);
void xl_quota_give(struct xl_quota *q, u32 uid, const struct xl_quota_use *what);
/* What a user has; zeros for a stranger. */
struct xl_quota_use xl_quota_of(const struct xl_quota *q, u32 uid);

#endif
