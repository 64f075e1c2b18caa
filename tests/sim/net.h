/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h - a network in virtual time: stations and switches joined by links, each direction of which has a rate, a
 * propagation delay and, where it leaves a switch, a finite queue.
 *
 * Guarantees: store and forward; frames of one port leave in the order in which they came (a hook's extra time
 * excepted); a frame that finds no room in its queue is lost and counted (tail drop); frames are copies, nothing of a
 * caller is kept. Deterministic: nothing here is random. Bytes are those on the wire: at least 60 of a frame, and 24 of preamble, check
 * sequence and gap (IEEE 802.3, 3.1.1, 4.4.2).
 *
 * A station's address is 02:00:HH:00:MM:LL: its number plus one in HH and LL, and in MM what it likes, so that it can
 * change its address and still be found.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "events.h"

#define SIM_NET_STATIONS_MAX 1024
#define SIM_NET_SWITCHES_MAX 2
#define SIM_NET_PORTS_MAX (2 * (SIM_NET_STATIONS_MAX + 1))   /* both directions of every link */

#define SIM_NET_GBIT (1000000000ull / 8)   /* bytes a second */
#define SIM_NET_FRAME_MIN_BYTES 60
#define SIM_NET_GAP_BYTES 24

struct sim_net_link {
	u64 rate_bytes_per_s;          /* 0: no time at all */
	u64 delay_ns;
	u64 queue_bytes;               /* of the port of a switch; 0: no bound. What a station sends waits in its own ring */
};

/* A frame that is about to enter a link. A hook may change its bytes, shorten it, lose it (copies 0), multiply it, and
 * let it arrive later than it would; `data` stays the network's. */
struct sim_net_frame { u8 *data; u32 bytes, copies; u64 extra_ns; };
typedef void (*sim_net_hook)(void *arg, u32 port, struct sim_net_frame *f);

struct sim_net_port {                  /* one direction of a link */
	u32 from, to;                  /* nodes: stations first, then switches */
	struct sim_net_link link;
	u64 free_ns;                   /* when all that it holds has left */
	sim_net_hook hook;             /* NULL: nothing is wrong with it */
	void *hook_arg;
	u64 frames, bytes;             /* that left it */
	u64 dropped;                   /* that found no room */
	u64 lost;                      /* that its hook took */
	u64 queue_bytes_max;           /* the longest its queue ever was */
};

/* A frame reaches `station`; the bytes are readable during the call only. */
typedef void (*sim_net_arrive)(void *arg, u32 station, const u8 *data, u32 bytes);

struct sim_net {
	struct sim_events *events;
	const u64 *now_ns;
	sim_net_arrive arrive;
	void *arg;
	u32 stations, switches, ports;
	u32 split;                     /* dumbbell: stations from here on are at the second switch */
	struct sim_net_port port[SIM_NET_PORTS_MAX];
	u64 unknown;                   /* frames to nobody, or to where they came from: a switch dropped them */
};

/* Then one of the three kinds. `events`, `now_ns`: the world's, which gives SIM_EVENT_HOP to sim_net_event. */
void sim_net_init(struct sim_net *n, struct sim_events *events, const u64 *now_ns, sim_net_arrive arrive, void *arg);
/* Two stations on one cable. */
void sim_net_pair(struct sim_net *n, const struct sim_net_link *l);
/* `stations` on one switch. */
void sim_net_star(struct sim_net *n, u32 stations, const struct sim_net_link *l);
/* Stations 0..left-1 on one switch, as many as `right` more on another, and one link between the two. */
void sim_net_dumbbell(struct sim_net *n, u32 left, u32 right, const struct sim_net_link *edge,
		      const struct sim_net_link *middle);

/* Number of the port that leads from one node to the next; XL_NONE: no link joins them. Switches are nodes
 * `stations` and `stations` + 1. */
u32 sim_net_port(const struct sim_net *n, u32 from, u32 to);
void sim_net_hook_on(struct sim_net *n, u32 port, sim_net_hook hook, void *arg);
/* Hook on both directions of what joins `a` and `b`. */
void sim_net_hook_link(struct sim_net *n, u32 a, u32 b, sim_net_hook hook, void *arg);

/* The address of `station`; `move` counts its changes. */
void sim_net_mac(u32 station, u8 move, u8 mac[6]);
/* A whole link frame leaves `station`. Returns when its last bit will have left: its frames are free then. */
u64 sim_net_send(struct sim_net *n, u32 station, const u8 *data, u32 bytes);
/* A frame appears at `station` at `time_ns` as if it had come over its link: reflected, or made by a fault. */
void sim_net_appear(struct sim_net *n, u32 station, const u8 *data, u32 bytes, u64 time_ns);
/* Consumes the event and its data. */
void sim_net_event(struct sim_net *n, struct sim_event *e);
/* What the port's queue holds now, bytes on the wire. */
u64 sim_net_queued(const struct sim_net *n, u32 port);

#endif
