/* SPDX-License-Identifier: BSD-2-Clause */
/* samples.h - round trips: the last XL_SAMPLES_MAX for percentiles, and minimum, maximum, mean of all. */
#ifndef XL_SAMPLES_H
#define XL_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#define XL_SAMPLES_MAX 1048576

struct xl_samples {
	uint64_t *ns;              /* grows up to XL_SAMPLES_MAX, then a ring */
	size_t room;
	uint64_t count, sum, low, high;
};

/* Zeroed memory is an empty set. -ENOMEM: not counted. */
int xl_samples_add(struct xl_samples *s, uint64_t ns);
/* The value below which `percent` of the kept samples lie. 0 when there are none. Sorts: after it, add nothing more. */
uint64_t xl_samples_percentile(struct xl_samples *s, double percent);
static inline uint64_t xl_samples_mean(const struct xl_samples *s) { return s->count ? s->sum / s->count : 0; }
void xl_samples_free(struct xl_samples *s);

#endif
