/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.h - the world of one seed: its hosts, the network between them, their programs, the faults, and virtual time.
 *
 * Guarantee: a run is a pure function of the seed (and the canary): the same seed gives the same hash. The first broken
 * invariant ends it and is named in `failure`.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "events.h"
#include "faults.h"
#include "host.h"
#include "hostile.h"
#include "link.h"
#include "marks.h"
#include "net.h"
#include "oracle.h"
#include "program.h"
#include "station.h"

struct xl_pcap;

#define SIM_CANARIES(X) \
	X(FLIP, "flip", "prefix", "a byte changes between engine and program") \
	X(TWICE, "twice", "prefix", "a piece is given to the program twice") \
	X(SKIP, "skip", "prefix", "a piece never reaches the program") \
	X(LEAK, "leak", "frames-home", "a frame is taken and forgotten") \
	X(CENSUS, "census", "census", "the census of a pool is off by one") \
	X(OVERDRIVE, "overdrive", "window", "the congestion window is not looked at") \
	X(OVERDRAW, "overdraw", "credit", "a sender takes credit that nobody gave") \
	X(CHATTER, "chatter", "answers", "an acknowledgement is sent again and again") \
	X(SPILL, "spill", "memory", "a byte behind the engine's memory is written") \
	X(MISCOUNT, "miscount", "in-flight", "a byte more is counted as in flight") \
	X(MISPLACE, "misplace", "engine", "the count of frames with data is off by one") \
	X(JUMBO, "jumbo", "packet-size", "a smaller MTU is not told to the engine") \
	X(GHOST, "ghost", "event", "an event names a connection that is closed") \
	X(FIB, "fib", "api", "send says that it took a byte more") \
	X(DENY, "deny", "agreement", "a byte that a gracefully ended connection took never left") \
	X(IDLE, "idle", "progress", "a program does nothing any more after the storm") \
	X(SLEEP, "sleep", "completion", "a host no longer wakes for its deadline") \
	X(SPIN, "spin", "livelock", "a host wakes for ever at one time") \
	X(KILL, "kill", "false-abort", "a connection is aborted, and nobody says so") \
	X(FORGE, "forge", "prefix", "corrupted packets get a right checksum, and nobody says so") \
	X(DISARM, "disarm", "armed", "the engine's deadline is reported as never") \
	X(TWIN, "twin", "one-engine", "a connection that moved is left in the engine from which it came, too") \
	X(STRAY, "stray", "determinism", "something that differs from run to run is part of the hash")
enum sim_canary {
	SIM_CANARY_NONE,
#define SIM_CANARY_ENUM(name, key, invariant, text) SIM_CANARY_##name,
	SIM_CANARIES(SIM_CANARY_ENUM)
	SIM_CANARY_COUNT
};

struct sim_world_options {
	u64 seed;
	enum sim_canary canary;
	bool trace;              /* a line on stderr for everything that happens */
	bool thorough;           /* every check after every turn */
	struct xl_pcap *pcap;    /* NULL: none */
};

struct sim_failure {
	char invariant[24];      /* empty: nothing failed */
	char text[200];
	u64 time_ns;
};

struct sim_world {
	struct sim_world_options options;
	struct sim_faults faults;
	struct sim_events events;
	struct sim_station station[SIM_STATIONS_MAX];
	struct sim_link link[SIM_STATIONS_MAX];      /* [i]: from station i */
	struct sim_net net;                          /* behind the links, when there are more than two stations */
	struct sim_host host[SIM_UNITS_MAX];
	struct sim_hostile hostile;
	struct sim_program program[SIM_UNITS_MAX];   /* one for each unit */
	struct sim_oracle oracle;
	struct sim_failure failure;
	struct xl_prng prng;             /* of what is decided here: when a worker looks, which frames complete first */
	u64 now_ns, hash;
	u64 marks[SIM_MARK_COUNT];
	u64 event_count;
	u64 progress_ns;                 /* when a program last did something */
	u32 calls_left;                  /* connections of the seed's plans that are still to be started */
	u32 stations, units;
	bool healed, harmed;
};

/* Run the whole seed. The result stays in `w` until sim_world_free. */
void sim_world_run(struct sim_world *w, const struct sim_world_options *o);
void sim_world_free(struct sim_world *w);

/* Name the first broken invariant; later ones are not heard. */
__attribute__((format(printf, 3, 4)))
void sim_world_fail(struct sim_world *w, const char *invariant, const char *format, ...);
__attribute__((format(printf, 2, 3)))
void sim_world_trace(const struct sim_world *w, const char *format, ...);
static inline bool sim_world_failed(const struct sim_world *w) { return w->failure.invariant[0]; }
static inline void sim_world_mark(struct sim_world *w, enum sim_mark m) { w->marks[m]++; }
/* Make `value` part of the hash of the run. */
void sim_world_hash(struct sim_world *w, u64 value);
/* True once a run of this canary should do its harm: from some point in the middle of the storm on. */
bool sim_world_canary(const struct sim_world *w, enum sim_canary c);
/* Virtual time <-> a host's clock. */
u64 sim_world_clock(const struct sim_world *w, u32 unit);

#endif
