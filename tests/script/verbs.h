/* SPDX-License-Identifier: BSD-2-Clause */
/* verbs.h - the steps that are no packets: tables of verb and what it does. Each ends with a NULL name. */
#ifndef SCRIPT_VERBS_H
#define SCRIPT_VERBS_H

#include "script.h"

struct verb {
	const char *name;
	void (*run)(struct run *r);
	bool before;          /* it may come before the engine has begun */
};

extern const struct verb verbs_setup[], verbs_call[], verbs_assert[];

/* Ports of the engine, by kind. */
#define PORT 7
static inline u16 port_of(u8 kind) { return (u16)(PORT + kind - XLANE_KIND_STREAM); }
/* Where the script's far end is, made anew after its address or ports were set (PROTOCOL 5.1). */
void end_place(struct run *r, struct end *x);
/* Index of the current connection; fails when the program does not have it. */
u32 verb_conn(struct run *r);
/* Events that were told since the last look go to their ends. */
void verb_events(struct run *r);

#endif
