/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "drv/fault.h"
#include "drv_pair.h"

static struct xl_fault_config parsed(const char *text)
{
	struct xl_fault_config c;

	CHECK(!xl_fault_parse(text, &c, NULL, 0));
	return c;
}

static void texts(void **state)
{
	static const struct { const char *text, *bad; } wrong[] = {
		{ "drop", "drop" }, { "drop=", "drop=" }, { "drop=1.1", "drop=1.1" }, { "drop=2", "drop=2" },
		{ "drop=-1", "drop=-1" }, { "drop=0.0000001", "drop=0.0000001" }, { "drop=.5", "drop=.5" },
		{ "drop=0.", "drop=0." }, { "drop=0.1x", "drop=0.1x" }, { "drop=0.1,drop=0.1", "drop=0.1" },
		{ "seed=1,loss=0.1", "loss=0.1" }, { "seed=99999999999999999999", "seed=99999999999999999999" },
		{ "dup=0.5,,seed=1", "" }, { "dup=0.5,", "" }, { "delay_us=0", "delay_us=0" },
		{ "delay_us=10000001", "delay_us=10000001" }, { " drop=0.1", " drop=0.1" }, { "drop=1.000001",
			"drop=1.000001" },
	};
	struct xl_fault_config c = parsed("drop=0.01,dup=0.015,corrupt=1,delay=0.000001,delay_us=20,"
					  "seed=18446744073709551615");
	char bad[32], small[4];

	(void)state;
	CHECK(c.drop == 10000 && c.duplicate == 15000 && c.corrupt == 1000000 && c.delay == 1);
	CHECK(c.delay_ns_max == 20000 && c.seed == UINT64_MAX);
	c = parsed("");
	CHECK(!c.drop && !c.duplicate && !c.corrupt && !c.delay && c.delay_ns_max == XL_FAULT_DELAY_NS_DEFAULT);
	CHECK(parsed("drop=1.0").drop == 1000000 && parsed("drop=0").drop == 0);
	for (u32 i = 0; i < XL_ARRAY_SIZE(wrong); i++) {
		if (xl_fault_parse(wrong[i].text, &c, bad, sizeof bad) != -EINVAL || strcmp(bad, wrong[i].bad))
			fail_msg("\"%s\" gives \"%s\"", wrong[i].text, bad);
	}
	CHECK(xl_fault_parse("nonsense", &c, small, sizeof small) == -EINVAL && !strcmp(small, "non"));
}

static void wrap(struct pair *p, const char *text)
{
	struct xl_fault_config c = parsed(text);
	struct xl_drv *d;

	pair_open(p);
	CHECK(!xl_drv_fault_open(p->b.drv, &c, &d));
	p->b.drv = d;
	d->ops->refill(d, 8);
}

/* Send one packet through, receive up to 8 at `now`. */
static int pass(struct pair *p, struct xl_packet *got, u64 now)
{
	CHECK(pair_tx(&p->a, pair_packet(&p->a, 1, 200, 7), now) == 1);
	CHECK(pair_complete(&p->a) == 1);
	return p->b.drv->ops->rx(p->b.drv, got, 8, now);
}

static u64 count(struct pair *p, enum xl_drv_counter c)
{
	p->b.drv->ops->update_counters(p->b.drv);
	return p->b.drv->counters[c];
}

static void drop_all(void **state)
{
	struct pair p;
	struct xl_packet got[8];

	(void)state;
	wrap(&p, "drop=1");
	for (int i = 0; i < 100; i++) {
		CHECK(pass(&p, got, i) == 0);
		p.b.drv->ops->refill(p.b.drv, 8);
	}
	CHECK(count(&p, XL_DRV_FAULT_DROPPED) == 100 && count(&p, XL_DRV_RX_PACKETS) == 100);
	CHECK(p.b.frames.census[XL_FRAME_RX] == 0);
	pair_close(&p);
}

static void duplicate_all(void **state)
{
	struct pair p;
	struct xl_packet got[8];

	(void)state;
	wrap(&p, "dup=1");
	CHECK(pass(&p, got, 1) == 2);
	CHECK(pair_good(&p.b, &got[0], 7) && pair_good(&p.b, &got[1], 7) && got[0].seg[0].frame != got[1].seg[0].frame);
	CHECK(count(&p, XL_DRV_FAULT_DUPLICATED) == 1);
	pair_move(&p.b, &got[0], XL_FRAME_RX);
	pair_move(&p.b, &got[1], XL_FRAME_RX);
	/* No room in the caller's array: the copy comes with the next call. */
	CHECK(pair_tx(&p.a, pair_packet(&p.a, 1, 200, 7), 2) == 1 && pair_complete(&p.a) == 1);
	CHECK(p.b.drv->ops->rx(p.b.drv, got, 1, 2) == 1);
	CHECK(p.b.drv->ops->deadline(p.b.drv) <= 2 && p.b.drv->ops->arm(p.b.drv, true) == -EAGAIN);
	CHECK(p.b.drv->ops->rx(p.b.drv, got + 1, 1, 2) == 1 && p.b.drv->ops->deadline(p.b.drv) == XL_NEVER);
	pair_move(&p.b, &got[0], XL_FRAME_RX);
	pair_move(&p.b, &got[1], XL_FRAME_RX);
	/* Free frames that refill had to leave are left by duplicates too. */
	p.b.drv->ops->refill(p.b.drv, p.b.frames.nfree);
	CHECK(pass(&p, got, 3) == 1 && count(&p, XL_DRV_FAULT_DUPLICATED) == 2);
	pair_move(&p.b, &got[0], XL_FRAME_RX);
	pair_close(&p);
}

