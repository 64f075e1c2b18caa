/* SPDX-License-Identifier: BSD-2-Clause */
#include "device.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../drv/af_packet.h"
#include "../drv/af_xdp.h"
#include "../drv/fault.h"
#include "../drv/pcap.h"

#define WORKER 0   /* an embedded program is the one worker of its interface */
/* Largest payload of one frame when the program takes no frames of several buffers. */
#define ONE_BUFFER_MTU (XLANE_FRAME_BYTES - XLANE_KERNEL_HEADROOM_BYTES - XLANE_LINK_HEADER_MAX_BYTES)

struct why { char *text; size_t bytes; };

__attribute__((format(printf, 3, 4))) static int fail(const struct why *why, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, why->bytes, format, args);
	va_end(args);
	return err;
}

/* The commonest mistakes have clear answers before anything is made. */
static int check_interface(const char *name, const struct why *why)
{
	struct ifreq ifr = { 0 };
	int fd, err = 0;

	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(why, -errno, "can not ask for interface %s: %s", name, strerror(errno));
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		err = fail(why, -ENODEV, "no interface '%s'; `ip link` lists them", name);
	else if (!(ifr.ifr_flags & IFF_UP))
		err = fail(why, -ENETDOWN, "interface %s is down; run: ip link set %s up", name, name);
	else if (ioctl(fd, SIOCGIFMTU, &ifr) == 0 && ifr.ifr_mtu < XLANE_MTU_MIN)
		err = fail(why, -EINVAL, "the MTU of %s is %d; xlane needs %d", name, ifr.ifr_mtu, XLANE_MTU_MIN);
	close(fd);
	return err;
}

static int make_tables(struct xl_device *d, u32 count, const struct why *why)
{
	d->tables = malloc(xl_frames_table_bytes(count));
	return d->tables ? 0 : fail(why, -ENOMEM, "no memory for the tables of %u frames", count);
}

static int make_frames(struct xl_device *d, const struct xlane_config *c, const struct why *why)
{
	u32 count = c->frames ? c->frames : XLANE_FRAMES_DEFAULT;
	int err = xl_umem_create(&d->umem, count, XLANE_FRAME_BYTES);

	if (err) {
		memset(&d->umem, 0, sizeof d->umem);
		return fail(why, err, "no memory for %u frames: %s", count, strerror(-err));
	}
	err = make_tables(d, count, why);
	if (!err)
		xl_frames_init(&d->frames, d->umem.mem, d->umem.frame_bytes, d->umem.frames, d->tables);
	return err;
}

static int open_af_packet(struct xl_device *d, const struct xlane_config *c, const struct why *why)
{
	const struct xl_drv_af_packet_config config = {
		.ifname = c->interface, .frames = &d->frames, .ethertype = c->ethertype, .mtu = c->mtu,
	};
	int err = make_frames(d, c, why);

	return err ? err : xl_drv_af_packet_open(&config, &d->base, why->text, why->bytes);
}

/* Sockets and memory, what workers share, pool, driver. What was made before a failure is undone by close_af_xdp. */
static int open_port(struct xl_device *d, const struct xl_port_spec *spec, const struct why *why)
{
	int err = xl_port_open(spec, &d->port, why->text, why->bytes);

	if (!err)
		err = xl_af_xdp_shared_open(&d->port, &d->shared, why->text, why->bytes);
	if (!err)
		err = make_tables(d, d->port.umem.frames, why);
	if (err)
		return err;
	xl_port_frames(&d->port, WORKER, &d->frames, d->tables);
	return xl_drv_af_xdp_open(d->shared, WORKER, &d->frames, &d->base, why->text, why->bytes);
}

/* After its driver was closed. */
static void close_af_xdp(struct xl_device *d)
{
	xl_demux_close(d->demux);
	xl_af_xdp_shared_close(d->shared);
	if (d->port.workers)
		xl_port_close(&d->port);
	d->demux = NULL;
	d->shared = NULL;
}

static int open_af_xdp(struct xl_device *d, const struct xlane_config *c, const struct why *why)
{
	struct xl_port_spec spec = {
		.ifname = c->interface, .workers = 1, .frames = c->frames, .queues = c->queues,
		.zero_copy = c->zero_copy, .need_wakeup = c->need_wakeup, .mtu = c->mtu,
	};
	int fd, err;

	/* A kernel without AF_XDP has no demux either: learn that first, or the advice would be to attach one. */
	fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EPERM)
		return fail(why, -EPERM, "no privilege to open AF_XDP sockets on %s; run as root, or with CAP_NET_RAW, "
			    "CAP_BPF and access to the pins of its maps", c->interface);
	if (fd < 0)
		return fail(why, -errno, "no AF_XDP socket: %s", strerror(errno));
	close(fd);
	err = xl_demux_open(c->interface, &d->demux, why->text, why->bytes);
	if (err) {
		d->demux = NULL;
		return err;
	}
	if (!xl_demux_frags(d->demux) && (!spec.mtu || spec.mtu > ONE_BUFFER_MTU))
		spec.mtu = ONE_BUFFER_MTU;
	err = open_port(d, &spec, why);
	if (err) {
		close_af_xdp(d);
		free(d->tables);
		d->tables = NULL;
		memset(&d->frames, 0, sizeof d->frames);
	}
	return err;
}

