/* SPDX-License-Identifier: BSD-2-Clause */
/* check.h - the invariants of one connection: the engine's own check goes over all, an import over the one that comes. */
#ifndef XL_CHECK_H
#define XL_CHECK_H

#include "core.h"

/* NULL when all hold, else the name of the broken one. Indices must be in range already (export.c, blocks.h). */
const char *xl_check_sending(const struct xl_engine *e, const struct xl_conn *c);
const char *xl_check_receiving(struct xl_engine *e, const struct xl_conn *c);

#define HOLDS(condition, name) do { if (!(condition)) return name; } while (0)

#endif
