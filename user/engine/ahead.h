/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ahead.h - memory that the next packets of a batch need is fetched while earlier ones are worked on: with very many
 * connections each packet is of one that lies in no cache.
 *
 * Only hints to the processor: nothing is changed or decided here, and what is named is in the engine's own arrays. So a
 * connection that ends meanwhile, or an id that nobody has, costs a fetch and nothing else.
 */
#ifndef XL_AHEAD_H
#define XL_AHEAD_H

#include "core.h"

#define XL_AHEAD_PACKETS 16       /* looked at before the first of them is worked on: lines that a processor can wait for at once */
#define XL_AHEAD_LINE    64
#define XL_AHEAD_LINES   8        /* of a connection: what every packet needs (struct xl_conn) */

/* n <= XL_AHEAD_PACKETS packets that are about to be given to the engine. */
void xl_ahead_input(const struct xl_engine *e, const struct xl_packet *packets, u32 n);
/* The connection whose turn to send comes after that of i, which is on a list of those. */
void xl_ahead_output(const struct xl_engine *e, u32 i);

#endif
