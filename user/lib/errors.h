/* SPDX-License-Identifier: BSD-2-Clause */
/* errors.h - the text of the last failed xlane_open of each thread. */
#ifndef XL_ERRORS_H
#define XL_ERRORS_H

#define XL_LAST_ERROR_BYTES 256

/* Remember `text` (empty: the text of `err`) for xlane_last_error. Returns err. */
int xl_last_error_set(int err, const char *text);

#endif
