/* SPDX-License-Identifier: BSD-2-Clause */
#include "state.h"

#define NO XL_STATE_COUNT
#define S(name) XL_STATE_##name

/* Rows: state. Columns: event, in the order of enum xl_state_event. */
static const u8 transitions[XL_STATE_COUNT][XL_EV_COUNT] = {
	/*                  ACCEPTED  CALLED        CONFIRMED  SHUTDOWN        FIN_RECEIVED    FIN_ACKED      ENDED    LINGERED */
	[S(FREE)] =        { NO,      NO,           NO,        NO,             NO,             NO,            NO,      NO },
	[S(CALLING)] =     { S(OPEN), S(ANSWERING), NO,        S(CALLING),     NO,             NO,            S(DEAD), NO },
	[S(ANSWERING)] =   { S(OPEN), S(ANSWERING), S(OPEN),   S(ANSWERING),   NO,             NO,            S(DEAD), NO },
	[S(OPEN)] =        { S(OPEN), NO,           S(OPEN),   S(LOCAL_SHUT),  S(REMOTE_SHUT), NO,            S(DEAD), NO },
	[S(LOCAL_SHUT)] =  { S(LOCAL_SHUT), NO,     S(LOCAL_SHUT), S(LOCAL_SHUT), S(BOTH_SHUT), S(LOCAL_DONE), S(DEAD), NO },
	[S(LOCAL_DONE)] =  { S(LOCAL_DONE), NO,     S(LOCAL_DONE), S(LOCAL_DONE), S(LINGER),   NO,            S(DEAD), NO },
	[S(REMOTE_SHUT)] = { S(REMOTE_SHUT), NO,    S(REMOTE_SHUT), S(BOTH_SHUT), NO,          NO,            S(DEAD), NO },
	[S(BOTH_SHUT)] =   { S(BOTH_SHUT), NO,      S(BOTH_SHUT), S(BOTH_SHUT), NO,            S(LINGER),     S(DEAD), NO },
	[S(LINGER)] =      { S(LINGER), NO,         S(LINGER), S(LINGER),      NO,             NO,            S(DEAD), S(DEAD) },
	[S(DEAD)] =        { NO,      NO,           NO,        S(DEAD),        NO,             NO,            S(DEAD), NO },
};

static const char *const keys[XL_STATE_COUNT] = {
#define KEY(name, key, text) key,
	XL_STATES(KEY)
};

enum xl_state xl_state_next(enum xl_state state, enum xl_state_event event)
{
	return transitions[state][event];
}

const char *xl_state_key(u8 state)
{
	return state < XL_STATE_COUNT ? keys[state] : "?";
}
