/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"
#include "wire/record.h"

/* What a record emitted at b says of itself; its body, without the payload that an emitter leaves out. */
static struct xl_record_head head_of(const u8 *b, u32 size, u32 payload)
{
	struct xl_record_head h;

	CHECK(xl_record_head_parse(b, (u64)size + payload, &h));
	CHECK(h.bytes == size + payload - XLANE_RECORD_BYTES);
	return h;
}

static void head_round_trip_and_truncation(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 1);
	for (int i = 0; i < 20000; i++) {
		struct xl_record_head h = { (u8)xl_prng_u64(&r), (u8)xl_prng_u64(&r), (u16)any_size(&r) }, back;
		u8 b[4], *p;

		xl_record_head_emit(b, &h);
		CHECK(xl_record_head_parse(b, 4ull + h.bytes, &back));
		CHECK(!memcmp(&h, &back, sizeof h));
		CHECK(xl_record_head_parse(b, UINT64_MAX, &back));
		CHECK(!h.bytes || !xl_record_head_parse(b, 3ull + h.bytes, &back));
		for (u32 len = 0; len < 4; len++) {
			p = exact_copy(b, len);
			CHECK(!xl_record_head_parse(p, len, &back));
			free(p);
		}
	}
}

/* Each body parser behind one signature, with the sizes at which it may say yes. `fixed`: bytes it reads. */
#define PARSER(name, type, ...) \
	static bool parse_##name(const u8 *p, u64 len, u8 flags) \
	{ \
		struct type out; \
		(void)flags; \
		return type##_parse(p, len, __VA_ARGS__ &out); \
	}
PARSER(data, xl_record_data, flags,)
PARSER(large, xl_record_large, flags,)
PARSER(dgram, xl_record_dgram, flags,)
PARSER(credit, xl_record_credit)
PARSER(grant, xl_record_grant)
PARSER(blocked, xl_record_blocked)
PARSER(abort, xl_record_abort)
PARSER(message, xl_message_head)

static const struct {
	bool (*parse)(const u8 *p, u64 len, u8 flags);
	u32 fixed;
	bool payload;    /* more bytes may follow */
} parser[] = {
	{ parse_data, 8, true }, { parse_large, 12, true }, { parse_dgram, 16, true }, { parse_credit, 8, false },
	{ parse_grant, 12, false }, { parse_blocked, 8, false }, { parse_abort, 4, false }, { parse_message, 8, true },
};

/* Zero bytes are a legal body for each, where the length fits: so only the length decides. */
static void every_length(void **state)
{
	static const u8 zero[64];

	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(parser); i++) {
		for (u32 len = 0; len < 64; len++) {
			u8 *p = exact_copy(zero, xl_min(len, parser[i].fixed));
			bool legal = parser[i].payload ? len >= parser[i].fixed : len == parser[i].fixed;

			if (parser[i].parse == parse_data || parser[i].parse == parse_large)
				legal = len > parser[i].fixed;      /* empty: only DATA, and only as an end */
			if (parser[i].parse == parse_dgram)
				legal = len == parser[i].fixed;     /* total 0 */
			CHECK(parser[i].parse(p, len, 0) == legal);
			free(p);
		}
	}
}

static void random_bytes(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 2);
	for (int i = 0; i < 100000; i++) {
		u64 len = xl_prng_below(&r, 40);
		u8 *p = malloc(len);
		struct xl_record_head h;

		fill_random(&r, p, len);
		xl_record_head_parse(p, len, &h);
		for (size_t k = 0; k < XL_ARRAY_SIZE(parser); k++)
			parser[k].parse(p, len, (u8)xl_prng_u64(&r));
		free(p);
	}
}

static void data_round_trip(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 3);
	for (int i = 0; i < 5000; i++) {
		struct xl_record_data in = { .offset = any_size(&r), .fin = xl_prng_chance(&r, 500000) }, out;
		struct xl_record_head h;
		u8 b[12];

		in.bytes = (u32)xl_prng_below(&r, 9000);
		in.bytes += !in.bytes && !in.fin;
		in.begin = in.bytes && xl_prng_chance(&r, 500000);
		CHECK(xl_record_data_emit(b, &in) == XLANE_DATA_HEAD_BYTES);
		h = head_of(b, XLANE_DATA_HEAD_BYTES, in.bytes);
		CHECK(h.type == XLANE_RECORD_DATA);
		CHECK(xl_record_data_parse(b + 4, h.bytes, h.flags, &out));
		CHECK(in.offset == out.offset && in.bytes == out.bytes && in.fin == out.fin && in.begin == out.begin);
	}
}

static void data_flags(void **state)
{
	static const u8 body[9];
	struct xl_record_data out;

	(void)state;
	for (u32 flags = 0; flags < 256; flags++) {
		CHECK(xl_record_data_parse(body, 9, (u8)flags, &out) == (flags < 4));
		CHECK(xl_record_data_parse(body, 8, (u8)flags, &out) == (flags == XLANE_DATA_FIN));
	}
}

