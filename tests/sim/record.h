/* SPDX-License-Identifier: BSD-2-Clause */
/* record.h - what a run shows over virtual time: samples of every flow and of one queue. */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H

#include "../../user/base/types.h"

struct sim_sample {                /* of one flow, at one time */
	u64 cwnd_bytes, srtt_ns, inflight_bytes;
	u64 got_bytes;             /* that its receiver's program has had in all */
};

struct sim_record {
	u64 period_ns;             /* 0: nothing is recorded */
	u32 port;                  /* whose queue is sampled; XL_NONE: none */
	u32 flows;
	u32 count, room;           /* samples */
	u64 *time_ns;              /* [count] */
	u64 *queue_bytes;          /* [count] */
	struct sim_sample *sample; /* [count][flows] */
};

void sim_record_start(struct sim_record *r, u64 period_ns, u32 port, u32 flows);
/* Room for one more moment: its samples, to be filled in. */
struct sim_sample *sim_record_add(struct sim_record *r, u64 time_ns, u64 queue_bytes);
static inline const struct sim_sample *sim_record_at(const struct sim_record *r, u32 i, u32 flow)
{
	return &r->sample[(u64)i * r->flows + flow];
}
/* Bytes a second that `flow` delivered between the samples nearest to two times. */
double sim_record_goodput(const struct sim_record *r, u32 flow, u64 from_ns, u64 to_ns);
/* The longest queue sampled between two times. */
u64 sim_record_queue_max(const struct sim_record *r, u64 from_ns, u64 to_ns);
void sim_record_free(struct sim_record *r);

/* Jain's index of fairness (Jain, Chiu, Hawe 1984): 1 when all are equal, 1/n when one has all. */
double sim_jain(const double *x, u32 n);

/* A series of times, for percentiles. */
struct sim_times { u64 *ns; u32 count, room; };
void sim_times_add(struct sim_times *t, u64 ns);
/* The least value that `per_mille` of the series do not exceed (nearest rank); 0 for an empty series. Sorts it. */
u64 sim_times_rank(struct sim_times *t, u32 per_mille);
void sim_times_free(struct sim_times *t);

#endif
