/* SPDX-License-Identifier: BSD-2-Clause */
/* identity.h - who this node is to its peers. */
#ifndef XL_DAEMON_IDENTITY_H
#define XL_DAEMON_IDENTITY_H

#include "../base/types.h"

/* The node id of an interface: the same after each start on the same machine, never 0, and telling nobody the machine's
 * id. `machine` is the text of machine-id(5); where there is none (NULL, or short) the MAC alone makes the difference.
 */
u64 xl_identity_node(const char *machine, const u8 mac[6]);
/* The text of /etc/machine-id, empty when there is none. */
void xl_identity_machine(char text[33]);
/* An incarnation: grows with every start. CLOCK_REALTIME, ns. */
u64 xl_identity_incarnation(void);

#endif
