/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../user/base/endian.h"
#include "../../user/drv/af_packet.h"
#include "../../user/drv/af_xdp.h"
#include "drv_ends.h"

#define HEAD_BYTES 14

struct ends_world ends_world;
struct end ends[2];
char ends_why[256];
u32 ends_tests_run, ends_tests_failed;

u64 ends_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * XL_S + t.tv_nsec;
}

__attribute__((format(printf, 2, 3)))
bool ends_check(bool ok, const char *format, ...)
{
	va_list ap;

	printf("%sok %u - %s ", ok ? "" : "not ", ++ends_tests_run, ends_world.xdp ? "af_xdp:" : "af_packet:");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	ends_tests_failed += !ok;
	return ok;
}

void ends_skip(const char *what, const char *reason)
{
	printf("ok %u - af_xdp: %s # SKIP %s\n", ++ends_tests_run, what, reason);
	fflush(stdout);
}

__attribute__((format(printf, 1, 2)))
int ends_shell(const char *format, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	return system(line);
}

/* --- ends ----------------------------------------------------------------------------------- */
static int open_af_packet(struct end *e)
{
	struct xl_drv_af_packet_config c = {
		.ifname = e->ifname, .frames = &e->frames, .ethertype = REDIRECT_ETHERTYPE, .mtu = ends_world.mtu,
	};
	int err = xl_umem_create(&e->umem, SKIPPED + FRAMES, ends_world.frame_bytes);

	if (err)
		return err;
	e->tables = calloc(1, xl_frames_table_bytes(FRAMES));
	xl_frames_init(&e->frames, e->umem.mem + SKIPPED * e->umem.frame_bytes, e->umem.frame_bytes, FRAMES, e->tables);
	return xl_drv_af_packet_open(&c, &e->drv, ends_why, sizeof ends_why);
}

static int open_af_xdp(struct end *e)
{
	struct xl_port_spec spec = {
		.ifname = e->ifname, .workers = 1, .frames = FRAMES, .ring_size = ends_world.ring_size,
		.frame_bytes = ends_world.frame_bytes, .need_wakeup = true, .mtu = ends_world.mtu,
	};
	int fds[REDIRECT_QUEUES_MAX], err = xl_port_open(&spec, &e->port, ends_why, sizeof ends_why);

	if (!err)
		err = xl_af_xdp_shared_open(&e->port, &e->shared, ends_why, sizeof ends_why);
	if (err)
		return err;
	e->tables = calloc(1, xl_frames_table_bytes(FRAMES));
	xl_port_frames(&e->port, 0, &e->frames, e->tables);
	err = xl_drv_af_xdp_open(e->shared, 0, &e->frames, &e->drv, ends_why, sizeof ends_why);
	if (err)
		return err;
	for (u32 q = 0; q < e->port.queues; q++)
		fds[q] = xl_port_fd(&e->port, q, 0);
	err = redirect_attach(&e->redirect, e->ifname, fds, e->port.queues, 1);
	if (err)
		snprintf(ends_why, sizeof ends_why, "attaching the program: %s", strerror(-err));
	return err;
}

int ends_open_one(struct end *e, const char *ifname)
{
	int err;

	memset(e, 0, sizeof *e);
	e->ifname = ifname;
	err = ends_world.xdp ? open_af_xdp(e) : open_af_packet(e);
	if (!err && !ends_world.no_refill)
		e->drv->ops->refill(e->drv, LEAVE);
	return err;
}

/* All frames home? */
bool ends_close_one(struct end *e)
{
	bool ok;

	if (e->drv)
		e->drv->ops->close(e->drv);
	redirect_detach(&e->redirect);
	ok = xl_frames_census_ok(&e->frames) && e->frames.nfree == e->frames.count;
	xl_af_xdp_shared_close(e->shared);
	if (e->port.workers)
		xl_port_close(&e->port);
	if (e->umem.mem)
		xl_umem_destroy(&e->umem);
	free(e->tables);
	memset(e, 0, sizeof *e);
	return ok;
}

bool ends_open(u32 frame_bytes, u32 mtu)
{
	ends_world.frame_bytes = frame_bytes;
	ends_world.mtu = mtu;
	for (int i = 0; i < 2; i++) {
		int err = ends_open_one(&ends[i], ends_world.name[i]);

		if (err)
			return ends_check(false, "open %s: %s (%s)", ends_world.name[i], strerror(-err), ends_why);
	}
	return true;
}

void ends_close(const char *what)
{
	bool a = ends_close_one(&ends[0]), b = ends_close_one(&ends[1]);

	ends_check(a && b, "%s: all frames are home after close, both pools add up", what);
}

/* --- packets: 12 bytes of addresses, tags, ethertype, be32 number, bytes that follow from number and place */
static u8 pattern(u32 number, u32 at)
{
	return (u8)(number * 131 + at * 7 + (at >> 8));
}

