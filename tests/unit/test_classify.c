/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/endian.h"
#include "unit.h"
#include "wire/classify.h"

enum { OTHER = 0x0800, XLANE = 0x88b5, STEERED = 0x9000, DROPPED = 0x9001, BAD_WORKER = 0x9002, BAD_ACTION = 0x9003 };
enum { QUEUE = 3, WORKER = 5, SLOT = QUEUE * XLANE_WORKERS_MAX + WORKER, BUCKET = 0xa7, LEN = 100 };

static u32 hooks[65536], buckets[XLANE_BUCKETS];
static u8 sockets[XLANE_XSK_SLOTS];
static const struct xlane_bpf_config armed = { .absent_drop = 0, .armed = 1 };
static struct xl_demux_tables tables;

static int fresh_tables(void **state)
{
	(void)state;
	memset(hooks, 0, sizeof hooks);
	memset(sockets, 0, sizeof sockets);
	hooks[XLANE] = XLANE_HOOK(XLANE_HOOK_XLANE, 0);
	hooks[STEERED] = XLANE_HOOK(XLANE_HOOK_STEER, WORKER);
	hooks[DROPPED] = XLANE_HOOK(XLANE_HOOK_DROP, 0);
	hooks[BAD_WORKER] = XLANE_HOOK(XLANE_HOOK_STEER, XLANE_WORKERS_MAX);
	hooks[BAD_ACTION] = XLANE_HOOK(XLANE_HOOK_ACTIONS, 0);
	for (u32 i = 0; i < XLANE_BUCKETS; i++)
		buckets[i] = i == BUCKET ? WORKER : XLANE_WORKERS_MAX - 1;
	sockets[SLOT] = 1;
	sockets[(QUEUE + 1) * XLANE_WORKERS_MAX] = 1;   /* where a worker one too high would lead */
	tables = (struct xl_demux_tables){ hooks, buckets, sockets, armed };
	return 0;
}

/* A frame of `ethertype` behind `tags` tags with a good outer header (extension and checksum). Returns the link
 * header's size. */
static u32 frame(u8 *b, u16 ethertype, u32 tags)
{
	struct xl_ether e = { .ethertype = ethertype, .tags = (u8)tags, .tag = { { 0x88a8, 1 }, { 0x8100, 2 } } };
	struct xl_outer h = { .type = XLANE_PACKET_INIT, .flags = XLANE_FLAG_EXT | XLANE_FLAG_CRC, .length = 60 };

	if (tags == 1)
		e.tag[0].tpid = 0x8100;
	memset(b, 0, LEN);
	h.id = (u64)BUCKET << 56 | 77;
	xl_ether_emit(b, &e);
	xl_outer_emit(b + xl_ether_bytes(&e), &h);
	return xl_ether_bytes(&e);
}

static void expect_in(const u8 *b, u64 linear, u64 len, u32 queue, enum xl_demux_verdict verdict,
		      enum xlane_bpf_counter counter)
{
	u8 *p = exact_copy(b, linear);
	struct xl_demux_result r = xl_demux_classify(&tables, p, linear, len, queue);

	CHECK(r.verdict == verdict);
	CHECK(r.counter == counter);
	CHECK(verdict != XL_DEMUX_REDIRECT || r.slot == queue * XLANE_WORKERS_MAX + WORKER);
	free(p);
}

static void expect(const u8 *b, u64 len, enum xl_demux_verdict verdict, enum xlane_bpf_counter counter)
{
	expect_in(b, len, len, QUEUE, verdict, counter);
}

static void every_hook(void **state)
{
	u8 b[LEN];

	(void)state;
	for (u32 tags = 0; tags <= 2; tags++) {
		frame(b, XLANE, tags);
		expect(b, LEN, XL_DEMUX_REDIRECT, XLANE_BPF_REDIRECTED);
		frame(b, OTHER, tags);
		expect(b, LEN, XL_DEMUX_PASS, XLANE_BPF_OTHER_PASSED);
		frame(b, STEERED, tags);
		expect(b, LEN, XL_DEMUX_REDIRECT, XLANE_BPF_STEERED);
		expect(b, 14 + 4 * tags, XL_DEMUX_REDIRECT, XLANE_BPF_STEERED);
		frame(b, DROPPED, tags);
		expect(b, LEN, XL_DEMUX_DROP, XLANE_BPF_HOOK_DROPPED);
		frame(b, BAD_WORKER, tags);
		expect(b, LEN, XL_DEMUX_PASS, XLANE_BPF_BAD_HOOK);
		frame(b, BAD_ACTION, tags);
		expect(b, LEN, XL_DEMUX_PASS, XLANE_BPF_BAD_HOOK);
	}
	hooks[BAD_ACTION] = 0xff;
	expect(b, LEN, XL_DEMUX_PASS, XLANE_BPF_BAD_HOOK);
	hooks[BAD_ACTION] = XLANE_HOOK(XLANE_HOOK_STEER, 0xffffff);
	expect(b, LEN, XL_DEMUX_PASS, XLANE_BPF_BAD_HOOK);
}

