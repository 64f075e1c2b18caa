/* SPDX-License-Identifier: BSD-2-Clause */
#include "drv.h"

const char *xl_drv_counter_name(enum xl_drv_counter c)
{
	static const char *const names[] = {
#define XL_DRV_COUNTER_NAME(name, key, text) key,
		XL_DRV_COUNTERS(XL_DRV_COUNTER_NAME)
	};

	return c < XL_DRV_COUNTER_COUNT ? names[c] : "?";
}
