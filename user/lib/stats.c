/* SPDX-License-Identifier: BSD-2-Clause */
/* stats.c - the figures of a context and of a connection. */
#include <stdio.h>
#include <string.h>

#include "context.h"

int xlane_counters(xlane *x, void (*each)(const char *name, const char *text, uint64_t value, void *arg), void *arg)
{
	int err = xl_guard_check(&x->guard);

	return err ? err : x->b->ops->counters(x->b, each, arg);
}

int xlane_census(xlane *x, void (*each)(const char *owner, uint64_t frames, void *arg), void *arg)
{
	int err = xl_guard_check(&x->guard);

	return err ? err : x->b->ops->census(x->b, each, arg);
}

const char *xlane_driver_text(xlane *x)
{
	return x->b->text;
}

uint32_t xlane_mtu(xlane *x)
{
	return x->b->mtu;
}

static void take_info(struct xlane_conn_stats *s, const struct xl_conn_info *i)
{
	s->srtt_ns = i->srtt_ns;
	s->rttvar_ns = i->rttvar_ns;
	s->rtt_min_ns = i->rtt_min_ns;
	s->cwnd_bytes = i->cwnd_bytes;
	s->inflight_bytes = i->inflight_bytes;
	s->bytes_sent = i->bytes_sent;
	s->bytes_acked = i->bytes_acked;
	s->bytes_received = i->bytes_received;
	s->packets_sent = i->packets_sent;
	s->packets_received = i->packets_received;
	s->packets_retransmitted = i->packets_retransmitted;
	s->packets_lost = i->packets_lost;
	s->packets_spurious = i->packets_spurious;
	s->probe_timeouts = i->ptos;
	s->messages_sent = i->messages_sent;
	s->messages_received = i->messages_received;
	snprintf(s->state, sizeof s->state, "%s", xl_conn_state_name(i->state));
}

void xlane_conn_stats(const xlane_conn *c, struct xlane_conn_stats *out)
{
	struct xl_backend *b = c->h.x->b;
	struct xlane_conn_stats s = { 0 };
	struct xl_conn_info i = { 0 };
	size_t size = out->size;

	if (size < sizeof size || size > sizeof s)
		size = sizeof s;
	if (!xl_guard_check(&c->h.x->guard) && !b->ops->info(b, c->h.index, &i))
		take_info(&s, &i);
	s.size = size;
	memcpy(out, &s, size);
}
