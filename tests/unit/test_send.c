/* SPDX-License-Identifier: BSD-2-Clause */
/* What an idle engine says that it takes, it takes; and who waits for room hears of every way in which there is some. */
#include "engine/core.h"
#include "engine_pair.h"

static u8 data[1 << 20];

/* The largest message or datagram, from pools of all sizes. */
static void test_the_most_is_taken(void **state)
{
	(void)state;
	for (u32 frames = 2; frames < 100; frames++) {
		struct xl_engine_config like = { .tx_frames_max = frames, .max_packet = frames % 2 ? 1500 : 9000, .segs_max = 3 };
		struct pair p;

		if (frames < 6 && frames % 2 == 0)
			continue; /* not two packets */
		pair_open(&p, &like);
		pair_run(&p, 5 * XL_MS);
		for (u8 kind = XLANE_KIND_MESSAGE; kind <= XLANE_KIND_DATAGRAM; kind++) {
			struct joined j = pair_join(&p, kind);
			u64 most;

			pair_run(&p, 5 * XL_MS);
			CHECK(xl_conn_send(p.h[0].e, j.a, data, XLANE_MESSAGE_SMALL_MAX_BYTES + 1, p.now) == -EMSGSIZE);
			most = xl_min(xl_conn_message_max(p.h[0].e, j.a), XLANE_MESSAGE_SMALL_MAX_BYTES);
			while (xl_conn_send(p.h[0].e, j.a, data, most, p.now) == -EMSGSIZE)
				most--; /* what no call takes (engine.h): send says so */
			CHECK(info_of(&p.h[0], j.a).messages_sent == 1);
			pair_run(&p, 20 * XL_MS);
			CHECK(xl_conn_recv(p.h[1].e, j.b, data, sizeof data, p.now) == (s64)most);
			pair_run(&p, 20 * XL_MS);
			pair_check(&p);
		}
		pair_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_the_most_is_taken) };

	return RUN_TAP(tests);
}
