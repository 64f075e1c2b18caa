/* SPDX-License-Identifier: BSD-2-Clause */
/* conn.h - how a connection's handle ends, for the files of the library. */
#ifndef XL_LIB_CONN_H
#define XL_LIB_CONN_H

#include "context.h"

/* Of a connection that has ended: a negative errno. */
int xl_conn_error(const xlane_conn *c);
/* Its handle, with what it holds, is gone; the backend's connection is somebody else's affair. */
void xl_conn_release(xlane_conn *c);
/* Reset, and the handle is gone. */
void xl_conn_drop(xlane_conn *c, u64 now_ns);
/* The program has closed it, and nothing of it is in the library any more: the backend goes on closing it, the handle
 * is gone. Reset, when not all of it could be sent. */
void xl_conn_finish(xlane_conn *c, u64 now_ns);
/* An event of a connection that the program has closed while its outbox was full. */
void xl_conn_orphan_event(xlane_conn *c, u32 bits);

#endif
