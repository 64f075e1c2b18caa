/* SPDX-License-Identifier: BSD-2-Clause */
/* The link layer: what it lets through, what it counts, and that what it emits it takes at the other end. */
#include "unit.h"

#include <errno.h>

#include "worker/link.h"

#define FRAMES 4
#define ETHERTYPE 0x88b5

static const u8 mac_a[6] = { 2, 0, 0, 0, 0, 0xa }, mac_b[6] = { 2, 0, 0, 0, 0, 0xb };

struct fixture {
	struct xl_frames frames;
	u8 *mem;
	void *tables;
	struct xl_link_layer a, b;
};

static void make(struct fixture *x, const u16 vlan_a[2], const u16 vlan_b[2])
{
	x->mem = calloc(FRAMES, XLANE_FRAME_BYTES);
	x->tables = malloc(xl_frames_table_bytes(FRAMES));
	assert_non_null(x->mem);
	assert_non_null(x->tables);
	xl_frames_init(&x->frames, x->mem, XLANE_FRAME_BYTES, FRAMES, x->tables);
	assert_int_equal(xl_link_init(&x->a, mac_a, ETHERTYPE, vlan_a), 0);
	assert_int_equal(xl_link_init(&x->b, mac_b, ETHERTYPE, vlan_b), 0);
}

static void unmake(struct fixture *x)
{
	free(x->mem);
	free(x->tables);
}

static struct xl_packet packet(u16 off, u16 len)
{
	return (struct xl_packet){ .nsegs = 1, .seg = { { .frame = 1, .off = off, .len = len } } };
}

/* A frame of `bytes` bytes with this header, as received at offset 0. */
static struct xl_packet frame(struct fixture *x, const struct xl_ether *h, u16 bytes)
{
	xl_ether_emit(xl_frames_ptr(&x->frames, 1), h);
	return packet(0, bytes);
}

static struct xl_ether header(const u8 to[6], const u8 from[6], u16 ethertype)
{
	struct xl_ether h = { .ethertype = ethertype };

	memcpy(h.destination, to, 6);
	memcpy(h.source, from, 6);
	return h;
}

static u64 dropped(const struct xl_link_layer *l)
{
	u64 sum = 0;

	for (u32 i = 0; i < XL_LINK_TX_BAD_PATH; i++)
		if (i != XL_LINK_RX_TAG_STRIPPED)
			sum += l->counters[i];
	return sum;
}

static void round_trip(const u16 vlan[2], u32 header_bytes)
{
	struct fixture x;
	struct xl_packet p = packet(XLANE_TX_HEADROOM_BYTES, 100);
	struct xl_path back;

	make(&x, vlan, vlan);
	memset(xl_frames_ptr(&x.frames, 1) + XLANE_TX_HEADROOM_BYTES, 0x5a, 100);
	xl_link_path(&x.a, mac_b, &p.path);
	assert_true(xl_link_emit(&x.a, &x.frames, &p));
	assert_int_equal(p.seg[0].len, 100 + header_bytes);
	assert_int_equal(p.seg[0].off, XLANE_TX_HEADROOM_BYTES - header_bytes);
	memset(&p.path, 0xff, sizeof p.path);
	assert_true(xl_link_parse(&x.b, &x.frames, &p));
	assert_int_equal(p.seg[0].len, 100);
	assert_int_equal(p.seg[0].off, XLANE_TX_HEADROOM_BYTES);
	/* the receiver's path is the way back: the same as if it had made it itself */
	xl_link_path(&x.b, mac_a, &back);
	assert_memory_equal(&p.path, &back, sizeof back);
	assert_int_equal(xl_frames_ptr(&x.frames, 1)[XLANE_TX_HEADROOM_BYTES], 0x5a);
	assert_int_equal(dropped(&x.b), 0);
	assert_int_equal(xl_link_tag_bytes(&x.a), header_bytes - XL_ETHER_BYTES);
	unmake(&x);
}

static void test_round_trips(void **state)
{
	(void)state;
	round_trip((const u16[2]){ 0, 0 }, 14);
	round_trip((const u16[2]){ 5, 0 }, 18);
	round_trip((const u16[2]){ XL_LINK_VLAN_AD | 100, 5 }, 22);
	round_trip((const u16[2]){ 4094, 1 }, 22);
}

