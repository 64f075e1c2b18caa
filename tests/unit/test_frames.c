/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"
#include "base/frames.h"

#define FRAMES 37
#define BYTES 64

static struct xl_frames pool(void)
{
	struct xl_frames f;

	xl_frames_init(&f, malloc(FRAMES * BYTES), BYTES, FRAMES, malloc(xl_frames_table_bytes(FRAMES)));
	return f;
}

static void drop(struct xl_frames *f)
{
	free(f->free);
	free(f->mem);
}

static void takes_all_once_and_warm_first(void **state)
{
	struct xl_frames f = pool();
	u8 seen[FRAMES] = { 0 };

	(void)state;
	for (u32 i = 0; i < FRAMES; i++) {
		u32 frame = xl_frames_take(&f, XL_FRAME_FILL);

		assert_true(frame < FRAMES && !seen[frame]++);
		assert_ptr_equal(xl_frames_ptr(&f, frame), f.mem + frame * BYTES);
		memset(xl_frames_ptr(&f, frame), 1, BYTES);
	}
	assert_int_equal(xl_frames_take(&f, XL_FRAME_RX), XL_NONE);
	assert_int_equal(f.census[XL_FRAME_FILL], FRAMES);
	xl_frames_move(&f, 5, XL_FRAME_FILL, XL_FRAME_FREE);
	xl_frames_move(&f, 9, XL_FRAME_FILL, XL_FRAME_FREE);
	assert_int_equal(xl_frames_take(&f, XL_FRAME_LENT), 9);
	assert_true(xl_frames_census_ok(&f));
	drop(&f);
}

static void census_holds_over_random_moves(void **state)
{
	struct xl_frames f = pool();
	struct xl_prng r;
	u8 owner[FRAMES] = { 0 };

	(void)state;
	xl_prng_seed(&r, 1);
	for (int step = 0; step < 100000; step++) {
		u32 frame = (u32)xl_prng_below(&r, FRAMES), to = (u32)xl_prng_below(&r, XL_FRAME_FOREIGN);

		if (owner[frame] != XL_FRAME_FREE) {
			xl_frames_move(&f, frame, owner[frame], to);
			owner[frame] = (u8)to;
		} else if (to != XL_FRAME_FREE) {
			frame = xl_frames_take(&f, to);
			CHECK(frame < FRAMES && owner[frame] == XL_FRAME_FREE);
			owner[frame] = (u8)to;
		}
		CHECK(xl_frames_census_ok(&f));
		CHECK(!memcmp(f.owner, owner, FRAMES));
	}
	drop(&f);
}

static void census_finds_damage(void **state)
{
	struct xl_frames f = pool();
	u32 a = xl_frames_take(&f, XL_FRAME_TX), saved;

	(void)state;
	f.census[XL_FRAME_TX]++;
	assert_false(xl_frames_census_ok(&f));
	f.census[XL_FRAME_TX]--;
	f.owner[a] = XL_FRAME_RX;
	assert_false(xl_frames_census_ok(&f));
	f.owner[a] = XL_FRAME_OWNER_COUNT;
	assert_false(xl_frames_census_ok(&f));
	f.owner[a] = XL_FRAME_TX;
	saved = f.free[3];
	f.free[3] = f.free[4];
	assert_false(xl_frames_census_ok(&f));   /* twice in the stack */
	f.free[3] = a;
	assert_false(xl_frames_census_ok(&f));   /* not free */
	f.free[3] = FRAMES;
	assert_false(xl_frames_census_ok(&f));   /* no frame */
	f.free[3] = saved;
	f.nfree--;
	assert_false(xl_frames_census_ok(&f));
	f.nfree++;
	assert_true(xl_frames_census_ok(&f));
	drop(&f);
}

/* A pool of 12 frames of which [4, 8) are its own. */
static struct xl_frames make_part(void)
{
	struct xl_frames f;

	xl_frames_init_part(&f, malloc(12 * BYTES), BYTES, 12, 4, 4, malloc(xl_frames_table_bytes(12)));
	return f;
}

