/* SPDX-License-Identifier: BSD-2-Clause */
/* content.h - bytes that are a pure function of a key and an offset, eight at a time so that checking costs little. */
#ifndef SIM_CONTENT_H
#define SIM_CONTENT_H

#include "../../user/base/types.h"

/* A key of what is named by three numbers. */
u64 sim_content_key(u64 a, u64 b, u64 c);
/* The bytes at `offset` and behind. */
void sim_content_fill(u64 key, u64 offset, u8 *to, u64 bytes);
/* Whether they are. */
bool sim_content_same(u64 key, u64 offset, const u8 *p, u64 bytes);

#endif