static void test_vlan_config(void **state)
{
	struct xl_link_layer l;

	(void)state;
	assert_int_equal(xl_link_init(&l, mac_a, ETHERTYPE, (const u16[2]){ 4095, 0 }), -EINVAL);
	assert_int_equal(xl_link_init(&l, mac_a, ETHERTYPE, (const u16[2]){ 0, 5 }), -EINVAL);
	assert_int_equal(xl_link_init(&l, mac_a, ETHERTYPE, (const u16[2]){ XL_LINK_VLAN_AD, 0 }), -EINVAL);
	assert_int_equal(xl_link_init(&l, mac_a, ETHERTYPE, (const u16[2]){ 1, 4095 }), -EINVAL);
}

/* One frame, its expected counter (XL_LINK_COUNTER_COUNT: let through). */
static void expect(struct fixture *x, const struct xl_ether *h, u16 bytes, enum xl_link_counter want)
{
	struct xl_packet p = frame(x, h, bytes);
	u64 before = dropped(&x->b), count = want < XL_LINK_COUNTER_COUNT ? x->b.counters[want] : 0;

	assert_int_equal(xl_link_parse(&x->b, &x->frames, &p), want == XL_LINK_COUNTER_COUNT);
	if (want == XL_LINK_COUNTER_COUNT) {
		assert_int_equal(dropped(&x->b), before);
	} else {
		assert_int_equal(dropped(&x->b), before + 1);
		assert_int_equal(x->b.counters[want], count + 1);
	}
}

static void test_foreign_frames(void **state)
{
	static const u8 all[6] = { 255, 255, 255, 255, 255, 255 }, group[6] = { 1, 0, 0x5e, 0, 0, 1 }, zero[6];
	static const u8 other[6] = { 2, 0, 0, 0, 0, 0xc };
	struct fixture x;
	struct xl_ether h;

	(void)state;
	make(&x, (const u16[2]){ 0, 0 }, (const u16[2]){ 0, 0 });
	h = header(mac_b, mac_a, ETHERTYPE);
	expect(&x, &h, 64, XL_LINK_COUNTER_COUNT);
	h = header(all, mac_a, ETHERTYPE);
	expect(&x, &h, 64, XL_LINK_COUNTER_COUNT);
	h = header(other, mac_a, ETHERTYPE);
	expect(&x, &h, 64, XL_LINK_RX_OTHER_MAC);
	h = header(group, mac_a, ETHERTYPE);
	expect(&x, &h, 64, XL_LINK_RX_OTHER_MAC);
	h = header(mac_b, mac_b, ETHERTYPE);
	expect(&x, &h, 64, XL_LINK_RX_OWN);
	h = header(all, mac_b, ETHERTYPE);
	expect(&x, &h, 64, XL_LINK_RX_OWN);
	h = header(mac_b, group, ETHERTYPE);
	expect(&x, &h, 64, XL_LINK_RX_BAD_SOURCE);
	h = header(mac_b, zero, ETHERTYPE);
	expect(&x, &h, 64, XL_LINK_RX_BAD_SOURCE);
	h = header(mac_b, mac_a, 0x0800);
	expect(&x, &h, 64, XL_LINK_RX_OTHER_ETHERTYPE);
	unmake(&x);
}

static void test_short_frames(void **state)
{
	struct fixture x;
	struct xl_ether h = header(mac_b, mac_a, ETHERTYPE);

	(void)state;
	make(&x, (const u16[2]){ 0, 0 }, (const u16[2]){ 7, 0 });
	/* 14: the header alone, nothing for the engine */
	for (u16 bytes = 0; bytes <= 14; bytes++)
		expect(&x, &h, bytes, XL_LINK_RX_SHORT);
	h.tags = 1;
	h.tag[0] = (struct xl_vlan){ 0x8100, 7 };
	for (u16 bytes = 0; bytes <= 18; bytes++)
		expect(&x, &h, bytes, XL_LINK_RX_SHORT);
	expect(&x, &h, 19, XL_LINK_COUNTER_COUNT);
	unmake(&x);
}

