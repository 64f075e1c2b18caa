/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logs.h - the daemon's log: lines on standard error, each with its level; for the journal "<N>" before each. Any
 * thread may log.
 */
#ifndef XL_DAEMON_LOGS_H
#define XL_DAEMON_LOGS_H

#include "../base/log.h"

/* Once, before any line: looks whether standard error is the journal. */
void xl_logs_open(void);
/* Lines above this level are left out. At any time, from any thread. */
void xl_logs_level(int level);
/* What to log to. */
extern const struct xl_log xl_logs;

#define xl_error(...) xl_log_printf(&xl_logs, XL_LOG_ERROR, __VA_ARGS__)
#define xl_warning(...) xl_log_printf(&xl_logs, XL_LOG_WARNING, __VA_ARGS__)
#define xl_info(...) xl_log_printf(&xl_logs, XL_LOG_INFO, __VA_ARGS__)
#define xl_debug(...) xl_log_printf(&xl_logs, XL_LOG_DEBUG, __VA_ARGS__)

#endif
