/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pump.h - standard input -> connection -> standard output, both ways at once.
 *
 * Guarantee: neither direction waits for the other; a full pipe or a slow terminal never keeps the worker from its
 * packets. At the end of the input the connection is shut down for sending; at the end of what the peer sends, standard
 * output is closed. Bytes received are written from where they lie (no copy in this process).
 */
#ifndef XL_PUMP_H
#define XL_PUMP_H

#include "session.h"

struct xl_pump_figures { unsigned long long sent, received; double seconds; };

enum xl_pump_end {
	XL_PUMP_DONE = 0,      /* both directions ended */
	XL_PUMP_STOPPED,       /* a signal */
	XL_PUMP_INPUT,         /* standard input can not be read: error in *err */
	XL_PUMP_OUTPUT,        /* standard output can not be written */
	XL_PUMP_PEER,          /* the connection failed */
	XL_PUMP_SYSTEM,        /* epoll and the like */
};

/* Run until both directions ended or something failed (*err: negative errno). `keep_output`: leave standard output open
 * at the end. `progress`: a line on stderr while it runs. */
enum xl_pump_end xl_pump_run(struct xl_session *s, xlane_conn *c, bool keep_output, bool progress,
			     struct xl_pump_figures *out, int *err);

#endif
