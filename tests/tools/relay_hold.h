/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_hold.h - frames held back so that later ones overtake them: reordering.
 *
 * A held frame goes on when so many later ones have passed, or at its time when the traffic has dried up. Pure but for
 * the links of the frames; times are the caller's.
 */
#ifndef RELAY_HOLD_H
#define RELAY_HOLD_H

#include "relay_frames.h"

#define RELAY_HOLD_MAX 256   /* frames held back in one direction at once */

struct relay_hold { struct relay_queue held; };

/* Hold f until f->hold frames have passed or f->due_ns. False: RELAY_HOLD_MAX are held, f stays the caller's. */
bool relay_hold_add(struct relay_hold *h, struct relay_frame *f);
/* One frame passes: those that have let enough pass are moved to `out`, in the order in which they came. */
void relay_hold_pass(struct relay_hold *h, struct relay_queue *out);
/* Those whose time has come are moved to `out`. */
void relay_hold_expire(struct relay_hold *h, u64 now_ns, struct relay_queue *out);
/* Earliest due_ns, XL_NEVER when nothing is held. */
u64 relay_hold_deadline(const struct relay_hold *h);

#endif