static void large_round_trip_and_bounds(void **state)
{
	struct xl_prng r;
	struct xl_record_large in, out;
	struct xl_record_head h;
	u8 b[16];

	(void)state;
	xl_prng_seed(&r, 4);
	for (int i = 0; i < 5000; i++) {
		in = (struct xl_record_large){ .message = any_size(&r), .bytes = (u32)(1 + xl_prng_below(&r, 9000)) };
		in.offset = (u32)xl_prng_below(&r, XLANE_MESSAGE_MAX_BYTES - in.bytes + 1);
		if (i % 8 == 0)
			in.offset = XLANE_MESSAGE_MAX_BYTES - in.bytes;
		CHECK(xl_record_large_emit(b, &in) == XLANE_LARGE_HEAD_BYTES);
		h = head_of(b, XLANE_LARGE_HEAD_BYTES, in.bytes);
		CHECK(h.type == XLANE_RECORD_LARGE && !h.flags);
		CHECK(xl_record_large_parse(b + 4, h.bytes, h.flags, &out));
		CHECK(in.message == out.message && in.offset == out.offset && in.bytes == out.bytes);
		in.offset = XLANE_MESSAGE_MAX_BYTES - in.bytes + 1 + (u32)any_size(&r) / 2;
		xl_record_large_emit(b, &in);
		CHECK(!xl_record_large_parse(b + 4, h.bytes, 0, &out));
		for (u32 flags = 1; flags < 256; flags++)
			CHECK(!xl_record_large_parse(b + 4, h.bytes, (u8)flags, &out));
	}
	in.offset = UINT32_MAX;   /* the sum passes 2^32 */
	xl_record_large_emit(b, &in);
	assert_false(xl_record_large_parse(b + 4, 12ull + in.bytes, 0, &out));
}

static void dgram_round_trip_and_bounds(void **state)
{
	struct xl_prng r;
	struct xl_record_dgram in, out;
	struct xl_record_head h;
	u8 b[20];

	(void)state;
	xl_prng_seed(&r, 5);
	for (int i = 0; i < 5000; i++) {
		in = (struct xl_record_dgram){ .datagram = any_size(&r) };
		in.total = (u32)xl_prng_below(&r, XLANE_DATAGRAM_MAX_BYTES + 1);
		if (i % 8 == 0)
			in.total = i % 16 ? XLANE_DATAGRAM_MAX_BYTES : 0;
		in.bytes = in.total ? (u32)(1 + xl_prng_below(&r, xl_min(in.total, 9000))) : 0;
		in.offset = (u32)xl_prng_below(&r, in.total - in.bytes + 1);
		CHECK(xl_record_dgram_emit(b, &in) == XLANE_DGRAM_HEAD_BYTES);
		h = head_of(b, XLANE_DGRAM_HEAD_BYTES, in.bytes);
		CHECK(h.type == XLANE_RECORD_DGRAM && !h.flags);
		CHECK(xl_record_dgram_parse(b + 4, h.bytes, h.flags, &out));
		CHECK(in.datagram == out.datagram && in.total == out.total && in.offset == out.offset);
		CHECK(in.bytes == out.bytes);
		CHECK(!in.total || !xl_record_dgram_parse(b + 4, 16, 0, &out));          /* empty fragment */
		CHECK(!xl_record_dgram_parse(b + 4, h.bytes, (u8)(1 + xl_prng_below(&r, 255)), &out));
		in.offset = in.total - in.bytes + 1 + (u32)any_size(&r) / 2;             /* past the end */
		xl_record_dgram_emit(b, &in);
		CHECK(!xl_record_dgram_parse(b + 4, h.bytes, 0, &out));
	}
	in = (struct xl_record_dgram){ .total = XLANE_DATAGRAM_MAX_BYTES + 1, .bytes = 10 };
	xl_record_dgram_emit(b, &in);
	assert_false(xl_record_dgram_parse(b + 4, 26, 0, &out));
	in = (struct xl_record_dgram){ .total = 100, .offset = UINT32_MAX - 4, .bytes = 10 };
	xl_record_dgram_emit(b, &in);
	assert_false(xl_record_dgram_parse(b + 4, 26, 0, &out));
}

