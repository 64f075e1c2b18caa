/* SPDX-License-Identifier: BSD-2-Clause */
/* misuse.h - a program that calls what it may not: each call must return its error, and nothing may come of it. */
#ifndef SIM_MISUSE_H
#define SIM_MISUSE_H

#include "../../user/base/types.h"

struct sim_actor;
struct sim_program;

/* One illegal call, on the connection of `a`, which the program holds, or on none. now_ns is the host's clock. */
void sim_misuse(struct sim_program *p, const struct sim_actor *a, u64 now_ns);

#endif
