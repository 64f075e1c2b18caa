/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * faults.h - what is wrong in the world of one seed: a random subset of faults, each of a random strength ("swarm"),
 * the sizes of both hosts, and when what happens to whom.
 *
 * Guarantee: a pure function of the seed. Rates are per million packets; times are virtual nanoseconds.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "../../user/base/prng.h"
#include "../../user/base/types.h"
#include "net.h"

#define SIM_ACTIONS_MAX 64
#define SIM_LARGE_BYTES_MAX (2 << 20)   /* a large message of the programs */
#define SIM_PLANS_MAX 24          /* connections that the programs of one world start */

#define SIM_ACTIONS(X) \
	X(PARTITION, "partition") /* nothing passes, both ways */ \
	X(BLACK_HOLE, "black_hole") /* nothing passes from `host` */ \
	X(PAUSE, "pause")         /* the host stands still, its receive ring fills */ \
	X(CRASH, "crash")         /* the host loses all state and starts again after `span_ns` */ \
	X(HOLD, "hold")           /* the driver gives no completions back */ \
	X(STARVE, "starve")       /* all free frames are taken away */ \
	X(MOVE, "move")           /* a connection is exported and imported again */ \
	X(CLOCK_BACK, "clock_back") /* the host's clock goes back */ \
	X(CLOCK_LEAP, "clock_leap") /* the host's clock leaps ahead */ \
	X(UNLISTEN, "unlisten")   /* the program stops listening for `span_ns` */ \
	X(FLOOD, "flood")         /* the host is called by nodes that do not exist (flood.h) */ \
	X(HOSTILE, "hostile")     /* a third station gets a connection and abuses it (hostile.h) */ \
	X(EMPTY, "empty")         /* one pool of the engine is emptied (pools.h) */ \
	X(MTU, "mtu")             /* the MTU of the station's link changes */ \
	X(NARROW, "narrow")       /* the network swallows larger packets, and tells nobody */ \
	X(MOVE_BUCKET, "move_bucket") /* a bucket goes to another worker of the host (moving.h) */
enum sim_action_kind {
#define SIM_ACTION_ENUM(name, key) SIM_ACTION_##name,
	SIM_ACTIONS(SIM_ACTION_ENUM)
	SIM_ACTION_COUNT
};
const char *sim_action_name(enum sim_action_kind kind);

struct sim_action { u64 time_ns, span_ns; u32 random; u8 kind, host; };   /* host: a unit; to its whole station, where that is said */

#define SIM_STATIONS_MAX 9
#define SIM_UNITS_MAX 12          /* a unit is a host, or one worker of a host */
#define SIM_WORKERS_MAX 4         /* of one station */

enum sim_topology {
	SIM_TOPOLOGY_PAIR,        /* two stations on one cable */
	SIM_TOPOLOGY_STAR,        /* around a switch; most call the first one */
	SIM_TOPOLOGY_DUMBBELL,    /* around two switches, which one slower link joins */
};

struct sim_link_faults {
	u32 loss_ppm;
	u32 burst_ppm, burst_packets, burst_loss_ppm;  /* Gilbert-Elliott: entry, mean length, loss while in it */
	u32 dup_ppm, dup_copies;
	u32 reorder_ppm, reorder_packets;              /* held back until so many later packets have passed */
	u32 corrupt_ppm;
	bool forge;                                    /* the tag of half the corrupted packets is made right again */
	u32 reflect_ppm;                               /* copied back to the sender */
	u64 delay_ns, jitter_ns;
	u64 rate_bytes_per_s, queue_bytes;             /* 0: no limit */
};

struct sim_host_sizes {
	u32 frames, ring, mtu, segs, blocks, conns, peers, recv_window_bytes, send_buffer_bytes;
	u32 completion_delay;
	u64 ack_delay_ns, peer_death_ns, keepalive_ns, linger_ns;
	u64 poll_ns;                                   /* from an arrival to the worker's look at it, at most */
	s32 drift_ppm;
	bool no_crc;
};

struct sim_plan {                                  /* a connection that a program starts */
	u64 time_ns;
	u8 host, to, kind;                         /* from a unit to a station */
	bool crossing;                             /* the other host calls the same pair of ports at the same time */
	bool closed_port, wrong_kind;
	bool reused_port;
};

struct sim_faults {
	u8 topology, stations, units;
	u8 first[SIM_STATIONS_MAX], workers[SIM_STATIONS_MAX];   /* units of a station: first .. first + workers - 1 */
	u8 station_of[SIM_UNITS_MAX];
	struct sim_net_link edge, middle;          /* of the switches */
	struct sim_link_faults link[SIM_STATIONS_MAX];
	struct sim_host_sizes host[SIM_UNITS_MAX];
	u64 first_number;                          /* XL_NONE64: random */
	u64 clock_start_ns;
	u64 storm_ns;                              /* faults stop here */
	u32 vlan_tags, backlog;
	u64 bytes_max, message_bytes_max;          /* of one direction of a connection; of one message */
	u64 large_bytes_max;                       /* of a large message; 0: there are none */
	u32 misuse_ppm;                            /* of the turns of a connection: an illegal call */
	u32 slow_ppm, dead_ppm, abort_ppm;         /* of the ends: slow, reads nothing in the storm, aborts */
	bool crowd;                                /* frames are to run short */
	u32 hoard_ppm;                             /* of the ends: let be granted memory and give nothing in the storm */
	bool slow_accept;
	bool shuffle;                              /* completions come in any order */
	struct sim_action action[SIM_ACTIONS_MAX];
	u32 actions;
	struct sim_plan plan[SIM_PLANS_MAX];
	u32 plans;
	/* What follows from the above. */
	bool abort_legal;                          /* silence may last longer than a peer is waited for */
	bool tight_conns;                          /* connections may run out */
	bool tight_memory;                         /* memory for their windows may run out */
	bool flaps;                                /* a listener goes away at times */
	u64 progress_ns;                           /* some program must do something within so long after the storm */
	u64 grace_ns;                              /* everything must be over so long after the storm */
};

void sim_faults_draw(struct sim_faults *f, u64 seed);
/* Log-uniform in lo..hi, lo > 0: each order of magnitude is as likely as the next. */
u64 sim_log_range(struct xl_prng *p, u64 lo, u64 hi);
static inline u64 sim_range(struct xl_prng *p, u64 lo, u64 hi) { return lo + xl_prng_below(p, hi - lo + 1); }

#endif
