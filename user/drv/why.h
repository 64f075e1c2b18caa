/* SPDX-License-Identifier: BSD-2-Clause */
/* why.h - one line for the user beside an error code. */
#ifndef XL_DRV_WHY_H
#define XL_DRV_WHY_H

#include <stdarg.h>
#include <stdio.h>

/* Write the line (cut to `bytes`; `why` NULL: nowhere) and return `err`. */
__attribute__((format(printf, 4, 5)))
static inline int xl_why(int err, char *why, size_t bytes, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (why && bytes)
		vsnprintf(why, bytes, format, ap);
	va_end(ap);
	return err;
}

#endif
