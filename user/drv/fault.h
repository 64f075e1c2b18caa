/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.h - a wrapper driver that harms what is received: drop, duplicate, corrupt, delay, from a seed.
 *
 * Each packet meets, in this order and independently: drop; corrupt (one byte past the Ethernet addresses changes);
 * duplicate (a copy into free frames, given after the original; none when no frame is free); delay (the original is
 * held back for 1..delay_ns_max ns, so later packets overtake it). Frames of a packet that is held back are counted as
 * FILL: they are with the driver; they become RX when it is given, and FREE at close. Same seed, same packets, same
 * calls: same harm.
 */
#ifndef XL_DRV_FAULT_H
#define XL_DRV_FAULT_H

#include "drv.h"

#define XL_FAULT_HELD_MAX 256            /* packets held back at once; beyond it, packets pass undelayed */
#define XL_FAULT_DELAY_NS_DEFAULT XL_MS
#define XL_FAULT_DELAY_NS_MAX (10 * XL_S)

struct xl_fault_config {
	u32 drop, duplicate, corrupt, delay;     /* chances per million, 0..1,000,000 */
	u64 delay_ns_max;
	u64 seed;
};

/* "drop=0.01,dup=0.01,corrupt=0.01,delay=0.01,delay_us=1000,seed=1": any of the words, in any order, each at most once;
 * an empty text is no fault at all. Chances are decimals from 0 to 1, of up to six digits behind the point. -EINVAL
 * with the offending word in `bad` (cut to bad_bytes; NULL: not wanted). */
int xl_fault_parse(const char *text, struct xl_fault_config *out, char *bad, size_t bad_bytes);
/* Owns `inner` from success on; after a failure it is still the caller's. -EINVAL: a value out of range. -ENOMEM. */
int xl_drv_fault_open(struct xl_drv *inner, const struct xl_fault_config *c, struct xl_drv **out);

#endif
