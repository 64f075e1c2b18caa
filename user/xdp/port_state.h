/* SPDX-License-Identifier: BSD-2-Clause */
/* port_state.h - what port.c (making a port) and port_form.c (handing it to another process) share; for these alone. */
#ifndef XL_XDP_PORT_STATE_H
#define XL_XDP_PORT_STATE_H

#include "port.h"
#include "socket.h"

/* Counts and sizes are within their bounds. */
bool xl_port_shape_ok(const struct xl_port *p);
/* How the socket of (queue, worker) is made and mapped, but for the choice of modes. */
void xl_port_socket_config(const struct xl_port *p, u32 queue, u32 worker, struct xl_xsk_config *c);
/* Writes the line (`why` NULL: nowhere) and returns err. */
__attribute__((format(printf, 4, 5)))
int xl_port_why(int err, char *why, size_t bytes, const char *format, ...);

#endif