static void corrupt_all(void **state)
{
	struct pair p;
	struct xl_packet got[8];

	(void)state;
	wrap(&p, "corrupt=1");
	for (int i = 0; i < 200; i++) {
		u8 *bytes;
		u32 wrong = 0;

		CHECK(pass(&p, got, i) == 1);
		bytes = xl_frames_ptr(&p.b.frames, got[0].seg[0].frame) + got[0].seg[0].off;
		for (u32 j = 0; j < 200; j++)
			wrong += bytes[j] != (u8)(7 + j);
		CHECK(wrong == 1);
		for (u32 j = 0; j < 12; j++)
			CHECK(bytes[j] == 7 + j);
		pair_move(&p.b, &got[0], XL_FRAME_RX);
		p.b.drv->ops->refill(p.b.drv, 8);
	}
	CHECK(count(&p, XL_DRV_FAULT_CORRUPTED) == 200);
	pair_close(&p);
}

static void delay_all(void **state)
{
	struct pair p;
	struct xl_packet got[8];
	u64 due;

	(void)state;
	wrap(&p, "delay=1,delay_us=10");
	CHECK(pass(&p, got, 1000) == 0);
	CHECK(p.b.frames.census[XL_FRAME_RX] == 0 && count(&p, XL_DRV_FAULT_DELAYED) == 1);
	due = p.b.drv->ops->deadline(p.b.drv);
	CHECK(due > 1000 && due <= 1000 + 10 * XL_US);
	CHECK(p.b.drv->ops->rx(p.b.drv, got, 8, due - 1) == 0);
	CHECK(p.b.drv->ops->rx(p.b.drv, got, 8, due) == 1 && pair_good(&p.b, &got[0], 7));
	CHECK(p.b.frames.census[XL_FRAME_RX] == 1 && p.b.drv->ops->deadline(p.b.drv) == XL_NEVER);
	pair_move(&p.b, &got[0], XL_FRAME_RX);
	for (int i = 0; i < 5; i++)
		CHECK(pass(&p, got, due) == 0);
	pair_close(&p);   /* with five packets held back */
}

/* Everything at once: nothing is lost that is not counted, the census adds up at each step. Returns a hash of all. */
static u64 run_mixed(u64 seed)
{
	struct pair p;
	struct xl_packet got[8];
	u64 hash = 0, received = 0, sent = 0, now = 0;
	char text[96];

	snprintf(text, sizeof text, "drop=0.1,dup=0.2,corrupt=0.1,delay=0.3,delay_us=5,seed=%llu",
		 (unsigned long long)seed);
	wrap(&p, text);
	for (; sent < 3000; sent++) {
		int n = pass(&p, got, now += 700);

		for (int i = 0; i < n; i++) {
			hash = hash * 31 + now + xl_frames_ptr(&p.b.frames,
							       got[i].seg[0].frame)[got[i].seg[0].off + 50];
			pair_move(&p.b, &got[i], XL_FRAME_RX);
		}
		received += n;
		p.b.drv->ops->refill(p.b.drv, 8);
		CHECK(xl_frames_census_ok(&p.b.frames));
	}
	while (p.b.drv->ops->deadline(p.b.drv) != XL_NEVER) {
		int n = p.b.drv->ops->rx(p.b.drv, got, 8, now = p.b.drv->ops->deadline(p.b.drv));

		for (int i = 0; i < n; i++)
			pair_move(&p.b, &got[i], XL_FRAME_RX);
		received += n;
	}
	CHECK(received == count(&p, XL_DRV_RX_PACKETS) + count(&p, XL_DRV_FAULT_DUPLICATED) -
			  count(&p, XL_DRV_FAULT_DROPPED));
	CHECK(count(&p, XL_DRV_FAULT_DROPPED) > 200 && count(&p, XL_DRV_FAULT_DROPPED) < 400);
	CHECK(count(&p, XL_DRV_FAULT_DELAYED) > 500 && count(&p, XL_DRV_FAULT_DUPLICATED) > 300);
	pair_close(&p);
	return hash;
}

static void mixed(void **state)
{
	(void)state;
	CHECK(run_mixed(1) == run_mixed(1));
	CHECK(run_mixed(1) != run_mixed(2));
}

static void config_is_checked(void **state)
{
	struct pair p;
	struct xl_drv *d;
	struct xl_fault_config c = parsed("");

	(void)state;
	pair_open(&p);
	c.drop = 1000001;
	CHECK(xl_drv_fault_open(p.b.drv, &c, &d) == -EINVAL && !d);
	c = parsed("");
	c.delay_ns_max = 0;
	CHECK(xl_drv_fault_open(p.b.drv, &c, &d) == -EINVAL && !d);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts), cmocka_unit_test(drop_all), cmocka_unit_test(duplicate_all),
		cmocka_unit_test(corrupt_all), cmocka_unit_test(delay_all), cmocka_unit_test(mixed),
		cmocka_unit_test(config_is_checked),
	};

	return RUN_TAP(tests);
}
