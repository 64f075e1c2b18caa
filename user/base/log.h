/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - where lines of log go: a function handed in by the program. Not used by the engine, which counts instead.
 */
#ifndef XL_LOG_H
#define XL_LOG_H

#define XL_LOG_LINE_BYTES 512   /* longer lines are cut, and end in "..." */

enum xl_log_level { XL_LOG_ERROR, XL_LOG_WARNING, XL_LOG_INFO, XL_LOG_DEBUG };

struct xl_log {
	/* One line without its newline, valid for the call. Called on the thread that logs. NULL: nothing is logged. */
	void (*line)(int level, const char *line, void *arg);
	void *arg;
};

/* `log` may be NULL. errno is left as it was. */
__attribute__((format(printf, 3, 4)))
void xl_log_printf(const struct xl_log *log, int level, const char *format, ...);

#endif
