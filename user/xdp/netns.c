// SPDX-License-Identifier: BSD-2-Clause
/* netns.c - looking for who keeps a network namespace. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "netns.h"

#define INITIAL_PID_NAMESPACE 0xeffffffcu   /* its inode: kernel ABI (PROC_PID_INIT_INO) */
#define LINE_BYTES 4096

static bool sees_all_processes(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == INITIAL_PID_NAMESPACE;
}

/* A thread that ends meanwhile is in no namespace; one that may not be looked at may be in it. */
static bool has_thread(u64 inode)
{
	glob_t threads;
	struct stat st;
	bool has = false;

	if (glob("/proc/[0-9]*/task/[0-9]*/ns/net", GLOB_NOSORT, NULL, &threads))
		return true;
	for (size_t i = 0; i < threads.gl_pathc && !has; i++) {
		if (!stat(threads.gl_pathv[i], &st))
			has = st.st_ino == inode;
		else
			has = errno != ENOENT && errno != ESRCH;
	}
	globfree(&threads);
	return has;
}

static bool is_mounted(const char *mounts, u64 inode)
{
	char name[32], line[LINE_BYTES];
	FILE *f = fopen(mounts, "re");
	bool is = !f;

	snprintf(name, sizeof name, " net:[%llu] ", (unsigned long long)inode);
	while (f && !is && fgets(line, sizeof line, f))
		is = strstr(line, name);
	if (f)
		fclose(f);
	return is;
}

bool xl_netns_dead(u64 inode)
{
	return sees_all_processes() && !is_mounted("/proc/self/mountinfo", inode) &&
	       !is_mounted("/proc/1/mountinfo", inode) && !has_thread(inode);
}
