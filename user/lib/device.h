/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - from a configuration to a working driver: memory, frame pool, driver with its wrappers, demultiplexer.
 *
 * Guarantee: no frame is redirected to this process before xl_device_join, and none any more after xl_device_close has
 * begun; after a failure nothing is left behind. One thread.
 */
#ifndef XL_DEVICE_H
#define XL_DEVICE_H

#include <xlane/xlane.h>

#include "../base/log.h"
#include "../drv/drv.h"
#include "../xdp/demux.h"
#include "../xdp/port.h"
#include "../xdp/umem.h"

struct xl_af_xdp_shared;

struct xl_device {
	struct xl_umem umem;       /* of AF_PACKET */
	struct xl_port port;       /* of AF_XDP */
	struct xl_af_xdp_shared *shared;
	struct xl_frames frames;
	void *tables;
	struct xl_drv *drv;        /* with its wrappers */
	struct xl_drv *base;       /* the innermost driver */
	struct xl_demux *demux;    /* NULL without AF_XDP */
	u16 ethertype;
};

/* Everything but joining. The configuration is checked (xl_config_check). On failure `why` says it in one line. */
int xl_device_open(struct xl_device *d, const struct xlane_config *c, const struct xl_log *log, char *why,
		   size_t why_bytes);
/* Frames arrive from here on. Nothing to do without AF_XDP. */
int xl_device_join(struct xl_device *d, char *why, size_t why_bytes);
/* Leave the demultiplexer, close the driver, check that every frame is home (else a line in the log), free the memory.
 * Fine on zeroed memory. */
void xl_device_close(struct xl_device *d, const struct xl_log *log);
/* "af_xdp (native, copy, 2 queues)". */
void xl_device_text(const struct xl_device *d, char *text, size_t bytes);

#endif
