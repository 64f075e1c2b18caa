// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pingpong.h"

uint64_t pingpong_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void pingpong_print(uint64_t *rtt, unsigned long count, unsigned long bytes, int json)
{
	qsort(rtt, count, sizeof *rtt, by_value);
	printf(json ? "{\"count\": %lu, \"bytes\": %lu, \"min_ns\": %llu, \"p50_ns\": %llu, \"p99_ns\": %llu, "
		      "\"max_ns\": %llu}\n" :
		      "%lu round trips of %lu bytes: min %llu p50 %llu p99 %llu max %llu ns\n",
	       count, bytes, (unsigned long long)rtt[0], (unsigned long long)rtt[count / 2],
	       (unsigned long long)rtt[count * 99 / 100], (unsigned long long)rtt[count - 1]);
}
