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

#endif
