// SPDX-License-Identifier: BSD-2-Clause
/* relay_direction.c - the way of a frame through the relay. */
#include <string.h>

#include "relay_direction.h"

#define MACS_BYTES 12
#define RETRY_NS (20 * XL_US)   /* the receiver of a full veth ring has drained it by then */

int relay_direction_init(struct relay_direction *d, const struct relay_direction_config *config, u64 seed)
{
	d->config = *config;
	d->retry_ns = XL_NEVER;
	relay_link_init(&d->link, &config->link, seed ^ 0x6c696e6b);
	return relay_impair_init(&d->impair, &config->impair, seed);
}

static u32 be16_at(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

/* The ethertype behind up to two VLAN tags; 0 for a frame that is too short to have one. */
static u32 ethertype(const struct relay_frame *f)
{
	u32 at = MACS_BYTES, type;

	for (int tags = 0; ; tags++, at += 4) {
		if (f->len < at + 2)
			return 0;
		type = be16_at(f->data + at);
		if ((type != 0x8100 && type != 0x88a8) || tags == 2)
			return type;
	}
}

/* Onto the link. */
static void enter_link(struct relay_direction *d, struct relay_frame *f, u64 now_ns)
{
	if (relay_link_idle(&d->config.link)) {
		relay_queue_push(&d->ready, f);
		return;
	}
	if (!relay_link_admit(&d->link, f->len, now_ns, &f->due_ns)) {
		d->counters[RELAY_QUEUE_DROPPED]++;
		relay_pool_give(d->pool, f);
		return;
	}
	d->counters[RELAY_DELAYED]++;
	relay_queue_push(&d->under_way, f);
}

static void release(struct relay_direction *d, struct relay_queue *out, u64 now_ns)
{
	struct relay_frame *f;

	while ((f = relay_queue_pop(out))) {
		d->counters[RELAY_REORDERED] += f->overtaken;
		enter_link(d, f, now_ns);
	}
}

/* f goes on; frames that were waiting for it to pass follow. */
static void pass(struct relay_direction *d, struct relay_frame *f, u64 now_ns)
{
	struct relay_queue out = { 0 };

	enter_link(d, f, now_ns);
	relay_hold_pass(&d->hold, &out);
	release(d, &out, now_ns);
}

static struct relay_frame *copy(struct relay_direction *d, const struct relay_frame *f)
{
	struct relay_frame *c = relay_pool_take(d->pool);

	if (c) {
		memcpy(c->data, f->data, f->len);
		c->len = f->len;
	}
	return c;
}

static void corrupt(struct relay_direction *d, struct relay_frame *f, u32 flips)
{
	u32 head = MACS_BYTES + 2;

	/* Addresses and ethertype stay: a frame for another station or protocol would be loss, not corruption. */
	if (f->len > head && relay_impair_flip(&d->impair, f->data + head, f->len - head, flips))
		d->counters[RELAY_CORRUPTED]++;
}

void relay_direction_take(struct relay_direction *d, struct relay_frame *f, u64 now_ns)
{
	struct relay_frame *second = NULL;
	struct relay_fate fate;

	if (d->config.ethertype && ethertype(f) != d->config.ethertype) {
		d->counters[RELAY_OTHER]++;
		relay_queue_push(&d->ready, f);
		return;
	}
	fate = relay_impair_draw(&d->impair);
	if (fate.lost || fate.burst) {
		d->counters[fate.lost ? RELAY_LOST : RELAY_BURST_LOST]++;
		relay_pool_give(d->pool, f);
		return;
	}
	if (fate.flips)
		corrupt(d, f, fate.flips);
	if (fate.duplicate && (second = copy(d, f)))
		d->counters[RELAY_DUPLICATED]++;
	f->hold = fate.hold;
	f->due_ns = now_ns + d->config.hold_ns;
	if (!fate.hold) {
		pass(d, f, now_ns);
	} else if (relay_hold_add(&d->hold, f)) {
		d->counters[RELAY_HELD]++;
	} else {
		d->counters[RELAY_HOLD_FULL]++;
		pass(d, f, now_ns);
	}
	if (second)
		pass(d, second, now_ns);
}

void relay_direction_advance(struct relay_direction *d, u64 now_ns)
{
	struct relay_queue out = { 0 };

	relay_hold_expire(&d->hold, now_ns, &out);
	release(d, &out, now_ns);
	while (d->under_way.first && d->under_way.first->due_ns <= now_ns)
		relay_queue_push(&d->ready, relay_queue_pop(&d->under_way));
}

u32 relay_direction_turn(struct relay_direction *d, u64 now_ns)
{
	struct relay_queue in = { 0 };
	struct relay_frame *f;
	int n = relay_socket_receive(d->from, d->pool, &in);

	while ((f = relay_queue_pop(&in)))
		relay_direction_take(d, f, now_ns);
	relay_direction_advance(d, now_ns);
	d->retry_ns = relay_socket_send(d->to, d->pool, &d->ready) ? now_ns + RETRY_NS : XL_NEVER;
	return (u32)n;
}

u64 relay_direction_deadline(const struct relay_direction *d)
{
	u64 at = xl_min(d->retry_ns, relay_hold_deadline(&d->hold));

	return d->under_way.first ? xl_min(at, d->under_way.first->due_ns) : at;
}

void relay_direction_update(struct relay_direction *d)
{
	relay_socket_update(d->from);
	d->counters[RELAY_RECEIVED] = d->from->received;
	d->counters[RELAY_RECEIVED_BYTES] = d->from->received_bytes;
	d->counters[RELAY_POOL_DROPPED] = d->from->pool_dropped;
	d->counters[RELAY_UNFINISHED] = d->from->unfinished;
	d->counters[RELAY_KERNEL_DROPPED] = d->from->kernel_dropped;
	d->counters[RELAY_FORWARDED] = d->to->sent;
	d->counters[RELAY_FORWARDED_BYTES] = d->to->sent_bytes;
	d->counters[RELAY_SEND_REFUSED] = d->to->refused;
	d->counters[RELAY_SEND_RETRIES] = d->to->retries;
	d->counters[RELAY_PENDING] = d->hold.held.count + d->under_way.count + d->ready.count;
}

s64 relay_direction_lacks(const struct relay_direction *d)
{
	const u64 *c = d->counters;
	u64 came = c[RELAY_RECEIVED] + c[RELAY_DUPLICATED];
	u64 went = c[RELAY_FORWARDED] + c[RELAY_LOST] + c[RELAY_BURST_LOST] + c[RELAY_QUEUE_DROPPED] +
		   c[RELAY_POOL_DROPPED] + c[RELAY_SEND_REFUSED] + c[RELAY_PENDING];

	return (s64)(came - went);
}
