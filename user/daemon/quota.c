// SPDX-License-Identifier: BSD-2-Clause
#include "quota.h"

#include <errno.h>
#include <string.h>

#include "../base/assert.h"
#include "../drv/why.h"

static u32 find(const struct xl_quota *q, u32 uid)
{
	u32 i = 0;

	while (i < q->users && q->user[i].uid != uid)
		i++;
	return i;
}

static int over(u32 uid, const char *name, u64 has, u64 most, char *why, size_t why_bytes)
{
	return xl_why(-EDQUOT, why, why_bytes, "user %u is at the daemon's limit %s = %llu (%llu taken)", uid, name,
		      (unsigned long long)most, (unsigned long long)has);
}

int xl_quota_take(struct xl_quota *q, u32 uid, const struct xl_quota_use *what, char *why, size_t why_bytes)
{
	const struct xl_quota_use *m = &q->most;
	struct xl_quota_use has = xl_quota_of(q, uid);
	u32 at = find(q, uid);

	if (what->clients && has.clients + what->clients > m->clients)
		return over(uid, "clients_per_uid", has.clients, m->clients, why, why_bytes);
	if (what->connections && has.connections + what->connections > m->connections)
		return over(uid, "connections_per_uid", has.connections, m->connections, why, why_bytes);
	if (what->bytes && has.bytes + what->bytes > m->bytes)
		return over(uid, "memory_mib_per_uid", has.bytes >> 20, m->bytes >> 20, why, why_bytes);
	if (at == XL_ARRAY_SIZE(q->user))
		return xl_why(-ENOSPC, why, why_bytes, "more than %d users", XLANE_CLIENTS_MAX);
	if (at == q->users) {
		q->user[q->users++].uid = uid;
		memset(&q->user[at].use, 0, sizeof q->user[at].use);
	}
	q->user[at].use.clients += what->clients;
	q->user[at].use.connections += what->connections;
	q->user[at].use.bytes += what->bytes;
	return 0;
}

void xl_quota_give(struct xl_quota *q, u32 uid, const struct xl_quota_use *what)
{
	u32 at = find(q, uid);
	struct xl_quota_use *u = &q->user[at].use;

	XL_ASSERT(at < q->users && u->clients >= what->clients && u->connections >= what->connections &&
		  u->bytes >= what->bytes);
	u->clients -= what->clients;
	u->connections -= what->connections;
	u->bytes -= what->bytes;
	if (!u->clients && !u->connections && !u->bytes)
		q->user[at] = q->user[--q->users];
}

struct xl_quota_use xl_quota_of(const struct xl_quota *q, u32 uid)
{
	u32 at = find(q, uid);

	return at < q->users ? q->user[at].use : (struct xl_quota_use){ 0 };
}
