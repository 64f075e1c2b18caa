/* SPDX-License-Identifier: BSD-2-Clause */
/* turn.h - what a worker's thread does, turn by turn. */
#ifndef XL_DAEMON_TURN_H
#define XL_DAEMON_TURN_H

#include "thread.h"

/* The body of the thread of `t` (struct xl_thread), for pthread_create. */
void *xl_turn_run(void *t);

#endif
