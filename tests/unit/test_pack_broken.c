/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that are not what was packed are refused, or harm nothing. */
#include "engine_moved.h"

/* --- broken bytes -------------------------------------------------------------------------------------------- */
static void seal(u8 *b, u64 n)
{
	u32 crc = xl_crc32c(0, b + 8, n - 8);

	memcpy(b + 4, &crc, sizeof crc);
}

/* Each byte in turn is another: the checksum tells. The checksum made good, all but the bytes of programs (which nothing
 * could tell) are refused for what they say, or make a connection that holds every invariant. */
static void test_each_byte(void **state)
{
	u32 refused = 0, taken = 0, c;
	struct xl_prng rng;
	u64 n, checked;

	(void)state;
	xl_prng_seed(&rng, 5);
	laden();
	n = (u64)packed();
	checked = sizeof(struct xl_export) + 32 + sizeof(struct xl_conn) + sizeof(struct xl_flow) +
		((struct xl_export *)(bytes + 32))->sents * sizeof(struct xl_sent) +
		((struct xl_export *)(bytes + 32))->frames * sizeof(struct xl_export_frame);
	for (u64 i = 0; i < n; i += i < 8000 ? 1 : 61) {
		memcpy(spoilt, bytes, n);
		spoilt[i] ^= (u8)(1 + xl_prng_below(&rng, 255));
		CHECK(xl_conn_unpack(other.e, spoilt, n, p.now, &c) == -EINVAL);
	}
	for (u64 i = 0; i < n; i += 1 + n / 3000)
		REFUSED(-EINVAL, i);
	for (u64 i = 0; i < checked; i++) {
		int error;

		memcpy(spoilt, bytes, n);
		spoilt[i] ^= (u8)(i % 3 ? 1u << xl_prng_below(&rng, 8) : 1 + xl_prng_below(&rng, 255));
		if (i < 4 || i >= 8)
			seal(spoilt, n);
		error = xl_conn_unpack(other.e, spoilt, n, p.now, &c);
		CHECK(error == 0 || error == -EINVAL || error == -ENOSPC);
		refused += error != 0;
		if (xl_engine_check(other.e))
			fail_msg("byte %llu: %s", (unsigned long long)i, xl_engine_check(other.e));
		if (error)
			continue;
		taken++;
		xl_conn_forget(other.e, c);
		CHECK(!xl_engine_check(other.e));
	}
	CHECK(refused > 100 && taken > 100);
	bystander_lives(&p);
	end();
}

/* The tables that lie in blocks: of holes, of numbers, of early messages, of fragments, of a large message. */
static void break_blocks(u8 kind, u32 seed)
{
	u32 refused = 0, taken = 0, c, blocks;
	struct xl_prng rng;
	struct joined j;
	u64 n, from;
	u8 to;

	xl_prng_seed(&rng, seed);
	begin(&(struct xl_engine_config){ .blocks = 2048 });
	j = pair_join(&p, kind);
	conn = j.a;
	run(1 * XL_MS, 0);
	fill_data(LARGE, 4);
	if (kind == XLANE_KIND_MESSAGE || kind == XLANE_KIND_UNORDERED) {
		CHECK(xl_conn_large_begin(p.h[1].e, j.b, LARGE, p.now) == 0);
		run(1 * XL_MS, 0);
		CHECK(xl_conn_large_more(p.h[1].e, j.b, data, LARGE, p.now) > 0);
	}
	for (u32 i = 0; i < 12; i++)
		CHECK(xl_conn_send(p.h[1].e, j.b, data, 3001, p.now) == 3001);
	for (u32 i = 0; i < 30 && host_output(&p.h[1], &r, &to, p.now); i++)
		if (i % 4)
			host_input(at(), &r, 2, p.now);
	n = (u64)packed();
	memcpy(&from, bytes + 8, sizeof from);
	memcpy(&blocks, bytes + 24, sizeof blocks);
	CHECK(blocks > 2);
	for (u32 i = 0; i < 4000; i++) {
		int error;

		memcpy(spoilt, bytes, n);
		for (u64 k = 1 + xl_prng_below(&rng, 3); k; k--) {
			u64 where = 32 + from + (u64)XLANE_BLOCK_BYTES * xl_prng_below(&rng, blocks) +
				(i % 2 ? xl_prng_below(&rng, 64) : xl_prng_below(&rng, XLANE_BLOCK_BYTES));

			spoilt[where] = (u8)(i % 4 ? xl_prng_u64(&rng) : i % 8 ? 0 : 0xff);
		}
		seal(spoilt, n);
		error = xl_conn_unpack(other.e, spoilt, n, p.now, &c);
		CHECK(error == 0 || error == -EINVAL || error == -ENOSPC);
		CHECK(!xl_engine_check(other.e));
		refused += error != 0;
		taken += !error;
		if (!error)
			xl_conn_forget(other.e, c);
	}
	CHECK(refused && taken);
	move();
	run(1 * XL_S, 0);
	CHECK(xl_conn_recv(at()->e, conn, in, sizeof in, p.now) > 0 && !memcmp(in, data, 3001));
	whole();
	bystander_lives(&p);
	end();
}

static void test_blocks(void **state)
{
	(void)state;
	for (u8 kind = XLANE_KIND_STREAM; kind <= XLANE_KIND_DATAGRAM; kind++)
		break_blocks(kind, kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte), cmocka_unit_test(test_blocks),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
