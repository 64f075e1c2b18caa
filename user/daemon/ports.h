/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports.h - which client listens on which port of an interface: one table for all its workers and the control thread.
 *
 * A client claims a port once, then listens on it at each worker. Any thread may call any function (atomic operations, no
 * lock). A port is free again when its client has released it, or when the control thread drops the client.
 */
#ifndef XL_PORTS_H
#define XL_PORTS_H

#include "../base/types.h"

struct xl_ports;

/* Ports below `privileged` are for uid 0 only (0: for all); at most `per_uid` ports for one uid. -ENOMEM. */
int xl_ports_open(u32 privileged, u32 per_uid, struct xl_ports **out);
void xl_ports_close(struct xl_ports *p);
/* 0, also when the client has it already; -EADDRINUSE, -EACCES (privileged), -EDQUOT. */
int xl_ports_claim(struct xl_ports *p, u16 port, u32 client, u32 uid);
/* The last of the client's workers gave it up: counted by claims, one per worker. */
void xl_ports_release(struct xl_ports *p, u16 port, u32 client);
/* The client is gone. */
void xl_ports_drop(struct xl_ports *p, u32 client);
/* Client number, 0: free. */
u32 xl_ports_owner(const struct xl_ports *p, u16 port);

#endif
