/* SPDX-License-Identifier: BSD-2-Clause */
/* queues.h - how many receive and transmit queues an interface has now. */
#ifndef XL_QUEUES_H
#define XL_QUEUES_H

#include "../base/types.h"

/* From the driver (ETHTOOL_GCHANNELS), else from sysfs where it shows this network namespace, else one each.
 * -ENODEV: no such interface. A transmit queue at or past *tx silently sends nothing: do not use it. */
int xl_queues_count(const char *ifname, u32 *rx, u32 *tx);

#endif
