/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "drv_pair.h"

static void bytes_cross(void **state)
{
	struct pair p;
	struct xl_packet got[8];

	(void)state;
	pair_open(&p);
	p.b.drv->ops->refill(p.b.drv, 0);
	for (u32 nsegs = 1; nsegs <= 3; nsegs++) {
		struct xl_packet sent = pair_packet(&p.a, nsegs, 1500, nsegs);

		sent.queue = 3;
		CHECK(p.a.drv->ops->tx(p.a.drv, &sent, 1, 5) == 1);
		CHECK(p.b.drv->ops->rx(p.b.drv, got, 8, 5) == 0);   /* nothing moves before flush */
		CHECK(p.a.drv->ops->flush(p.a.drv, 6) == 0);
		CHECK(p.b.drv->ops->arm(p.b.drv, true) == -EAGAIN);
		CHECK(p.b.drv->ops->rx(p.b.drv, got, 8, 7) == 1);
		CHECK(xl_packet_bytes(&got[0]) == 1500 * nsegs && got[0].queue == 1 && got[0].stamp_ns == 6);
		CHECK(got[0].seg[0].off == XLANE_KERNEL_HEADROOM_BYTES);
		CHECK(pair_good(&p.b, &got[0], nsegs));
		CHECK(p.b.frames.census[XL_FRAME_RX] == got[0].nsegs);
		pair_move(&p.b, &got[0], XL_FRAME_RX);
		CHECK(pair_complete(&p.a) == nsegs);
		CHECK(p.b.drv->ops->arm(p.b.drv, true) == 0);
	}
	CHECK(p.a.drv->counters[XL_DRV_TX_PACKETS] == 3 && p.b.drv->counters[XL_DRV_RX_BYTES] == 9000);
	pair_close(&p);
}

static void losses_have_names(void **state)
{
	struct pair p;
	struct xl_packet got[16];
	static u8 bytes[20000];
	u64 *count;

	(void)state;
	pair_open(&p);
	count = p.b.drv->counters;
	CHECK(xl_drv_memory_inject(p.b.drv, bytes, 100, 0, 1) == -ENOBUFS && count[XL_DRV_RX_NO_FRAME] == 1);
	p.b.drv->ops->refill(p.b.drv, PAIR_FRAMES - 1);
	CHECK(p.b.frames.census[XL_FRAME_FILL] == 1);
	CHECK(xl_drv_memory_inject(p.b.drv, bytes, 5000, 0, 1) == -ENOBUFS && count[XL_DRV_RX_NO_FRAME] == 2);
	CHECK(xl_drv_memory_inject(p.b.drv, bytes, 0, 0, 1) == -EINVAL);
	CHECK(xl_drv_memory_inject(p.b.drv, bytes, 9000 + XLANE_LINK_HEADER_MAX_BYTES + 1, 0, 1) == -EMSGSIZE);
	CHECK(count[XL_DRV_RX_DROPPED] == 1);
	for (int i = 0; i < 20; i++) {   /* 16 slots */
		p.b.drv->ops->refill(p.b.drv, 0);
		CHECK(xl_drv_memory_inject(p.b.drv, bytes, 60, 0, 1) == (i < 16 ? 0 : -ENOSPC));
	}
	CHECK(count[XL_DRV_RX_RING_FULL] == 4);
	CHECK(p.b.drv->ops->rx(p.b.drv, got, 16, 1) == 16);
	for (int i = 0; i < 16; i++)
		pair_move(&p.b, &got[i], XL_FRAME_RX);
	pair_close(&p);
}