static void truncation_and_tags(void **state)
{
	u8 b[LEN];

	(void)state;
	for (u32 tags = 0; tags <= 2; tags++) {
		u32 link = frame(b, XLANE, tags);

		for (u32 len = 0; len < LEN; len++) {
			if (len < link)
				expect(b, len, XL_DEMUX_DROP, XLANE_BPF_SHORT_ETHER);
			else if (len < link + XLANE_OUTER_BYTES)
				expect(b, len, XL_DEMUX_DROP, XLANE_BPF_SHORT_OUTER);
			else if (len < link + 60)
				expect(b, len, XL_DEMUX_DROP, XLANE_BPF_BAD_LENGTH);
			else
				expect(b, len, XL_DEMUX_REDIRECT, XLANE_BPF_REDIRECTED);
		}
	}
	frame(b, 0x8100, 2);
	expect(b, LEN, XL_DEMUX_PASS, XLANE_BPF_DEEP_VLAN);
	expect(b, 22, XL_DEMUX_PASS, XLANE_BPF_DEEP_VLAN);
	expect(b, 21, XL_DEMUX_DROP, XLANE_BPF_SHORT_ETHER);
}

/* Only the first buffer can be read; the frame is longer. */
static void headers_lie_in_the_first_buffer(void **state)
{
	u8 b[LEN];
	u32 link = frame(b, XLANE, 1);

	(void)state;
	for (u32 linear = 0; linear <= LEN; linear++) {
		if (linear < link)
			expect_in(b, linear, 9000, QUEUE, XL_DEMUX_DROP, XLANE_BPF_SHORT_ETHER);
		else if (linear < link + 20)
			expect_in(b, linear, 9000, QUEUE, XL_DEMUX_DROP, XLANE_BPF_SHORT_OUTER);
		else if (linear < link + 48)
			expect_in(b, linear, 9000, QUEUE, XL_DEMUX_DROP, XLANE_BPF_BAD_EXTENSION);
		else
			expect_in(b, linear, 9000, QUEUE, XL_DEMUX_REDIRECT, XLANE_BPF_REDIRECTED);
	}
	b[link] = 0x10;
	b[link + 1] = 0;
	expect_in(b, link + 20, 9000, QUEUE, XL_DEMUX_REDIRECT, XLANE_BPF_REDIRECTED);
	xl_put16(b + link + 2, 9000);
	expect_in(b, link + 20, 9000 + link, QUEUE, XL_DEMUX_REDIRECT, XLANE_BPF_REDIRECTED);
	expect_in(b, link + 20, 9000 + link - 1, QUEUE, XL_DEMUX_DROP, XLANE_BPF_BAD_LENGTH);
}

static void each_fault_has_its_counter(void **state)
{
	static const struct { u8 at, value, counter; } fault[] = {
		{ 0, 0x01, XLANE_BPF_BAD_VERSION }, { 0, 0x21, XLANE_BPF_BAD_VERSION },
		{ 0, 0x10 | XLANE_PACKET_TYPES, XLANE_BPF_BAD_TYPE }, { 0, 0x1f, XLANE_BPF_BAD_TYPE },
		{ 1, 0x07, XLANE_BPF_BAD_FLAGS }, { 1, 0x83, XLANE_BPF_BAD_FLAGS },
		{ 3, 51, XLANE_BPF_BAD_LENGTH }, { 3, LEN - 14 + 1, XLANE_BPF_BAD_LENGTH },
		{ 2, 0xff, XLANE_BPF_BAD_LENGTH },
		{ 1, XLANE_FLAG_CRC, XLANE_BPF_BAD_EXTENSION }, { 20, 27, XLANE_BPF_BAD_EXTENSION },
		{ 22, 1, XLANE_BPF_BAD_EXTENSION }, { 23, 1, XLANE_BPF_BAD_EXTENSION },
	};
	u8 b[LEN];

	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(fault); i++) {
		u32 link = frame(b, XLANE, 0);

		b[link + fault[i].at] = fault[i].value;
		expect(b, LEN, XL_DEMUX_DROP, fault[i].counter);
	}
}

