/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h - the engine's idea of now: what it was told last. When that goes back, now stands still once and then goes on at
 * the caller's pace, so that no timer waits until the caller's clock is where it was. */
#ifndef XL_CLOCK_H
#define XL_CLOCK_H

#include "core.h"

/* Every entry point that is given a time calls this first. */
void xl_clock(struct xl_engine *e, u64 now_ns);

#endif
