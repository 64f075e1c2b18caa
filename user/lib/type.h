/* SPDX-License-Identifier: BSD-2-Clause */
/* type.h - connection types of the interface and kinds of the wire. */
#ifndef XL_TYPE_H
#define XL_TYPE_H

#include <xlane/wire.h>
#include <xlane/xlane.h>

#include "../base/types.h"

static inline bool xl_type_known(enum xlane_type type)
{
	return type == XLANE_STREAM || type == XLANE_MESSAGE;
}

static inline u8 xl_type_kind(enum xlane_type type)
{
	return type == XLANE_STREAM ? XLANE_KIND_STREAM : XLANE_KIND_MESSAGE;
}

#endif
