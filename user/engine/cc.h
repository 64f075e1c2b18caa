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
#define XL_CC_MINIMUM_PACKETS 2   /* RFC 9002, 7.2; what delay alone asks for may be less: */
#define XL_CC_LEAST_PARTS     16  /* a packet's part that is in flight on average when the window is least */
#define XL_CC_WINDOW_MAX      (1ull << 32)
#define XL_CC_PACE_BITS       16

struct xl_cc_cubic {                  /* RFC 9438, 4.1; bytes */
	u64 w_max, w_max_before;      /* window before the last reduction (less, by fast convergence), and before that */
	u64 cwnd_prior;               /* window at the last reduction */
	u64 w_est;                    /* Reno-friendly estimate */
	u64 epoch_ns;                 /* congestion avoidance began, idle time put off; 0: it did not */
	u64 k;                        /* time to reach w_max again, in 2^-20 s */
	u64 last_ns;                  /* the last acknowledgement */
	u64 acked_bytes;              /* towards the next step of w_est */
};

struct xl_cc_delay {
	u64 base_ns;                  /* least delay seen in this period and the one before; 0: none yet */
	u64 base_next_ns, base_due_ns;/* least of this period alone, and its end */
	u64 round_ns;                 /* a round ends when a packet sent after this is acknowledged */
	u64 least_ns;                 /* least network delay in this round */
	u64 drain_cwnd, drain_ns;     /* the window is held down since then, to see the base; 0: it is not; and what it was */
	u64 slow_ns;                  /* longest that the hosts may have been slow in this round, or 7/8 of the one before, ... */
	u64 scale_ns;                 /* of the target, what is for the window's size */
	u32 samples;                  /* of this round; XL_NONE: the window was reduced in it */
	u32 rounds;                   /* since it was held down */
	u8 above;                     /* the last verdict: delay is above the target, so no growth */
	u8 limited;                   /* at the last acknowledgement */
	u8 base_large;                /* the base is that of packets of nearly full size */
	u8 headroom;                  /* parts of the target that the delay leaves: how fast the window grows */
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
	u64 delay_ns;                 /* of it, what the peer did not hold back by intent; <= rtt_ns */
	u64 network_ns;               /* of that, what is left without the longest that either host may have been slow; >= 0 */
	u64 srtt_ns, min_rtt_ns;
	u64 acked_bytes;              /* newly acknowledged by it */
	u64 sent_bytes;               /* of the packet whose round trip this is */
	u64 inflight;                 /* bytes in flight before it */
	bool limited;                 /* the window, not the program, set the pace */
};

enum xl_cc_algorithm { XL_CC_DELAY, XL_CC_CUBIC, XL_CC_NEWRENO, XL_CC_ALGORITHMS };
#define XL_CC_DEFAULT XL_CC_DELAY

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
	/* Time for one byte so that a window goes out over the round trip, in ns / 2^XL_CC_PACE_BITS; 0: as fast as may be. */
	u64 (*pace)(const struct xl_cc *cc, u64 srtt_ns);
};
extern const struct xl_cc_ops *const xl_cc_algorithms[XL_CC_ALGORITHMS];
extern const struct xl_cc_ops xl_cc_newreno, xl_cc_cubic, xl_cc_delay;

/* Another packet of `bytes` may go. By delay the window has parts of packets, and lets the last one out whole. */
static inline bool xl_cc_open(const struct xl_cc *cc, u64 inflight, u32 bytes)
{
	return inflight + (cc->algorithm == XL_CC_DELAY ? 1 : bytes) <= cc->cwnd;
}

static inline const struct xl_cc_ops *xl_cc_of(const struct xl_cc *cc) { return xl_cc_algorithms[cc->algorithm]; }
/* Another algorithm from now on, with the window that there is. */
void xl_cc_switch(struct xl_cc *cc, enum xl_cc_algorithm algorithm);

/* Parts that algorithms share: no use for samples; and twice the window in a round trip during slow start, 5/4 after it, so
 * that pacing itself is never the limit (RFC 9002, 7.7). */
void xl_cc_no_sample(struct xl_cc *cc, const struct xl_cc_sample *s);
u64 xl_cc_pace_window(const struct xl_cc *cc, u64 srtt_ns);

#endif
