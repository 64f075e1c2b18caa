/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xlane-sim - the simulator: thousands of worlds of two hosts, each from a seed, in virtual time.
 * A seed that fails prints the one command that replays it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../user/drv/pcap.h"
#include "report.h"
#include "theatre.h"

#define TAP_SEEDS 100            /* seeds of one TAP line */
#define DETERMINISM_SEEDS 20
#define PCAPS_MAX 3              /* failed seeds of one batch that are run again for their packets */
#define CANARY_SEEDS_MAX 200     /* a planted bug must be caught in one of so many seeds */

struct options {
	u64 first, seeds, one;
	bool single, trace, tap, marks;
	const char *pcap;
	u32 jobs, canary;
};

static const char usage[] =
"usage: xlane-sim [--seeds N] [--first S] [--jobs J] [--tap]\n"
"       xlane-sim --seed S [--trace] [--pcap FILE] [--canary NAME]\n"
"  --seeds N    how many seeds to run (2000)\n"
"  --first S    the first of them (1)\n"
"  --jobs J     processes (1)\n"
"  --tap        print TAP: seeds, marks, determinism, canaries\n"
"  --seed S     run this seed alone and say what is in it\n"
"  --trace      a line for everything that happens, on standard error\n"
"  --pcap FILE  write every packet that leaves a host\n"
"  --canary C   plant a bug: ";

static const struct { const char *key, *invariant, *text; } canaries[SIM_CANARY_COUNT] = {
#define CANARY(name, key, invariant, text) [SIM_CANARY_##name] = { key, invariant, text },
	SIM_CANARIES(CANARY)
};

static void print_usage(FILE *f)
{
	fputs(usage, f);
	for (u32 i = 1; i < SIM_CANARY_COUNT; i++)
		fprintf(f, "%s%s", canaries[i].key, i + 1 < SIM_CANARY_COUNT ? ", " : "\n");
}

static u64 number(const char *name, const char *text)
{
	char *end;
	u64 n = strtoull(text, &end, 0);

	if (end == text || *end) {
		fprintf(stderr, "xlane-sim: --%s takes a number, not '%s'\n", name, text);
		exit(2);
	}
	return n;
}

static u32 canary_named(const char *name)
{
	for (u32 i = 1; i < SIM_CANARY_COUNT; i++)
		if (!strcmp(canaries[i].key, name))
			return i;
	fprintf(stderr, "xlane-sim: there is no canary '%s'\n", name);
	exit(2);
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seeds", required_argument, NULL, 'n' }, { "first", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },  { "jobs", required_argument, NULL, 'j' },
		{ "trace", no_argument, NULL, 't' },       { "tap", no_argument, NULL, 'a' },
		{ "pcap", required_argument, NULL, 'p' },  { "canary", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'n': o->seeds = number("seeds", optarg); break;
		case 'f': o->first = number("first", optarg); break;
		case 's': o->one = number("seed", optarg); o->single = true; break;
		case 'j': o->jobs = number("jobs", optarg); break;
		case 't': o->trace = true; break;
		case 'a': o->tap = true; break;
		case 'p': o->pcap = optarg; break;
		case 'c': o->canary = canary_named(optarg); break;
		case 'h': print_usage(stdout); exit(0);
		default: print_usage(stderr); exit(2);
		}
	}
	if (optind < argc || ((o->trace || o->pcap || o->canary) && !o->single)) {
		print_usage(stderr);
		exit(2);
	}
}

/* --- one seed --------------------------------------------------------------------------------- */
static void describe(u64 seed)
{
	static const char *const topologies[] = { "a pair", "a star", "a dumbbell" };
	struct sim_faults f;

	sim_faults_draw(&f, seed);
	printf("%s of %u hosts\n", topologies[f.topology], f.stations);
	for (u32 i = 0; i < f.units; i++) {
		const struct sim_host_sizes *h = &f.host[i];

		if (f.workers[f.station_of[i]] > 1)
			printf("worker %u of station %u: ", i - f.first[f.station_of[i]], f.station_of[i]);
		printf("host %u: %u frames, ring %u, MTU %u (%u frames a packet), %u blocks, %u connections, "
		       "window %u, "
		       "send buffer %u, dead after %.1f s%s\n", i, h->frames, h->ring, h->mtu, h->segs, h->blocks,
		       h->conns,
		       h->recv_window_bytes, h->send_buffer_bytes, (double)h->peer_death_ns / XL_S, h->no_crc ?
		       ", no CRC" : "");
	}
	for (u32 i = 0; i < f.stations; i++) {
		const struct sim_link_faults *l = &f.link[i];

		printf("link %u: per million: loss %u, bursts %u of %u, duplicates %u, reordered %u by %u, "
		       "corrupted %u%s, "
		       "reflected %u; delay %.1f us, jitter %.1f us, rate %llu B/s\n", i, l->loss_ppm, l->burst_ppm,
		       l->burst_packets, l->dup_ppm, l->reorder_ppm, l->reorder_packets, l->corrupt_ppm,
		       l->forge ? " (forged)" : "", l->reflect_ppm, (double)l->delay_ns / XL_US,
		       (double)l->jitter_ns / XL_US,
		       (unsigned long long)l->rate_bytes_per_s);
	}
	for (u32 i = 0; i < f.actions; i++)
		printf("at %.6f s: host %u: %s for %.6f s\n", (double)f.action[i].time_ns / XL_S, f.action[i].host,
		       sim_action_name(f.action[i].kind), (double)f.action[i].span_ns / XL_S);
	printf("%u connections, storm %.6f s%s%s%s\n", f.plans, (double)f.storm_ns / XL_S,
	       f.abort_legal ? ", a peer may be given up" : "", f.tight_conns ? ", few connections" : "",
	       f.flaps ? ", listeners flap" : "");
}

