/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

void xl_log_printf(const struct xl_log *log, int level, const char *format, ...)
{
	char line[XL_LOG_LINE_BYTES];
	int saved = errno;
	va_list args;
	int n;

	if (!log || !log->line)
		return;
	va_start(args, format);
	n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (n >= 0) {
		if ((size_t)n >= sizeof line)
			memcpy(line + sizeof line - 4, "...", 4);
		log->line(level, line, log->arg);
	}
	errno = saved;
}
