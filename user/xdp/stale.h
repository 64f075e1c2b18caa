/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stale.h - what a dispatcher leaves when its interface goes away.
 *
 * libxdp pins the programs of a dispatcher, and their links into it, in <bpffs>/xdp/dispatch-<ifindex>-<dispatcher id>.
 * The kernel takes the dispatcher off an interface that goes away; these pins keep all of it loaded, and the maps of our
 * demux in use, by nothing.
 */
#ifndef XL_XDP_STALE_H
#define XL_XDP_STALE_H

#include "../base/types.h"

/* Remove the pins of dispatchers that hold a demux on this map and are on no interface of this network namespace. The
 * map is that of an interface of this namespace, or of a namespace that is gone. */
void xl_stale_remove(const char *root, u32 map_id);

#endif
