/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * matrix.h - cases of trouble times seeds, in the manner of quic-interop-runner and at twice its loss. Each run
 * delivers everything byte for byte within a virtual time, and holds nothing at its end.
 */
#ifndef SIM_MATRIX_H
#define SIM_MATRIX_H

#include "scene.h"

struct sim_trouble {               /* of the links of one run; rates per million frames */
	struct xl_prng prng;
	struct sim_scene *scene;
	u32 loss_ppm, corrupt_ppm, late_ppm;
	u64 late_ns;               /* a late frame comes so much later at most: others overtake it */
	u64 hole_from_ns, hole_to_ns;  /* nothing passes */
	u64 shrinks_ns;            /* from then on nothing above `bytes_max` passes; 0: never */
	u32 bytes_max;
	u64 suffered;
};

struct sim_case {
	const char *name, *shows;
	/* Sets up network, machines and flows; the network's hooks are given `t`. */
	void (*set_up)(struct sim_scene *s, struct sim_trouble *t);
	u64 bound_ns;              /* all is over by then */
	bool harmless;             /* no frame needs to suffer for it to show something */
};
extern const struct sim_case sim_cases[];
extern const u32 sim_case_count;

/* Trouble `t` for all frames between stations 0 and 1, or between the two switches. */
void sim_trouble_on(struct sim_scene *s, struct sim_trouble *t);

struct sim_matrix_options {
	const char *name;          /* NULL: all cases */
	const char *pcap;
	u64 first, seeds;
	u32 jobs;
	u8 congestion;
	bool tap, single;          /* single: seed `first` alone, in this process */
};
/* Exit status: 0 when all was well. */
int sim_matrix_main(const struct sim_matrix_options *o);

#endif
