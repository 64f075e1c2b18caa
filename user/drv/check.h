/* SPDX-License-Identifier: BSD-2-Clause */
/* check.h - is a packet offered for sending one that a driver can hand on? What is not never reaches the kernel. */
#ifndef XL_DRV_CHECK_H
#define XL_DRV_CHECK_H

#include "drv.h"

static inline bool xl_drv_packet_ok(const struct xl_drv *d, const struct xl_packet *p)
{
	if (!p->nsegs || p->nsegs > d->segs_max)
		return false;
	for (u32 i = 0; i < p->nsegs; i++) {
		const struct xl_seg *s = &p->seg[i];

		if (s->frame >= d->frames->count || !s->len || (u32)s->off + s->len > d->frames->frame_bytes)
			return false;
	}
	return true;
}

#endif