/* One packet of `bytes` bytes behind the MAC header and tags, cut into pieces of at most `piece` bytes. */
bool ends_make(struct end *e, struct xl_packet *p, u32 number, u32 bytes, u32 piece, const u16 *tag, u32 tags)
{
	u8 whole[20000] = { 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8 };
	u32 head = HEAD_BYTES + 4 * tags, done = 0;

	for (u32 i = 0; i < tags; i++) {
		xl_put16(whole + 12 + 4 * i, tag[2 * i]);
		xl_put16(whole + 14 + 4 * i, tag[2 * i + 1]);
	}
	xl_put16(whole + head - 2, REDIRECT_ETHERTYPE);
	xl_put32(whole + head, number);
	for (u32 i = 4; i < bytes; i++)
		whole[head + i] = pattern(number, i);
	memset(p, 0, sizeof *p);
	for (bytes += head; done < bytes; p->nsegs++) {
		struct xl_seg s = { xl_frames_take(&e->frames, XL_FRAME_TX), 64, xl_min(bytes - done, piece) };

		if (s.frame == XL_NONE)
			return false;
		memcpy(xl_frames_ptr(&e->frames, s.frame) + s.off, whole + done, s.len);
		p->seg[p->nsegs] = s;
		done += s.len;
	}
	return true;
}

static bool packet_good(struct end *e, const struct xl_packet *p)
{
	u8 whole[70000];
	u32 len = 0, head = HEAD_BYTES;

	for (u32 i = 0; i < p->nsegs; i++) {
		memcpy(whole + len, xl_frames_ptr(&e->frames, p->seg[i].frame) + p->seg[i].off, p->seg[i].len);
		len += p->seg[i].len;
	}
	e->tags_last = 0;
	while (head < len && xl_get16(whole + head - 2) != REDIRECT_ETHERTYPE && e->tags_last < 2) {
		e->tag_last[2 * e->tags_last] = xl_get16(whole + head - 2);
		e->tag_last[2 * e->tags_last++ + 1] = xl_get16(whole + head);
		head += 4;
	}
	e->bytes_last = len - head;
	for (u32 i = 4; head + i < len; i++) {
		if (whole[head + i] != pattern(xl_get32(whole + head), i))
			return false;
	}
	return len > head + 4 && xl_get16(whole + head - 2) == REDIRECT_ETHERTYPE;
}

void ends_turn(struct end *e)
{
	struct xl_packet p[32];
	u32 frames[64], n;
	int got = e->drv->ops->rx(e->drv, p, XL_ARRAY_SIZE(p), ends_clock_ns());

	e->rx_error = got < 0 ? got : 0;
	for (int i = 0; i < got; i++) {
		bool good = packet_good(e, &p[i]);

		e->got += good;
		e->bad += !good;
		e->got_on[p[i].queue & 3] += good;
		for (u32 j = 0; j < p[i].nsegs; j++)
			xl_frames_move(&e->frames, p[i].seg[j].frame, XL_FRAME_RX, XL_FRAME_FREE);
	}
	n = e->drv->ops->complete(e->drv, frames, XL_ARRAY_SIZE(frames));
	while (n--)
		xl_frames_move(&e->frames, frames[n], XL_FRAME_TX, XL_FRAME_FREE);
	if (!ends_world.no_refill)
		e->drv->ops->refill(e->drv, LEAVE);
}

/* Turn both ends until b has `got` packets and a's are all complete, or the deadline. */
bool ends_pump(struct end *a, struct end *b, u32 got)
{
	u64 until = ends_clock_ns() + DEADLINE_NS;

	do {
		ends_turn(a);
		ends_turn(b);
		if (b->got >= got && !a->frames.census[XL_FRAME_TX])
			return true;
	} while (ends_clock_ns() < until);
	return false;
}

/* Send n packets through the driver, as fast as it takes them, until all have arrived. */
bool ends_send_all(struct end *a, struct end *b, u32 n, u32 bytes, u32 piece, u32 queues)
{
	u64 until = ends_clock_ns() + DEADLINE_NS;
	u32 got = b->got + n;
	struct xl_packet p;

	for (u32 i = 0; i < n && ends_clock_ns() < until; ) {
		u32 segs = (bytes + HEAD_BYTES + piece - 1) / piece;

		if (a->drv->ops->tx_room(a->drv, segs) && a->frames.nfree > LEAVE / 2 && b->got + 512 > got - n + i &&
		    ends_make(a, &p, i, bytes, piece, NULL, 0)) {
			p.queue = i % queues;
			if (a->drv->ops->tx(a->drv, &p, 1, ends_clock_ns()) != 1)
				return false;
			if (++i % 32)
				continue;
		}
		a->drv->ops->flush(a->drv, ends_clock_ns());
		ends_turn(a);
		ends_turn(b);
	}
	a->drv->ops->flush(a->drv, ends_clock_ns());
	return ends_pump(a, b, got);
}

u64 ends_counter(struct end *e, enum xl_drv_counter c)
{
	e->drv->ops->update_counters(e->drv);
	return e->drv->counters[c];
}
