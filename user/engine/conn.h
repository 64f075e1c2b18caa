/* SPDX-License-Identifier: BSD-2-Clause */
/* conn.h - the life of a connection: taken, moved between states, told to the program, given back. */
#ifndef XL_CONN_H
#define XL_CONN_H

#include "core.h"
#include "sched.h"

/* A fresh connection in `state` with a local id in the bucket of call_id; NULL when there is none left. */
struct xl_conn *xl_conn_take(struct xl_engine *e, u8 kind, u8 state, u64 call_id);
/* Give everything back: buffers, blocks, maps, timers, lists. The index may be used again at once. */
void xl_conn_free(struct xl_engine *e, struct xl_conn *c);
/* The part of xl_conn_free that leaves buffers and blocks alone: for a connection that moves elsewhere. */
void xl_conn_detach(struct xl_engine *e, struct xl_conn *c);
/* Apply an event; false when it is illegal in the state (counted). */
bool xl_conn_event(struct xl_engine *e, struct xl_conn *c, enum xl_state_event event);
/* End with an error: data is dropped, the program told. `tell_peer`: an ABORT with `code` is sent. */
void xl_conn_end(struct xl_engine *e, struct xl_conn *c, u32 code, bool tell_peer);
/* Nothing is owed to the peer any more; output reaps the connection when nobody holds it. */
void xl_conn_quiet(struct xl_engine *e, struct xl_conn *c);
/* Start or restart the time that a connection without a program may take: it was closed, or some data was acknowledged. */
void xl_conn_orphan(const struct xl_engine *e, struct xl_conn *c);
/* The program (or the listener's queue) lets go of it: no more events. */
void xl_conn_disown(struct xl_engine *e, struct xl_conn *c);
/* Out of the queue of a listener, if it is in one. */
void xl_conn_leave_listener(struct xl_engine *e, struct xl_conn *c);
/* Free a dead connection that neither the program nor a pending ABORT needs. True when it is gone. */
bool xl_conn_reap(struct xl_engine *e, struct xl_conn *c);
struct xl_conn *xl_conn_by_local(struct xl_engine *e, u64 id);
u64 xl_remote_key(const struct xl_engine *e, u64 node, u64 id);
/* Tell the program; merged until it asks. */
void xl_conn_notify(struct xl_engine *e, struct xl_conn *c, u32 bits);
/* A send found no room: XL_EVENT_WRITABLE is to follow when there is some. */
void xl_conn_want_write(struct xl_engine *e, struct xl_conn *c);
/* The same for the large message under way: there is to be room for it, or a grant. */
void xl_conn_want_large(struct xl_engine *e, struct xl_conn *c);
void xl_listener_notify(struct xl_engine *e, u32 listener);
/* Output has something to do for c. */
static inline void xl_conn_activate(struct xl_engine *e, struct xl_conn *c) { xl_sched_join(e, c); }
/* How long a connection that is over waits for repeats of the peer's last packets, ns. */
u64 xl_conn_linger(const struct xl_engine *e, const struct xl_conn *c);
/* Set the connection's one timer to the earliest of its deadlines. */
void xl_conn_rearm(struct xl_engine *e, struct xl_conn *c);
/* The timer fired. */
void xl_conn_timeout(struct xl_engine *e, struct xl_conn *c);
int xl_wire_error_errno(u32 code);

#endif
