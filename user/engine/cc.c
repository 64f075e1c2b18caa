/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc.h"

const struct xl_cc_ops *const xl_cc_algorithms[XL_CC_ALGORITHMS] = {
	[XL_CC_DELAY] = &xl_cc_newreno,
	[XL_CC_CUBIC] = &xl_cc_newreno,
	[XL_CC_NEWRENO] = &xl_cc_newreno,
};
