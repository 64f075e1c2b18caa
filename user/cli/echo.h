/* SPDX-License-Identifier: BSD-2-Clause */
/* echo.h - the answering side of `xlane ping`: every message goes back to where it came from. */
#ifndef XL_ECHO_H
#define XL_ECHO_H

#include "session.h"

/* Serve any number of connections of `type` on `port` until xl_session_stop. An exit status; errors are reported. */
int xl_echo_run(struct xl_session *s, uint16_t port, enum xlane_type type);

#endif