/* A body is never longer than its head can say: not even if a caller claims it. */
static void bodies_of_64_kib(void **state)
{
	static u8 body[16];
	struct xl_record_data data;
	struct xl_record_large large;
	struct xl_record_dgram dgram;

	(void)state;
	assert_true(xl_record_data_parse(body, UINT16_MAX, 0, &data) && data.bytes == UINT16_MAX - 8);
	assert_false(xl_record_data_parse(body, UINT16_MAX + 1ull, 0, &data));
	assert_false(xl_record_data_parse(body, (1ull << 32) + 9, 0, &data));
	assert_true(xl_record_large_parse(body, UINT16_MAX, 0, &large) && large.bytes == UINT16_MAX - 12);
	assert_false(xl_record_large_parse(body, UINT16_MAX + 1ull, 0, &large));
	assert_false(xl_record_large_parse(body, (1ull << 32) + 13, 0, &large));
	body[9] = 1;              /* total: 64 KiB */
	assert_true(xl_record_dgram_parse(body, UINT16_MAX, 0, &dgram) && dgram.bytes == UINT16_MAX - 16);
	assert_false(xl_record_dgram_parse(body, UINT16_MAX + 1ull, 0, &dgram));
	assert_false(xl_record_dgram_parse(body, (1ull << 32) + 17, 0, &dgram));
}

static void control_round_trips(void **state)
{
	struct xl_prng r;
	u8 b[16];

	(void)state;
	xl_prng_seed(&r, 6);
	for (int i = 0; i < 5000; i++) {
		struct xl_record_credit c = { any_size(&r) }, c2;
		struct xl_record_grant g = { any_size(&r), (u32)any_size(&r) }, g2;
		struct xl_record_blocked k = { any_size(&r) }, k2;
		struct xl_record_abort a = { (u32)any_size(&r) }, a2;

		CHECK(xl_record_credit_emit(b, &c) == XLANE_CREDIT_BYTES);
		CHECK(head_of(b, XLANE_CREDIT_BYTES, 0).type == XLANE_RECORD_CREDIT && b[1] == 0);
		CHECK(xl_record_credit_parse(b + 4, 8, &c2) && c.limit == c2.limit);
		CHECK(xl_record_grant_emit(b, &g) == XLANE_GRANT_BYTES);
		CHECK(head_of(b, XLANE_GRANT_BYTES, 0).type == XLANE_RECORD_GRANT && b[1] == 0);
		CHECK(xl_record_grant_parse(b + 4, 12, &g2) && g.message == g2.message && g.bytes == g2.bytes);
		CHECK(xl_record_blocked_emit(b, &k) == XLANE_BLOCKED_BYTES);
		CHECK(head_of(b, XLANE_BLOCKED_BYTES, 0).type == XLANE_RECORD_BLOCKED && b[1] == 0);
		CHECK(xl_record_blocked_parse(b + 4, 8, &k2) && k.limit == k2.limit);
		CHECK(xl_record_abort_emit(b, &a) == XLANE_ABORT_BYTES);
		CHECK(head_of(b, XLANE_ABORT_BYTES, 0).type == XLANE_RECORD_ABORT && b[1] == 0);
		CHECK(xl_record_abort_parse(b + 4, 4, &a2) && a.error == a2.error);
	}
	assert_int_equal(xl_record_ping_emit(b), XLANE_PING_BYTES);
	assert_memory_equal(b, "\x13\0\0\0", 4);
	for (u32 bytes = 4; bytes < 400; bytes++) {
		u8 pad[401];

		memset(pad, 0xee, sizeof pad);
		assert_int_equal(xl_record_pad_emit(pad, bytes), bytes);
		assert_int_equal(head_of(pad, bytes, 0).type, XLANE_RECORD_PAD);
		for (u32 i = 4; i < bytes; i++)
			CHECK(!pad[i]);
		assert_int_equal(pad[bytes], 0xee);
	}
}

static void message_head(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 7);
	for (int i = 0; i < 5000; i++) {
		struct xl_message_head in = { (u32)any_size(&r), (u8)xl_prng_below(&r, 2), (u8)xl_prng_u64(&r) }, out;
		u8 b[8];

		memset(b, 0xee, sizeof b);
		xl_message_head_emit(b, &in);
		CHECK(xl_message_head_parse(b, 8, &out));
		CHECK(in.bytes == out.bytes && in.class == out.class && in.priority == out.priority);
		for (u32 v = 1; v < 256; v++) {
			b[6 + (v & 1)] = (u8)v;
			CHECK(!xl_message_head_parse(b, 8, &out));
			b[6] = b[7] = 0;
		}
		for (u32 v = 2; v < 256; v++) {
			b[4] = (u8)v;
			CHECK(!xl_message_head_parse(b, 8, &out));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_round_trip_and_truncation),
		cmocka_unit_test(every_length),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(data_round_trip),
		cmocka_unit_test(data_flags),
		cmocka_unit_test(large_round_trip_and_bounds),
		cmocka_unit_test(dgram_round_trip_and_bounds),
		cmocka_unit_test(bodies_of_64_kib),
		cmocka_unit_test(control_round_trips),
		cmocka_unit_test(message_head),
	};

	return RUN_TAP(tests);
}
