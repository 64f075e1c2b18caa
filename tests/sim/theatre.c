/* SPDX-License-Identifier: BSD-2-Clause */
#include "theatre.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/drv/pcap.h"
#include "matrix.h"
#include "play.h"

struct options {
	const char *scenario, *plot, *pcap, *name;
	u64 seed, seeds;
	u32 jobs;
	u8 congestion;
	bool list, all, matrix, json, tap, seeded;
};

static const char usage[] =
"usage: xlane-sim --list-scenarios\n"
"       xlane-sim --scenario NAME [--cc delay|cubic|newreno] [--seed S] [--plot FILE.svg] [--pcap FILE] [--json]\n"
"       xlane-sim --scenarios [--tap]\n"
"       xlane-sim --matrix [--case NAME] [--seeds N | --seed S [--pcap FILE]] [--jobs J] [--cc NAME] [--tap]\n"
"  --scenario NAME  run it, print its figures and the bounds that they have to keep\n"
"  --cc NAME        congestion control (the default one)\n"
"  --seed S         of everything random (1)\n"
"  --plot FILE      draw window, round trip, in flight and goodput over virtual time (gnuplot)\n"
"  --pcap FILE      write every packet that leaves a host\n"
"  --json           figures as JSON\n"
"  --scenarios      all that have bounds, those of fairness with each congestion control\n"
"  --matrix         cases of trouble, each with seeds 1..N (50); --case and --seed: one of them\n"
"  --jobs J         processes (1)\n"
"  --tap            print TAP\n";

bool sim_theatre_wanted(int argc, char **argv)
{
	static const char *const ours[] = { "--list-scenarios", "--scenario", "--scenarios", "--matrix" };

	for (int i = 1; i < argc; i++)
		for (u32 k = 0; k < XL_ARRAY_SIZE(ours); k++)
			if (!strncmp(argv[i], ours[k], strlen(ours[k])))
				return true;
	return false;
}

static void wrong(void)
{
	fputs(usage, stderr);
	exit(2);
}

static u64 number(const char *text)
{
	char *end;
	u64 n = strtoull(text, &end, 0);

	if (end == text || *end) {
		fprintf(stderr, "xlane-sim: '%s' is no number\n", text);
		exit(2);
	}
	return n;
}

static void set(struct options *o, int c)
{
	u32 named;

	switch (c) {
	case 'l': o->list = true; break;
	case 'a': o->all = true; break;
	case 'n': o->scenario = optarg; break;
	case 'm': o->matrix = true; break;
	case 'k': o->name = optarg; break;
	case 'N': o->seeds = number(optarg); break;
	case 'J': o->jobs = (u32)number(optarg); break;
	case 's': o->seed = number(optarg); o->seeded = true; break;
	case 'o': o->plot = optarg; break;
	case 'p': o->pcap = optarg; break;
	case 'j': o->json = true; break;
	case 't': o->tap = true; break;
	case 'h': fputs(usage, stdout); exit(0);
	case 'c':
		named = sim_congestion_named(optarg);
		if (named == XL_NONE) {
			fprintf(stderr, "xlane-sim: there is no congestion control '%s'\n", optarg);
			exit(2);
		}
		o->congestion = (u8)named;
		break;
	default: wrong();
	}
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "list-scenarios", no_argument, NULL, 'l' }, { "scenario", required_argument, NULL, 'n' },
		{ "scenarios", no_argument, NULL, 'a' },      { "cc", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },     { "plot", required_argument, NULL, 'o' },
		{ "pcap", required_argument, NULL, 'p' },     { "json", no_argument, NULL, 'j' },
		{ "matrix", no_argument, NULL, 'm' },         { "case", required_argument, NULL, 'k' },
		{ "seeds", required_argument, NULL, 'N' },    { "jobs", required_argument, NULL, 'J' },
		{ "tap", no_argument, NULL, 't' },            { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1)
		set(o, c);
	if (optind < argc || o->list + o->all + o->matrix + !!o->scenario != 1 || (o->plot && !o->scenario) ||
	    (o->pcap && !o->scenario && !(o->name && o->seeded)) || (o->name && !o->matrix) || !o->seeds)
		wrong();
}

static bool kept(const struct sim_play *p)
{
	if (p->failure[0])
		return false;
	for (u32 i = 0; i < p->figures; i++)
		if (!sim_figure_kept(&p->figure[i]))
			return false;
	return true;
}

