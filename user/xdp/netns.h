/* SPDX-License-Identifier: BSD-2-Clause */
/* netns.h - whether a network namespace can still be there. */
#ifndef XL_XDP_NETNS_H
#define XL_XDP_NETNS_H

#include "../base/types.h"

/* No thread is in the namespace with this inode, and neither this process nor process 1 sees it mounted. Only who sees
 * every process can tell; for anybody else, and in doubt, it is not dead. */
bool xl_netns_dead(u64 inode);

#endif
