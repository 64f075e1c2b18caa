// SPDX-License-Identifier: BSD-2-Clause
#include "logs.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/types.h"

static atomic_int level_max = XL_LOG_INFO;
static bool journal;   /* set before there are threads */

/* sd-daemon(3): the journal takes the level from "<N>". */
static void write_line(int level, const char *line, void *arg)
{
	static const char *const mark[] = { "<3>", "<4>", "<6>", "<7>" };
	static const char *const name[] = { "error: ", "warning: ", "", "debug: " };
	char text[XL_LOG_LINE_BYTES + 32];
	int n;

	(void)arg;
	if (level > atomic_load_explicit(&level_max, memory_order_relaxed) || level < 0 || level > XL_LOG_DEBUG)
		return;
	n = journal ? snprintf(text, sizeof text, "%s%s\n", mark[level], line) :
		      snprintf(text, sizeof text, "xlaned: %s%s\n", name[level], line);
	if (n > 0 && write(STDERR_FILENO, text, xl_min((u64)n, sizeof text - 1)) < 0)
		return;   /* nobody is left to be told */
}

const struct xl_log xl_logs = { .line = write_line };

void xl_logs_open(void)
{
	const char *stream = getenv("JOURNAL_STREAM");   /* "DEVICE:INODE" of what the service was given */
	unsigned long device, inode;
	struct stat st;

	journal = stream && sscanf(stream, "%lu:%lu", &device, &inode) == 2 && !fstat(STDERR_FILENO, &st) &&
		  st.st_dev == device && st.st_ino == inode;
}

void xl_logs_level(int level)
{
	atomic_store_explicit(&level_max, level, memory_order_relaxed);
}
