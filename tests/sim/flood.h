/* SPDX-License-Identifier: BSD-2-Clause */
/* flood.h - a third station that calls and calls, and never hears the answers: what cookies are for. */
#ifndef SIM_FLOOD_H
#define SIM_FLOOD_H

#include "../../user/base/types.h"

struct sim_world;

#define SIM_FLOOD_CALLS 96   /* more than XLANE_HALF_OPEN_COOKIE */
#define SIM_FLOOD_GAP_NS (20 * XL_US)   /* between two of them */

/* So many INIT packets reach `host`, from a node and an address that do not exist; some carry a cookie made up. */
void sim_flood(struct sim_world *w, u32 host);

/* A link header to `host` from `source`. Returns its bytes. */
u32 sim_flood_link_header(const struct sim_world *w, u32 host, const u8 source[6], u8 *p);

#endif
