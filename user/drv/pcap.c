/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "pcap.h"

#define PCAP_MAGIC_NS 0xa1b23c4du
#define PCAP_SNAP_BYTES 65535u
#define LINKTYPE_ETHERNET 1u
#define PCAP_BUFFER_BYTES 65536
#define PCAP_FLUSH_NS XL_S       /* what is seen is in the file about this long after */

/* File and record header of the format (host byte order: the magic tells readers which). */
struct file_head { u32 magic; u16 major, minor; u32 zone, sigfigs, snap_bytes, linktype; };
struct record_head { u32 s, ns, bytes_kept, bytes; };
_Static_assert(sizeof(struct file_head) == 24 && sizeof(struct record_head) == 16, "layout of the pcap format");

struct xl_pcap {
	FILE *file;
	int error;
};

static void put(struct xl_pcap *p, const void *bytes, size_t n)
{
	if (!p->error && n && fwrite(bytes, n, 1, p->file) != 1)
		p->error = errno ? -errno : -EIO;
}

int xl_pcap_open(const char *path, struct xl_pcap **out)
{
	const struct file_head head = { PCAP_MAGIC_NS, 2, 4, 0, 0, PCAP_SNAP_BYTES, LINKTYPE_ETHERNET };
	struct xl_pcap *p = calloc(1, sizeof *p);
	int err;

	*out = NULL;
	if (!p)
		return -ENOMEM;
	p->file = fopen(path, "wbe");
	if (!p->file) {
		err = -errno;
		free(p);
		return err;
	}
	setvbuf(p->file, NULL, _IOFBF, PCAP_BUFFER_BYTES);
	put(p, &head, sizeof head);
	*out = p;
	return 0;
}

static void put_head(struct xl_pcap *p, u32 len, u64 ns)
{
	const struct record_head head = { ns / XL_S, ns % XL_S, len, len };

	put(p, &head, sizeof head);
}

void xl_pcap_write(struct xl_pcap *p, const void *frame, u32 len, u64 ns)
{
	put_head(p, len, ns);
	put(p, frame, len);
}

void xl_pcap_write_packet(struct xl_pcap *p, const struct xl_frames *frames, const struct xl_packet *packet, u64 ns)
{
	put_head(p, xl_packet_bytes(packet), ns);
	for (u32 i = 0; i < packet->nsegs; i++)
		put(p, xl_frames_ptr(frames, packet->seg[i].frame) + packet->seg[i].off, packet->seg[i].len);
}

void xl_pcap_flush(struct xl_pcap *p)
{
	if (!p->error && fflush(p->file))
		p->error = -errno;
}

int xl_pcap_close(struct xl_pcap *p)
{
	int err;

	if (!p)
		return 0;
	xl_pcap_flush(p);
	err = p->error;
	if (fclose(p->file) && !err)
		err = -errno;
	free(p);
	return err;
}

/* --- the wrapper --------------------------------------------------------------------------- */
struct recorder {
	struct xl_drv drv;
	struct xl_drv *inner;
	struct xl_pcap *pcap;
	u64 realtime_offset_ns;  /* CLOCK_REALTIME - CLOCK_MONOTONIC at open */
	u64 flushed_ns;
};

static struct recorder *recorder_of(struct xl_drv *d)
{
	return (struct recorder *)d;
}

static void record(struct recorder *r, const struct xl_packet *packets, u32 n, u64 now_ns)
{
	for (u32 i = 0; i < n; i++) {
		if (xl_drv_packet_ok(&r->drv, &packets[i]))
			xl_pcap_write_packet(r->pcap, r->drv.frames, &packets[i], now_ns + r->realtime_offset_ns);
	}
	if (now_ns - r->flushed_ns >= PCAP_FLUSH_NS) {
		xl_pcap_flush(r->pcap);
		r->flushed_ns = now_ns;
	}
}

static int pcap_rx(struct xl_drv *d, struct xl_packet *packets, u32 max, u64 now_ns)
{
	struct recorder *r = recorder_of(d);
	int n = r->inner->ops->rx(r->inner, packets, max, now_ns);

	d->mtu = r->inner->mtu;
	if (n > 0)
		record(r, packets, n, now_ns);
	return n;
}

static u32 pcap_tx_room(struct xl_drv *d, u32 segs)
{
	struct xl_drv *inner = recorder_of(d)->inner;

	return inner->ops->tx_room(inner, segs);
}

static u32 pcap_tx(struct xl_drv *d, const struct xl_packet *packets, u32 n, u64 now_ns)
{
	struct recorder *r = recorder_of(d);
	u32 taken = r->inner->ops->tx(r->inner, packets, n, now_ns);

	record(r, packets, taken, now_ns);
	return taken;
}

static int pcap_flush(struct xl_drv *d, u64 now_ns)
{
	struct xl_drv *inner = recorder_of(d)->inner;

	return inner->ops->flush(inner, now_ns);
}

static u32 pcap_complete(struct xl_drv *d, u32 *frames, u32 max)
{
	struct xl_drv *inner = recorder_of(d)->inner;

	return inner->ops->complete(inner, frames, max);
}

static void pcap_refill(struct xl_drv *d, u32 leave)
{
	struct xl_drv *inner = recorder_of(d)->inner;

	inner->ops->refill(inner, leave);
}

static u32 pcap_fds(struct xl_drv *d, int *fds, u32 max)
{
	struct xl_drv *inner = recorder_of(d)->inner;

	return inner->ops->fds(inner, fds, max);
}

static int pcap_arm(struct xl_drv *d, bool sleep)
{
	struct xl_drv *inner = recorder_of(d)->inner;

	return inner->ops->arm(inner, sleep);
}

static u64 pcap_deadline(struct xl_drv *d)
{
	struct xl_drv *inner = recorder_of(d)->inner;

	return inner->ops->deadline(inner);
}

static void pcap_update_counters(struct xl_drv *d)
{
	struct xl_drv *inner = recorder_of(d)->inner;

	inner->ops->update_counters(inner);
	memcpy(d->counters, inner->counters, sizeof d->counters);
}

static void pcap_close(struct xl_drv *d)
{
	struct recorder *r = recorder_of(d);

	r->inner->ops->close(r->inner);
	xl_pcap_close(r->pcap);
	free(r);
}

static const struct xl_drv_ops pcap_ops = {
	.name = "pcap", .rx = pcap_rx, .tx_room = pcap_tx_room, .tx = pcap_tx, .flush = pcap_flush,
	.complete = pcap_complete, .refill = pcap_refill, .fds = pcap_fds, .arm = pcap_arm,
	.deadline = pcap_deadline, .update_counters = pcap_update_counters, .close = pcap_close,
};

static u64 clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * XL_S + t.tv_nsec;
}

int xl_drv_pcap_open(struct xl_drv *inner, const char *path, struct xl_drv **out)
{
	struct recorder *r = calloc(1, sizeof *r);
	int err;

	*out = NULL;
	if (!r)
		return -ENOMEM;
	err = xl_pcap_open(path, &r->pcap);
	if (err) {
		free(r);
		return err;
	}
	r->drv = *inner;
	r->drv.ops = &pcap_ops;
	r->inner = inner;
	r->realtime_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	*out = &r->drv;
	return 0;
}
