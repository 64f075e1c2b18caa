// SPDX-License-Identifier: BSD-2-Clause
/* main.c - xlane-script: run scripts, each from several first packet numbers, which must make no difference. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "script.h"

#define FILES_MAX 1024
#define DEFAULT_DIRECTORY "tests/script/clauses"
#define SUFFIX ".script"

static const char usage[] =
	"Usage: xlane-script [--verbose] [--seed N] [--first N] [FILE|DIRECTORY]...\n"
	"Runs scripts (default: " DEFAULT_DIRECTORY "), each from every first packet number, or from one. TAP on standard output.\n";

struct options {
	bool verbose, one;
	u64 seed, first;
	char *file[FILES_MAX];
	u32 files;
};

static void add(struct options *o, const char *path)
{
	if (o->files == FILES_MAX) {
		fprintf(stderr, "more than %d files\n", FILES_MAX);
		exit(2);
	}
	o->file[o->files++] = strdup(path);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void add_all(struct options *o, const char *path)
{
	DIR *d = opendir(path);
	u32 from = o->files;
	struct dirent *e;

	if (!d) {
		add(o, path);
		return;
	}
	while ((e = readdir(d))) {
		const char *end = strstr(e->d_name, SUFFIX);
		char full[4096];

		if (!end || end[strlen(SUFFIX)])
			continue;
		snprintf(full, sizeof full, "%s/%s", path, e->d_name);
		add(o, full);
	}
	closedir(d);
	qsort(o->file + from, o->files - from, sizeof *o->file, by_name);
}

static void read_options(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--verbose")) {
			o->verbose = true;
		} else if (!strcmp(argv[i], "--seed") && i + 1 < argc) {
			o->seed = strtoull(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--first") && i + 1 < argc) {
			o->first = strtoull(argv[++i], NULL, 0);
			o->one = true;
		} else if (argv[i][0] == '-') {
			fputs(usage, strcmp(argv[i], "--help") ? stderr : stdout);
			exit(strcmp(argv[i], "--help") ? 2 : 0);
		} else {
			add_all(o, argv[i]);
		}
	}
	if (!o->files)
		add_all(o, DEFAULT_DIRECTORY);
}

static const char *name_of(const char *path)
{
	static char name[256];
	const char *slash = strrchr(path, '/');
	char *dot;

	snprintf(name, sizeof name, "%s", slash ? slash + 1 : path);
	dot = strstr(name, SUFFIX);
	if (dot)
		*dot = 0;
	return name;
}

static void tell(const char *text)
{
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");

		printf("# %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
}

/* From each first number; false when a step did not hold, or one outcome was another. */
static bool run_file(struct run *r, const char *file, const u64 *first, u32 n, bool verbose, u32 *runs)
{
	u64 hash = 0;

	for (u32 i = 0; i < n; i++, ++*runs) {
		if (!script_run(r, file, first[i], verbose && i == 0)) {
			tell(r->error);
			printf("# first number 0x%llx\n", (unsigned long long)first[i]);
			return false;
		}
		if (i && r->hash != hash) {
			printf("# %s: what happens is not the same from 0x%llx and from 0x%llx\n", file, (unsigned long long)first[0],
			       (unsigned long long)first[i]);
			return false;
		}
		hash = r->hash;
	}
	return true;
}

int main(int argc, char **argv)
{
	/* The first packet of the handshake has the number; 2^32 - 6 lets the data pass 2^32. */
	u64 first[] = { 0, 1ull << 31, UINT32_MAX, UINT32_MAX - 5ull, 1ull << 63, UINT64_MAX - (1 << 20), 0 };
	struct options o = { .seed = 1 };
	struct run *r = malloc(sizeof *r);
	u32 n = XL_ARRAY_SIZE(first), runs = 0, failed = 0;
	struct xl_prng prng;

	setvbuf(stdout, NULL, _IOLBF, 0);
	read_options(&o, argc, argv);
	xl_prng_seed(&prng, o.seed);
	first[n - 1] = xl_prng_u64(&prng) >> 1;
	if (o.one) {
		first[0] = o.first;
		n = 1;
	}
	printf("1..%u\n", o.files);
	for (u32 i = 0; i < o.files; i++) {
		bool ok = run_file(r, o.file[i], first, n, o.verbose, &runs);

		failed += !ok;
		printf("%sok %u - %s\n", ok ? "" : "not ", i + 1, name_of(o.file[i]));
		free(o.file[i]);
	}
	printf("# figure: %u scripts from %u first numbers each: %u runs, %u scripts failed\n", o.files, n, runs, failed);
	free(r);
	return failed != 0;
}
