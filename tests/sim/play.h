/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * play.h - one scenario played: its figures, each with the bound it has to keep if it has one, and what a picture
 * shows.
 */
#ifndef SIM_PLAY_H
#define SIM_PLAY_H

#include <math.h>
#include <stdio.h>

#include "scene.h"

#define SIM_FIGURES_MAX 64
#define SIM_FREE NAN              /* no bound at this side */

struct sim_figure {
	char name[48], unit[16];
	double value, least, most;
};

struct sim_play {
	struct sim_scene_options options;
	struct sim_figure figure[SIM_FIGURES_MAX];
	u32 figures;
	struct sim_record record;     /* of the run that the picture is of */
	char failure[200];            /* empty: none */
	u64 failed_ns;
	u64 events;
};

struct sim_scenario {
	const char *name, *shows;     /* one line: what it is there for */
	bool each;                    /* the bounds hold for each algorithm, not only for the default */
	bool judged;                  /* it has bounds */
	void (*run)(struct sim_play *p);
};
extern const struct sim_scenario *const sim_scenarios[];   /* NULL at the end */
const struct sim_scenario *sim_scenario_named(const char *name);

__attribute__((format(printf, 6, 7)))
void sim_play_figure(struct sim_play *p, const char *unit, double value, double least, double most,
		     const char *name, ...);
static inline bool sim_figure_kept(const struct sim_figure *f)
{
	return !(f->value < f->least) && !(f->value > f->most) && !isnan(f->value);
}
/* Counts losses, repeats and drops of `s` as figures; takes its failure over, its record too if the picture is of it;
 * frees it. */
void sim_play_end(struct sim_play *p, struct sim_scene *s, bool picture);
void sim_play_free(struct sim_play *p);

/* A table for people, or one object of JSON. */
void sim_play_print(FILE *f, const struct sim_play *p, const struct sim_scenario *what, bool json);
/* The name of an algorithm, and back; XL_NONE: there is none of that name. */
const char *sim_congestion_name(u8 congestion);
u32 sim_congestion_named(const char *name);

/* Draw window, round trip, in flight and goodput over time into an SVG, by gnuplot. 0, or what to end with: it
 * says why. */
int sim_plot(const struct sim_play *p, const char *title, const char *file);

#endif