static void too_many_segs(void **state)
{
	struct pair_end e;
	struct xl_drv_memory_config c;
	static u8 bytes[9000];

	(void)state;
	pool_make(&e, PAIR_FRAMES);
	c = pair_config(&e);
	c.segs_max = 1;
	CHECK(!xl_drv_memory_open(&c, &e.drv));
	e.drv->ops->refill(e.drv, 0);
	CHECK(!(e.drv->features & XL_DRV_MULTI_BUFFER));
	CHECK(xl_drv_memory_inject(e.drv, bytes, 3840, 0, 1) == 0);
	CHECK(xl_drv_memory_inject(e.drv, bytes, 3841, 0, 1) == -EMSGSIZE);
	CHECK(e.drv->counters[XL_DRV_RX_TOO_MANY_SEGS] == 1);
	e.drv->ops->close(e.drv);   /* with a packet in the RX ring */
	pool_end(&e);
}

static void completions_are_held(void **state)
{
	struct pair_end e;
	struct xl_drv_memory_config c;

	(void)state;
	pool_make(&e, PAIR_FRAMES);
	c = pair_config(&e);
	c.completion_delay = 3;
	CHECK(!xl_drv_memory_open(&c, &e.drv));
	CHECK(pair_tx(&e, pair_packet(&e, 2, 100, 0), 1) == 1);
	for (int i = 0; i < 3; i++)
		CHECK(pair_complete(&e) == 0);
	CHECK(e.frames.census[XL_FRAME_TX] == 2);
	CHECK(e.drv->ops->arm(e.drv, true) == -EAGAIN);
	CHECK(pair_complete(&e) == 2);
	CHECK(pair_tx(&e, pair_packet(&e, 2, 100, 0), 1) == 1);
	e.drv->ops->close(e.drv);   /* with completions held */
	pool_end(&e);
}

static void ring_is_bounded(void **state)
{
	for (u32 size = XL_MEMORY_RING_MIN; size <= 9; size++) {
		struct pair_end e;
		struct xl_drv_memory_config c;
		struct xl_packet one;
		u32 n = 0;

		(void)state;
		pool_make(&e, PAIR_FRAMES);
		c = pair_config(&e);
		c.ring_size = size;
		CHECK(!xl_drv_memory_open(&c, &e.drv));
		for (int round = 0; round < 5; round++) {
			CHECK(e.drv->ops->tx_room(e.drv, 1) == size && e.drv->ops->tx_room(e.drv, 2) == size / 2);
			CHECK(e.drv->ops->tx_room(e.drv, 5) == 0 && e.drv->ops->tx_room(e.drv, 0) == 0);
			for (n = 0; n < size; n++) {
				one = pair_packet(&e, 1, 60, 0);
				CHECK(e.drv->ops->tx(e.drv, &one, 1, 1) == 1);
			}
			one = pair_packet(&e, 1, 60, 0);
			CHECK(e.drv->ops->tx(e.drv, &one, 1, 1) == 0);
			pair_move(&e, &one, XL_FRAME_TX);
			e.drv->ops->flush(e.drv, 1);
			CHECK(pair_complete(&e) == size);
		}
		e.drv->ops->close(e.drv);
		pool_end(&e);
	}
}

static void bad_packets_come_back(void **state)
{
	struct pair p;
	struct xl_packet bad, got[4];

	(void)state;
	pair_open(&p);
	p.b.drv->ops->refill(p.b.drv, 0);
	for (int kind = 0; kind < 3; kind++) {
		bad = pair_packet(&p.a, 1, 100, 0);
		if (kind == 0)
			bad.seg[0].off = XLANE_FRAME_BYTES - 99;
		if (kind == 1)
			bad.seg[0].len = 0;
		if (kind == 2) {
			pair_move(&p.a, &bad, XL_FRAME_TX);
			bad.seg[0].frame = PAIR_FRAMES;
		}
		CHECK(pair_tx(&p.a, bad, 1) == 1);
		CHECK(p.b.drv->ops->rx(p.b.drv, got, 4, 1) == 0);
		CHECK(pair_complete(&p.a) == (kind < 2));
	}
	CHECK(p.a.drv->counters[XL_DRV_TX_BAD_DESC] == 3);
	pair_close(&p);
}

