/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buckets.h - which buckets the engine serves. A connection id carries its bucket, the call id's, in its first byte; a table
 * outside the engine says which worker gets the packets of a bucket.
 */
#ifndef XL_BUCKETS_H
#define XL_BUCKETS_H

#include "core.h"

/* What the config says: bucket mod workers = worker. */
void xl_buckets_init(struct xl_engine *e);
static inline bool xl_bucket_in(const u64 *set, u64 id) { return set[id >> 62] >> (id >> 56 & 63) & 1; }
/* Packets with this id come to this engine. */
static inline bool xl_bucket_served(const struct xl_engine *e, u64 id) { return xl_bucket_in(e->serves, id); }
/* Connections with this id send nothing for now. */
static inline bool xl_bucket_frozen(const struct xl_engine *e, u64 id) { return xl_bucket_in(e->frozen, id); }

#endif
