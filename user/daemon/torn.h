/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * torn.h - pages of a client's memory that the kernel can not provide.
 *
 * A client may punch holes into its channels' memory, and memory may be short: then a touch of the worker's raises
 * SIGBUS. Guarantee: a worker goes on, with a page of ours in that place, and the client alone loses its channel. A
 * SIGBUS anywhere else ends the process, as ever.
 */
#ifndef XL_TORN_H
#define XL_TORN_H

#include "../base/types.h"

struct xl_channels;

/* Once, by the process, before there are threads. -errno. Threads that touch channels must not block SIGBUS. */
int xl_torn_install(void);
/* From here on this thread touches the memory of these channels. */
void xl_torn_guard(struct xl_channels *s);

#endif
