/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulator's network: when what arrives where, what a full queue does, and what hooks do. */
#include "unit.h"

#include "../sim/net.h"

#define FRAME_BYTES 976            /* 1,000 on the wire */
#define ARRIVALS_MAX 256

struct arrival { u64 time_ns; u32 station, bytes; u8 mark; };

struct rig {
	struct sim_events events;
	struct sim_net net;
	u64 now_ns;
	struct arrival got[ARRIVALS_MAX];
	u32 count;
};

static const struct sim_net_link gigabyte = { .rate_bytes_per_s = 1000000000, .delay_ns = 500 };

static void arrive(void *arg, u32 station, const u8 *data, u32 bytes)
{
	struct rig *r = arg;

	CHECK(r->count < ARRIVALS_MAX);
	r->got[r->count++] = (struct arrival){ r->now_ns, station, bytes, data[bytes - 1] };
}

static struct rig *rig(void)
{
	struct rig *r = calloc(1, sizeof *r);

	CHECK(r);
	sim_net_init(&r->net, &r->events, &r->now_ns, arrive, r);
	return r;
}

static void rig_free(struct rig *r)
{
	sim_events_clear(&r->events);
	free(r);
}

static void run(struct rig *r)
{
	struct sim_event e;

	while (sim_events_take(&r->events, &e)) {
		CHECK(e.kind == SIM_EVENT_HOP);
		r->now_ns = e.time_ns;
		sim_net_event(&r->net, &e);
	}
}

static u64 send_to(struct rig *r, u32 from, u32 to, u8 mark, u32 bytes)
{
	u8 data[FRAME_BYTES] = { 0 };

	sim_net_mac(to, 3, data);
	sim_net_mac(from, 0, data + 6);
	data[bytes - 1] = mark;
	return sim_net_send(&r->net, from, data, bytes);
}

static void a_pair_has_rate_and_delay_and_no_bound(void **state)
{
	struct rig *r = rig();

	(void)state;
	sim_net_pair(&r->net, &(struct sim_net_link){ 1000000000, 500, 1000 });
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(send_to(r, 0, 1, i, FRAME_BYTES), 1000 * (i + 1));
	assert_int_equal(send_to(r, 1, 0, 99, 20), 84);        /* padded to 60 */
	assert_int_equal(sim_net_queued(&r->net, sim_net_port(&r->net, 0, 1)), 10000);
	run(r);
	assert_int_equal(r->count, 11);
	assert_int_equal(r->got[0].time_ns, 584);
	assert_int_equal(r->got[0].station, 0);
	assert_int_equal(r->got[0].bytes, 20);
	for (u32 i = 0; i < 10; i++) {
		assert_int_equal(r->got[i + 1].mark, i);
		assert_int_equal(r->got[i + 1].time_ns, 1000 * (i + 1) + 500);
	}
	assert_int_equal(sim_net_queued(&r->net, 0), 0);
	rig_free(r);
}

static void a_star_stores_and_forwards_and_drops_what_finds_no_room(void **state)
{
	struct rig *r = rig();
	struct sim_net_link l = gigabyte;
	const struct sim_net_port *p;

	(void)state;
	l.queue_bytes = 8000;
	sim_net_star(&r->net, 33, &l);
	for (u32 i = 1; i < 33; i++)
		send_to(r, i, 0, i, FRAME_BYTES);
	run(r);
	p = &r->net.port[sim_net_port(&r->net, 33, 0)];
	assert_int_equal(r->count, 8);
	assert_int_equal(p->frames, 8);
	assert_int_equal(p->dropped, 24);
	assert_int_equal(p->queue_bytes_max, 8000);
	for (u32 i = 0; i < 8; i++) {       /* two links of 500 ns, the first frame stored once */
		assert_int_equal(r->got[i].mark, i + 1);
		assert_int_equal(r->got[i].time_ns, 1000 + 500 + 1000 * (i + 1) + 500);
	}
	rig_free(r);
}

