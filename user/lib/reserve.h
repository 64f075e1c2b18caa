/* SPDX-License-Identifier: BSD-2-Clause */
/* reserve.h - room for the program to fill in place before it is sent: the backend's, or staged in memory of the
 * library. */
#ifndef XL_RESERVE_H
#define XL_RESERVE_H

#include "context.h"

/* The room reserved, if any, is not used. */
void xl_reserve_drop(xlane_conn *c);
/* The memory, too. */
void xl_reserve_free(xlane_conn *c);

#endif
