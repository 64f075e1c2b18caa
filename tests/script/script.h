/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.h - one run of one script: an engine in virtual time, and peers made of raw bytes that the script moves by hand.
 * The format is described in README.md. A step that fails leaves by script_fail, which does not return.
 */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <setjmp.h>

#include "text.h"
#include "world.h"

#define ENDS_MAX    96
#define ERROR_BYTES 8192

/* The far end of one connection, as far as the script plays it. Numbers below are absolute; a script names packets from
 * `base` on (its own) and `engine_base` on (the engine's). */
#define SEEN_MAX    64

struct end {
	char name[16];
	u8 address, kind;
	u16 port, engine_port;
	u64 node, incarnation;
	u64 id;               /* where the engine's packets go */
	u64 remote_id;        /* where ours go; 0: not known yet */
	u64 call_id;
	u64 first, next, base;
	u64 engine_first, engine_next, engine_base;
	u32 max_packet, ack_delay, message_max;
	u64 credit;
	bool no_crc, has_cookie, called;
	u8 cookie[16];
	u32 conn;             /* the engine's index; XL_NONE: the program does not have it */
	u64 sent, read;       /* bytes of the sequence that the program has given and taken (kind stream) */
	u64 fed;              /* bytes of the large message under way that it has given */
	struct range seen[SEEN_MAX]; /* numbers of the engine's packets that were looked at, the oldest first */
	u32 nseen;
	u64 skipped;          /* the newest number that was left out between two of these */
	u32 events;           /* told since the script last asked */
};

struct counters { u64 n[XL_ENGINE_COUNTER_COUNT]; };

struct run {
	const char *file;
	u32 number;           /* of the line */
	const char *text;
	struct words words;
	struct world w;
	struct end ends[ENDS_MAX], *end;
	u32 nends;
	int listener[XLANE_KIND_DATAGRAM + 1];
	u32 accept_events;
	u64 first;            /* packet number that both sides begin with */
	u64 raise;            /* what the script wants that to be above the set's */
	u64 at;               /* the script's clock: of the last step */
	u64 lo, hi;           /* when the step's packet may come */
	struct counters marked, before, after; /* marked; around the last packets for the engine */
	u64 hash;             /* of all packets, with relative numbers */
	bool verbose;
	jmp_buf out;
	char error[ERROR_BYTES];
};

/* Ends the run: "FILE:LINE: message". */
_Noreturn void script_fail(struct run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Run the script with these first numbers: true when every step held. Else r->error says why. */
bool script_run(struct run *r, const char *file, u64 first, bool verbose);

struct end *end_new(struct run *r, const char *name);
/* Run to `when`; with `stop` only until there is a packet. */
void script_time(struct run *r, u64 when, bool stop);

#endif