struct tap { u32 packets, bytes; struct xl_drv *back; };

static void tap_sent(void *arg, const struct xl_drv *from, const struct xl_packet *p, u64 now_ns)
{
	struct tap *t = arg;

	t->packets++;
	t->bytes += xl_packet_bytes(p);
	CHECK(p->nsegs != 1 ||
	      !xl_drv_memory_inject(t->back, xl_frames_ptr(from->frames, p->seg[0].frame) + p->seg[0].off,
				    p->seg[0].len, 0,
				    now_ns));
}

static void hook_takes_over(void **state)
{
	struct pair_end e;
	struct tap tap = { 0 };
	struct xl_drv_memory_config c;
	struct xl_packet got[4];

	(void)state;
	pool_make(&e, PAIR_FRAMES);
	c = pair_config(&e);
	c.hook = (struct xl_drv_memory_hook){ tap_sent, &tap };
	CHECK(!xl_drv_memory_open(&c, &e.drv));
	tap.back = e.drv;
	e.drv->ops->refill(e.drv, 10);
	CHECK(pair_tx(&e, pair_packet(&e, 1, 200, 9), 1) == 1);
	CHECK(pair_tx(&e, pair_packet(&e, 2, 200, 9), 1) == 1);
	CHECK(tap.packets == 2 && tap.bytes == 600);
	CHECK(e.drv->ops->rx(e.drv, got, 4, 1) == 1 && pair_good(&e, &got[0], 9));
	pair_move(&e, &got[0], XL_FRAME_RX);
	e.drv->ops->close(e.drv);
	pool_end(&e);
}

static void config_is_checked(void **state)
{
	struct pair_end e;
	struct xl_drv_memory_config good;
	struct xl_drv *d;

	(void)state;
	pool_make(&e, PAIR_FRAMES);
	good = pair_config(&e);
	for (int i = 0; i < 7; i++) {
		struct xl_drv_memory_config c = good;

		switch (i) {
		case 0: c.ring_size = XL_MEMORY_RING_MIN - 1; break;
		case 1: c.ring_size = XL_MEMORY_RING_MAX + 1; break;
		case 2: c.mtu = XLANE_MTU_MIN - 1; break;
		case 3: c.mtu = XLANE_MTU_MAX + 1; break;
		case 4: c.segs_max = 0; break;
		case 5: c.segs_max = XLANE_PACKET_SEGS_MAX + 1; break;
		case 6: c.frames = NULL; break;
		}
		d = (void *)1;
		CHECK(xl_drv_memory_open(&c, &d) == -EINVAL && !d);
	}
	pool_end(&e);
}

static void closing_one_end(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.b.drv->ops->close(p.b.drv);
	CHECK(pair_tx(&p.a, pair_packet(&p.a, 1, 60, 0), 1) == 1);
	CHECK(pair_complete(&p.a) == 1);
	p.a.drv->ops->close(p.a.drv);
	pool_end(&p.a);
	pool_end(&p.b);
}

static void counters_have_names(void **state)
{
	(void)state;
	for (u32 i = 0; i < XL_DRV_COUNTER_COUNT; i++) {
		CHECK(strlen(xl_drv_counter_name(i)) > 3);
		for (u32 j = 0; j < i; j++)
			CHECK(strcmp(xl_drv_counter_name(i), xl_drv_counter_name(j)));
	}
	CHECK(!strcmp(xl_drv_counter_name(XL_DRV_COUNTER_COUNT), "?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_cross), cmocka_unit_test(losses_have_names), cmocka_unit_test(too_many_segs),
		cmocka_unit_test(completions_are_held), cmocka_unit_test(ring_is_bounded),
		cmocka_unit_test(bad_packets_come_back), cmocka_unit_test(hook_takes_over),
		cmocka_unit_test(config_is_checked), cmocka_unit_test(closing_one_end),
			cmocka_unit_test(counters_have_names),
	};

	return RUN_TAP(tests);
}
