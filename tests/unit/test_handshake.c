/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/endian.h"
#include "unit.h"
#include "wire/handshake.h"

#define ROOM 160

static struct xl_params any_params(struct xl_prng *r)
{
	struct xl_params o = {
		.has_credit = xl_prng_chance(r, 500000), .has_first_number = xl_prng_chance(r, 500000),
		.has_cookie = xl_prng_chance(r, 500000), .no_crc = xl_prng_chance(r, 500000),
	};

	o.max_packet = (u32)any_size(r);
	o.credit = o.has_credit ? any_size(r) : 0;
	o.ack_delay_ns = (u32)any_size(r);
	o.message_max = (u32)any_size(r);
	o.first_number = o.has_first_number ? any_size(r) : 0;
	if (o.has_cookie)
		fill_random(r, o.cookie, sizeof o.cookie);
	return o;
}

static bool same_params(const struct xl_params *a, const struct xl_params *b)
{
	return a->max_packet == b->max_packet && a->credit == b->credit && a->ack_delay_ns == b->ack_delay_ns &&
	       a->message_max == b->message_max && a->first_number == b->first_number && a->no_crc == b->no_crc &&
	       a->has_cookie == b->has_cookie && a->has_credit == b->has_credit &&
	       a->has_first_number == b->has_first_number && !memcmp(a->cookie, b->cookie, sizeof a->cookie);
}

/* Where a body that holds whole parameters may be cut: 16 and behind each parameter. */
static bool is_boundary(const u8 *body, u32 cut, u32 len)
{
	u32 at = 16;

	while (at < cut && at + 4 <= len)
		at += 4u + xl_get16(body + at + 2);
	return at == cut;
}

/* What a parser must say of a good body of `len` bytes of which only `cut` are there. */
static enum xl_handshake_verdict cut_verdict(const u8 *body, u32 cut, u32 len)
{
	if (cut < 16)
		return XL_HANDSHAKE_SHORT;
	return is_boundary(body, cut, len) ? XL_HANDSHAKE_OK : XL_HANDSHAKE_BAD_PARAM;
}

static void init_round_trip_and_truncation(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 1);
	for (int i = 0; i < 5000; i++) {
		struct xl_init in = { any_size(&r), (u16)any_size(&r), (u16)any_size(&r), 1, { 0 } }, out;
		u8 b[ROOM];
		u32 size;

		in.kind = (u8)(1 + xl_prng_below(&r, 4));
		in.params = any_params(&r);
		size = xl_init_emit(b, &in);
		CHECK(size <= ROOM && b[0] == XLANE_RECORD_INIT && !b[1] && xl_get16(b + 2) == size - 4);
		CHECK(xl_init_parse(b + 4, size - 4, &out) == XL_HANDSHAKE_OK);
		CHECK(in.incarnation == out.incarnation && in.source_port == out.source_port && in.kind == out.kind);
		CHECK(in.destination_port == out.destination_port && same_params(&in.params, &out.params));
		for (u32 len = 0; len < size - 4; len++) {
			u8 *p = exact_copy(b + 4, len);
			enum xl_handshake_verdict v = xl_init_parse(p, len, &out);

			CHECK(v == cut_verdict(b + 4, len, size - 4));
			free(p);
		}
	}
}

static void accept_round_trip_and_truncation(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 2);
	for (int i = 0; i < 5000; i++) {
		struct xl_accept in = { any_size(&r), any_size(&r), { 0 } }, out;
		u8 b[ROOM];
		u32 size;

		in.params = any_params(&r);
		size = xl_accept_emit(b, &in);
		CHECK(size <= ROOM && b[0] == XLANE_RECORD_ACCEPT && !b[1] && xl_get16(b + 2) == size - 4);
		CHECK(xl_accept_parse(b + 4, size - 4, &out) == XL_HANDSHAKE_OK);
		CHECK(in.incarnation == out.incarnation && in.initiator_incarnation == out.initiator_incarnation);
		CHECK(same_params(&in.params, &out.params));
		for (u32 len = 0; len < size - 4; len++) {
			u8 *p = exact_copy(b + 4, len);
			enum xl_handshake_verdict v = xl_accept_parse(p, len, &out);

			CHECK(v == cut_verdict(b + 4, len, size - 4));
			free(p);
		}
	}
}

static void cookie_and_refuse(void **state)
{
	struct xl_prng r;

	(void)state;
	xl_prng_seed(&r, 3);
	for (int i = 0; i < 2000; i++) {
		struct xl_refuse in = { (u32)any_size(&r), any_size(&r), any_size(&r) }, out;
		struct xl_cookie c, c2;
		u8 b[ROOM] = { 0 };

		fill_random(&r, &c, sizeof c);
		CHECK(xl_cookie_emit(b, &c) == XLANE_COOKIE_REC_BYTES);
		CHECK(b[0] == XLANE_RECORD_COOKIE && !b[1] && xl_get16(b + 2) == 16);
		CHECK(xl_cookie_parse(b + 4, 16, &c2) && !memcmp(&c, &c2, sizeof c));
		CHECK(xl_refuse_emit(b, &in) == XLANE_REFUSE_BYTES);
		CHECK(b[0] == XLANE_RECORD_REFUSE && !b[1] && xl_get16(b + 2) == 20);
		CHECK(xl_refuse_parse(b + 4, 20, &out));
		CHECK(in.error == out.error && in.id == out.id && in.number == out.number);
		for (u32 len = 0; len < 40; len++) {
			u8 *p = exact_copy(b + 4, len);

			CHECK(xl_cookie_parse(p, len, &c2) == (len == 16));
			CHECK(xl_refuse_parse(p, len, &out) == (len == 20));
			free(p);
		}
	}
}

