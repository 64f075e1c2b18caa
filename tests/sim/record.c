/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grow(void *old, size_t bytes)
{
	void *p = realloc(old, bytes);

	if (!p) {
		fprintf(stderr, "xlane-sim: out of memory\n");
		exit(2);
	}
	return p;
}

void sim_record_start(struct sim_record *r, u64 period_ns, u32 port, u32 flows)
{
	sim_record_free(r);
	r->period_ns = period_ns;
	r->port = port;
	r->flows = flows;
}

struct sim_sample *sim_record_add(struct sim_record *r, u64 time_ns, u64 queue_bytes)
{
	struct sim_sample *s;

	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 1024;
		r->time_ns = grow(r->time_ns, r->room * sizeof *r->time_ns);
		r->queue_bytes = grow(r->queue_bytes, r->room * sizeof *r->queue_bytes);
		r->sample = grow(r->sample, (size_t)r->room * r->flows * sizeof *r->sample);
	}
	r->time_ns[r->count] = time_ns;
	r->queue_bytes[r->count] = queue_bytes;
	s = &r->sample[(u64)r->count++ * r->flows];
	memset(s, 0, r->flows * sizeof *s);
	return s;
}

/* The first sample at `time_ns` or later; the last one when there is none. */
static u32 nearest(const struct sim_record *r, u64 time_ns)
{
	u32 i = 0;

	while (i + 1 < r->count && r->time_ns[i] < time_ns)
		i++;
	return i;
}

double sim_record_goodput(const struct sim_record *r, u32 flow, u64 from_ns, u64 to_ns)
{
	u32 a = nearest(r, from_ns), b = nearest(r, to_ns);

	if (!r->count || r->time_ns[b] <= r->time_ns[a])
		return 0;
	return (double)(sim_record_at(r, b, flow)->got_bytes - sim_record_at(r, a, flow)->got_bytes) * (double)XL_S /
		(double)(r->time_ns[b] - r->time_ns[a]);
}

u64 sim_record_queue_max(const struct sim_record *r, u64 from_ns, u64 to_ns)
{
	u64 most = 0;

	for (u32 i = 0; i < r->count; i++)
		if (r->time_ns[i] >= from_ns && r->time_ns[i] <= to_ns)
			most = xl_max(most, r->queue_bytes[i]);
	return most;
}

void sim_record_free(struct sim_record *r)
{
	free(r->time_ns);
	free(r->queue_bytes);
	free(r->sample);
	*r = (struct sim_record){ 0 };
}

double sim_jain(const double *x, u32 n)
{
	double sum = 0, squares = 0;

	for (u32 i = 0; i < n; i++) {
		sum += x[i];
		squares += x[i] * x[i];
	}
	return squares > 0 ? sum * sum / (n * squares) : 0;
}

void sim_times_add(struct sim_times *t, u64 ns)
{
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 1024;
		t->ns = grow(t->ns, t->room * sizeof *t->ns);
	}
	t->ns[t->count++] = ns;
}

static int ascending(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

u64 sim_times_rank(struct sim_times *t, u32 per_mille)
{
	u64 rank = ((u64)t->count * per_mille + 999) / 1000;

	if (!t->count)
		return 0;
	qsort(t->ns, t->count, sizeof *t->ns, ascending);
	return t->ns[rank ? rank - 1 : 0];
}

void sim_times_free(struct sim_times *t)
{
	free(t->ns);
	*t = (struct sim_times){ 0 };
}
