/* SPDX-License-Identifier: BSD-2-Clause */
/* units.h - numbers for people: at most three digits and a letter, so that a column of them is narrow. */
#ifndef XL_UNITS_H
#define XL_UNITS_H

#include <stddef.h>

#define XL_UNIT_BYTES 32    /* room that each text needs at most */

/* "0", "999", "1.23k", "45.6M", "789G": powers of 1000. Below 10 with a fraction: "0.5". */
const char *xl_unit_count(double value, char *text);
/* "512", "1.5Ki", "16Mi": powers of 1024. */
const char *xl_unit_bytes(double value, char *text);
/* Nanoseconds: "850ns", "12.3us", "4.56ms", "7.8s". */
const char *xl_unit_duration(double ns, char *text);
/* Nanoseconds: "12s", "3:04", "1:02:03", "5d 1:02:03". */
const char *xl_unit_uptime(double ns, char *text);

#endif
