/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_backend.h - a backend that a test drives by hand, under a whole context: what there is room for, which events
 * come and when, is said by the test; what reaches it is recorded.
 */
#ifndef FAKE_BACKEND_H
#define FAKE_BACKEND_H

#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include <xlane/limits.h>
#include <xlane/xlane.h>

#include "lib/context.h"

#define FAKE_CONNS 4
#define FAKE_WIRE_BYTES (40u << 20)
#define FAKE_ROOM_BYTES 100000   /* what the backend can reserve in one piece */

struct fake_conn {
	u64 user, room;                /* room: bytes that are taken now */
	u8 kind, *wire;                /* everything sent, in order */
	u64 wire_bytes, left;          /* left: of the large message under way */
	u64 messages, cancelled;       /* large ones begun, and the last taken back (fake_with_cancel) */
	bool used, refused, shut, closed, aborted, given;
	int error;
	u64 reserved;
	u8 reserve[FAKE_ROOM_BYTES];
};

struct fake {
	struct xl_backend b;           /* first */
	struct xl_backend_ops ops;
	int fd;
	u64 ran_ns, runs, flushes, options[XL_CONN_OPTIONS];
	int run_error, begin_error, give_error, take_error;
	struct fake_conn conn[FAKE_CONNS];
	struct xl_event events[16];
	u32 nevents, acceptable;
	void (*on_run)(struct fake *f);
	bool destroyed;
};

static inline void fake_event(struct fake *f, u32 conn, u32 bits)
{
	CHECK(f->nevents < XL_ARRAY_SIZE(f->events));
	f->events[f->nevents++] = (struct xl_event){ bits, conn, f->conn[conn].user };
}

/* The peer or the daemon makes room. */
static inline void fake_room(struct fake *f, u32 conn, u64 bytes)
{
	f->conn[conn].room += bytes;
	if (f->conn[conn].refused)
		fake_event(f, conn, XL_EVENT_WRITABLE);
	f->conn[conn].refused = false;
}

/* The backend has reserve and commit, or give and take; else it has not. */
void fake_with_reserve(struct fake *f);
void fake_with_handover(struct fake *f);
void fake_with_cancel(struct fake *f);
/* A context over it, which sleeps when it waits, at most a millisecond at a time. */
xlane *fake_open(struct fake *f);
/* Close it, with time for what is closing or none; checks that nothing of the library's stays open. */
void fake_close_lingering(struct fake *f, xlane *x, int linger_ms);
void fake_close_all(struct fake *f, xlane *x);
/* A connection that is open; its index is the next free one. */
xlane_conn *fake_connected(xlane *x, struct fake *f, enum xlane_type type);

#endif
