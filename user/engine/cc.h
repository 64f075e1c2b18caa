/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cc.h - congestion control behind one table of operations. An algorithm sees bytes and times, never packets or frames, and
 * keeps its state in the connection, without pointers: it is named by index, so that a connection can be exported.
 *
 * Times are the engine's nanoseconds. No floating point: the same input gives the same window on every machine.
 */
#ifndef XL_CC_H
#define XL_CC_H

#include "../base/types.h"

#define XL_CC_INITIAL_PACKETS 10  /* RFC 6928 */
#define XL_CC_MINIMUM_PACKETS 2   /* RFC 9002, 7.2 */

struct xl_cc_cubic {
	u64 w_max, epoch_ns, k_ns;    /* RFC 9438, 4.1: window before the last reduction; its epoch; time to reach it again */
	u64 w_est, cwnd_epoch;        /* Reno-friendly estimate; window when the epoch began */
	u64 acked_bytes;              /* towards the next step */
};

struct xl_cc_delay {
	u64 base_ns;                  /* least network delay seen */
	u64 cut_ns;                   /* when the window was last reduced */
	u64 cwnd_fraction;            /* bytes of the window, times 2^16: it may be below one packet */
	u64 base_due_ns, base_next_ns;/* when the base is measured anew, and the candidate */
};

/* What a reduction took away, in case it was for nothing. */
struct xl_cc_before { u64 cwnd, ssthresh; bool valid; };

struct xl_cc {
	u64 cwnd;                     /* bytes that may be in flight; below a packet: one packet every so often (pacer.h) */
	u64 ssthresh;
	u64 recovery_start_ns;        /* losses of packets sent before this belong to a reduction already made; 0: none yet */
	u64 acked_credit;             /* congestion avoidance: bytes acknowledged towards the next increase */
	struct xl_cc_before before;
	union {
		struct xl_cc_cubic cubic;
		struct xl_cc_delay delay;
	};
	u32 packet_bytes;             /* a full packet */
	u8 algorithm;                 /* enum xl_cc_algorithm */
	bool in_recovery;
};

/* What one acknowledgement says about the path. */
struct xl_cc_sample {
	u64 now_ns;
	u64 sent_ns;                  /* when the largest newly acknowledged packet was sent */
	u64 rtt_ns;                   /* from then to now */
	u64 network_ns;               /* the part of it that neither end's host held it; <= rtt_ns */
	u64 srtt_ns, min_rtt_ns;
	u64 acked_bytes;              /* newly acknowledged by it */
	u64 inflight;                 /* bytes in flight before it */
	bool limited;                 /* the window, not the program, set the pace */
};

enum xl_cc_algorithm { XL_CC_DELAY, XL_CC_CUBIC, XL_CC_NEWRENO, XL_CC_ALGORITHMS };
#define XL_CC_DEFAULT XL_CC_NEWRENO

struct xl_cc_ops {
	const char *name;
	void (*init)(struct xl_cc *cc, u32 packet_bytes);
	/* `bytes` left flight by acknowledgement; sent at sent_ns; `limited`: the window, not the program, set the pace.
	 * Called for each packet; sample() follows once for the whole acknowledgement, if a round trip was measured. */
	void (*acked)(struct xl_cc *cc, u64 bytes, u64 sent_ns, u64 now_ns, u64 srtt_ns, bool limited);
	void (*sample)(struct xl_cc *cc, const struct xl_cc_sample *s);
	/* A packet sent at sent_ns was lost. True when the window was reduced for it (a new episode). */
	bool (*lost)(struct xl_cc *cc, u64 sent_ns, u64 now_ns);
	/* Every packet of the last episode was acknowledged after all: as before it. */
	void (*undo)(struct xl_cc *cc);
	/* Nothing sent over a long time arrived (RFC 9002, 7.6): the least window. */
	void (*collapse)(struct xl_cc *cc, u64 now_ns);
	/* Sends again after nothing was in flight for idle_ns (RFC 5681, 4.1; RFC 9438, 4.2: idle time is none of the epoch). */
	void (*restart)(struct xl_cc *cc, u64 idle_ns, u64 rto_ns, u64 now_ns);
	/* The size of a full packet has changed. */
	void (*resize)(struct xl_cc *cc, u32 packet_bytes);
	/* Bytes a second at which a full window is spread over the round trip; 0: as fast as the window lets. */
	u64 (*pace)(const struct xl_cc *cc, u64 srtt_ns);
};
extern const struct xl_cc_ops *const xl_cc_algorithms[XL_CC_ALGORITHMS];
extern const struct xl_cc_ops xl_cc_newreno;

static inline const struct xl_cc_ops *xl_cc_of(const struct xl_cc *cc) { return xl_cc_algorithms[cc->algorithm]; }

#endif
