/* SPDX-License-Identifier: BSD-2-Clause */
/* export.h - the form of an exported connection: this head, struct xl_conn, struct xl_flow if there is one, sents x struct xl_sent, frames x one entry. */
#ifndef XL_EXPORT_H
#define XL_EXPORT_H

#include "core.h"

#define XL_EXPORT_MAGIC   0x786c636e /* "xlcn" */
#define XL_EXPORT_VERSION 3
#define XL_EXPORT_LISTS   4

struct xl_export {
	u32 magic, version, conn_bytes, sents, frames, flows;
	u64 node, incarnation;
	struct xl_path path;
};
/* The frames of a buffer follow each other, the first one first. */
struct xl_export_frame { u32 frame, pad; struct xl_txbuf meta; };

u64 xl_export_bytes(const struct xl_export *h);
/* The lists of buffers in the order in which they are written, XL_EXPORT_LISTS of them. */
struct xl_list *xl_export_list(struct xl_conn *c, u32 k);
/* False while the driver has a frame of the connection. */
bool xl_export_head(const struct xl_engine *e, struct xl_conn *c, struct xl_export *h);
/* xl_export_bytes(h) bytes at p. Nothing else changes. */
void xl_export_write(const struct xl_engine *e, struct xl_conn *c, const struct xl_export *h, u8 *p);
/* xl_conn_import; `packed`: half-open connections and those that wait to be accepted come, too, from an engine with another
 * view of the peer. */
int xl_import(struct xl_engine *e, const void *buf, u64 bytes, u64 now_ns, bool packed, u32 *conn);

#endif
