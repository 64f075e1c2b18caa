/* SPDX-License-Identifier: BSD-2-Clause */
/* status_daemon.h - `xlane status -d`: the daemon, its interfaces, its clients. */
#ifndef XL_STATUS_DAEMON_H
#define XL_STATUS_DAEMON_H

#include "query.h"

/* Ask and print; an exit status. */
int xl_status_daemon(struct xl_query *q);

#endif
