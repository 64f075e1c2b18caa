/* SPDX-License-Identifier: BSD-2-Clause */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../user/drv/pcap.h"

#define JOBS_MAX 64

static void reach(struct sim_result *r, u32 mark, u64 times)
{
	if (times)
		r->reached[mark / 64] |= 1ull << mark % 64;
}

static void collect(const struct sim_host *h, struct sim_result *r)
{
	const u64 *engine = h->engine ? xl_engine_counters(h->engine) : NULL;

	for (u32 i = 0; i < XL_ENGINE_COUNTER_COUNT; i++)
		reach(r, i, h->counters[i] + (engine ? engine[i] : 0));
	for (u32 i = 0; i < XL_DRV_COUNTER_COUNT; i++)
		reach(r, XL_ENGINE_COUNTER_COUNT + i, h->drv_counters[i] + (h->drv ? h->drv->counters[i] : 0));
	for (u32 i = 0; i < XL_LINK_COUNTER_COUNT; i++)
		reach(r, SIM_REACHED_LINK + i, h->link_counters[i] + (h->engine ? h->worker->link.counters[i] : 0));
}

void sim_run_one(const struct sim_world_options *o, struct sim_result *out)
{
	struct sim_world *w = sim_alloc(sizeof *w);

	memset(out, 0, sizeof *out);
	out->seed = o->seed;
	out->state = SIM_RESULT_RUNNING;
	sim_world_run(w, o);
	out->hash = w->hash;
	out->virtual_ns = w->now_ns;
	out->events = w->event_count;
	out->bytes = w->oracle.bytes;
	out->messages = w->oracle.messages;
	out->connections = w->oracle.ends;
	out->failure = w->failure;
	for (u32 i = 0; i < w->units; i++)
		collect(&w->host[i], out);
	for (u32 i = 0; i < SIM_MARK_COUNT; i++)
		reach(out, SIM_REACHED_MARKS + i, w->marks[i]);
	sim_world_free(w);
	free(w);
	out->state = SIM_RESULT_DONE;
}

struct sim_result *sim_run_results(void)
{
	void *p = mmap(NULL, SIM_BATCH_MAX * sizeof(struct sim_result), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("xlane-sim: mmap");
		exit(2);
	}
	return p;
}

struct job { pid_t pid; u32 next; };   /* next: index of the seed that it starts with, or is at */

struct batch {
	struct sim_result *results;
	u64 first;
	u32 count, jobs;
	enum sim_canary canary;
	struct job job[JOBS_MAX];
};

static void child(const struct batch *b, u32 from)
{
	const struct itimerval limit = { .it_value.tv_sec = SIM_SEED_CPU_S_MAX };

	for (u32 i = from; i < b->count; i += b->jobs) {
		struct sim_world_options o = { .seed = b->first + i, .canary = b->canary };

		setitimer(ITIMER_VIRTUAL, &limit, NULL);
		sim_run_one(&o, &b->results[i]);
	}
	exit(0); /* buffers were empty at the fork; counts of branches are written on the way out */
}

static void start(struct batch *b, u32 job, u32 from)
{
	fflush(NULL);
	b->job[job] = (struct job){ .pid = from < b->count ? fork() : 0, .next = from };
	if (b->job[job].pid < 0) {
		perror("xlane-sim: fork");
		exit(2);
	}
	if (from < b->count && b->job[job].pid == 0)
		child(b, from);
}

/* A child died at some seed: that one has failed; the seeds behind it go on in another child. */
static void blame(struct batch *b, u32 job, int status)
{
	u32 i = b->job[job].next;
	struct sim_result *r;

	while (i < b->count && b->results[i].state == SIM_RESULT_DONE)
		i += b->jobs;
	if (i >= b->count) {
		start(b, job, b->count);
		return;
	}
	r = &b->results[i];
	r->seed = b->first + i;
	snprintf(r->failure.invariant, sizeof r->failure.invariant, "%s",
		 WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM ? "hang" : "crash");
	if (WIFSIGNALED(status))
		snprintf(r->failure.text, sizeof r->failure.text, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(r->failure.text, sizeof r->failure.text, "exit status %d", WEXITSTATUS(status));
	start(b, job, i + b->jobs);
}

void sim_run_batch(struct sim_result *results, u64 first, u32 count, u32 jobs, enum sim_canary canary)
{
	struct batch b = { .results = results, .first = first, .count = count, .canary = canary };
	int status;
	pid_t pid;

	b.jobs = xl_min(xl_max(jobs, 1), JOBS_MAX);
	memset(results, 0, count * sizeof *results);
	for (u32 i = 0; i < b.jobs; i++)
		start(&b, i, i);
	while ((pid = wait(&status)) > 0)
		for (u32 i = 0; i < b.jobs; i++)
			if (b.job[i].pid == pid) {
				if (status)
					blame(&b, i, status);
				break;
			}
}

bool sim_run_pcap(u64 seed)
{
	const struct itimerval limit = { .it_value.tv_sec = SIM_SEED_CPU_S_MAX };
	struct sim_world_options o = { .seed = seed };
	struct sim_result result;
	char path[64];
	int status;
	pid_t pid;

	snprintf(path, sizeof path, SIM_PCAP_DIRECTORY "/seed-%llu.pcap", (unsigned long long)seed);
	mkdir(SIM_PCAP_DIRECTORY, 0777);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		setitimer(ITIMER_VIRTUAL, &limit, NULL);
		if (xl_pcap_open(path, &o.pcap))
			_exit(1);
		sim_run_one(&o, &result);
		_exit(xl_pcap_close(o.pcap) != 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	return !access(path, R_OK);
}
