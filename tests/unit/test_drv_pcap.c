/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "drv/pcap.h"
#include "drv_pair.h"

static char path[] = "/tmp/test_drv_pcap.XXXXXX";
static u8 file[65536];

static u32 word(u32 at)
{
	u32 v;

	memcpy(&v, file + at, sizeof v);
	return v;
}

static u32 read_back(void)
{
	FILE *f = fopen(path, "rb");
	u32 n;

	CHECK(f);
	n = fread(file, 1, sizeof file, f);
	fclose(f);
	return n;
}

static void format(void **state)
{
	struct xl_pcap *p;
	u8 frame[60];

	(void)state;
	memset(frame, 0x5a, sizeof frame);
	CHECK(!xl_pcap_open(path, &p));
	xl_pcap_write(p, frame, sizeof frame, 1700000000123456789ull);
	xl_pcap_write(p, frame, 20, 5);
	CHECK(!xl_pcap_close(p));
	CHECK(read_back() == 24 + 16 + 60 + 16 + 20);
	CHECK(word(0) == 0xa1b23c4d && word(4) == (4 << 16 | 2) && word(20) == 1);
	CHECK(word(24) == 1700000000 && word(28) == 123456789 && word(32) == 60 && word(36) == 60);
	CHECK(!memcmp(file + 40, frame, 60));
	CHECK(word(100) == 0 && word(104) == 5 && word(108) == 20);
}

static void wrapper_records_both_ways(void **state)
{
	struct pair p;
	struct xl_drv *recorder;
	struct xl_packet got[2];
	struct timespec t;
	u64 mono;

	(void)state;
	pair_open(&p);
	CHECK(!xl_drv_pcap_open(p.a.drv, path, &recorder));
	CHECK(recorder->mtu == 9000 && recorder->segs_max == 4 && recorder->frames == &p.a.frames &&
	      recorder->queues == 2);
	p.a.drv = recorder;
	recorder->ops->refill(recorder, 32);
	p.b.drv->ops->refill(p.b.drv, 32);
	clock_gettime(CLOCK_MONOTONIC, &t);
	mono = t.tv_sec * XL_S + t.tv_nsec;
	CHECK(pair_tx(&p.a, pair_packet(&p.a, 2, 100, 1), mono) == 1);
	CHECK(pair_tx(&p.b, pair_packet(&p.b, 1, 70, 3), mono) == 1);
	CHECK(recorder->ops->rx(recorder, got, 2, mono) == 1);
	pair_move(&p.a, &got[0], XL_FRAME_RX);
	CHECK(p.b.drv->ops->rx(p.b.drv, got, 2, mono) == 1);
	pair_move(&p.b, &got[0], XL_FRAME_RX);
	CHECK(pair_complete(&p.a) == 2 && pair_complete(&p.b) == 1);
	recorder->ops->update_counters(recorder);
	CHECK(recorder->counters[XL_DRV_TX_PACKETS] == 1 && recorder->counters[XL_DRV_RX_BYTES] == 70);
	pair_close(&p);
	CHECK(read_back() == 24 + 16 + 200 + 16 + 70);
	CHECK(word(24) >= 1700000000);   /* time since 1970, not since boot */
	for (u32 i = 0; i < 200; i++)
		CHECK(file[40 + i] == (u8)(i + 1));
	CHECK(word(248) == 70 && file[256] == 3);
}

static void errors(void **state)
{
	struct pair p;
	struct xl_pcap *pcap;
	struct xl_drv *d;
	u8 frame[2000] = { 0 };

	(void)state;
	CHECK(xl_pcap_open("/nonexistent/x.pcap", &pcap) == -ENOENT && !pcap);
	CHECK(xl_pcap_close(NULL) == 0);
	pair_open(&p);
	CHECK(xl_drv_pcap_open(p.a.drv, "/nonexistent/x.pcap", &d) == -ENOENT && !d);
	pair_close(&p);   /* still the caller's */
	if (access("/dev/full", W_OK))
		return;
	CHECK(!xl_pcap_open("/dev/full", &pcap));
	for (int i = 0; i < 100; i++)
		xl_pcap_write(pcap, frame, sizeof frame, i);
	CHECK(xl_pcap_close(pcap) == -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format), cmocka_unit_test(wrapper_records_both_ways), cmocka_unit_test(errors),
	};
	int failed, fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	failed = RUN_TAP(tests);
	unlink(path);
	return failed;
}
