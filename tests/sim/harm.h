/* SPDX-License-Identifier: BSD-2-Clause */
/* harm.h - the bugs that canaries plant: one for each invariant, which must be what notices it. */
#ifndef SIM_HARM_H
#define SIM_HARM_H

struct sim_host;
struct sim_world;

/* After each event: harm that is done once. */
void sim_harm(struct sim_world *w);
/* Around a turn of a host: harm to what its engine does in it. */
void sim_harm_turn(struct sim_host *h);
void sim_harm_turned(struct sim_host *h);

#endif
