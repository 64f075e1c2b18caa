/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writers.h - connections whose programs wait for frames: first come, first served.
 *
 * A program that was refused is told when there is room again. What it waits for is room in its own send buffer, which an
 * acknowledgement gives (xl_send_tell), or frames that any other connection may give back: those are in this list. When
 * frames have come back, as many are told as the free frames are packets for, at most XL_WRITERS_AT_ONCE in one call; the
 * others soon after by a timer, in case those who were told want nothing any more. The cost of a call does not depend on
 * how many wait.
 */
#ifndef XL_WRITERS_H
#define XL_WRITERS_H

#include "core.h"

/* The connection was refused: into the list, if frames are what it waits for. */
void xl_writers_join(struct xl_engine *e, struct xl_conn *c);
void xl_writers_leave(struct xl_engine *e, struct xl_conn *c);
/* Tell those whose turn it is. */
void xl_writers_wake(struct xl_engine *e);

#endif
