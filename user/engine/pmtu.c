/* SPDX-License-Identifier: BSD-2-Clause */
#include "pmtu.h"

u32 xl_pmtu_packet(const struct xl_engine *e, const struct xl_conn *c)
{
	(void)e;
	return c->max_packet;
}

bool xl_pmtu_fit(struct xl_engine *e, struct xl_conn *c, u32 *tb)
{
	(void)e;
	(void)c;
	(void)tb;
	return true;
}

void xl_pmtu_acked(struct xl_engine *e, struct xl_conn *c, u32 bytes)
{
	(void)e;
	(void)c;
	(void)bytes;
}

void xl_pmtu_timeout(struct xl_engine *e, struct xl_conn *c)
{
	(void)e;
	(void)c;
}
