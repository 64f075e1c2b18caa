// SPDX-License-Identifier: BSD-2-Clause
/* relay_link.c - rate, queue, delay: the queue is one number, the time at which the wire will be free. */
#include "relay_link.h"

#define BIT_NS_PER_BYTE_S 8000000000ull   /* bits of a byte times nanoseconds of a second */

void relay_link_init(struct relay_link *l, const struct relay_link_config *config, u64 seed)
{
	*l = (struct relay_link){ .config = *config };
	xl_prng_seed(&l->prng, seed);
}

bool relay_link_idle(const struct relay_link_config *c)
{
	return !c->rate_bps && !c->delay_ns && !c->jitter_ns;
}

u64 relay_link_backlog(const struct relay_link *l, u64 now_ns)
{
	if (l->free_at_ns <= now_ns)
		return 0;
	return (u64)((unsigned __int128)(l->free_at_ns - now_ns) * l->config.rate_bps / BIT_NS_PER_BYTE_S);
}

bool relay_link_admit(struct relay_link *l, u32 bytes, u64 now_ns, u64 *arrives_ns)
{
	const struct relay_link_config *c = &l->config;
	u64 sent_ns = now_ns, backlog;

	if (c->rate_bps) {
		backlog = relay_link_backlog(l, now_ns);
		if (backlog && backlog + bytes > c->queue_bytes)
			return false;
		sent_ns = xl_max(l->free_at_ns, now_ns);
		sent_ns += (u64)((unsigned __int128)bytes * BIT_NS_PER_BYTE_S / c->rate_bps);
		l->free_at_ns = sent_ns;
	}
	sent_ns += c->delay_ns;
	if (c->jitter_ns)
		sent_ns += xl_prng_below(&l->prng, c->jitter_ns + 1);
	l->latest_ns = xl_max(l->latest_ns, sent_ns);
	*arrives_ns = l->latest_ns;
	return true;
}