static void part_takes_its_own_only(void **state)
{
	struct xl_frames f = make_part();

	(void)state;
	assert_int_equal(f.nfree, 4);
	assert_int_equal(f.census[XL_FRAME_FOREIGN], 8);
	assert_true(xl_frames_census_ok(&f));
	assert_false(xl_frames_own(&f, 3));
	assert_true(xl_frames_own(&f, 4) && xl_frames_own(&f, 7));
	assert_false(xl_frames_own(&f, 8));
	for (u32 i = 4; i < 8; i++)
		assert_int_equal(xl_frames_take(&f, XL_FRAME_FILL), i);
	assert_int_equal(xl_frames_take(&f, XL_FRAME_FILL), XL_NONE);   /* never one of others */
	xl_frames_move(&f, 5, XL_FRAME_FILL, XL_FRAME_RX);
	xl_frames_move(&f, 5, XL_FRAME_RX, XL_FRAME_FREE);
	assert_int_equal(f.ngoing, 0);
	assert_int_equal(f.nfree, 1);
	assert_true(xl_frames_census_ok(&f));
	drop(&f);
}

static void others_are_foreign_and_go_home(void **state)
{
	static const u32 visitors[] = { 0, 3, 8, 11 };
	struct xl_frames f = make_part();

	(void)state;
	for (u32 i = 0; i < XL_ARRAY_SIZE(visitors); i++)
		xl_frames_move(&f, visitors[i], XL_FRAME_FOREIGN, XL_FRAME_RX);
	assert_int_equal(f.census[XL_FRAME_RX], 4);
	assert_true(xl_frames_census_ok(&f));
	for (u32 i = 0; i < XL_ARRAY_SIZE(visitors); i++)
		xl_frames_move(&f, visitors[i], XL_FRAME_RX, XL_FRAME_FREE);
	assert_int_equal(f.nfree, 4);
	assert_int_equal(f.ngoing, 4);
	for (u32 i = 0; i < XL_ARRAY_SIZE(visitors); i++)
		assert_int_equal(f.going[i], visitors[i]);
	assert_true(xl_frames_census_ok(&f));
	f.going[1] = f.going[0];
	assert_false(xl_frames_census_ok(&f));   /* goes home twice */
	f.going[1] = 5;
	assert_false(xl_frames_census_ok(&f));   /* is at home */
	f.going[1] = 3;
	f.owner[0] = XL_FRAME_FREE;
	assert_false(xl_frames_census_ok(&f));   /* not of this part, and free here */
	f.owner[0] = XL_FRAME_FOREIGN;
	f.owner[6] = XL_FRAME_FOREIGN;
	assert_false(xl_frames_census_ok(&f));   /* of this part, and foreign */
	f.owner[6] = XL_FRAME_FREE;
	assert_true(xl_frames_census_ok(&f));
	drop(&f);
}

static void misuse(struct xl_frames *f, int which)
{
	u32 a = xl_frames_take(f, XL_FRAME_TX);

	switch (which) {
	case 0: xl_frames_move(f, a, XL_FRAME_RX, XL_FRAME_FREE); break;
	case 1: xl_frames_move(f, FRAMES, XL_FRAME_TX, XL_FRAME_FREE); break;
	case 2: xl_frames_move(f, a, XL_FRAME_TX, XL_FRAME_OWNER_COUNT); break;
	case 3: xl_frames_move(f, f->free[0], XL_FRAME_FREE, XL_FRAME_TX); break;
	case 4: xl_frames_take(f, XL_FRAME_FREE); break;
	case 5:
		xl_frames_move(f, a, XL_FRAME_TX, XL_FRAME_FREE);
		xl_frames_move(f, a, XL_FRAME_TX, XL_FRAME_FREE);
		break;
	case 6: xl_frames_move(f, a, XL_FRAME_TX, XL_FRAME_FOREIGN); break;
	case 7: xl_frames_take(f, XL_FRAME_FOREIGN); break;
	case 8: xl_frames_init_part(f, f->mem, BYTES, FRAMES, FRAMES - 1, 2, f->free); break;
	}
}

static void misuse_aborts(void **state)
{
	(void)state;
	for (int which = 0; which < 9; which++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (!child) {
			struct xl_frames f = pool();

			signal(SIGABRT, SIG_DFL);
			close(2);
			misuse(&f, which);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

static void owners_have_names(void **state)
{
	(void)state;
	assert_string_equal(xl_frame_owner_name(XL_FRAME_FREE), "free");
	assert_string_equal(xl_frame_owner_name(XL_FRAME_LENT), "lent");
	assert_string_equal(xl_frame_owner_name(XL_FRAME_OWNER_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all_once_and_warm_first),
		cmocka_unit_test(census_holds_over_random_moves),
		cmocka_unit_test(census_finds_damage),
		cmocka_unit_test(part_takes_its_own_only),
		cmocka_unit_test(others_are_foreign_and_go_home),
		cmocka_unit_test(misuse_aborts),
		cmocka_unit_test(owners_have_names),
	};

	return RUN_TAP(tests);
}
