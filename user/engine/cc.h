/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc.h - congestion control behind one table of operations. An algorithm sees bytes and times, never packets, and keeps
 * its state in the connection. A connection's algorithm is named by index, so that its state can be exported.
 */
#ifndef XL_CC_H
#define XL_CC_H

#include "../base/types.h"

struct xl_cc {
	u64 cwnd;             /* bytes that may be in flight */
	u64 ssthresh;
	u64 recovery_start_ns;/* losses of packets sent before this belong to a reduction already made; 0: none yet */
	u64 acked_credit;     /* congestion avoidance: bytes acknowledged towards the next increase */
	u32 packet_bytes;     /* a full packet */
	u8 algorithm;         /* enum xl_cc_algorithm */
	bool in_recovery;
};

enum xl_cc_algorithm { XL_CC_NEWRENO, XL_CC_ALGORITHMS };

struct xl_cc_ops {
	const char *name;
	void (*init)(struct xl_cc *cc, u32 packet_bytes);
	/* `bytes` left flight by acknowledgement; sent at sent_ns; `limited`: the window, not the program, set the pace. */
	void (*acked)(struct xl_cc *cc, u64 bytes, u64 sent_ns, bool limited);
	/* A packet sent at sent_ns was lost. True when the window was reduced for it (a new episode). */
	bool (*lost)(struct xl_cc *cc, u64 sent_ns, u64 now_ns);
};
extern const struct xl_cc_ops *const xl_cc_algorithms[XL_CC_ALGORITHMS];

static inline const struct xl_cc_ops *xl_cc_of(const struct xl_cc *cc) { return xl_cc_algorithms[cc->algorithm]; }

#endif