static void nobody_there(enum xl_demux_verdict verdict, enum xlane_bpf_counter counter)
{
	static const u16 ethertype[] = { XLANE, STEERED };
	u8 b[LEN];

	for (size_t i = 0; i < XL_ARRAY_SIZE(ethertype); i++) {
		frame(b, ethertype[i], 0);
		tables.config.armed = 0;
		expect(b, LEN, verdict, counter);
		tables.config.armed = 1;
		expect(b, LEN, XL_DEMUX_REDIRECT, i ? XLANE_BPF_STEERED : XLANE_BPF_REDIRECTED);
		sockets[SLOT] = 0;
		expect(b, LEN, verdict, counter);
		sockets[SLOT] = 1;
		expect_in(b, LEN, LEN, QUEUE + 1, verdict, counter);
		expect_in(b, LEN, LEN, XLANE_QUEUES_MAX, verdict, counter);
		expect_in(b, LEN, LEN, UINT32_MAX, verdict, counter);
	}
	frame(b, XLANE, 0);
	buckets[BUCKET] = XLANE_WORKERS_MAX;
	expect(b, LEN, verdict, counter);
	buckets[BUCKET] = UINT32_MAX;
	expect(b, LEN, verdict, counter);
	b[14 + 20] = 0;   /* a malformed frame is dropped whatever the policy */
	expect(b, LEN, XL_DEMUX_DROP, XLANE_BPF_BAD_EXTENSION);
}

static void absent_passes(void **state)
{
	(void)state;
	nobody_there(XL_DEMUX_PASS, XLANE_BPF_ABSENT_PASSED);
}

static void absent_drops(void **state)
{
	(void)state;
	tables.config.absent_drop = 1;
	nobody_there(XL_DEMUX_DROP, XLANE_BPF_ABSENT_DROPPED);
}

static void random_bytes(void **state)
{
	struct xl_prng r;
	u32 seen[XLANE_BPF_COUNTER_COUNT] = { 0 };

	(void)state;
	xl_prng_seed(&r, 1);
	for (u32 i = 0; i < XLANE_BUCKETS; i++)
		buckets[i] = i % (XLANE_WORKERS_MAX + 1);
	for (u32 i = 0; i < XLANE_XSK_SLOTS; i++)
		sockets[i] = xl_prng_chance(&r, 500000);
	for (int i = 0; i < 200000; i++) {
		static const u16 ethertype[] = { OTHER, XLANE, XLANE, XLANE, STEERED, DROPPED, BAD_WORKER, 0x8100 };
		u64 len = xl_prng_below(&r, LEN + 1);
		u64 linear = xl_prng_chance(&r, 800000) ? len : xl_prng_below(&r, len + 1);
		struct xl_demux_result v;
		u8 b[LEN], *p;

		frame(b, ethertype[xl_prng_below(&r, XL_ARRAY_SIZE(ethertype))], (u32)xl_prng_below(&r, 3));
		for (u64 n = xl_prng_below(&r, 4); n; n--)
			b[xl_prng_below(&r, LEN)] = (u8)xl_prng_u64(&r);
		if (i % 16 == 0)
			fill_random(&r, b, LEN);
		tables.config = (struct xlane_bpf_config){ .absent_drop = i & 1, .armed = !!(i & 14) };
		p = exact_copy(b, linear);
		v = xl_demux_classify(&tables, p, linear, len, (u32)xl_prng_below(&r, XLANE_QUEUES_MAX + 2));
		free(p);
		CHECK(v.counter < XLANE_BPF_COUNTER_COUNT);
		CHECK(v.verdict != XL_DEMUX_REDIRECT || (v.slot < XLANE_XSK_SLOTS && sockets[v.slot]));
		seen[v.counter]++;
	}
	for (u32 c = 0; c < XLANE_BPF_COUNTER_COUNT; c++)
		CHECK(seen[c] > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_hook, fresh_tables),
		cmocka_unit_test_setup(truncation_and_tags, fresh_tables),
		cmocka_unit_test_setup(headers_lie_in_the_first_buffer, fresh_tables),
		cmocka_unit_test_setup(each_fault_has_its_counter, fresh_tables),
		cmocka_unit_test_setup(absent_passes, fresh_tables),
		cmocka_unit_test_setup(absent_drops, fresh_tables),
		cmocka_unit_test_setup(random_bytes, fresh_tables),
	};

	return RUN_TAP(tests);
}
