// SPDX-License-Identifier: BSD-2-Clause
#include "unit.h"
#include "../tools/relay_direction.h"

#define FRAMES 60000u

/* The sockets of a direction that is only ever handed frames: their counts are what a test says they are. */
struct bed {
	struct relay_pool pool;
	struct relay_socket from, to;
	struct relay_direction d;
	u64 now_ns;
	u32 next;              /* number in the next frame */
	u64 out, out_of_order, changed, highest;
};

static void open_bed(struct bed *b, const struct relay_direction_config *c)
{
	*b = (struct bed){ .now_ns = XL_S };
	b->d.from = &b->from;
	b->d.to = &b->to;
	b->d.pool = &b->pool;
	b->from.fd = b->to.fd = -1;
	CHECK(relay_pool_init(&b->pool) == 0);
	CHECK(relay_direction_init(&b->d, c, 42) == 0);
}

static void hand_in(struct bed *b, u16 type)
{
	struct relay_frame *f = relay_pool_take(&b->pool);

	CHECK(f);
	f->len = 64;
	memset(f->data, 0, f->len);
	f->data[12] = (u8)(type >> 8);
	f->data[13] = (u8)type;
	memcpy(f->data + 14, &b->next, 4);
	memcpy(f->data + 18, &b->next, 4);
	b->next++;
	b->from.received++;
	relay_direction_take(&b->d, f, b->now_ns);
}

/* Take what is ready, as sending does. */
static void take_out(struct bed *b)
{
	struct relay_frame *f;

	relay_direction_advance(&b->d, b->now_ns);
	while ((f = relay_queue_pop(&b->d.ready))) {
		u32 one, two;

		memcpy(&one, f->data + 14, 4);
		memcpy(&two, f->data + 18, 4);
		b->changed += one != two;
		if (one == two) {
			b->out_of_order += one < b->highest;
			b->highest = xl_max(b->highest, one);
		}
		b->out++;
		b->to.sent++;
		relay_pool_give(&b->pool, f);
	}
	relay_direction_update(&b->d);
	CHECK(relay_direction_lacks(&b->d) == 0);
}

static void close_bed(struct bed *b)
{
	b->now_ns += 3600 * XL_S;
	take_out(b);
	CHECK(b->d.counters[RELAY_PENDING] == 0);
	CHECK(b->pool.free.count == RELAY_FRAMES_MAX);
	relay_pool_close(&b->pool);
}

static void near(u64 count, u64 of, double p)
{
	double off = (double)count - (double)of * p;

	CHECK(off * off <= 25 * (double)of * p);
}

static void everything_at_once(void **state)
{
	struct relay_direction_config c = { .ethertype = 0x88b5, .hold_ns = 2 * XL_MS,
		.impair = { .loss_ppm = 50000, .duplicate_ppm = 10000, .reorder_ppm = 50000, .reorder_depth_max = 8,
			    .corrupt_ppm = 5000, .corrupt_bits_max = 3, .burst_enter_ppm = 1000, .burst_leave_ppm = 200000 } };
	struct bed b;
	u64 *n = b.d.counters, left;

	(void)state;
	open_bed(&b, &c);
	for (u32 i = 0; i < FRAMES; i++) {
		hand_in(&b, 0x88b5);
		b.now_ns += 1000;
		if (i % 16 == 0)
			take_out(&b);
	}
	take_out(&b);
	left = FRAMES - n[RELAY_LOST] - n[RELAY_BURST_LOST];
	near(n[RELAY_LOST], FRAMES - n[RELAY_BURST_LOST], 0.05);
	near(n[RELAY_DUPLICATED], left, 0.01);
	near(n[RELAY_HELD], left, 0.05);
	near(n[RELAY_CORRUPTED], left, 0.005);
	CHECK(n[RELAY_BURST_LOST] > 0 && n[RELAY_HELD] - n[RELAY_REORDERED] <= 1 && n[RELAY_OTHER] == 0);
	CHECK(b.out_of_order >= n[RELAY_REORDERED] / 2);
	CHECK(b.changed > 0 && b.changed <= n[RELAY_CORRUPTED] * 2);
	close_bed(&b);
	CHECK(b.out == left + n[RELAY_DUPLICATED]);
}

static void others_are_left_alone(void **state)
{
	struct relay_direction_config c = { .ethertype = 0x88b5, .impair.loss_ppm = 1000000, .link.delay_ns = XL_S };
	struct bed b;

	(void)state;
	open_bed(&b, &c);
	for (u32 i = 0; i < 1000; i++)
		hand_in(&b, i % 2 ? 0x0800 : 0x88b5);
	take_out(&b);
	CHECK(b.out == 500 && b.out_of_order == 0 && b.changed == 0);
	CHECK(b.d.counters[RELAY_OTHER] == 500 && b.d.counters[RELAY_LOST] == 500);
	close_bed(&b);
}

static void tagged_frames_are_found(void **state)
{
	struct relay_direction_config c = { .ethertype = 0x88b5, .impair.loss_ppm = 1000000 };
	static const u8 qinq[] = { 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x88, 0xb5 };
	struct relay_frame *f;
	struct bed b;

	(void)state;
	open_bed(&b, &c);
	for (u32 len = 12; len <= 24; len++) {
		f = relay_pool_take(&b.pool);
		memset(f->data, 0, 12);
		memcpy(f->data + 12, qinq, sizeof qinq);
		f->len = len;
		b.from.received++;
		relay_direction_take(&b.d, f, b.now_ns);
	}
	take_out(&b);
	/* Only with its last byte there is it a frame of that ethertype. */
	CHECK(b.d.counters[RELAY_LOST] == 24 - 22 + 1);
	close_bed(&b);
}

static void link_delays_and_drops(void **state)
{
	struct relay_direction_config c = { .ethertype = 0, .link = { .rate_bps = 512000000, .queue_bytes = 64 * 10,
								     .delay_ns = 5000 } };
	struct bed b;

	(void)state;
	open_bed(&b, &c);
	/* A frame of 64 bytes takes a microsecond: twenty at once, of which ten fit. */
	for (u32 i = 0; i < 20; i++)
		hand_in(&b, 0x0800);
	CHECK(b.d.counters[RELAY_QUEUE_DROPPED] == 10 && b.d.counters[RELAY_DELAYED] == 10);
	CHECK(relay_direction_deadline(&b.d) == XL_S + 6000);
	for (u32 us = 0; us <= 15; us++, b.now_ns += 1000) {
		take_out(&b);
		CHECK(b.out == (us < 6 ? 0 : us - 5));
	}
	CHECK(relay_direction_deadline(&b.d) == XL_NEVER);
	close_bed(&b);
}

static void held_frames_go_at_their_time(void **state)
{
	struct relay_direction_config c = { .hold_ns = 2 * XL_MS, .impair = { .reorder_ppm = 1000000, .reorder_depth_max = 4 } };
	struct bed b;

	(void)state;
	open_bed(&b, &c);
	hand_in(&b, 0x88b5);
	take_out(&b);
	CHECK(b.out == 0 && relay_direction_deadline(&b.d) == XL_S + 2 * XL_MS);
	b.now_ns += 2 * XL_MS;
	take_out(&b);
	CHECK(b.out == 1 && b.d.counters[RELAY_HELD] == 1 && b.d.counters[RELAY_REORDERED] == 0);
	close_bed(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_at_once), cmocka_unit_test(others_are_left_alone),
		cmocka_unit_test(tagged_frames_are_found), cmocka_unit_test(link_delays_and_drops),
		cmocka_unit_test(held_frames_go_at_their_time),
	};

	return RUN_TAP(tests);
}
