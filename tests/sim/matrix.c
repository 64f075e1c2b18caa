/* SPDX-License-Identifier: BSD-2-Clause */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../user/drv/pcap.h"
#include "play.h"

#define JOBS_MAX 64
#define CPU_S_MAX 60               /* processor time of one run before it counts as hanging */

struct outcome {
	char failure[200];         /* empty: well */
	u64 failed_ns, over_ns;
	bool done;
};

static void run_one(const struct sim_case *c, const struct sim_scene_options *o, struct outcome *out)
{
	struct sim_scene *s = sim_scene_new(o);
	struct sim_trouble *t = sim_alloc(sizeof *t);

	memset(t, 0, sizeof *t);
	xl_prng_seed(&t->prng, o->seed + 0x74726f75626c6500ull);
	c->set_up(s, t);
	sim_scene_finish(s, c->bound_ns);
	if (!c->harmless && !t->suffered)
		sim_scene_fail(s, "no frame suffered: this run shows nothing");
	memcpy(out->failure, s->failure, sizeof out->failure);
	out->failed_ns = s->failed_ns;
	out->over_ns = s->now_ns;
	out->done = true;
	sim_scene_free(s);
	free(t);
}

static void tell(const struct sim_matrix_options *o, const struct sim_case *c, u64 seed, const struct outcome *r)
{
	const char *prefix = o->tap ? "# " : "";

	printf("%s%s, seed %llu, at %.6f s: %s\n", prefix, c->name, (unsigned long long)seed, (double)r->failed_ns / XL_S,
	       r->failure);
	printf("%sreplay: build/xlane-sim --matrix --case %s --seed %llu --cc %s --pcap %s.pcap\n", prefix, c->name,
	       (unsigned long long)seed, sim_congestion_name(o->congestion), c->name);
}

/* --- many, in children: one that crashes or hangs is a failure of its own ------------------------- */
struct job { pid_t pid; u32 item; };

static void child(const struct sim_matrix_options *o, const struct sim_case *c, u64 seed, struct outcome *out)
{
	const struct itimerval limit = { .it_value.tv_sec = CPU_S_MAX };

	setitimer(ITIMER_VIRTUAL, &limit, NULL);
	run_one(c, &(struct sim_scene_options){ .seed = seed, .congestion = o->congestion }, out);
	_exit(0);
}

static void reap(struct job *jobs, u32 count, struct outcome *results)
{
	int status;
	pid_t pid = wait(&status);

	for (u32 i = 0; i < count; i++) {
		if (jobs[i].pid != pid)
			continue;
		jobs[i].pid = 0;
		if (status || !results[jobs[i].item].done)
			snprintf(results[jobs[i].item].failure, sizeof results->failure, "%s",
				 WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM ? "it hangs" : "it crashed");
	}
}

/* All seeds of one case. */
static void run_case(const struct sim_matrix_options *o, const struct sim_case *c, struct outcome *results)
{
	struct job jobs[JOBS_MAX] = { { 0 } };
	u32 count = xl_min(xl_max(o->jobs, 1), JOBS_MAX), running = 0;

	memset(results, 0, o->seeds * sizeof *results);
	fflush(NULL);
	for (u32 item = 0; item < o->seeds || running; ) {
		u32 slot = 0;

		while (slot < count && jobs[slot].pid)
			slot++;
		if (item == o->seeds || slot == count) {
			reap(jobs, count, results);
			running--;
			continue;
		}
		jobs[slot] = (struct job){ fork(), item };
		if (jobs[slot].pid < 0) {
			perror("xlane-sim: fork");
			exit(2);
		}
		if (!jobs[slot].pid)
			child(o, c, o->first + item, &results[item]);
		item++;
		running++;
	}
}

static bool judge(const struct sim_matrix_options *o, const struct sim_case *c, u32 number, struct outcome *results)
{
	struct sim_times over = { 0 };
	u64 failed = 0;

	for (u32 i = 0; i < o->seeds; i++) {
		if (results[i].failure[0]) {
			failed++;
			tell(o, c, o->first + i, &results[i]);
		} else {
			sim_times_add(&over, results[i].over_ns);
		}
	}
	if (o->tap)
		printf("%sok %u - %s: %s, %llu seeds\n", failed ? "not " : "", number, c->name, c->shows,
		       (unsigned long long)o->seeds);
	else
		printf("%-22s %4llu of %llu  %8.3f s %8.3f s  %s\n", c->name, (unsigned long long)(o->seeds - failed),
		       (unsigned long long)o->seeds, (double)sim_times_rank(&over, 500) / XL_S,
		       (double)sim_times_rank(&over, 1000) / XL_S, c->shows);
	fflush(stdout);
	sim_times_free(&over);
	return !failed;
}

static int run_single(const struct sim_matrix_options *o, const struct sim_case *c)
{
	struct sim_scene_options options = { .seed = o->first, .congestion = o->congestion };
	struct outcome out = { 0 };
	int error = o->pcap ? xl_pcap_open(o->pcap, &options.pcap) : 0;

	if (!error) {
		run_one(c, &options, &out);
		error = xl_pcap_close(options.pcap);
	}
	if (error) {
		fprintf(stderr, "xlane-sim: %s: %s\n", o->pcap, strerror(-error));
		return 2;
	}
	if (out.failure[0])
		tell(o, c, o->first, &out);
	else
		printf("%s, seed %llu: all is well after %.6f s of virtual time\n", c->name, (unsigned long long)o->first,
		       (double)out.over_ns / XL_S);
	return out.failure[0] != 0;
}

int sim_matrix_main(const struct sim_matrix_options *o)
{
	struct outcome *results = mmap(NULL, o->seeds * sizeof *results, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	u32 number = 0, failed = 0;

	if (results == MAP_FAILED) {
		perror("xlane-sim: mmap");
		return 2;
	}
	if (!o->tap && !o->single)
		printf("%-22s %s\n", "case", "seeds passed, over after (median, longest)");
	for (u32 i = 0; i < sim_case_count; i++) {
		const struct sim_case *c = &sim_cases[i];

		if (o->name && strcmp(o->name, c->name))
			continue;
		number++;
		if (o->single)
			return run_single(o, c);
		run_case(o, c, results);
		failed += !judge(o, c, number, results);
	}
	munmap(results, o->seeds * sizeof *results);
	if (!number) {
		fprintf(stderr, "xlane-sim: there is no case '%s'\n", o->name);
		return 2;
	}
	if (o->tap)
		printf("1..%u\n", number);
	return failed > 0;
}
