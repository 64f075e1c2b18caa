/* SPDX-License-Identifier: BSD-2-Clause */
/* type.h - connection types of the interface and kinds of the wire, which have the same numbers. */
#ifndef XL_TYPE_H
#define XL_TYPE_H

#include <xlane/limits.h>
#include <xlane/wire.h>
#include <xlane/xlane.h>

#include "../base/types.h"

_Static_assert((int)XLANE_STREAM == (int)XLANE_KIND_STREAM && (int)XLANE_MESSAGE == (int)XLANE_KIND_MESSAGE &&
	       (int)XLANE_UNORDERED == (int)XLANE_KIND_UNORDERED && (int)XLANE_DATAGRAM == (int)XLANE_KIND_DATAGRAM,
	       "a type is its kind");

static inline bool xl_type_known(enum xlane_type type)
{
	return (int)type >= XLANE_STREAM && (int)type <= XLANE_DATAGRAM;
}

static inline u8 xl_type_kind(enum xlane_type type)
{
	return (u8)type;
}

/* The most that one send can ever take whole; a stream takes what it can. */
static inline u64 xl_type_bytes_max(enum xlane_type type)
{
	switch (type) {
	case XLANE_STREAM: return INT64_MAX;
	case XLANE_DATAGRAM: return XLANE_DATAGRAM_MAX_BYTES;
	default: return XLANE_MESSAGE_MAX_BYTES;
	}
}

#endif
