// SPDX-License-Identifier: BSD-2-Clause
/* demux.c - a worker's view of the demultiplexer attached to its interface. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpffs.h"
#include "demux.h"
#include "pins.h"
#include "program.h"

struct xl_demux {
	struct xl_maps maps;
	bool native, frags;
	u32 queues, workers;   /* whose slots were filled by xl_demux_enter */
};

__attribute__((format(printf, 4, 5)))
static int fail(int err, char *why, size_t why_bytes, const char *format, ...)
{
	va_list args;

	if (why && why_bytes) {
		va_start(args, format);
		vsnprintf(why, why_bytes, format, args);
		va_end(args);
	}
	return err;
}

/* Without the privilege to look programs up: the pins of the interface, in the first bpffs that has them. They belong
 * to this interface by their directory's name only. */
static int open_pins(struct xl_maps *maps, const char *ifname)
{
	char dir[XL_PIN_DIR_BYTES];
	struct xl_bpffs b;
	int err = -ENOENT;

	for (enum xl_bpffs_place place = 0; place < XL_BPFFS_PLACES && err; place++) {
		if (xl_bpffs_open_at(&b, place, false))
			continue;
		err = xl_pins_dir(b.path, ifname, false, dir);
		if (!err)
			err = xl_maps_open_dir(maps, dir);
		xl_bpffs_close(&b);
	}
	return err;
}

static int open_maps(struct xl_demux *d, const char *ifname, const struct xl_program *p, int found, char *why, size_t n)
{
	int err;

	if (found == -EPERM) {
		if (open_pins(&d->maps, ifname))
			return fail(-EPERM, why, n,
				    "not permitted to look at the XDP program of %s; run as root, or with "
				    "CAP_BPF, CAP_NET_RAW and access to its pinned maps",
				    ifname);
		return 0;
	}
	if (!p->demux_id)
		return fail(-EBUSY, why, n,
			    "the XDP program on %s (id %u, %s) is not xlane's; detach it with `xdp-loader unload "
			    "%s --all`, then run `xlane attach %s`",
			    ifname, p->top_id, p->top_name, ifname, ifname);
	err = xl_maps_open_ids(&d->maps, p->map_id);
	if (err == -EPROTO)
		return fail(err, why, n,
			    "the demux program on %s (id %u) is of another version; run `xlane detach %s`, then "
			    "`xlane attach %s`",
			    ifname, p->demux_id, ifname, ifname);
	return err ? fail(err, why, n, "the maps of the demux program on %s can not be opened: %s; run as root", ifname,
			  strerror(-err)) : 0;
}

int xl_demux_open(const char *ifname, struct xl_demux **out, char *why, size_t why_bytes)
{
	struct xl_program p;
	struct xl_demux *d;
	int found = xl_program_find(ifname, &p), err;

	if (found == -ENODEV)
		return fail(found, why, why_bytes, "there is no interface %s; `ip link` lists what there is", ifname);
	if (found && found != -EPERM)
		return fail(found, why, why_bytes, "the XDP program of %s can not be asked for: %s", ifname,
			    strerror(-found));
	if (!p.top_id)
		return fail(-ENOENT, why, why_bytes, "no XDP program is attached to %s; run `xlane attach %s` first",
			    ifname, ifname);
	if (p.dispatcher && !p.demux_id)
		return fail(-ENOENT, why, why_bytes, "no program of xlane is in the dispatcher on %s; run `xlane attach "
			    "%s` first", ifname, ifname);
	d = calloc(1, sizeof *d);
	if (!d)
		return fail(-ENOMEM, why, why_bytes, "out of memory");
	err = open_maps(d, ifname, &p, found, why, why_bytes);
	if (err) {
		free(d);
		return err;
	}
	d->native = p.mode == XL_XDP_NATIVE || p.mode == XL_XDP_HARDWARE;
	d->frags = p.frags;
	*out = d;
	return 0;
}

static int set_armed(const struct xl_maps *m, bool armed)
{
	struct xlane_bpf_config config;
	int err = xl_maps_get_config(m, &config);

	config.armed = armed;
	return err ? err : xl_maps_set_config(m, &config);
}

/* Empty the slots of the port that was entered, all or the first part of them. */
static void clear_slots(struct xl_demux *d)
{
	for (u32 queue = 0; queue < d->queues; queue++)
		for (u32 worker = 0; worker < d->workers; worker++)
			xl_maps_clear_slot(&d->maps, queue, worker);
	d->queues = d->workers = 0;
}

static int spread_buckets(const struct xl_maps *m, u32 workers)
{
	u32 now[XLANE_BUCKETS];
	int err = xl_maps_get_buckets(m, now);

	for (u32 b = 0; b < XLANE_BUCKETS && !err; b++)
		if (now[b] != b % workers)
			err = xl_maps_set_bucket(m, b, b % workers);
	return err;
}

void xl_demux_leave(struct xl_demux *d)
{
	if (!d->workers)
		return;
	set_armed(&d->maps, false);
	clear_slots(d);
	spread_buckets(&d->maps, 1);
}

int xl_demux_enter(struct xl_demux *d, const struct xl_port *port)
{
	int err = set_armed(&d->maps, false);

	d->queues = port->queues;
	d->workers = port->workers;
	for (u32 q = 0; q < port->queues; q++)
		for (u32 w = 0; w < port->workers && !err; w++)
			err = xl_maps_set_slot(&d->maps, q, w, xl_port_fd(port, q, w));
	if (!err)
		err = spread_buckets(&d->maps, port->workers);
	if (err)
		xl_demux_leave(d);
	return err;
}

int xl_demux_arm(struct xl_demux *d, u16 ethertype)
{
	int err = ethertype < 0x600 ? -EINVAL : 0;

	if (!err)
		err = xl_maps_set_hook(&d->maps, ethertype, XLANE_HOOK(XLANE_HOOK_XLANE, 0));
	return err ? err : set_armed(&d->maps, true);
}

int xl_demux_counters(const struct xl_demux *d, u64 out[XLANE_BPF_COUNTER_COUNT])
{
	return xl_maps_get_counters(&d->maps, out);
}

bool xl_demux_native(const struct xl_demux *d)
{
	return d->native;
}

bool xl_demux_frags(const struct xl_demux *d)
{
	return d->frags;
}

void xl_demux_close(struct xl_demux *d)
{
	if (!d)
		return;
	xl_maps_close(&d->maps);
	free(d);
}