/* --- one ------------------------------------------------------------------------------------------ */
static int run_one(const struct options *o)
{
	struct sim_play p = { .options = { .seed = o->seed, .congestion = o->congestion } };
	const struct sim_scenario *what = sim_scenario_named(o->scenario);
	char title[160];
	int error, status = 0;

	if (!what) {
		fprintf(stderr, "xlane-sim: there is no scenario '%s'; --list-scenarios names them\n", o->scenario);
		return 2;
	}
	error = o->pcap ? xl_pcap_open(o->pcap, &p.options.pcap) : 0;
	if (!error) {
		what->run(&p);
		error = xl_pcap_close(p.options.pcap);
	}
	if (error) {
		fprintf(stderr, "xlane-sim: %s: %s\n", o->pcap, strerror(-error));
		status = 2;
	}
	sim_play_print(stdout, &p, what, o->json);
	if (o->plot) {
		snprintf(title, sizeof title, "%s: %s", what->name, what->shows);
		status = sim_plot(&p, title, o->plot) ? 2 : status;
	}
	if (!kept(&p))
		status = 1;
	sim_play_free(&p);
	return status;
}

/* --- all ------------------------------------------------------------------------------------------ */
static u32 tests, missed;

static void tap(const struct options *o, bool ok, const struct sim_scenario *what, const struct sim_play *p,
		const char *name)
{
	tests++;
	missed += !ok;
	if (o->tap)
		printf("%sok %u - %s, %s: %s\n", ok ? "" : "not ", tests, what->name,
		       sim_congestion_name(p->options.congestion), name);
}

static void replay(const struct options *o, const struct sim_scenario *what, const struct sim_play *p)
{
	printf("%sreplay: build/xlane-sim --scenario %s --cc %s --seed %llu --pcap %s.pcap\n", o->tap ? "# " : "", what->name,
	       sim_congestion_name(p->options.congestion), (unsigned long long)p->options.seed, what->name);
}

static void run_bounds(const struct options *o, const struct sim_scenario *what, u8 congestion)
{
	struct sim_play p = { .options = { .seed = o->seed, .congestion = congestion } };

	what->run(&p);
	if (!o->tap)
		sim_play_print(stdout, &p, what, false);
	for (u32 i = 0; i < p.figures; i++) {
		const struct sim_figure *f = &p.figure[i];

		if (isnan(f->least) && isnan(f->most))
			continue;
		tap(o, sim_figure_kept(f), what, &p, f->name);
		if (o->tap)
			printf("# %.6g %s, %s %.6g\n", f->value, f->unit, isnan(f->least) ? "at most" : "at least",
			       isnan(f->least) ? f->most : f->least);
	}
	tap(o, !p.failure[0], what, &p, "nothing else went wrong");
	if (o->tap && p.failure[0])
		printf("# at %.6f s: %s\n", (double)p.failed_ns / XL_S, p.failure);
	if (!kept(&p))
		replay(o, what, &p);
	fflush(stdout);
	sim_play_free(&p);
}

static int run_all(const struct options *o)
{
	for (u32 i = 0; sim_scenarios[i]; i++) {
		const struct sim_scenario *what = sim_scenarios[i];

		if (!what->judged)
			continue;
		if (!what->each)
			run_bounds(o, what, o->congestion);
		for (u8 c = XL_CONGESTION_DELAY; what->each && c <= XL_CONGESTION_NEWRENO; c++)
			run_bounds(o, what, c);
	}
	if (o->tap)
		printf("1..%u\n", tests);
	else
		printf("%u bounds, %u missed\n", tests, missed);
	return missed > 0;
}

static int list(void)
{
	for (u32 i = 0; sim_scenarios[i]; i++)
		printf("%-12s %s\n", sim_scenarios[i]->name, sim_scenarios[i]->shows);
	return 0;
}

int sim_theatre_main(int argc, char **argv)
{
	struct options o = { .seed = 1, .seeds = 50, .jobs = 1 };

	parse(&o, argc, argv);
	if (o.list)
		return list();
	if (o.matrix)
		return sim_matrix_main(&(struct sim_matrix_options){
			.name = o.name, .pcap = o.pcap, .first = o.seed, .seeds = o.seeds, .jobs = o.jobs,
			.congestion = o.congestion, .tap = o.tap, .single = o.name && o.seeded });
	return o.all ? run_all(&o) : run_one(&o);
}