static void a_dumbbell_has_one_bottleneck(void **state)
{
	struct rig *r = rig();
	const struct sim_net_link middle = { 100000000, 2000, 0 };

	(void)state;
	sim_net_dumbbell(&r->net, 3, 2, &gigabyte, &middle);
	send_to(r, 0, 3, 1, FRAME_BYTES);
	send_to(r, 1, 4, 2, FRAME_BYTES);
	send_to(r, 0, 2, 3, FRAME_BYTES);        /* stays at its side */
	send_to(r, 4, 2, 4, FRAME_BYTES);
	run(r);
	assert_int_equal(r->count, 4);
	assert_int_equal(r->got[0].mark, 3);
	assert_int_equal(r->got[0].time_ns, 2000 + 500 + 1000 + 500);
	assert_int_equal(r->got[1].mark, 1);
	assert_int_equal(r->got[1].time_ns, 1500 + 10000 + 2000 + 1500);
	assert_int_equal(r->got[1].station, 3);
	assert_int_equal(r->got[2].mark, 4);
	assert_int_equal(r->got[2].station, 2);
	assert_int_equal(r->got[3].mark, 2);
	assert_int_equal(r->got[3].time_ns, r->got[1].time_ns + 10000);
	rig_free(r);
}

static void frames_to_nobody_are_dropped_and_counted(void **state)
{
	struct rig *r = rig();
	u8 group[60] = { 1 };

	(void)state;
	sim_net_star(&r->net, 300, &gigabyte);
	send_to(r, 0, 299, 7, 60);               /* an address of more than a byte */
	send_to(r, 0, 300, 8, 60);
	send_to(r, 5, 5, 9, 60);
	sim_net_send(&r->net, 1, group, sizeof group);
	sim_net_send(&r->net, 1, group, 1);
	run(r);
	assert_int_equal(r->count, 1);
	assert_int_equal(r->got[0].station, 299);
	assert_int_equal(r->net.unknown, 4);
	rig_free(r);
}

struct harm { u32 seen; };

static void harm(void *arg, u32 port, struct sim_net_frame *f)
{
	struct harm *h = arg;

	(void)port;
	switch (h->seen++) {
	case 0: f->copies = 0; break;
	case 1: f->copies = 3; break;
	case 2: f->extra_ns = 100000; break;
	case 3: f->data[--f->bytes - 1] = 77; break;
	}
}

static void hooks_lose_multiply_delay_and_change(void **state)
{
	struct rig *r = rig();
	struct harm h = { 0 };

	(void)state;
	sim_net_pair(&r->net, &gigabyte);
	sim_net_hook_link(&r->net, 0, 1, harm, &h);
	for (u32 i = 0; i < 4; i++)
		send_to(r, 0, 1, i, FRAME_BYTES);
	run(r);
	assert_int_equal(r->count, 5);
	assert_int_equal(r->net.port[0].lost, 1);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(r->got[i].mark, 1);
		assert_int_equal(r->got[i].time_ns, 2000 + 1000 * i + 500);      /* what was lost has taken its time */
	}
	assert_int_equal(r->got[3].mark, 77);
	assert_int_equal(r->got[3].bytes, FRAME_BYTES - 1);
	assert_int_equal(r->got[4].mark, 2);
	assert_int_equal(r->got[4].time_ns, 5000 + 500 + 100000);
	rig_free(r);
}

static void frames_can_appear_at_a_station(void **state)
{
	struct rig *r = rig();
	const u8 data[4] = { 0, 0, 0, 5 };

	(void)state;
	sim_net_star(&r->net, 2, &gigabyte);
	sim_net_appear(&r->net, 1, data, sizeof data, 1234);
	assert_int_equal(r->events.arrivals, 1);
	run(r);
	assert_int_equal(r->count, 1);
	assert_int_equal(r->got[0].station, 1);
	assert_int_equal(r->got[0].time_ns, 1234);
	assert_int_equal(r->got[0].mark, 5);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pair_has_rate_and_delay_and_no_bound),
		cmocka_unit_test(a_star_stores_and_forwards_and_drops_what_finds_no_room),
		cmocka_unit_test(a_dumbbell_has_one_bottleneck),
		cmocka_unit_test(frames_to_nobody_are_dropped_and_counted),
		cmocka_unit_test(hooks_lose_multiply_delay_and_change),
		cmocka_unit_test(frames_can_appear_at_a_station),
	};

	return RUN_TAP(tests);
}