/* The kernel or the interface can not do it, whatever the user does. */
static bool lacks_af_xdp(int err)
{
	return err == -EAFNOSUPPORT || err == -EOPNOTSUPP || err == -ENOSYS || err == -EPROTONOSUPPORT;
}

static int open_driver(struct xl_device *d, const struct xlane_config *c, const struct xl_log *log,
		       const struct why *why)
{
	int err;

	if (c->driver == XLANE_DRIVER_AF_PACKET)
		return open_af_packet(d, c, why);
	err = open_af_xdp(d, c, why);
	if (!lacks_af_xdp(err) || c->driver != XLANE_DRIVER_AUTO || c->zero_copy == 1)
		return err;
	xl_log_printf(log, XL_LOG_WARNING, "%s: no AF_XDP here (%s): falling back to AF_PACKET, which is slower",
		      c->interface, why->text);
	return open_af_packet(d, c, why);
}

/* Faults inside, the recorder outside: the file shows what the engine was given. */
static int wrap(struct xl_device *d, const struct xlane_config *c, const struct why *why)
{
	struct xl_fault_config fault;
	char bad[64] = "";
	int err;

	d->drv = d->base;
	if (c->fault) {
		err = xl_fault_parse(c->fault, &fault, bad, sizeof bad);
		if (!err)
			err = xl_drv_fault_open(d->drv, &fault, &d->drv);
		if (err)
			return fail(why, err, "bad fault '%s'; write: drop=0.01,dup=0.01,corrupt=0.01,delay=0.01,"
				    "seed=1", *bad ? bad : c->fault);
	}
	if (c->pcap) {
		err = xl_drv_pcap_open(d->drv, c->pcap, &d->drv);
		if (err)
			return fail(why, err, "can not write %s: %s", c->pcap, strerror(-err));
	}
	return 0;
}

int xl_device_open(struct xl_device *d, const struct xlane_config *c, const struct xl_log *log, char *why,
		   size_t why_bytes)
{
	const struct why reason = { why, why_bytes };
	int err;

	memset(d, 0, sizeof *d);
	d->ethertype = c->ethertype;
	err = check_interface(c->interface, &reason);
	if (!err)
		err = open_driver(d, c, log, &reason);
	if (!err)
		err = wrap(d, c, &reason);
	if (err)
		xl_device_close(d, log);
	return err;
}

int xl_device_join(struct xl_device *d, char *why, size_t why_bytes)
{
	int err;

	if (!d->demux)
		return 0;
	err = xl_demux_enter(d->demux, &d->port);
	if (!err)
		err = xl_demux_arm(d->demux, d->ethertype);
	if (!err)
		return 0;
	xl_demux_leave(d->demux);
	snprintf(why, why_bytes, "can not enter the sockets into the demux program's map: %s", strerror(-err));
	return err;
}

static void check_home(const struct xl_frames *f, const struct xl_log *log)
{
	if (xl_frames_census_ok(f) && f->census[XL_FRAME_FREE] == f->own)
		return;
	for (u32 o = 0; o < XL_FRAME_OWNER_COUNT; o++)
		if (o != XL_FRAME_FREE && f->census[o])
			xl_log_printf(log, XL_LOG_ERROR, "%u frames did not come home: %s", f->census[o],
				      xl_frame_owner_name(o));
	if (!xl_frames_census_ok(f))
		xl_log_printf(log, XL_LOG_ERROR, "the frame census does not add up");
}

void xl_device_close(struct xl_device *d, const struct xl_log *log)
{
	if (d->demux)
		xl_demux_leave(d->demux);
	if (d->drv)
		d->drv->ops->close(d->drv);
	else if (d->base)
		d->base->ops->close(d->base);
	close_af_xdp(d);
	if (d->frames.count)
		check_home(&d->frames, log);
	free(d->tables);
	if (d->umem.mem)
		xl_umem_destroy(&d->umem);
	memset(d, 0, sizeof *d);
}

void xl_device_text(const struct xl_device *d, char *text, size_t bytes)
{
	const struct xl_drv *b = d->base;
	const char *s = b->queues == 1 ? "" : "s";

	if (!d->demux)
		snprintf(text, bytes, "%s (%u queue%s)", b->ops->name, b->queues, s);
	else
		snprintf(text, bytes, "%s (%s, %s, %u queue%s%s)", b->ops->name,
			 xl_demux_native(d->demux) ? "native" : "generic",
			 b->features & XL_DRV_ZERO_COPY ? "zero-copy" : "copy", b->queues, s,
			 b->features & XL_DRV_MULTI_BUFFER ? ", multi-buffer" : "");
}
