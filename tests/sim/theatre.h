/* SPDX-License-Identifier: BSD-2-Clause */
/* theatre.h - the command line of scenarios and of their matrix. */
#ifndef SIM_THEATRE_H
#define SIM_THEATRE_H

#include <stdbool.h>

/* Whether the arguments ask for scenarios rather than for seeds of the swarm. */
bool sim_theatre_wanted(int argc, char **argv);
int sim_theatre_main(int argc, char **argv);

#endif
