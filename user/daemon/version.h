/* SPDX-License-Identifier: BSD-2-Clause */
/* version.h - what `xlaned --version` and the figures say. */
#ifndef XL_DAEMON_VERSION_H
#define XL_DAEMON_VERSION_H

#ifndef XL_VERSION_TEXT
#define XL_VERSION_TEXT "0.1.0"
#endif

#endif
