/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ended.h - the last connections that ended gracefully, by id. A peer whose last packets were not acknowledged before we
 * stopped lingering is told that all of it had arrived, instead of that no such connection exists.
 */
#ifndef XL_ENDED_H
#define XL_ENDED_H

#include "core.h"

/* Remember; the oldest is forgotten when all places are taken. */
void xl_ended_add(struct xl_engine *e, u64 local_id);
bool xl_ended_has(const struct xl_engine *e, u64 local_id);

#endif
