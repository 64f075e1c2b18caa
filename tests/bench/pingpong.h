/* SPDX-License-Identifier: BSD-2-Clause */
/* pingpong.h - what programs that measure round trips share: their defaults, a clock, and how figures are printed. */
#ifndef TESTS_BENCH_PINGPONG_H
#define TESTS_BENCH_PINGPONG_H

#include <stddef.h>
#include <stdint.h>

#define PINGPONG_PORT 7077
#define PINGPONG_COUNT 100000
#define PINGPONG_WARM_UP 1000
#define PINGPONG_BYTES 64
#define PINGPONG_BYTES_MAX 65536

uint64_t pingpong_now_ns(void);
/* Count, bytes, min, p50, p99, max in nanoseconds; sorts the samples. */
void pingpong_print(uint64_t *rtt, unsigned long count, unsigned long bytes, int json);

#endif