static void fixed_part(void **state)
{
	u8 body[16] = { 0 };
	struct xl_init out;

	(void)state;
	for (u32 kind = 0; kind < 256; kind++) {
		body[12] = (u8)kind;
		CHECK(xl_init_parse(body, 16, &out) == (kind >= 1 && kind <= 4 ? XL_HANDSHAKE_OK : XL_HANDSHAKE_SHORT));
	}
	body[12] = 1;
	for (u32 at = 13; at < 16; at++) {
		for (u32 v = 1; v < 256; v++) {
			body[at] = (u8)v;
			CHECK(xl_init_parse(body, 16, &out) == XL_HANDSHAKE_SHORT);
		}
		body[at] = 0;
	}
	assert_int_equal(xl_init_parse(body, 16, &out), XL_HANDSHAKE_OK);
}

/* An ACCEPT body whose parameters are built by hand. */
struct build { u8 body[600]; u32 len; };

static void add(struct build *b, u16 id, u32 size)
{
	xl_put16(b->body + b->len, id);
	xl_put16(b->body + b->len + 2, (u16)size);
	memset(b->body + b->len + 4, 0x11, size);
	b->len += 4 + size;
}

static enum xl_handshake_verdict verdict(const struct build *b)
{
	u8 *p = exact_copy(b->body, b->len);
	struct xl_accept out;
	enum xl_handshake_verdict v = xl_accept_parse(p, b->len, &out);

	free(p);
	return v;
}

static const struct { u16 id; u32 size; } known[] = {
	{ XLANE_PARAM_MAX_PACKET, 4 }, { XLANE_PARAM_CREDIT, 8 }, { XLANE_PARAM_ACK_DELAY, 4 },
	{ XLANE_PARAM_NO_CRC, 0 }, { XLANE_PARAM_MESSAGE_MAX, 4 }, { XLANE_PARAM_COOKIE, 16 },
	{ XLANE_PARAM_FIRST_NUMBER, 8 },
};

static bool is_known(u32 id)
{
	for (size_t i = 0; i < XL_ARRAY_SIZE(known); i++)
		if (known[i].id == id)
			return true;
	return false;
}

static void parameters_of_every_id_and_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < XL_ARRAY_SIZE(known); i++) {
		for (u32 size = 0; size < 40; size++) {
			struct build b = { .len = 16 };

			add(&b, known[i].id, size);
			CHECK(verdict(&b) == (size == known[i].size ? XL_HANDSHAKE_OK : XL_HANDSHAKE_BAD_PARAM));
			add(&b, known[i].id, size);
			CHECK(verdict(&b) == XL_HANDSHAKE_BAD_PARAM);   /* repeated */
		}
	}
	for (u32 id = 0; id <= UINT16_MAX; id++) {
		struct build b = { .len = 16 };

		if (is_known(id))
			continue;
		add(&b, (u16)id, id % 20);
		CHECK(verdict(&b) == (id & 0x8000 ? XL_HANDSHAKE_UNKNOWN_PARAM : XL_HANDSHAKE_OK));
		add(&b, (u16)id, id % 20);
		CHECK(verdict(&b) == (id & 0x8000 ? XL_HANDSHAKE_UNKNOWN_PARAM : XL_HANDSHAKE_BAD_PARAM));
	}
}

static void too_many_parameters(void **state)
{
	struct build b = { .len = 16 };

	(void)state;
	for (u32 n = 1; n <= XLANE_PARAMS_MAX + 3; n++) {
		add(&b, (u16)(0x100 + n), n);
		assert_int_equal(verdict(&b), n <= XLANE_PARAMS_MAX ? XL_HANDSHAKE_OK : XL_HANDSHAKE_BAD_PARAM);
	}
}

static void unknown_ones_are_skipped(void **state)
{
	struct build b = { .len = 16 };
	struct xl_accept out;

	(void)state;
	add(&b, 0x0123, 7);
	add(&b, XLANE_PARAM_MAX_PACKET, 4);
	add(&b, 0x0124, 0);
	assert_int_equal(xl_accept_parse(b.body, b.len, &out), XL_HANDSHAKE_OK);
	assert_int_equal(out.params.max_packet, 0x11111111);
}

static void random_bytes(void **state)
{
	struct xl_prng r;
	u32 count[4] = { 0 };

	(void)state;
	xl_prng_seed(&r, 4);
	for (int i = 0; i < 100000; i++) {
		u64 len = xl_prng_below(&r, 120);
		u8 *p = malloc(len);
		struct xl_init a;
		struct xl_accept b;

		fill_random(&r, p, len);
		for (u64 at = 16; i & 1 && at + 4 <= len; ) {   /* parameters that make some sense */
			size_t k = xl_prng_below(&r, XL_ARRAY_SIZE(known));

			xl_put16(p + at, xl_prng_chance(&r, 900000) ? known[k].id : (u16)xl_prng_u64(&r));
			xl_put16(p + at + 2, (u16)(xl_prng_chance(&r, 950000) ? known[k].size : xl_prng_below(&r, 30)));
			at += 4 + known[k].size;
		}
		xl_init_parse(p, len, &a);
		count[xl_accept_parse(p, len, &b)]++;
		free(p);
	}
	for (int v = 0; v < 4; v++)
		assert_true(count[v] > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_round_trip_and_truncation),
		cmocka_unit_test(accept_round_trip_and_truncation),
		cmocka_unit_test(cookie_and_refuse),
		cmocka_unit_test(fixed_part),
		cmocka_unit_test(parameters_of_every_id_and_size),
		cmocka_unit_test(too_many_parameters),
		cmocka_unit_test(unknown_ones_are_skipped),
		cmocka_unit_test(random_bytes),
	};

	return RUN_TAP(tests);
}