static int run_single(const struct options *o)
{
	struct sim_world_options w = { .seed = o->one, .canary = o->canary, .trace = o->trace, .thorough = true };
	struct sim_result result;
	int error;

	if (o->pcap) {
		error = xl_pcap_open(o->pcap, &w.pcap);
		if (error) {
			fprintf(stderr, "xlane-sim: %s: %s\n", o->pcap, strerror(-error));
			return 2;
		}
	}
	describe(o->one);
	fflush(stdout);
	sim_run_one(&w, &result);
	error = xl_pcap_close(w.pcap);
	if (error)
		fprintf(stderr, "xlane-sim: %s: %s\n", o->pcap, strerror(-error));
	printf("seed %llu: %.6f s of virtual time, %llu events, %llu connection ends, %llu bytes, %llu messages, "
	       "hash %016llx\n",
	       (unsigned long long)result.seed, (double)result.virtual_ns / XL_S, (unsigned long long)result.events,
	       (unsigned long long)result.connections, (unsigned long long)result.bytes,
	       (unsigned long long)result.messages, (unsigned long long)result.hash);
	if (sim_result_failed(&result))
		sim_report_failure(stdout, "", &result);
	return sim_result_failed(&result) || error;
}

/* --- many seeds ------------------------------------------------------------------------------- */
static u32 tests;
static bool broken;

static void tap(const struct options *o, bool ok, const char *what)
{
	tests++;
	broken |= !ok;
	if (o->tap)
		printf("%sok %u - %s\n", ok ? "" : "not ", tests, what);
	else if (!ok)
		printf("FAILED: %s\n", what);
	fflush(stdout);
}

static void run_seeds(const struct options *o, struct sim_result *results, struct sim_report *report)
{
	const char *prefix = o->tap ? "# " : "";
	char what[80];

	for (u64 done = 0; done < o->seeds; ) {
		u32 n = xl_min(o->seeds - done, TAP_SEEDS);
		u64 first = o->first + done, failed = report->failed;

		sim_run_batch(results, first, n, o->jobs, SIM_CANARY_NONE);
		for (u32 i = 0; i < n; i++) {
			sim_report_add(report, &results[i]);
			if (!sim_result_failed(&results[i]))
				continue;
			sim_report_failure(stdout, prefix, &results[i]);
			if (report->failed - failed <= PCAPS_MAX && sim_run_pcap(results[i].seed))
				printf("%s  packets: " SIM_PCAP_DIRECTORY "/seed-%llu.pcap\n", prefix,
				       (unsigned long long)results[i].seed);
		}
		done += n;
		snprintf(what, sizeof what, "seeds %llu..%llu", (unsigned long long)first,
			(unsigned long long)(first + n - 1));
		tap(o, failed == report->failed, what);
		fprintf(stderr, "\rxlane-sim: %llu of %llu seeds, %llu failed ", (unsigned long long)done,
			(unsigned long long)o->seeds, (unsigned long long)report->failed);
	}
	fputc('\n', stderr);
}

static bool same_hashes(const struct options *o, struct sim_result *results, enum sim_canary canary)
{
	struct sim_result again;

	sim_run_batch(results, o->first, DETERMINISM_SEEDS, 1, canary);
	for (u32 i = 0; i < DETERMINISM_SEEDS; i++) {
		struct sim_world_options w = { .seed = o->first + i, .canary = canary };

		if (results[i].state != SIM_RESULT_DONE)
			continue;                              /* it crashed, which has been said */
		sim_run_one(&w, &again);
		if (again.hash != results[i].hash)
			return false;
	}
	return true;
}

static bool caught(const struct options *o, struct sim_result *results, enum sim_canary canary)
{
	if (canary == SIM_CANARY_STRAY)
		return !same_hashes(o, results, canary);
	for (u32 done = 0; done < CANARY_SEEDS_MAX; done += DETERMINISM_SEEDS) {
		sim_run_batch(results, o->first + done, DETERMINISM_SEEDS, o->jobs, canary);
		for (u32 i = 0; i < DETERMINISM_SEEDS; i++)
			if (!strcmp(results[i].failure.invariant, canaries[canary].invariant))
				return true;
	}
	return false;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / XL_S;
}

static int run_many(const struct options *o)
{
	struct sim_result *results = sim_run_results();
	struct sim_report report = { 0 };
	double began = now_s();
	const char *prefix = o->tap ? "# " : "";
	char what[160];

	run_seeds(o, results, &report);
	sim_report_print(stdout, prefix, &report);
	sim_report_rarest(stdout, prefix, &report);
	printf("%s%.1f s\n", prefix, now_s() - began);
	if (o->seeds >= SIM_MARKS_SEEDS_MIN)
		tap(o, !sim_report_missing(stdout, prefix, &report), "every mark was reached");
	else if (o->tap)
		printf("ok %u - every mark was reached # SKIP fewer than %u seeds\n", ++tests, SIM_MARKS_SEEDS_MIN);
	tap(o, same_hashes(o, results, SIM_CANARY_NONE), "the same seed gives the same hash");
	for (u32 i = 1; i < SIM_CANARY_COUNT; i++) {
		snprintf(what, sizeof what, "planted bug is caught by '%s': %s", canaries[i].invariant,
			canaries[i].text);
		tap(o, caught(o, results, i), what);
	}
	if (o->tap)
		printf("1..%u\n", tests);
	return broken;
}

int main(int argc, char **argv)
{
	struct options o = { .first = 1, .seeds = SIM_MARKS_SEEDS_MIN, .jobs = 1 };

	if (sim_theatre_wanted(argc, argv))
		return sim_theatre_main(argc, argv);
	parse(&o, argc, argv);
	return o.single ? run_single(&o) : run_many(&o);
}
