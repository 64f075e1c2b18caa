/* SPDX-License-Identifier: BSD-2-Clause */
/* state.h - the states of a connection and the table that moves between them (PROTOCOL 6). */
#ifndef XL_STATE_H
#define XL_STATE_H

#include "../base/types.h"

/* name, text, what holds in it: may data arrive / may the program send / does the peer know our packets */
#define XL_STATES(X) \
	X(FREE, "free", "not in use") \
	X(CALLING, "calling", "INIT sent, no answer yet") \
	X(ANSWERING, "answering", "ACCEPT sent, not confirmed yet") \
	X(OPEN, "open", "both directions open") \
	X(LOCAL_SHUT, "local-shut", "our end is sent, not acknowledged; the peer's direction is open") \
	X(LOCAL_DONE, "local-done", "our end is acknowledged; the peer's direction is open") \
	X(REMOTE_SHUT, "remote-shut", "the peer's end is received; our direction is open") \
	X(BOTH_SHUT, "both-shut", "both ends sent; ours not acknowledged") \
	X(LINGER, "linger", "all done; repeats of the peer's last packets are acknowledged for a while") \
	X(DEAD, "dead", "over; the program has not let go of it, or an ABORT is still to be sent")
enum xl_state {
#define XL_STATE_ENUM(name, key, text) XL_STATE_##name,
	XL_STATES(XL_STATE_ENUM)
	XL_STATE_COUNT
};

#define XL_STATE_EVENTS(X) \
	X(ACCEPTED) /* a valid ACCEPT arrived */ \
	X(CALLED) /* a crossing INIT of the same call arrived */ \
	X(CONFIRMED) /* a valid packet on our connection id arrived */ \
	X(SHUTDOWN) /* the program ends its direction */ \
	X(FIN_RECEIVED) /* everything up to the peer's end has arrived */ \
	X(FIN_ACKED) /* the peer has everything up to our end */ \
	X(ENDED) /* abort from either side, timeout, death of the peer */ \
	X(LINGERED) /* the linger time is over */
enum xl_state_event {
#define XL_STATE_EVENT_ENUM(name) XL_EV_##name,
	XL_STATE_EVENTS(XL_STATE_EVENT_ENUM)
	XL_EV_COUNT
};

/* The next state, or XL_STATE_COUNT when the event is not legal in `state` (the caller counts and drops it). */
enum xl_state xl_state_next(enum xl_state state, enum xl_state_event event);
const char *xl_state_key(u8 state);

/* Both connection ids are known: DATA packets go both ways. */
static inline bool xl_state_joined(u8 s) { return s >= XL_STATE_OPEN && s <= XL_STATE_LINGER; }
/* The peer may still send data that is new to us. */
static inline bool xl_state_receives(u8 s) { return s >= XL_STATE_OPEN && s <= XL_STATE_LOCAL_DONE; }
/* The program may still send. */
static inline bool xl_state_sends(u8 s)
{
	return s == XL_STATE_CALLING || s == XL_STATE_ANSWERING || s == XL_STATE_OPEN || s == XL_STATE_REMOTE_SHUT;
}

#endif