static void test_vlans(void **state)
{
	struct fixture x;
	struct xl_ether h = header(mac_b, mac_a, ETHERTYPE);

	(void)state;
	make(&x, (const u16[2]){ 0, 0 }, (const u16[2]){ XL_LINK_VLAN_AD | 100, 7 });
	h.tags = 2;
	h.tag[0] = (struct xl_vlan){ 0x88a8, 100 };
	h.tag[1] = (struct xl_vlan){ 0x8100, 7 };
	expect(&x, &h, 64, XL_LINK_COUNTER_COUNT);
	/* priority does not matter, nor a rewritten TPID */
	h.tag[0] = (struct xl_vlan){ 0x8100, 0xe000 | 100 };
	expect(&x, &h, 64, XL_LINK_COUNTER_COUNT);
	assert_int_equal(x.b.counters[XL_LINK_RX_TAG_STRIPPED], 0);
	h.tag[1].tci = 8;
	expect(&x, &h, 64, XL_LINK_RX_OTHER_VLAN);
	/* the outer tag stripped on the way, then both; the inner one alone can not be missing */
	h.tags = 1;
	h.tag[0] = (struct xl_vlan){ 0x8100, 7 };
	expect(&x, &h, 64, XL_LINK_COUNTER_COUNT);
	assert_int_equal(x.b.counters[XL_LINK_RX_TAG_STRIPPED], 1);
	h.tag[0].tci = 100;
	expect(&x, &h, 64, XL_LINK_RX_OTHER_VLAN);
	h.tags = 0;
	expect(&x, &h, 64, XL_LINK_COUNTER_COUNT);
	assert_int_equal(x.b.counters[XL_LINK_RX_TAG_STRIPPED], 2);
	unmake(&x);

	/* a worker without a VLAN takes priority tags, but no VLAN */
	make(&x, (const u16[2]){ 0, 0 }, (const u16[2]){ 0, 0 });
	h.tags = 1;
	h.tag[0] = (struct xl_vlan){ 0x8100, 0xa000 };
	expect(&x, &h, 64, XL_LINK_COUNTER_COUNT);
	h.tag[0].tci = 1;
	expect(&x, &h, 64, XL_LINK_RX_OTHER_VLAN);
	unmake(&x);
}

static void test_deep_vlan(void **state)
{
	struct fixture x;
	struct xl_ether h = header(mac_b, mac_a, 0x8100);
	struct xl_packet p;

	(void)state;
	make(&x, (const u16[2]){ 0, 0 }, (const u16[2]){ 0, 0 });
	h.tags = 2;
	h.tag[0] = h.tag[1] = (struct xl_vlan){ 0x8100, 1 };
	p = frame(&x, &h, 64);
	assert_false(xl_link_parse(&x.b, &x.frames, &p));
	assert_int_equal(x.b.counters[XL_LINK_RX_DEEP_VLAN], 1);
	unmake(&x);
}

static void test_bad_paths(void **state)
{
	struct fixture x;
	struct xl_packet p;

	(void)state;
	make(&x, (const u16[2]){ 5, 0 }, (const u16[2]){ 5, 0 });
	p = packet(17, 100);                          /* one byte of room too few */
	xl_link_path(&x.a, mac_b, &p.path);
	assert_false(xl_link_emit(&x.a, &x.frames, &p));
	assert_int_equal(p.seg[0].off, 17);
	p = packet(18, 100);
	xl_link_path(&x.a, mac_b, &p.path);
	assert_true(xl_link_emit(&x.a, &x.frames, &p));
	assert_int_equal(p.seg[0].off, 0);
	p = packet(64, 100);                          /* nobody's path */
	assert_false(xl_link_emit(&x.a, &x.frames, &p));
	xl_link_path(&x.b, mac_a, &p.path);           /* another station's */
	assert_false(xl_link_emit(&x.a, &x.frames, &p));
	xl_link_path(&x.a, mac_b, &p.path);
	p.path.extra[0] = 1;                          /* a TPID that is none */
	assert_false(xl_link_emit(&x.a, &x.frames, &p));
	assert_int_equal(x.a.counters[XL_LINK_TX_BAD_PATH], 4);
	unmake(&x);
}

static void test_names(void **state)
{
	(void)state;
	for (u32 i = 0; i < XL_LINK_COUNTER_COUNT; i++) {
		assert_true(strlen(xl_link_counter_name(i)) > 1);
		assert_true(strlen(xl_link_counter_text(i)) > 1);
		for (u32 j = 0; j < i; j++)
			assert_string_not_equal(xl_link_counter_name(i), xl_link_counter_name(j));
	}
	assert_string_equal(xl_link_counter_name(XL_LINK_COUNTER_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_vlan_config),
		cmocka_unit_test(test_foreign_frames),
		cmocka_unit_test(test_short_frames),
		cmocka_unit_test(test_vlans),
		cmocka_unit_test(test_deep_vlan),
		cmocka_unit_test(test_bad_paths),
		cmocka_unit_test(test_names),
	};

	return RUN_TAP(tests);
}
