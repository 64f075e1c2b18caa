/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mix.h - which sizes the messages of a run have, and what is in them: all follows from a seed and a message's number.
 */
#ifndef XL_MIX_H
#define XL_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_MIX_PARTS_MAX 16
#define XL_MIX_WEIGHT_MAX 1000000
#define XL_MIX_COUNT_MAX 1000000000000ull

struct xl_mix_part { uint32_t weight; uint64_t low, high; };
struct xl_mix {
	struct xl_mix_part part[XL_MIX_PARTS_MAX];
	size_t parts;
	uint64_t count;                  /* messages of the parts */
	uint64_t plus, plus_bytes;       /* and so many of this size, spread evenly among them */
	uint64_t seed;
};

/* "60:1-1024,35:1025-65536,5:65537-1048576" (weights need not add up to anything), or one size: "1:64". Sizes are
 * 1..`max`. False: *m is untouched. */
bool xl_mix_parse(const char *text, uint64_t max, struct xl_mix *m);
/* "10x16777216". */
bool xl_mix_parse_plus(const char *text, uint64_t max, struct xl_mix *m);
/* Messages in all. */
static inline uint64_t xl_mix_total(const struct xl_mix *m) { return m->count + m->plus; }
uint64_t xl_mix_low(const struct xl_mix *m);
uint64_t xl_mix_high(const struct xl_mix *m);
/* Size of message `number`, 0..total-1. */
uint64_t xl_mix_size(const struct xl_mix *m, uint64_t number);

/* A message begins with its number, as far as it is long enough; the rest looks random. */
#define XL_MIX_NUMBER_BYTES 8
void xl_mix_fill(const struct xl_mix *m, uint64_t number, void *data, uint64_t bytes);
/* Whether this is message `number`: every byte. */
bool xl_mix_check(const struct xl_mix *m, uint64_t number, const void *data, uint64_t bytes);
/* The number that a message of at least XL_MIX_NUMBER_BYTES says it has. */
uint64_t xl_mix_number(const void *data);

#endif
