/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of states against the one of docs/PROTOCOL.md, section 6, cell by cell (S-1). */
#include "engine/state.h"
#include "unit.h"

#define S(name) XL_STATE_##name
#define NO XL_STATE_COUNT

static const struct { u8 state, next[XL_EV_COUNT]; } rows[] = {
	/* in the order of PROTOCOL's columns: ACCEPT, crossing INIT, packet on our id, shutdown, end received, end acknowledged,
	 * abort, linger over */
	{ S(CALLING), { S(OPEN), S(ANSWERING), NO, S(CALLING), NO, NO, S(DEAD), NO } },
	{ S(ANSWERING), { S(OPEN), S(ANSWERING), S(OPEN), S(ANSWERING), NO, NO, S(DEAD), NO } },
	{ S(OPEN), { S(OPEN), NO, S(OPEN), S(LOCAL_SHUT), S(REMOTE_SHUT), NO, S(DEAD), NO } },
	{ S(LOCAL_SHUT), { S(LOCAL_SHUT), NO, S(LOCAL_SHUT), S(LOCAL_SHUT), S(BOTH_SHUT), S(LOCAL_DONE), S(DEAD), NO } },
	{ S(LOCAL_DONE), { S(LOCAL_DONE), NO, S(LOCAL_DONE), S(LOCAL_DONE), S(LINGER), NO, S(DEAD), NO } },
	{ S(REMOTE_SHUT), { S(REMOTE_SHUT), NO, S(REMOTE_SHUT), S(BOTH_SHUT), NO, NO, S(DEAD), NO } },
	{ S(BOTH_SHUT), { S(BOTH_SHUT), NO, S(BOTH_SHUT), S(BOTH_SHUT), NO, S(LINGER), S(DEAD), NO } },
	{ S(LINGER), { S(LINGER), NO, S(LINGER), S(LINGER), NO, NO, S(DEAD), S(DEAD) } },
};

static void test_cells(void **state)
{
	static const u8 events[XL_EV_COUNT] = { XL_EV_ACCEPTED, XL_EV_CALLED, XL_EV_CONFIRMED, XL_EV_SHUTDOWN, XL_EV_FIN_RECEIVED,
						XL_EV_FIN_ACKED, XL_EV_ENDED, XL_EV_LINGERED };

	(void)state;
	for (u32 i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (u32 k = 0; k < XL_EV_COUNT; k++)
			if (xl_state_next(rows[i].state, events[k]) != rows[i].next[k])
				fail_msg("state %s, event %u", xl_state_key(rows[i].state), k);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cells) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
