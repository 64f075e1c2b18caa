/* SPDX-License-Identifier: BSD-2-Clause */
/* config.h - a program's configuration, brought to this library's version of the structure and checked. */
#ifndef XL_CONFIG_H
#define XL_CONFIG_H

#include <xlane/xlane.h>

/* Copy `in`, which may be of an older and so shorter version, over the defaults into `out`. -EINVAL, with one line in
 * `why`, for values outside the limits. Strings are not copied. */
int xl_config_take(const struct xlane_config *in, struct xlane_config *out, char *why, size_t why_bytes);

#endif
