/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene.h - one run of a scenario: a network, its stations, what their programs do (flow.h), and virtual time.
 *
 * Guarantee: a run is a pure function of the seed and of what was set up. The first thing that goes wrong ends it and
 * is named in `failure`. Order of calls: sim_scene_new, a network of net.h in scene->net, sim_scene_machines,
 * sim_flow_add, sim_scene_record, sim_scene_run, ..., sim_scene_free.
 */
#ifndef SIM_SCENE_H
#define SIM_SCENE_H

#include "../../user/base/prng.h"
#include "flow.h"
#include "net.h"
#include "record.h"
#include "machine.h"

struct xl_pcap;

struct sim_scene_options {
	u64 seed;
	u8 congestion;            /* enum xl_conn_congestion; 0: the default */
	struct xl_pcap *pcap;     /* NULL: none */
};

struct sim_scene_deed { u64 time_ns; void (*act)(struct sim_scene *s, void *arg); void *arg; };
#define SIM_DEEDS_MAX 256

struct sim_scene {
	struct sim_scene_options options;
	struct sim_events events;
	struct sim_net net;
	struct sim_machine *station;
	u32 stations;
	struct sim_flow *flow;
	u32 flows, flows_room;
	u32 flows_left;                   /* that are not through */
	struct sim_rounds rounds;
	struct sim_record record;
	struct sim_scene_deed deed[SIM_DEEDS_MAX];
	u32 deeds;
	struct xl_prng prng;
	u64 now_ns, event_count;
	char failure[200];                /* empty: none */
	u64 failed_ns;
};

struct sim_scene *sim_scene_new(const struct sim_scene_options *o);
void sim_scene_free(struct sim_scene *s);
/* As many stations as the network has, all alike, all booted. */
void sim_scene_machines(struct sim_scene *s, const struct sim_machine_sizes *sizes);
/* `act` is called at `time_ns`. */
void sim_scene_at(struct sim_scene *s, u64 time_ns, void (*act)(struct sim_scene *s, void *arg), void *arg);
/* Sample all flows and, if it is not XL_NONE, a port's queue, every `period_ns` from now on. */
void sim_scene_record(struct sim_scene *s, u64 period_ns, u32 port);

/* Until `until_ns`, whatever is under way then. False: something failed. */
bool sim_scene_run(struct sim_scene *s, u64 until_ns);
/* Until every flow is through, which must be so at `bound_ns`, and every station has given everything back, for which
 * what lingers has its time. */
bool sim_scene_finish(struct sim_scene *s, u64 bound_ns);

__attribute__((format(printf, 2, 3)))
void sim_scene_fail(struct sim_scene *s, const char *format, ...);
static inline bool sim_scene_failed(const struct sim_scene *s) { return s->failure[0]; }

/* What a station asks of its programs. */
void sim_scene_programs(struct sim_scene *s, u32 station, u64 clock_ns);
void sim_scene_lost(struct sim_scene *s, u32 station);

#endif
